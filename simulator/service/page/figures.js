// What is counted and measured: people warned (a model), deliveries (measured), test clients.

import { byId, el, labelled, put, rows, show, svg } from "./dom.js";
import { arriving, enough, firstArrival, launchesOf, spread, warnedAt } from "./fold.js";
import { DASH } from "./format.js";
import { t } from "./texts.js";

const TALL = 190;
const LEFT = 6;
const FOOT = 24;
const TOP = 36;
const WIDE = 560;

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
    // Right of its line if there is room, else left of it; on a narrow drawing as far right as it goes.
    for (const label of this.host.querySelectorAll(".label")) {
      const length = label.getComputedTextLength();
      const at = label.getAttribute("x") - 6;
      if (at + 6 + length > this.wide) label.setAttribute("x", at - 6 - length > 90 ? at - 6 - length : this.wide - length);
    }
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
    const row = kind === "true" ? 29 : 13;
    return [
      svg("line", { class: `arrival ${kind}`, x1: at, x2: at, y1: row - 10, y2: base }),
      svg("text", { class: `label ${kind}`, x: at + 6, y: row },
        t(`people.${kind}`, { time: this.wide < WIDE ? this.zone.minute(ns) : this.#when(ns, this.zone.minute(ns)) })),
    ];
  }

  // Of several launches the one that is meant is named.
  #when(ns, time) {
    return launchesOf(this.plan).size > 1 ? t("people.first", { time, what: arriving(this.plan, ns) }) : time;
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
      time: this.#when(arrival, this.zone.full(arrival)), people: form.people(Math.round(warnedAt(people, arrival))),
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

// Latency so far or, once it is known, that of the report.
function tookOf({ progress, end }, form) {
  const found = end?.latency ?? progress?.latency;
  const n = found?.n ?? 0;
  const most = found?.max_ns;
  const quantile = (percent) => {
    const ns = found?.[`p${percent}_ns`];
    // A quantile of a histogram may lie a cell above the largest value, which is known exactly.
    return ns && enough(n, percent) ? form.measured(Math.min(ns, most ?? ns)) : DASH;
  };
  return { n, figures: [["p50", quantile(50)], ["p99", quantile(99)], ["max", form.measured(most)]] };
}

// How long deliveries took, in one sentence for the verdict; empty where nothing was measured.
export function latencySentence(state, form) {
  const { n, figures } = tookOf(state, form);
  const list = figures.filter(([, value]) => value !== DASH).map(([key, value]) => `${t(`deliveries.${key}`)} ${value}`);
  return n ? t("deliveries.took", { n: form.number(n), list: list.join(t("deliveries.comma")) }) : "";
}

function drawSpread(host, buckets, form) {
  const most = Math.max(1, ...(buckets ?? [0]));
  const wide = widthOf(host);
  const width = wide / BOUNDS.length;
  const tall = Math.max(96, host.clientHeight - 20);
  const size = `${wide} ${tall}`;
  const shown = `${size} ${buckets}`;
  if (host.dataset.shown === shown) return;
  host.dataset.shown = shown;
  if (host.dataset.size !== size) {
    host.dataset.size = size;
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

const SEEN = ["delivered", "late", "queued"];
const COPIES = ["duplicates", "unexpected"];
const ALWAYS = ["delivered", "late", "queued", "lost"];

// What the ledger shows: while it counts what has been seen, at the end what became of everything.
// A figure that nothing has been counted for yet is a dash, never a zero.
function counted({ progress, end }, begun) {
  const book = end?.ledger;
  if (book) {
    const shown = [...SEEN, ...BAD].filter((key) => book[key] || ALWAYS.includes(key));
    return ["expected", ...shown, ...COPIES].map((key) => ({ key, value: book[key] }));
  }
  // What arrived late, or had been kept for who was away, is told apart from the start.
  const seen = begun ? { ...progress, delivered: progress.delivered - progress.late - (progress.queued ?? 0) } : {};
  return ["expected", "due", ...SEEN, ...COPIES].map((key) => ({
    key, value: key === "expected" ? progress?.owed || null : begun ? seen[key] ?? 0 : null,
  }));
}

const WARNED = ["late", "queued", "duplicates"];
const FAILED = [...BAD, "unexpected"];

export function showDeliveries(state, form) {
  const { progress, end } = state;
  const begun = progress?.sent > 0;
  const { n, figures } = tookOf(state, form);
  tiles(byId("latency"), [["n", begun || n ? form.number(n) : DASH], ...figures]
    .map(([key, value]) => ({ key, label: t(`deliveries.${key}`), value })));
  drawSpread(byId("spread"), spread(state), form);
  tiles(byId("ledger"), counted(state, begun).map(({ key, value }) => ({
    key,
    label: t(`ledger.${key}`),
    value: form.number(value),
    tone: value && (FAILED.includes(key) ? "bad" : WARNED.includes(key) ? "open" : ""),
  })));
  const share = byId("share");
  if (!share.firstChild) share.append(el("span", { class: "due" }), el("span", { class: "delivered" }));
  ["due", "delivered"].forEach((key, place) => {
    share.children[place].style.width = `${progress?.owed ? Math.min(100, (100 * progress[key]) / progress.owed) : 0}%`;
  });
  const open = begun ? progress.due - progress.delivered : 0;
  const lost = progress?.reconnects;
  put(byId("ledger-sentence"), [
    end ? "" : !begun ? t("deliveries.not-yet")
      : open > 0 ? t("deliveries.open", { n: open, count: form.number(open) }) : t("deliveries.none-open"),
    n && !enough(n, 99) ? t("deliveries.needs", { n: form.number(1000) }) : "",
    lost ? t("deliveries.reconnects", { n: lost, count: form.number(lost) }) : "",
  ].filter(Boolean).join(" "));
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
    labelled(node);
    const [, presence, received, last, worst] = node.children;
    node.dataset.online = each.online;
    put(presence.lastChild, t(each.online ? "clients.online" : "clients.offline"));
    put(received, form.number(each.received));
    put(last, form.measured(each.last_ns));
    put(worst, form.measured(each.worst_ns));
  });
}
