// One run as it unfolds: clock, map, prefectures, chain, what happened.

import { byId, el, labelled, mark, put, rows, show } from "./dom.js";
import { kindOf, latest, launchesOf, received, stages } from "./fold.js";
import { DASH } from "./format.js";
import { foreign, language, named, placeName, sentence, t } from "./texts.js";

const MOST_NEWS = 60;
const OPEN_LAUNCHES = 2;

const headline = (alert) => {
  const text = language === "ja" ? alert.headline_ja : alert.headline_en;
  return text.replace(/^【訓練】|^EXERCISE:? ?/, "").replace(/ ?[(（][^)）]*[)）]$/, "");
};

// --- clock ----------------------------------------------------------------------------------

// Ticks of the messages and the part of the exercise that is over, on one line.
export function drawTrack(plan, origin) {
  const [start, end] = [Math.min(origin, Number(plan.first_ns)), Number(plan.last_ns)];
  const whole = Math.max(1, end - start);
  const seen = new Set();
  const ticks = [];
  for (const alert of plan.alerts) {
    const at = `${alert.at_ns} ${kindOf(alert.event)}`;
    if (seen.has(at)) continue;
    seen.add(at);
    const tick = el("i", { class: kindOf(alert.event) });
    tick.style.left = `${(100 * (Number(alert.at_ns) - start)) / whole}%`;
    ticks.push(tick);
  }
  const bar = el("b");
  byId("track").replaceChildren(bar, ...ticks.slice(0, 400));
  return (ns) => {
    bar.style.width = `${ns === null ? 0 : Math.max(0, Math.min(100, (100 * (ns - start)) / whole))}%`;
  };
}

export function showClock(state, at, zone, form, origin) {
  const { plan } = state;
  const ns = at.ns ?? null;
  put(byId("clock-day"), form.day(zone.date(ns ?? origin)));
  put(byId("clock-now"), ns === null ? DASH : zone.clock(ns));
  put(byId("clock-zone"), ns === null ? "" : zone.zone);
  put(byId("clock-since"), ns === null ? DASH : form.span(ns - origin));
  put(byId("clock-speed"), t(plan.speed === 1 ? "clock.real" : "clock.times", { speed: form.number(plan.speed) }));
  put(byId("clock-from"), t(launched(plan) ? "clock.since" : "clock.since-start"));
  put(byId("clock-wall"), form.wall(new Date()));
  const total = state.progress?.alerts ?? plan.alerts.length * plan.repeat;
  const sent = state.progress?.sent ?? 0;
  put(byId("clock-alerts"), `${form.number(Math.max(sent, state.end ? 0 : state.sent.size))} / ${form.number(total)}`);
}

// --- map and prefectures --------------------------------------------------------------------

export function statesOf(state, zone) {
  const states = new Map();
  for (const [slug, alert] of latest(state)) {
    const words = alert.event === "correction" && alert.in_force ? t("map.correction-in-force") : headline(alert);
    states.set(slug, {
      kind: kindOf(alert.event), words, alert,
      text: `${words}, ${zone.full(Number(alert.at_ns))}`,
    });
  }
  return states;
}

export function drawLegend(plan) {
  const kinds = [...new Set(plan.alerts.map((alert) => kindOf(alert.event)))];
  const order = ["warn", "shelter", "lifted", "corrected", "test"].filter((kind) => kinds.includes(kind));
  byId("legend").replaceChildren(
    ...order.map((kind) => el("li", {}, mark(kind), t(`kind.${kind}`))),
    el("li", {}, el("span", { class: "swatch part" }), t("kind.part")),
    el("li", {}, el("span", { class: "swatch town" }), t("kind.town")),
  );
}

export function showPlaces(state, states, form, zone) {
  const { plan } = state;
  show(byId("places-none"), plan.prefectures.length === 0);
  show(byId("places").parentNode, plan.prefectures.length > 0);
  rows(byId("places").tBodies[0], plan.prefectures, (each) => each.slug,
    (each) => el("tr", {}, el("th", { scope: "row" }, placeName(each)), el("td", { class: "told" }),
      ...[0, 1, 2].map(() => el("td", { class: "number" }))),
    (node, each) => {
      labelled(node);
      const [, told, at, got, lead] = node.children;
      const found = states.get(each.slug);
      const key = found ? `${found.kind} ${found.words}` : "";
      if (told.dataset.shown !== key) {
        told.dataset.shown = key;
        told.replaceChildren(...(found ? [mark(found.kind), found.words] : [t("places.nothing")]));
      }
      put(at, found ? zone.minute(Number(found.alert.at_ns)) : DASH);
      put(got, found ? form.number(received(state, each.slug, found.alert.event)) : DASH);
      put(lead, found ? leadOf(each, form) : DASH);
    });
}

function leadOf(place, form) {
  const arrival = place.true_arrival_ns ?? place.believed_arrival_ns;
  if (arrival === null) return t("places.no-arrival");
  const ns = Number(arrival) - Number(place.warned_ns);
  return (ns > 0 ? "+" : "") + form.span(ns);
}

// --- chain ----------------------------------------------------------------------------------

export class Chain {
  constructor(plan, zone, form) {
    this.plan = plan;
    this.zone = zone;
    this.form = form;
    const found = stages(plan, null);
    this.titles = launchesOf(plan);
    show(byId("chain-none"), found.size === 0);
    this.rows = [];
    byId("chain").replaceChildren(...[...found].map(([launch, each], place) =>
      this.#launch(launch, each, found.size <= OPEN_LAUNCHES || place === 0)));
  }

  #launch(launch, found, open) {
    const title = this.titles.get(launch) ?? sentence(launch);
    const state = el("span", { class: "meta" });
    const list = el("ol", { class: "stages" }, ...found.map((stage, place) => this.#stage(launch, stage, place)));
    this.rows.push({ launch, place: null, node: state });
    return el("details", { open }, el("summary", {}, el("span", { lang: foreign(title) }, title), " ", state), list);
  }

  #stage(launch, stage, place) {
    const { zone, form } = this;
    const bar = el("i");
    const said = el("span", { class: "unseen" });
    const note = sentence(stage.note);
    this.rows.push({ launch, place, bar, said });
    return el("li", { class: stage.assumption ? "guessed" : null, title: note || null },
      el("span", { class: "name" }, named("stage", stage.name), stage.assumption ? el("span", { class: "assumed" }, t("chain.assumed")) : null),
      el("span", { class: "when" }, `${zone.minute(stage.start)} – ${zone.minute(stage.end)}`),
      el("span", { class: "long" }, form.span(stage.end - stage.start)),
      el("span", { class: "fill", "aria-hidden": "true" }, bar), said);
  }

  show(now) {
    const found = stages(this.plan, now);
    for (const row of this.rows) {
      const each = found.get(row.launch);
      if (row.place === null) {
        const running = each.find((stage) => stage.done > 0 && stage.done < 1);
        put(row.node, running ? named("stage", running.name)
          : each.every((stage) => stage.done === 1) ? t("chain.done")
            : each.some((stage) => stage.done === 1) ? t("chain.waiting") : t("chain.not-yet"));
        continue;
      }
      const { done } = each[row.place];
      row.bar.style.width = `${100 * done}%`;
      put(row.said, t(done === 1 ? "chain.over" : done > 0 ? "chain.under-way" : "chain.to-come"));
    }
  }
}

// --- what happened --------------------------------------------------------------------------

function news(state, now, zone, form) {
  const { plan } = state;
  const names = new Map(plan.prefectures.map((place) => [place.slug, placeName(place)]));
  const launches = launchesOf(plan);
  const items = [];
  if (now !== null) {
    for (const event of plan.events) {
      // That a test was ordered is said by its message.
      if (!["truth", "belief", "mark"].includes(event.kind) || event.name === "test-ordered" || Number(event.at_ns) > now) continue;
      const what = event.kind === "mark" ? sentence(event.note || event.name) : named("event", event.name);
      const place = [names.get(event.prefecture), launches.size > 1 && launches.get(event.launch)].filter(Boolean).join(t("feed.of"));
      const text = place ? t("event.at-place", { event: what.replace(/[.。]$/, ""), place }) : what;
      const about = event.about_ns ? t("feed.about", { time: zone.minute(Number(event.about_ns)) }) : "";
      items.push({ key: `e${event.number}`, at: Number(event.at_ns), kind: event.kind, label: t(`feed.${event.kind}`), text: text + about });
    }
  }
  const bursts = new Map();
  for (const alert of plan.alerts) {
    const sent = state.sent.get(alert.number);
    if (!sent || Number(alert.at_ns) > (now ?? -Infinity) + 60e9 * plan.speed) continue;
    const key = `a${alert.at_ns} ${alert.event}`;
    if (!bursts.has(key)) {
      bursts.set(key, { key, at: Number(alert.at_ns), kind: "alert", shape: kindOf(alert.event), label: t("feed.alert"), title: headline(alert), places: [] });
    }
    bursts.get(key).places.push(names.get(alert.prefecture) ?? alert.prefecture);
  }
  for (const burst of bursts.values()) {
    const { places } = burst;
    const shown = places.length > 6 ? [...places.slice(0, 5), t("feed.more", { n: places.length - 5 })] : places;
    items.push({ ...burst, text: t("feed.to", { title: burst.title, places: form.list(shown) }) });
  }
  return items.sort((one, other) => other.at - one.at).slice(0, MOST_NEWS);
}

export function showFeed(state, now, zone, form) {
  const items = news(state, now, zone, form);
  rows(byId("feed"), items, (each) => each.key, (each) => el("li", { "data-kind": each.kind },
    el("time", {}, zone.minute(each.at)),
    each.shape ? mark(each.shape) : el("span", { class: "bullet", "aria-hidden": "true" }),
    el("span", {}, el("span", { class: "label" }, each.label), " ", el("span", { lang: foreign(each.text) }, each.text))),
  (node, each) => put(node.lastChild.lastChild, each.text));
  return items;
}

const launched = (plan) => plan.events.find((event) => event.kind === "truth" && event.name === "launch");
export const originOf = (plan) => Number((launched(plan) ?? plan.events[0])?.at_ns ?? plan.first_ns);
