// Elements from values. Text is always text: nothing here, and nothing on the page, parses markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

export const el = (name, attributes = {}, ...children) =>
  filled(document.createElement(name), attributes, children);

export const svg = (name, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, name), attributes, children);

// The mark of a state: a shape with a glyph, never a colour alone.
export const mark = (kind) =>
  svg("svg", { class: `mark ${kind}`, viewBox: "0 0 24 24", "aria-hidden": "true" },
    svg("use", { href: `#s-${kind}` }));

// Only what differs is written: a page that stands still costs nothing and stays selectable.
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

// A row that knows the heads of its columns, to show them itself where there is no room for a head.
export function labelled(row) {
  const heads = row.closest("table")?.tHead.rows[0].cells;
  if (heads) [...row.cells].forEach((cell, place) => { cell.dataset.label = heads[place].textContent; });
}

// Rows by key: kept while their key stays, so that focus, selection and scrolling survive.
export function rows(parent, items, keyOf, make, update) {
  const known = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  items.forEach((item, place) => {
    const key = String(keyOf(item));
    let node = known.get(key);
    if (!node) {
      node = make(item);
      node.dataset.key = key;
    }
    known.delete(key);
    // In its place first: what a row says may depend on the table it stands in.
    if (parent.children[place] !== node) parent.insertBefore(node, parent.children[place] ?? null);
    update(node, item);
  });
  for (const node of known.values()) node.remove();
}
