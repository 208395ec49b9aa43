// Where the exercise stands: scenario time from wall time. Pure.
//
// now = first + (wall - start) * speed, as the pacer places the alerts; it stands still after the
// last one. With several playings the clock begins again with each.

export const milliseconds = (ns) => Number(ns) / 1e6;

export function scenarioNow(state, wallMs) {
  const { plan, begun } = state;
  if (!plan) return null;
  const first = Number(plan.first_ns);
  const last = Number(plan.last_ns);
  if (!begun) return { ns: null, repetition: 0, first, last };
  const period = milliseconds(begun.period_ns);
  const elapsed = wallMs - milliseconds(begun.start_unix_ns);
  const most = begun.repeat - 1;
  const repetition = period > 0 ? Math.min(most, Math.max(0, Math.floor(elapsed / period))) : 0;
  const ns = first + (elapsed - repetition * period) * plan.speed * 1e6;
  return { ns: Math.min(ns, last), repetition, first, last };
}

// How far this browser's clock is ahead of the service's: the least that was ever seen, since
// every message takes some time to arrive.
export class Skew {
  constructor() {
    this.ms = null;
  }

  hear(atUnixNs, nowMs) {
    const seen = nowMs - milliseconds(atUnixNs);
    if (this.ms === null || seen < this.ms) this.ms = seen;
  }

  now(nowMs) {
    return nowMs - (this.ms ?? 0);
  }
}
