// A run's events folded into what the page shows. Pure: events in, one state out.
//
// An unknown type is ignored: a newer service may tell more than this page knows. A snapshot
// replaces everything; after it each event adds to it, so a page that comes late, or comes back,
// ends where one that saw all of it does.

import { placeName, sentence } from "./texts.js";

export const fresh = () => ({
  n: 0, plan: null, begun: null, broker: null, end: null, phase: null,
  sent: new Map(), groups: new Map(), progress: null, dropped: 0,
});

const groupKey = (group) => `${group.prefecture}/${group.event}/${group.qos}`;

function addProgress(state, event) {
  state.progress = event;
  for (const group of event.groups ?? []) state.groups.set(groupKey(group), group);
}

const TAKE = {
  plan: (state, event) => { state.plan = event; },
  begun: (state, event) => { state.begun = event; },
  broker: (state, event) => { state.broker = event; },
  phase: (state, event) => { state.phase = event; },
  sent: (state, event) => { state.sent.set(event.alert, event); },
  progress: addProgress,
  end: (state, event) => { state.end = event; },
};

function restart(state, snapshot) {
  Object.assign(state, fresh());
  for (const name of ["plan", "begun", "broker", "end"]) state[name] = snapshot[name] ?? null;
  state.phase = (snapshot.phases ?? []).at(-1) ?? null;
  for (const event of snapshot.sent ?? []) TAKE.sent(state, event);
  if (snapshot.progress) addProgress(state, snapshot.progress);
  state.n = snapshot.n ?? 0;
  state.dropped = 0;
}

export function fold(state, event) {
  if (event.type === "snapshot") restart(state, event);
  else TAKE[event.type]?.(state, event);
  if (typeof event.n === "number") state.n = event.n;
  if (event.type !== "snapshot" && event.dropped) state.dropped += event.dropped;
  return state;
}

const KINDS = {
  launch: "warn", "take-shelter": "shelter", intercepted: "shelter", "fell-on-land": "shelter",
  correction: "corrected", test: "test",
};

// What a message means for those it reaches: a kind has a colour, a pattern, a shape and a word.
export const kindOf = (event) => KINDS[event] ?? "lifted";

// The latest message of each prefecture that was really sent in this playing, by slug.
export function latest(state) {
  const found = new Map();
  if (!state.plan) return found;
  const repetition = Math.max(0, ...[...state.sent.values()].map((each) => each.repetition));
  for (const alert of state.plan.alerts) {
    const sent = state.sent.get(alert.number);
    if (sent && sent.repetition === repetition) found.set(alert.prefecture, alert);
  }
  return found;
}

// Deliveries of one prefecture's messages of one kind so far.
export function received(state, prefecture, event) {
  let n = 0;
  for (const group of state.groups.values()) {
    if (group.prefecture === prefecture && group.event === event) n += group.segments.delivery?.n ?? 0;
  }
  return n;
}

// Deliveries by how long they took, all groups together; null before the first.
export function spread(state) {
  let total = null;
  for (const { segments } of state.groups.values()) {
    const buckets = segments.delivery?.buckets;
    if (buckets) total = total ? total.map((count, place) => count + buckets[place]) : [...buckets];
  }
  return total;
}

// Stages by launch, in order: how much of each lies behind `now` (0 to 1).
export function stages(plan, now) {
  const launches = new Map();
  for (const event of plan.events) {
    if (event.kind !== "stage") continue;
    const launch = event.launch ?? "";
    const start = Number(event.started_ns ?? event.at_ns);
    const end = Number(event.at_ns);
    const done = now === null ? 0 : now >= end ? 1 : now <= start ? 0 : (now - start) / (end - start);
    if (!launches.has(launch)) launches.set(launch, []);
    launches.get(launch).push({ ...event, start, end, done });
  }
  return launches;
}

// People warned at an instant, from the model's curve; the curve stands still beyond its end.
export function warnedAt(people, ns) {
  if (!people || ns === null) return 0;
  const second = (ns - Number(people.launch_ns)) / 1e9;
  const { at_s: at, warned } = people;
  if (second <= at[0]) return second < at[0] ? 0 : warned[0];
  for (let place = 1; place < at.length; place += 1) {
    if (second <= at[place]) {
      const part = (second - at[place - 1]) / (at[place] - at[place - 1]);
      return warned[place - 1] + part * (warned[place] - warned[place - 1]);
    }
  }
  return warned.at(-1);
}

// What each launch is called, by its id.
export const launchesOf = (plan) => new Map(plan.events
  .filter((event) => event.kind === "truth" && event.name === "launch")
  .map((event) => [event.launch ?? "", sentence(event.note || event.launch || "")]));

// Which launch truly arrives at an instant, or else over which prefecture one is predicted to.
export const arriving = (plan, ns) => launchesOf(plan)
  .get(plan.events.find((event) => event.kind === "truth" && event.name === "arrival" && Number(event.at_ns) === ns)?.launch)
  ?? placeName(plan.prefectures.find((place) => Number(place.believed_arrival_ns) === ns) ?? {});

// The first arrival over any warned prefecture, scenario ns; null if there is none.
export function firstArrival(plan, which) {
  const known = plan.prefectures.map((each) => each[which]).filter((each) => each !== null);
  return known.length ? Math.min(...known.map(Number)) : null;
}

// A quantile is told only from so many deliveries that it means something: n >= 10 / (1 - q).
export const enough = (n, percent) => n * (100 - percent) >= 1000;
