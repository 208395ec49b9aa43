// Figures and times for people, in the page's language. A missing figure is a dash, never a zero.

export const DASH = "–";
const GLUE = "\u00a0";

export function formats(language) {
  const japanese = language === "ja";
  const locale = japanese ? "ja-JP" : "en-GB";
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, {
    notation: "compact", compactDisplay: "long", maximumSignificantDigits: 3,
  });
  const day = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: "UTC" });
  const local = new Intl.DateTimeFormat(locale, { timeStyle: "long" });
  const localDay = new Intl.DateTimeFormat(locale, {
    year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });

  function span(ns) {
    if (ns === null || ns === undefined) return DASH;
    let rest = Math.round(Math.abs(ns) / 1e9);
    const terms = [];
    for (const [size, en, ja] of [[3600, "h", "時間"], [60, "min", "分"], [1, "s", "秒"]]) {
      const count = Math.floor(rest / size);
      rest -= count * size;
      if (count || (size === 1 && !terms.length)) terms.push(japanese ? count + ja : count + GLUE + en);
    }
    return (ns < 0 ? "−" : "") + terms.join(japanese ? "" : GLUE);
  }

  // A measured duration in three significant figures.
  function measured(told) {
    if (told === null || told === undefined) return DASH;
    const ns = Number(told);
    const [size, unit] = [[1e9, "s"], [1e6, "ms"], [0, "µs"]].find(([least]) => Math.abs(ns) >= least);
    const value = ns / (size || 1e3);
    const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 1))));
    return value.toFixed(Math.min(digits, 2)).replace("-", "−") + GLUE + unit;
  }

  return {
    span,
    measured,
    number: (value) => (value === null || value === undefined ? DASH : whole.format(value)),
    people: (value) => (value < 1e4 ? whole.format(value) : short.format(value)),
    // Names in a row; many are cut and counted by the caller.
    list: (names) => new Intl.ListFormat(locale, { type: "conjunction" }).format(names),
    day: (date) => day.format(date),
    wall: (date) => local.format(date),
    moment: (text) => (text ? localDay.format(new Date(text)) : DASH),
  };
}

// A scenario's own clock: instants are written in the zone that its epoch is written in.
export function zoned(epoch) {
  const start = Date.parse(epoch);
  const found = /([+-])(\d\d):(\d\d)$/.exec(epoch);
  const minutes = found ? Number(`${found[1]}1`) * (Number(found[2]) * 60 + Number(found[3])) : 0;
  const at = (ns) => new Date(start + ns / 1e6 + minutes * 60000);
  const zone = minutes === 540 ? "JST" : `UTC${found ? found[0] : ""}`;
  const minute = (ns) => at(ns).toISOString().slice(11, ns % 60e9 ? 19 : 16);
  return {
    date: at,
    zone,
    clock: (ns) => at(ns).toISOString().slice(11, 19),
    minute,
    full: (ns) => `${minute(ns)} ${zone}`,
  };
}
