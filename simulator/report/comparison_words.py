"""What a comparison comes to, in words.

Rule of the module: pure text from the summary. A difference is called one only where its whole
interval says so; sides are called A, B, C in the order given, and A is the baseline.
"""

from typing import Final

from simulator.experiment.comparison import (
    ComparisonSummary,
    DifferenceSummary,
    GateSummary,
    MetricSummary,
    same_event,
)
from simulator.report import words
from simulator.report.experiment_words import amount, change, half, half_change, name_of
from simulator.units import NS_PER_S

LEAD: Final = ("lead_time_ns", "predicted_lead_time_ns")
NEEDLESS: Final = "alerted_needlessly_people"
_WORDS: Final = {
    "alert": ("earlier", "later"),
    "issue": ("earlier", "later"),
    "shelter": ("earlier", "later"),
    "predicted_lead_time": ("less", "more"),
    "lead_time": ("less", "more"),
}
_BY_UNIT: Final = {"ns": ("shorter", "longer"), "people": ("fewer", "more"),
                   "count": ("fewer", "more")}  # fmt: skip
_TIMES: Final = 2.0
_MANY: Final = 10.0
_HUNDRED: Final = 100
_MOST_FINDINGS: Final = 6


def letter(side: int) -> str:
    """``A`` for the baseline, then ``B``, ``C`` and so on."""
    return chr(ord("A") + side)


def effect(metric: MetricSummary, found: DifferenceSummary) -> str:
    """A difference in a few words: ``14 min 30.5 s earlier``, ``7,242,535 more (2.7 times)``."""
    if found.value is None:
        never = [letter(one.side) for one in metric.values if not one.n]
        return f"never happens in {' and '.join(never)}" if never else found.reason
    if found.effect == "none":
        return "no difference in any replication"
    size = value_text(metric, abs(found.value))
    if found.effect == "unclear":
        return "no difference is shown: the interval holds zero"
    if found.value == 0:
        return "no difference"
    stem = metric.metric.rpartition(".")[2].rpartition("_")[0]
    fewer, more = next(
        (pair for name, pair in _WORDS.items() if stem == name or stem.startswith(f"{name}_")),
        _BY_UNIT[metric.unit],
    )
    said = f"{size} {more if found.value > 0 else fewer}{_multiple(metric, found)}"
    return f"{said}; {found.reason}" if found.effect == "unknown" else said


def findings(summary: ComparisonSummary) -> tuple[str, ...]:
    """The sentences one would say first."""
    found: list[str] = []
    for side in summary.sides[1:]:
        told = []
        for metric in summary.metrics:
            difference = metric.differences[side.number - 1]
            if metric.headline and difference.effect in {"better", "worse", "different"}:
                told.append(f"{title_of(metric)}: {effect(metric, difference)}")
        name = f"{letter(side.number)} against A"
        told += _counted(summary, side.number)
        if told:
            found += [f"{name}, {one}." for one in told[:_MOST_FINDINGS]]
        if summary.of == "runs":
            found += _told_of_runs(summary, side.number, some=bool(told))
        elif told:
            pass
        elif _is_too_few(summary, side.number):
            found.append(f"{name}: too few replications to tell.")
        else:
            found.append(f"{name}: no figure differs by more than chance.")
        if same_event((summary.sides[0], side)):
            found += _price(summary, side.number)
    return tuple(found)


def _counted(summary: ComparisonSummary, side: int) -> list[str]:
    """Counts of the ledger that are not the same: exact, of these two runs and no others."""
    if summary.of != "runs":
        return []
    counts = [one for one in summary.metrics if one.headline and one.aggregate == "count"]
    return [
        f"{title_of(metric)}: {metric.values[0].value:,.0f} in A, "
        f"{metric.values[side].value:,.0f} in {letter(side)}"
        for metric in counts
        if metric.values[0].value != metric.values[side].value
    ]


def _told_of_runs(summary: ComparisonSummary, side: int, *, some: bool) -> list[str]:
    """What the samples of two runs do not carry."""
    name = f"{letter(side)} against A"
    latencies = [one for one in summary.metrics if one.headline and one.scale == "wall"]
    if not latencies:
        return [f"{name}: nothing was delivered live in either, so no latency is compared."]
    if all(one.differences[side - 1].effect == "unknown" for one in latencies):
        bursts = [words.plural(summary.sides[one].n, "burst") for one in (0, side)]
        sentence = (
            f"{name}: chance cannot be told from change in the latencies, because A has "
            f"{bursts[0]} of alerts and {letter(side)} {bursts[1]}: an interval needs ten in each "
            "(play the runs with --repeat 10)."
        )
        return [sentence]
    return [] if some else [f"{name}: no figure differs by more than chance."]


def verdict_sentence(summary: ComparisonSummary) -> str:
    """Why the comparison ends as it does, one sentence; empty if no condition was asked for."""
    gates = summary.gates
    of_verdict = [gate for gate in gates if gate.verdict == summary.verdict]
    if not gates:
        return ""
    if summary.verdict == "pass":
        return f"No condition for failing holds; {len(gates):,} asked for."
    first = of_verdict[0]
    value = "" if first.value is None else f" is {gate_actual(first)},"
    more = len(of_verdict) - 1
    rest = f"; {words.plural(more, 'further condition')} likewise" if more else ""
    verb = {"fail": "holds", "inconclusive": "cannot be judged"}.get(first.verdict, "is not judged")
    return f"{first.expression} {verb} of {letter(first.side)}:{value} {first.reason}{rest}."


def _is_too_few(summary: ComparisonSummary, side: int) -> bool:
    """Whether a headline figure differs, and nothing says by how much it does by chance."""
    differences = (
        metric.differences[side - 1]
        for metric in summary.metrics
        if metric.headline and metric.scale != "wall"
    )
    return any(one.effect == "unknown" and one.value for one in differences)


def of_which_launch(summary: ComparisonSummary) -> str:
    """Whose the headline figures are, where a scenario has several launches; else nothing."""
    several = any("." in metric.metric for metric in summary.metrics if metric.scale != "wall")
    return ", of the first launch" if several else ""


def gate_sentence(gate: GateSummary) -> str:
    """What became of a gate."""
    return f"{letter(gate.side)}: {gate.expression}: {gate.verdict} ({gate.reason})"


def gate_actual(gate: GateSummary) -> str:
    """The value that a gate was judged on, with its interval."""
    if gate.value is None:
        return words.DASH
    low = "" if gate.low is None or gate.high is None else (
        f" ({_judged(gate, gate.low)} to {_judged(gate, gate.high)})"
    )  # fmt: skip
    return f"{_judged(gate, gate.value)}{low}"


def lead_of(summary: ComparisonSummary) -> MetricSummary | None:
    """The lead time that is traded: the true one where something arrives, else the predicted."""
    return metric_of(summary, *LEAD)


def metric_of(summary: ComparisonSummary, *names: str) -> MetricSummary | None:
    """The first of these figures that there is."""
    return next(
        (metric for name in names for metric in summary.metrics if metric.metric == name), None
    )


def _price(summary: ComparisonSummary, side: int) -> list[str]:
    """What lead time costs in people alerted needlessly."""
    lead, needless = lead_of(summary), metric_of(summary, NEEDLESS)
    if lead is None or needless is None:
        return []
    gained, paid = (metric.differences[side - 1] for metric in (lead, needless))
    clear = {"better", "worse"}
    if gained.effect not in clear or paid.effect not in clear:
        return []
    if gained.value is None or paid.value is None:
        return []
    if (gained.value > 0) != (paid.value > 0):
        better = "more lead time and fewer" if gained.value > 0 else "less lead time and more"
        return [f"{letter(side)} has {better} people alerted needlessly than A."]
    each = abs(paid.value) / (abs(gained.value) / NS_PER_S)
    verb = "costs" if gained.value > 0 else "saves"
    way = "gained" if gained.value > 0 else "given up"
    sentence = (
        f"Each second of lead time {way} by {letter(side)} {verb} {each:,.0f} people who are "
        "alerted and need not have been."
    )
    return [sentence]


def title_of(metric: MetricSummary) -> str:
    """A figure in words, with its aggregate where it is not a mean over replications."""
    if metric.scale == "wall":
        segment = metric.metric.removesuffix("_latency").replace("_", "-")
        return f"{words.SEGMENTS[segment]}, {metric.aggregate}"
    if metric.aggregate == "count":
        return metric.metric.replace("_", " ")
    return name_of(metric.metric)


def value_text(metric: MetricSummary, value: float | None) -> str:
    """A value of a figure: wall time in three significant figures, scenario time in minutes."""
    if metric.scale == "wall":
        return words.measured(value)
    if metric.unit == "ns" and value is not None and value >= 0:
        return amount("alert_ns", value)
    return amount(metric.metric, value)


def plain_text(metric: MetricSummary, value: float | None) -> str:
    """A value of one side; a lead time with its sign."""
    return words.measured(value) if metric.scale == "wall" else amount(metric.metric, value)


def change_text(metric: MetricSummary, value: float | None) -> str:
    """A difference, always with its sign."""
    if metric.scale == "wall":
        return words.measured(value, signed=True)
    return change(metric.metric, value)


def interval_text(
    metric: MetricSummary, interval: tuple[float, float] | None, *, changed: bool = False
) -> str:
    """Half an interval; of wall time, which is rarely even, both its ends.

    Args:
        metric: of what.
        interval: of it.
        changed: whether it is of a difference, which is written in seconds.
    """
    if metric.scale != "wall":
        return half_change(metric.metric, interval) if changed else half(metric.metric, interval)
    if interval is None:
        return ""
    return f"({words.measured(interval[0])} to {words.measured(interval[1])})"


def _multiple(metric: MetricSummary, found: DifferenceSummary) -> str:
    """`` (2.7 times)``, `` (+23 %)``; nothing where none has sense or no interval backs it."""
    if found.ratio is None or metric.unit == "ns" or found.effect == "unknown":
        return ""
    if found.ratio >= _TIMES:
        return f" ({found.ratio:,.0f} times)" if found.ratio >= _MANY else (
            f" ({found.ratio:.1f} times)"
        )  # fmt: skip
    percent = _HUNDRED * (found.ratio - 1)
    sign = words.MINUS if percent < 0 else "+"
    return f" ({sign}{abs(percent):.3g} %)"


def _judged(gate: GateSummary, value: float) -> str:
    """A value in the form of the gate's bound."""
    bound = gate.expression.rpartition(" ")[2]
    if bound.endswith("x"):
        return f"{value:.4g}x"
    if gate.metric.endswith("_latency"):
        return words.measured(value, signed=bound[0] in "+-")
    return change(gate.metric, value) if bound[0] in "+-" else amount(gate.metric, value)
