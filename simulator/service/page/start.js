// Choosing and starting an exercise, and the list of those that are playing, waiting or over.

import { get, post, Problem } from "./api.js";
import { byId, el, put, rows, show } from "./dom.js";
import { foreign, has, language, noteOf, storyOf, t, titleOf } from "./texts.js";

const SPEEDS = [1, 10, 60, 300, 600, 3000];
const GROUPS = ["tohoku", "okinawa", "hokkaido", "akita"];
const FIRST = "tohoku-2022-11-03";

export function describe(problem) {
  if (!(problem instanceof Problem)) return [t("problem.reach")];
  const { type, detail, title, field, value, where, remedy, status } = problem.fields;
  const label = field && t(`start.${field}`) !== `start.${field}` ? t(`start.${field}`) : field;
  const place = [where && where !== "body" ? where : "", label].filter(Boolean).join(": ");
  const known = `problem.${type?.split(":").at(-1)}`;
  if (has(known)) return [t(known)];
  return [
    detail || title || t("problem.status", { status }),
    place ? t("problem.field", { place }) + (value ? t("problem.value", { value }) : "") : "",
    remedy ? t("problem.remedy", { remedy }) : "",
  ].filter(Boolean);
}

export function complain(node, problem) {
  node.replaceChildren(el("strong", {}, t("problem.title")),
    ...describe(problem).map((text) => el("p", { lang: foreign(text) }, text)));
  show(node, true);
}

// --- form -----------------------------------------------------------------------------------

export class Start {
  constructor(form, started) {
    this.form = form;
    this.started = started;
    this.scenarios = [];
    byId("go").ariaDisabled = "true";
    byId("scenario").append(el("option", {}, t("start.loading")));
    byId("speed").append(...SPEEDS.map((speed) => el("option", { value: speed, selected: speed === 60 },
      speed === 1 ? t("start.real") : t("start.times", { speed: form.number(speed) }))));
    byId("speed").addEventListener("change", () => this.#hint());
    byId("scenario").addEventListener("change", () => this.#story());
    byId("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#go();
    });
    byId("subscribers").addEventListener("input", () => this.#wrong(""));
  }

  async load() {
    this.scenarios = (await get("scenarios")).scenarios;
    this.most = (await get("service")).limits.subscribers;
    const grouped = new Map([...GROUPS, "made"].map((name) => [name, []]));
    for (const each of this.scenarios) {
      const name = GROUPS.find((group) => each.id.startsWith(`${group}-`)) ?? "made";
      grouped.get(name).push(each);
    }
    byId("scenario").replaceChildren(...[...grouped].filter(([, each]) => each.length).map(([name, each]) =>
      el("optgroup", { label: t(`group.${name}`) }, ...each.map((one) =>
        el("option", { value: one.id, selected: one.id === FIRST }, titleOf(one.id, one.title))))));
    byId("go").ariaDisabled = "false";
    this.#story();
  }

  #story() {
    const chosen = this.scenarios.find((each) => each.id === byId("scenario").value);
    const text = chosen ? [storyOf(chosen.id, chosen.description), noteOf(chosen.id)].filter(Boolean).join(" ") : "";
    const node = byId("story");
    put(node, text || t("start.no-story"));
    node.lang = foreign(text) ?? language;
    this.#hint();
  }

  #hint() {
    const speed = Number(byId("speed").value);
    put(byId("speed-hint"), t("start.speed.hint", { span: this.form.span(3600e9 / speed) }));
  }

  // What the service would refuse is said at its field, before anything is asked.
  #wrong(text) {
    put(byId("subscribers-problem"), text);
    byId("subscribers").ariaInvalid = String(Boolean(text));
    if (text) byId("subscribers").focus();
  }

  async #go() {
    const button = byId("go");
    if (button.ariaDisabled === "true") return;
    const node = byId("form-problem");
    show(node, false);
    const typed = byId("subscribers").value.normalize("NFKC").replace(/[\s,、]/g, "");
    const most = this.most;
    const right = /^\d{1,15}$/.test(typed) && Number(typed) <= most;
    this.#wrong(right ? "" : t("start.wrong", { most: this.form.number(most) }));
    if (!right) return;
    button.ariaDisabled = "true";
    try {
      const made = await post("runs", {
        scenario: byId("scenario").value, speed: Number(byId("speed").value), lead_in: "launch", subscribers: Number(typed),
      });
      this.started(made.run);
    } catch (problem) {
      complain(node, problem);
    } finally {
      button.ariaDisabled = "false";
    }
  }
}

// --- list -----------------------------------------------------------------------------------

export const fileLink = (run, name, label, attributes = {}) => el("a", {
  href: `/api/v1/runs/${encodeURIComponent(run)}/files/${name}?lang=${language}`, target: "_blank", rel: "noopener", ...attributes,
}, label);

const LIVE = ["queued", "starting", "running", "stopping"];
export const isOver = (run) => !LIVE.includes(run.state);
export const chipOf = (run) => (isOver(run) && run.outcome) || run.state;

export function showRuns(runs, form) {
  show(byId("runs-none"), runs.length === 0);
  rows(byId("runs"), runs, (each) => each.run, (each) => {
    const title = titleOf(each.scenario?.id, each.scenario?.title || each.run);
    return el("li", {},
      el("a", { href: `#run=${encodeURIComponent(each.run)}`, class: "title", lang: foreign(title) }, title),
      el("span", { class: "chip" }), el("p", { class: "meta" }), el("p", { class: "links" }));
  }, (node, each) => {
    const [, chip, meta, links] = node.children;
    chip.className = `chip ${chipOf(each)}`;
    put(chip, t(`state.${chipOf(each)}`));
    const when = each.ended ?? each.started ?? each.created;
    put(meta, [
      form.moment(when),
      each.speed ? t(each.speed === 1 ? "clock.real" : "clock.times", { speed: form.number(each.speed) }) : "",
      each.subscribers !== undefined && each.subscribers !== null ? t("runs.subscribers", { n: each.subscribers, count: form.number(each.subscribers) }) : "",
    ].filter(Boolean).join(" · "));
    const has = each.files.includes("report.html");
    if (links.dataset.shown !== String(has)) {
      links.dataset.shown = String(has);
      links.replaceChildren(...(has ? [fileLink(each.run, "report.html", t("runs.report"))] : []));
    }
  });
}
