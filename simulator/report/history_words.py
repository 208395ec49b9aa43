"""What a history comes to, in words.

Rule of the module: pure text from the summary. A change is told with its interval and with what
else was not the same at that place, never with a cause; nothing is said of what chance explains.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from simulator.experiment.estimates import Interval
from simulator.measure.history import (
    ChangeSummary,
    ConditionSummary,
    HistorySummary,
    RunShown,
    SeriesSummary,
    TrendSummary,
)
from simulator.report import words

_MOST_FINDINGS: Final = 12
_BESIDE: Final = {
    "version": "version of alertsim",
    "host": "machine",
    "broker": "broker",
    "plan": "plan",
}
_SETUP_WORDS: Final = {
    "broker": "{}",
    "speed": "speed {}",
    "subscribers": "{} subscribers",
    "qos": "QoS {}",
    "protocol": "MQTT {}",
    "payload_format": "{}",
    "session": "{} sessions",
}
_BARS: Final = "▁▂▃▄▅▆▇█"
_GAP: Final = "·"


def history_findings(summary: HistorySummary) -> tuple[str, ...]:
    """The sentences one would say first: changes, newest runs outside their band, what is short."""
    found, short, figures = [], 0, 0
    for series in summary.series:
        for trend in series.trends:
            figures += 1
            short += bool(trend.reason)
            found += [_changed(series, trend, change) for change in trend.changes]
            if trend.newest in {"above", "below"}:
                found.append(_outside(series, trend))
    left = len(found) - _MOST_FINDINGS
    found = found[:_MOST_FINDINGS]
    if left > 0:
        found.append(f"{words.plural(left, 'further finding')} in the tables.")
    if not summary.series:
        return ("There is no complete run here.",)
    if not found and short < figures:
        checked = words.plural(figures - short, "figure")
        found.append(f"No change beyond chance in {checked} of {_runs(summary)}.")
    if short:
        found.append(
            f"Of {words.plural(short, 'figure')} there are too few runs to tell a change from "
            "chance: it takes ten."
        )
    return tuple(found)


def history_reason(summary: HistorySummary) -> str:
    """Why the history ends as it does, one sentence; empty if no condition was asked for."""
    conditions = summary.conditions
    if not conditions:
        return ""
    if summary.verdict == "pass":
        return f"No condition for failing holds; {len(conditions):,} asked for."
    chosen = [one for one in conditions if one.verdict == summary.verdict]
    first, more = chosen[0], len(chosen) - 1
    verb = "holds" if first.verdict == "fail" else "cannot be judged"
    value = "" if first.value is None else f" is {condition_actual(first)},"
    rest = f"; {words.plural(more, 'further condition')} likewise" if more else ""
    return f"{first.expression} {verb} of run {first.run}:{value} {first.reason}{rest}."


def condition_actual(condition: ConditionSummary) -> str:
    """The value that a condition was judged on, with its interval."""
    if condition.value is None:
        return words.DASH
    shown = _judged(condition, condition.value)
    if condition.low is None or condition.high is None or condition.low == condition.high:
        return shown
    return f"{shown} ({_judged(condition, condition.low)} to {_judged(condition, condition.high)})"


def changed_beside(before: RunShown, after: RunShown) -> tuple[str, ...]:
    """What else is not the same in two runs, phrases."""
    found = []
    for name, word in _BESIDE.items():
        one, other = getattr(before, name), getattr(after, name)
        if one != other:
            found.append(f"{word} {one or 'not known'} before, {other or 'not known'} after")
    return tuple(found)


def series_unlike(runs: Sequence[RunShown]) -> tuple[str, ...]:
    """What is not the same in all runs of a series, sentences."""
    found = []
    for name, word in _BESIDE.items():
        counts = Counter(getattr(run, name) or "not known" for run in runs)
        if len(counts) > 1:
            shown = words.listed(f"{text} ({count:,})" for text, count in counts.most_common())
            found.append(f"Not the same {word} in all runs: {shown}.")
    limited = sum(run.bottleneck for run in runs)
    if limited:
        found.append(
            f"In {words.plural(limited, 'run')} the instrument was the bottleneck: their "
            "latencies are doubtful."
        )
    return tuple(found)


def series_name(series: SeriesSummary, among: Sequence[SeriesSummary]) -> str:
    """A series by its scenario, and by how it was played where another series has the same."""
    alike = [one for one in among if one.scenario == series.scenario]
    differing = [
        name
        for name in _SETUP_WORDS
        if len({one.setup.get(name, "") for one in alike}) > 1 and name in series.setup
    ]
    shown = ", ".join(_SETUP_WORDS[name].format(series.setup[name]) for name in differing)
    return f"{series.scenario} ({shown})" if shown else series.scenario


def setup_text(series: SeriesSummary) -> str:
    """How its runs were played: ``embedded, speed 60, 30 subscribers, QoS 1``."""
    return ", ".join(
        text.format(series.setup[name])
        for name, text in _SETUP_WORDS.items()
        if name in series.setup
    )


def trend_name(trend: TrendSummary) -> str:
    """A figure in words: ``delivery (send + transit), p99``; ``lost``."""
    if trend.unit == "count":
        return trend.metric.replace("_", " ")
    segment = trend.metric.removesuffix("_latency").replace("_", "-")
    return f"{words.SEGMENTS[segment]}, {trend.aggregate}"


def value_text(trend: TrendSummary, value: float | None) -> str:
    """A value of a figure for people."""
    if value is None:
        return words.DASH
    return words.measured(value) if trend.unit == "ns" else f"{value:,.4g}"


def interval_text(trend: TrendSummary, interval: Interval | None) -> str:
    """Both ends of an interval; a dash without one."""
    if interval is None:
        return words.DASH
    return f"{value_text(trend, interval[0])} to {value_text(trend, interval[1])}"


def sparkline(values: Sequence[float | None], most: int = 32) -> str:
    """The last values as bars of eight heights, the lowest to the highest; a dot where none is."""
    shown = values[-most:]
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    span = high - low
    top = len(_BARS) - 1
    return "".join(
        _GAP if value is None else _BARS[round((value - low) / span * top) if span else 0]
        for value in shown
    )


def _changed(series: SeriesSummary, trend: TrendSummary, change: ChangeSummary) -> str:
    way = ("longer", "shorter") if trend.unit == "ns" else ("more", "fewer")
    size = value_text(trend, abs(change.difference))
    ends = sorted(abs(end) for end in change.interval)
    beside = f" With it changed: {'; '.join(change.beside)}." if change.beside else ""
    when = words.moment(series.runs[change.at].started)
    return (
        f"{series.scenario}, {trend_name(trend)}: from run {change.run} ({when}) on {size} "
        f"{way[change.difference < 0]} at the median (95 % interval "
        f"{interval_text(trend, (ends[0], ends[1]))}).{beside}"
    )


def _outside(series: SeriesSummary, trend: TrendSummary) -> str:
    value = value_text(trend, trend.points[-1].value)
    band = interval_text(trend, trend.levels[-1].band)
    return (
        f"{series.scenario}, {trend_name(trend)}: the newest run has {value}, {trend.newest} the "
        f"band of its level ({band}), as one run in twenty does by chance."
    )


def _runs(summary: HistorySummary) -> str:
    return words.plural(sum(len(series.runs) for series in summary.series), "run")


def _judged(condition: ConditionSummary, value: float) -> str:
    """A value in the form of the condition's bound."""
    bound = condition.expression.rpartition(" ")[2]
    if bound.endswith("x"):
        return f"{value:.4g}x" if condition.low is not None else f"{value:g}"
    if condition.metric.endswith("_latency"):
        return words.measured(value, signed=bound[0] in "+-")
    return f"{value:+,.4g}" if bound[0] in "+-" else f"{value:,.4g}"
