// The page's words in its language: one JSON file each, and the ways in which they reach the page.

export const language = new URLSearchParams(location.search).get("lang") === "ja" ? "ja" : "en";

let words = {};
let scenarios = {};

async function json(path) {
  return (await fetch(path)).json();
}

export async function load() {
  words = await json(`/page/texts.${language}.json`);
  if (language === "ja") scenarios = await json("/page/scenarios.ja.json");
}

export const has = (key) => key in words;

// The text of a key with {values} put in; `key.one` is taken, where it exists, for n = 1.
export function t(key, values = {}) {
  const text = (values.n === 1 && words[`${key}.one`]) || words[key] || key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export function translate(root) {
  for (const node of root.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  for (const node of root.querySelectorAll("[data-t-label]")) {
    node.setAttribute("aria-label", t(node.dataset.tLabel));
  }
}

// A name of the model's, such as a stage; one that a newer model adds is shown as it stands.
export const named = (group, name) => (has(`${group}.${name}`) ? t(`${group}.${name}`) : name);

// The scenarios' own texts are English; translations stand beside the page by id and by sentence.
export const titleOf = (id, english) => scenarios.titles?.[id]?.title ?? english;
// A description's first sentence, and the next where that alone says little.
const opening = (text) => /^.{90,}?[.!?](?=\s|$)/s.exec(text)?.[0] ?? text;
export const storyOf = (id, english) => scenarios.titles?.[id]?.story ?? opening(english ?? "");
// What a scenario must not leave unsaid, beside its story and while it plays.
export const noteOf = (id) => (has(`note.${id}`) ? t(`note.${id}`) : "");
export const sentence = (english) => scenarios.sentences?.[english] ?? english;
export const placeName = (place) => (language === "ja" ? place.name_ja : place.name_en) ?? "";
// Whether a text had to stay English on a Japanese page, so that it is read out as English.
export const foreign = (text) => (language === "ja" && /[A-Za-z]{3}/.test(text) && !/[ぁ-んァ-ヶ一-龯]/.test(text) ? "en" : null);
