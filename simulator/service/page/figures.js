// What is counted and measured: people warned (a model), deliveries (measured), test clients.

import { byId, el, put, rows, show, svg } from "./dom.js";
import { enough, firstArrival, spread, warnedAt } from "./fold.js";
import { DASH } from "./format.js";
import { t } from "./texts.js";

const TALL = 190;
const LEFT = 6;
const FOOT = 24;
const TOP = 36;

// Drawings are made for the width they have, so that their words keep their size.
const widthOf = (host) => Math.max(240, Math.round(host.clientWidth));

// --- people ---------------------------------------------------------------------------------

function extent(plan) {
  const { people } = plan;
  const launch = Number(people.launch_ns);
  const all = people.warned.at(-1) || 1;
  const full = people.at_s[people.warned.findIndex((count) => count >= 0.99 * all)] ?? people.at_s.at(-1);
  const arrivals = ["believed_arrival_ns", "true_arrival_ns"].map((which) => firstArrival(plan, which));
  const after = arrivals.filter((ns) => ns !== null).map((ns) => (ns - launch) / 1e9);
  return { launch, all, last: Math.max(60, full, ...after) * 1.12 };
}

export class People {
  constructor(host, form, zone) {
    this.host = host;
    this.form = form;
    this.zone = zone;
    this.plan = null;
  }

  draw(plan) {
    this.plan = plan;
    show(this.host, plan.people !== null);
    if (!plan.people) return;
    const { people } = plan;
    this.wide = widthOf(this.host);
    this.extent = extent(plan);
    const { launch, all, last } = this.extent;
    this.x = (second) => LEFT + (second / last) * (this.wide - 2 * LEFT);
    const y = (count) => TALL - FOOT - (count / all) * (TALL - FOOT - TOP);
    const line = [...people.at_s.filter((second) => second < last), last]
      .map((second) => `${this.x(second).toFixed(1)} ${y(warnedAt(people, launch + second * 1e9)).toFixed(1)}`);
    const base = TALL - FOOT;
    const area = `M${LEFT} ${base}L${line.join("L")}L${line.at(-1).split(" ")[0]} ${base}z`;
    this.cover = svg("rect", { x: 0, y: 0, width: 0, height: TALL });
    this.now = svg("line", { class: "now", y1: TOP - 4, y2: base, x1: LEFT, x2: LEFT });
    this.host.replaceChildren(svg("svg", {
      viewBox: `0 0 ${this.wide} ${TALL}`, role: "img", "aria-labelledby": "people-title people-now people-of",
    },
    svg("clipPath", { id: "past" }, this.cover),
    svg("path", { class: "ahead", d: `M${line.join("L")}` }),
    svg("path", { class: "warned", d: area, "clip-path": "url(#past)" }),
    svg("line", { class: "most", x1: LEFT, x2: this.wide - LEFT, y1: y(all), y2: y(all) }),
    svg("text", { class: "tick", x: LEFT, y: y(all) - 5 }, this.form.people(all)),
    svg("line", { class: "axis", x1: LEFT, x2: this.wide - LEFT, y1: base, y2: base }),
    ...this.#ticks(launch, last, base),
    ...this.#arrival("believed_arrival_ns", "believed", base),
    ...this.#arrival("true_arrival_ns", "true", base), this.now));
  }

  #ticks(launch, last, base) {
    const step = [60, 120, 300, 600, 900, 1800, 3600, 7200].find((each) => last / each <= this.wide / 80) ?? 14400;
    const ticks = [];
    for (let second = 0; second <= last; second += step) {
      const at = this.x(second);
      const anchor = at < 30 ? "start" : at > this.wide - 30 ? "end" : "middle";
      ticks.push(svg("text", { class: "tick", x: at, y: TALL - 6, "text-anchor": anchor },
        this.zone.minute(launch + second * 1e9)));
    }
    return ticks;
  }

  #arrival(which, kind, base) {
    const ns = firstArrival(this.plan, which);
    if (ns === null) return [];
    const at = this.x((ns - this.extent.launch) / 1e9);
    const end = at > this.wide * 0.55;
    const row = kind === "true" ? 29 : 13;
    return [
      svg("line", { class: `arrival ${kind}`, x1: at, x2: at, y1: row - 10, y2: base }),
      svg("text", { class: `label ${kind}`, x: at + (end ? -6 : 6), y: row, "text-anchor": end ? "end" : "start" },
        t(`people.${kind}`, { time: this.zone.minute(ns) })),
    ];
  }

  show(now) {
    const { plan, form } = this;
    if (!plan.people) {
      put(byId("people-now"), DASH);
      put(byId("people-of"), t("people.none"));
      put(byId("people-arrival"), "");
      return;
    }
    if (this.wide !== widthOf(this.host)) this.draw(plan);
    const { people } = plan;
    const warned = warnedAt(people, now);
    put(byId("people-now"), form.people(Math.round(warned)));
    put(byId("people-of"), t("people.of", { all: form.people(people.alerted) }));
    const arrival = firstArrival(plan, "true_arrival_ns") ?? firstArrival(plan, "believed_arrival_ns");
    const which = firstArrival(plan, "true_arrival_ns") === null ? "believed" : "true";
    put(byId("people-arrival"), arrival === null ? t("people.no-arrival") : t(`people.at-${which}`, {
      time: this.zone.minute(arrival), people: form.people(Math.round(warnedAt(people, arrival))),
    }));
    const second = now === null ? 0 : (now - this.extent.launch) / 1e9;
    const at = Math.max(LEFT, Math.min(this.wide - LEFT, this.x(second)));
    this.cover.setAttribute("width", at);
    this.now.setAttribute("x1", at);
    this.now.setAttribute("x2", at);
  }
}

// --- deliveries -----------------------------------------------------------------------------

const BOUNDS = ["0.5 ms", "1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms", "200 ms",
  "500 ms", "1 s", "2 s", "5 s", "10 s", "> 10 s"];
const LABELLED = [1, 4, 7, 10, 13];

function tiles(host, items) {
  rows(host, items, (each) => each.key, ({ label }) => el("div", {}, el("dt", {}, label), el("dd")),
    (node, each) => {
      put(node.lastChild, each.value);
      node.dataset.tone = each.tone || "";
    });
}

function latency(progress, form) {
  const found = progress?.latency ?? null;
  const n = found?.n ?? 0;
  const quantile = (percent) => {
    const ns = found?.[`p${percent}_ns`];
    // A quantile of a histogram may lie a cell above the largest value, which is known exactly.
    return ns && enough(n, percent) ? form.measured(Math.min(Number(ns), Number(found.max_ns))) : DASH;
  };
  tiles(byId("latency"), [
    { key: "n", label: t("deliveries.n"), value: form.number(n) },
    { key: "p50", label: t("deliveries.p50"), value: quantile(50) },
    { key: "p99", label: t("deliveries.p99"), value: quantile(99) },
    { key: "max", label: t("deliveries.max"), value: form.measured(found?.max_ns ? Number(found.max_ns) : null) },
  ]);
  return n > 0 && !enough(n, 99) ? t("deliveries.needs", { n: form.number(1000) }) : "";
}

function drawSpread(host, buckets, form) {
  const most = Math.max(1, ...(buckets ?? [0]));
  const wide = widthOf(host);
  const width = wide / BOUNDS.length;
  const tall = 96;
  const shown = `${wide} ${buckets}`;
  if (host.dataset.shown === shown) return;
  host.dataset.shown = shown;
  if (host.dataset.wide !== String(wide)) {
    host.dataset.wide = wide;
    host.replaceChildren(svg("svg", { viewBox: `0 0 ${wide} ${tall + 20}`, role: "img", "aria-label": "" },
      ...BOUNDS.map((bound, place) => svg("rect", {
        class: "bar", x: place * width + 2, width: width - 4, y: tall, height: 0, rx: 2,
      }, svg("title"))),
      svg("line", { class: "axis", x1: 0, x2: wide, y1: tall, y2: tall }),
      ...LABELLED.map((place) => svg("text", {
        class: "tick", x: (place + 1) * width, y: tall + 16, "text-anchor": "middle",
      }, BOUNDS[place]))));
  }
  const [drawing] = host.children;
  drawing.setAttribute("aria-label", t("deliveries.spread", {
    list: (buckets ?? []).map((count, place) => (count ? `${BOUNDS[place]}: ${count}` : "")).filter(Boolean).join(", ") || DASH,
  }));
  drawing.querySelectorAll(".bar").forEach((bar, place) => {
    const count = buckets?.[place] ?? 0;
    const high = count ? Math.max(3, (count / most) * (tall - 8)) : 0;
    bar.setAttribute("y", tall - high);
    bar.setAttribute("height", high);
    put(bar.firstChild, `${place === BOUNDS.length - 1 ? "" : "≤ "}${BOUNDS[place]}: ${form.number(count)}`);
  });
}

const BAD = ["expired", "missed_offline", "undetermined", "lost", "not_sent"];

function counted(state) {
  const { progress, end } = state;
  if (end?.ledger) {
    const book = end.ledger;
    const seen = ["delivered", "late", "queued"];
    return [
      { key: "expected", value: book.expected },
      ...[...seen, ...BAD].filter((key) => book[key] || ["delivered", "late", "lost"].includes(key))
        .map((key) => ({ key, value: book[key] })),
      { key: "duplicates", value: book.duplicates },
      { key: "unexpected", value: book.unexpected },
    ];
  }
  return [
    { key: "expected", value: progress?.owed ?? 0 },
    { key: "due", value: progress?.due ?? 0 },
    { key: "delivered", value: progress?.delivered ?? 0 },
    { key: "late", value: progress?.late ?? 0 },
    { key: "duplicates", value: progress?.duplicates ?? 0 },
    { key: "unexpected", value: progress?.unexpected ?? 0 },
  ];
}

const WARNED = new Set(["late", "queued", "duplicates"]);
const FAILED = new Set([...BAD, "unexpected"]);

export function showDeliveries(state, form) {
  const needs = latency(state.progress, form);
  drawSpread(byId("spread"), spread(state), form);
  const items = counted(state);
  tiles(byId("ledger"), items.map((each) => ({
    ...each,
    label: t(`ledger.${each.key}`),
    value: form.number(each.value),
    tone: each.value && (FAILED.has(each.key) ? "bad" : WARNED.has(each.key) ? "open" : ""),
  })));
  const { progress } = state;
  const share = byId("share");
  if (!share.firstChild) share.append(el("span", { class: "due" }), el("span", { class: "delivered" }));
  const part = (count) => `${progress?.owed ? Math.min(100, (100 * count) / progress.owed) : 0}%`;
  share.children[0].style.width = part(progress?.due ?? 0);
  share.children[1].style.width = part(progress?.delivered ?? 0);
  const open = (progress?.due ?? 0) - (progress?.delivered ?? 0);
  const words = [];
  if (progress && !state.end) words.push(open > 0 ? t("deliveries.open", { n: open, count: form.number(open) }) : t("deliveries.none-open"));
  if (needs) words.push(needs);
  if (progress?.reconnects) words.push(t("deliveries.reconnects", { n: progress.reconnects, count: form.number(progress.reconnects) }));
  put(byId("ledger-sentence"), words.join(" "));
}

// --- test clients ---------------------------------------------------------------------------

export function showClients(state, form) {
  const clients = state.progress?.clients ?? [];
  show(byId("clients-box"), clients.length > 0);
  show(byId("clients-none"), clients.length === 0);
  rows(byId("clients").tBodies[0], clients, (each) => each.client, (each) => el("tr", {},
    el("th", { scope: "row" }, each.client), el("td", {}, el("span", { class: "dot", "aria-hidden": "true" }), el("span")),
    ...[0, 1, 2].map(() => el("td", { class: "number" }))),
  (node, each) => {
    const [, presence, received, last, worst] = node.children;
    node.dataset.online = each.online;
    put(presence.lastChild, t(each.online ? "clients.online" : "clients.offline"));
    put(received, form.number(each.received));
    put(last, form.measured(each.last_ns === null ? null : Number(each.last_ns)));
    put(worst, form.measured(each.worst_ns === null ? null : Number(each.worst_ns)));
  });
}
