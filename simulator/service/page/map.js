// The map: outlines, municipalities as dots, and a mark on every prefecture that was told something.
//
// State is told by colour, by pattern and by the shape of the mark; the table beside it says the
// same in words and is what a screen reader is led to.

import { get } from "./api.js";
import { mark, svg } from "./dom.js";

export const KINDS = ["warn", "shelter", "lifted", "corrected", "test"];
const PATTERNS = {
  warn: ["M-4 12 12-4M0 24 24 0M12 28 28 12"],
  shelter: ["M-4 12 12-4M0 24 24 0M12 28 28 12M-4 12 12 28M0 0l24 24M12-4l16 16"],
  lifted: ["M6 6h.1M18 18h.1"],
  corrected: ["M0 6h24M0 18h24"],
  test: ["M6 0v24M18 0v24"],
};
const MARK_PX = [19, 26]; // the whole country, and zoomed in
const ROOM = 130;

function pattern(kind) {
  return svg("pattern", { id: `p-${kind}`, width: 24, height: 24, patternUnits: "userSpaceOnUse" },
    svg("path", { class: `pattern ${kind}`, d: PATTERNS[kind][0] }));
}

function around(boxes, width, height) {
  const low = (side) => Math.min(...boxes.map((box) => box[side]));
  const high = (side, size) => Math.max(...boxes.map((box) => box[side] + box[size]));
  const middle = [(low("x") + high("x", "width")) / 2, (low("y") + high("y", "height")) / 2];
  const ratio = width / height;
  const least = Math.max(high("x", "width") - low("x") + ROOM * 2, 480 * ratio,
    (high("y", "height") - low("y") + ROOM * 2) * ratio);
  const wide = Math.min(width, least);
  const tall = wide / ratio;
  const held = (at, size, most) => Math.max(0, Math.min(at - size / 2, most - size));
  return [held(middle[0], wide, width), held(middle[1], tall, height), wide, tall];
}

export class Map47 {
  constructor(host, words) {
    this.host = host;
    this.words = words;
    this.places = new Map();
    this.zoomed = false;
    this.shown = "";
  }

  async draw(language) {
    const data = await get("/page/map.json");
    this.size = [data.width, data.height];
    const marks = svg("g", { class: "marks" });
    const land = svg("g");
    for (const each of data.prefectures) {
      const title = svg("title", {}, each[language]);
      const group = svg("g", { class: "place", "data-slug": each.slug, "data-state": "none" }, title,
        svg("path", { class: "land", d: each.outline }),
        svg("path", { class: "hatch", d: each.outline }),
        svg("path", { class: "towns", d: each.towns }));
      land.append(group);
      this.places.set(each.slug, { group, title, at: each.at, name: each[language], state: "none" });
    }
    const [x, y, width, height] = data.inset;
    this.drawing = svg("svg", {
      viewBox: `0 0 ${data.width} ${data.height}`, role: "img", "aria-label": this.words.label,
      "aria-describedby": "places-title",
    }, svg("defs", {}, ...KINDS.map(pattern)),
    svg("rect", { class: "inset", x, y, width, height, rx: 10 }), land, marks);
    this.marks = marks;
    this.host.replaceChildren(this.drawing);
  }

  // states: slug -> {kind, text}; part: slugs that belong to the exercise.
  show(states, part, label) {
    for (const [slug, place] of this.places) {
      const state = states.get(slug);
      const kind = state?.kind ?? (part.has(slug) ? "part" : "none");
      const shown = `${kind} ${state?.text ?? ""}`;
      if (place.shown === shown) continue;
      place.shown = shown;
      place.group.dataset.state = kind;
      place.title.textContent = state ? `${place.name}: ${state.text}` : place.name;
      place.mark?.remove();
      place.mark = null;
      if (state) {
        place.mark = mark(kind);
        place.mark.dataset.slug = slug;
        this.marks.append(place.mark);
        // What has just changed lies on top of what was there before.
        place.group.parentNode.append(place.group);
      }
    }
    this.part = part;
    this.drawing?.setAttribute("aria-label", label);
    this.#sized();
  }

  zoom(on) {
    this.zoomed = on;
    this.shown = "";
    this.#sized();
  }

  #sized() {
    if (!this.drawing) return;
    const chosen = [...(this.part ?? [])].map((slug) => this.places.get(slug)).filter(Boolean);
    const key = `${this.zoomed} ${chosen.length} ${this.marks.childElementCount}`;
    const [width, height] = this.size;
    const box = this.zoomed && chosen.length
      ? around(chosen.map(({ group }) => group.querySelector(".land").getBBox()), width, height)
      : [0, 0, width, height];
    if (key !== this.shown) this.drawing.setAttribute("viewBox", box.map(Math.round).join(" "));
    this.shown = key;
    this.drawing.toggleAttribute("data-zoomed", box[2] < width);
    // Marks and dots keep their size on the screen, whatever it shows of the map.
    const pixel = box[2] / Math.max(200, this.host.clientWidth);
    const many = this.marks.childElementCount > 20 ? 0.75 : 1;
    const size = MARK_PX[box[2] < width ? 1 : 0] * many * pixel;
    for (const { mark: node, at } of this.places.values()) {
      if (!node) continue;
      node.setAttribute("width", size);
      node.setAttribute("height", size);
      node.setAttribute("x", at[0] - size / 2);
      node.setAttribute("y", at[1] - size / 2);
    }
  }
}
