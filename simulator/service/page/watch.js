// Watching one run: its events folded, drawn at most once a frame, and told without chatter.

import { get, post, Stream } from "./api.js";
import { Chain, drawLegend, drawTrack, originOf, showClock, showFeed, showPlaces, statesOf } from "./board.js";
import { scenarioNow, Skew } from "./clock.js";
import { showConnect } from "./connect.js";
import { byId, el, put, show } from "./dom.js";
import { latencySentence, People, showClients, showDeliveries } from "./figures.js";
import { fold, fresh } from "./fold.js";
import { zoned } from "./format.js";
import { Map47 } from "./map.js";
import { complain, fileLink, isOver } from "./start.js";
import { foreign, has, language, noteOf, t, titleOf } from "./texts.js";

const TICK_MS = 250;
const NARROW_PX = 700;
const SAY_EVERY_MS = 12000;
const SETTLED_MS = 700;

export class Watch {
  constructor(form, lost) {
    this.form = form;
    this.lost = lost;
    this.map = null;
    this.stream = null;
    byId("stop").addEventListener("click", () => this.#stop());
    byId("zoom").addEventListener("click", () => this.#zoom(!this.map?.zoomed));
  }

  async open(run) {
    this.close();
    this.run = run;
    this.state = fresh();
    this.skew = new Skew();
    this.record = null;
    this.stopping = false;
    byId("stop").disabled = false;
    this.plan = null;
    this.told = new Set();
    this.quiet = true;
    this.saidAt = 0;
    this.heardAt = 0;
    for (const id of ["run-problem", "verdict"]) show(byId(id), false);
    show(byId("stop"), false);
    byId("view-run").dataset.planned = "no";
    show(byId("run-state"), true);
    put(byId("run-title"), run);
    put(byId("run-facts"), "");
    this.#draw();
    try {
      this.record = await get(`runs/${encodeURIComponent(run)}`);
    } catch (problem) {
      if (this.run === run) this.#refused(problem); // another may be shown by now
      return;
    }
    if (this.run !== run) return;
    await this.#mapped();
    if (this.run !== run) return;
    this.#draw();
    this.stream = new Stream(`runs/${encodeURIComponent(run)}/events`, {
      event: (event) => this.#hear(event),
      state: (state, problem) => this.#connection(state, problem),
    });
    this.timer = setInterval(() => this.#tick(), TICK_MS);
  }

  close() {
    this.stream?.close();
    this.stream = null;
    clearInterval(this.timer);
    this.run = null;
    this.lost("");
  }

  async #mapped() {
    if (this.map) return;
    const map = new Map47(byId("map"), { label: t("map.title") });
    try {
      await map.draw(language);
      this.map = map;
    } catch {
      put(byId("map"), t("map.unavailable"));
    }
  }

  #zoom(on) {
    byId("zoom").setAttribute("aria-pressed", on);
    put(byId("zoom"), t("map.zoom"));
    this.map?.zoom(on);
  }

  #hear(event) {
    if (event.type !== "snapshot" && event.at_unix_ns) this.skew.hear(event.at_unix_ns, Date.now());
    if (event.type === "snapshot") this.quiet = true;
    const before = this.state.dropped;
    fold(this.state, event);
    if (this.state.dropped > before) this.lost(t("connection.dropped", { n: this.state.dropped - before }), true);
    if (event.type === "end") {
      this.ended = true;
      this.stream.close();
      this.lost("");
    }
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        if (this.run) this.#draw();
      });
    }
  }

  // An exercise that cannot be shown: why, and the way back; nothing that looks as if it were playing.
  #refused(problem) {
    const node = byId("run-problem");
    complain(node, problem);
    node.append(el("a", { href: "#start" }, t("run.back")));
    if (problem.fields?.status === 404) put(byId("run-title"), t("run.unknown"));
    for (const id of ["run-state", "run-wait", "stop"]) show(byId(id), false);
    get("service").then(({ broker }) => showConnect(broker, "alertsim")).catch(() => {});
  }

  #connection(state, problem) {
    if (state === "refused") {
      this.#refused(problem);
      return;
    }
    if (this.state.end) {
      this.stream.close();
      return;
    }
    this.lost(state === "lost" ? t("connection.lost") : this.wasLost ? t("connection.back") : "", state !== "lost");
    this.wasLost = state === "lost";
  }

  async #stop() {
    byId("stop").disabled = true;
    try {
      await post(`runs/${encodeURIComponent(this.run)}/stop`);
      this.stopping = true;
      this.#say(t("run.stopping"));
    } catch (problem) {
      complain(byId("run-problem"), problem);
      byId("stop").disabled = false;
    }
  }

  #say(text) {
    put(byId("said"), text);
    this.saidAt = Date.now();
  }

  // --- drawing ------------------------------------------------------------------------------

  #planned() {
    const { plan } = this.state;
    this.plan = plan;
    this.zone = zoned(plan.epoch);
    this.origin = originOf(plan);
    this.track = drawTrack(plan, this.origin);
    this.people = new People(byId("people"), this.form, this.zone);
    this.people.draw(plan);
    this.chain = new Chain(plan, this.zone, this.form);
    byId("feed").replaceChildren();
    byId("places").tBodies[0].replaceChildren();
    drawLegend(plan);
    const { zone } = this.zone;
    for (const [id, key] of [["places-at", "places.at"], ["feed-note", "feed.note"], ["chain-zone", "chain.zone"]]) put(byId(id), t(key, { zone }));
    const few = plan.prefectures.length > 0 && plan.prefectures.length < 20;
    show(byId("zoom"), few);
    this.#zoom(few && innerWidth < NARROW_PX); // on a phone the country is too small to see a few
    byId("view-run").dataset.planned = "yes";
  }

  #draw() {
    const { state, record, form } = this;
    if (state.plan && state.plan !== this.plan) this.#planned();
    this.#head(state, record);
    this.#verdict(state);
    if (!state.plan) {
      if (record) showConnect(null, record.root ?? "alertsim");
      return;
    }
    showClients(state, form);
    showConnect(state.broker, state.plan.root);
    this.#tick();
  }

  #head(state, record) {
    const source = state.plan ?? record ?? {};
    const [id, english] = state.plan ? [source.scenario, source.title] : [source.scenario?.id, source.scenario?.title];
    const title = titleOf(id, english ?? this.run);
    put(byId("run-title"), title);
    byId("run-title").lang = foreign(title) ?? language;
    document.title = `【訓練】 EXERCISE: ${title}`;
    put(byId("run-facts"), [
      this.run, (source.seed ?? null) !== null ? t("run.seed", { seed: source.seed }) : "",
      (source.subscribers ?? null) !== null ? t("runs.subscribers", { n: source.subscribers, count: this.form.number(source.subscribers) }) : "",
    ].filter(Boolean).join(" · "));
    put(byId("run-note"), noteOf(id));
    const end = state.end ?? (record && isOver(record) ? record : null);
    const chip = end ? end.outcome ?? record.state : this.stopping ? "stopping" : state.begun ? "running" : state.plan ? "starting" : record?.state ?? "queued";
    byId("run-state").className = `chip ${chip}`;
    put(byId("run-state"), t(`state.${chip}`));
    show(byId("stop"), Boolean(record) && !end);
    const phase = end ? "" : state.phase?.name ?? (chip === "queued" ? "queued" : "starting");
    const text = has(`phase.${phase}`) ? t(`phase.${phase}`) : "";
    put(byId("phase"), text);
    put(byId("run-wait"), text);
    show(byId("run-wait"), Boolean(record && text && !state.plan));
  }

  #tick() {
    const { state, plan, form, zone } = this;
    if (!plan) return;
    const at = scenarioNow(state, this.skew.now(Date.now()));
    if (at.ns !== null) at.ns = Math.max(state.end ? this.#stopped(at) : at.ns, Math.min(this.origin, at.first));
    const states = statesOf(state, zone);
    showClock(state, at, zone, form, this.origin);
    this.track(at.ns);
    this.people.show(at.ns);
    showDeliveries(state, form);
    this.chain.show(at.ns);
    showPlaces(state, states, form, zone);
    const part = new Set(plan.prefectures.map((place) => place.slug));
    this.map?.show(states, part, t("map.label", { n: states.size, all: part.size }));
    this.#tell(showFeed(state, at.ns, zone, form));
  }

  // An exercise that ended stands at its end, or where it was when it was stopped.
  #stopped(at) {
    if (!this.plan.alerts.length) return Math.max(...this.plan.events.map((event) => Number(event.at_ns)));
    const over = scenarioNow(this.state, Number(this.state.end.at_unix_ns ?? 0) / 1e6 || Date.now()).ns;
    const last = Math.max(...[...this.state.sent.keys()].map((n) => Number(this.plan.alerts[n]?.at_ns ?? 0)), -Infinity);
    return Math.max(Math.min(at.ns, over), last);
  }

  // At most one announcement every few seconds, of messages only; the rest is there to be read.
  #tell(items) {
    const fresh = items.filter((each) => each.kind === "alert" && !this.told.has(each.key));
    if (!fresh.length) return;
    const now = Date.now();
    this.heardAt ||= now;
    // A burst is told once, when all of it is out, and not too soon after the last one.
    if (!this.quiet && !this.state.end && (now - this.heardAt < SETTLED_MS || now - this.saidAt < SAY_EVERY_MS)) return;
    this.heardAt = 0;
    for (const each of fresh) this.told.add(each.key);
    // The latest that is news is told, the others are counted; a drill's same message again and again is none.
    const news = fresh.find((each) => each.text !== this.lastSaid);
    if (news && !this.quiet) {
      const more = fresh.length > 1 ? t("feed.earlier", { n: fresh.length - 1 }) : "";
      this.#say(`${this.zone.full(news.at)}: ${news.text}. ${more}`);
    }
    this.lastSaid = (this.quiet ? fresh[0] : news ?? fresh[0]).text;
    this.quiet = false;
  }

  #verdict(state) {
    const { end } = state;
    const node = byId("verdict");
    const was = !node.hidden;
    show(node, Boolean(end));
    if (!end || was) return;
    const outcome = end.outcome ?? "incomplete";
    node.className = `verdict ${outcome}`;
    put(byId("verdict-title"), t(`verdict.${outcome}`));
    const book = end.ledger;
    const own = book ? t("verdict.counts", {
      delivered: this.form.number(book.delivered), expected: this.form.number(book.expected), lost: this.form.number(book.lost),
    }) : "";
    const said = language === "ja" ? end.sentence_ja || end.sentence : end.sentence;
    const inTime = (language === "ja" ? end.warned_ja || end.warned : end.warned) ?? "";
    const reason = end.sentence?.includes(end.reason) ? "" : end.reason;
    const words = [said, reason, said ? "" : own].filter(Boolean);
    const took = latencySentence(state, this.form);
    put(byId("verdict-took"), took);
    put(byId("verdict-warned"), inTime);
    byId("verdict-warned").lang = foreign(inTime) ?? language;
    byId("verdict-sentence").replaceChildren(...words.map((text) => el("span", { lang: foreign(text) }, `${text} `)));
    byId("verdict-links").replaceChildren(...(end.report ? [
      fileLink(this.run, "report.html", t("verdict.report"), { class: "primary" }),
      fileLink(this.run, "summary.json", t("verdict.summary")),
    ] : [t("verdict.no-report")]));
    this.#say(`${t(`verdict.${outcome}`)}. ${words.join(" ")} ${inTime} ${took}`);
  }
}
