"""The first screen in sentences: did it pass, who was warned in time, where did the time go.

Rule of the module: pure text, generated from the summary alone, so that every report says the same;
a sentence is left out where there is nothing behind it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from simulator.measure.summary import (
    AlertShown,
    LatencyRow,
    PrefectureTimeline,
    Summary,
    ThresholdResult,
)
from simulator.report import claims, lead_words, people_tables, words
from simulator.report.people import PeopleWarned

_HALF: Final = 50.0
_SMALL_BESIDE: Final = 10  # an uncertainty of less than a tenth of the figure goes unsaid


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to one of the three questions.

    Attributes:
        question: the question, as a heading.
        headline: the answer in a few words.
        sentences: what is behind it, most important first.
    """

    question: str
    headline: str
    sentences: tuple[str, ...]


def answers(summary: Summary, people: PeopleWarned | None = None) -> tuple[Answer, Answer, Answer]:
    """The three answers of the first screen.

    Args:
        summary: of the run.
        people: as modelled, where they are.
    """
    return passed(summary), warned(summary, people), where_time_went(summary)


# --- did it pass -----------------------------------------------------------------------------


def passed(summary: Summary) -> Answer:
    """The verdict, what it rests on, what limits it, and how much of what was owed arrived."""
    verdict = summary.verdict
    lines = [_judged(summary.thresholds)]
    lines += [f"Not met: {claims.claim(result)}" for result in _of(summary.thresholds, "fail")]
    lines += [
        f"Cannot be judged: {claims.subject(result)} ({claims.demand(result)}): {result.reason}"
        for result in _of(summary.thresholds, "inconclusive")
    ]
    if summary.completeness.state == "incomplete":
        lines.insert(0, f"The run is incomplete: {summary.completeness.reason}")
    if verdict.overlap is not None:
        lines.append(verdict.overlap.note)
    if verdict.instrument_bottleneck:
        lines.append(
            "The instrument was the bottleneck: "
            + "; ".join(summary.instrument.reasons)
            + ". It can only have made the figures longer."
        )
    lines += [_reached(summary), _controls(summary)]
    return Answer(
        question="Did it pass?",
        headline=words.VERDICTS[verdict.outcome],
        sentences=tuple(_sentence(line) for line in lines if line),
    )


def _of(thresholds: Iterable[ThresholdResult], verdict: str) -> list[ThresholdResult]:
    return [result for result in thresholds if result.verdict == verdict]


def _judged(thresholds: tuple[ThresholdResult, ...]) -> str:
    if not thresholds:
        return "No thresholds were set"
    if all(result.verdict == "not-judged" for result in thresholds):
        return "The thresholds were not judged"
    met = len(_of(thresholds, "pass"))
    if met == len(thresholds):
        actual = words.listed(map(claims.claim, thresholds))
        return f"All thresholds are met: {actual}"
    return f"{met} of {words.plural(len(thresholds), 'threshold')} met"


def _reached(summary: Summary) -> str:
    total = summary.ledger.total
    received = total.delivered + total.late + total.queued
    if not total.expected:
        return "No delivery was expected"
    text = (
        f"{received:,} of {total.expected:,} expected deliveries arrived "
        f"({words.share(received, total.expected)})"
    )
    missing = [
        f"{getattr(total, name):,} {word}"
        for name, (word, _) in words.OUTCOMES.items()
        if name != "delivered" and getattr(total, name)
    ]
    if missing:
        text += f"; {words.listed(missing)}"
    return text


def _controls(summary: Summary) -> str:
    count = summary.run.controls
    if not count:
        return ""
    wrong = summary.ledger.unexpected_causes.get("wrong-area", 0)
    who = words.plural(count, "control receiver")
    if wrong:
        astray = words.plural(wrong, "copy", "copies")
        return f"{who} in other prefectures should hear nothing, but {astray} went astray"
    return f"{who} in other prefectures heard nothing, as it should be"


# --- who was warned --------------------------------------------------------------------------


def warned(summary: Summary, people: PeopleWarned | None = None) -> Answer:
    """Who was warned in time: people as modelled, and prefectures by their receivers."""
    lines = lead_words.leads(summary)
    if people is not None:
        epoch = datetime.fromisoformat(summary.run.epoch)
        lines.insert(0, people_tables.sentence(people, epoch))
    return Answer(
        question="Who was warned in time?",
        headline=lead_words.in_time(summary) if people is None else people_tables.headline(people),
        sentences=tuple(_sentence(line) for line in lines if line),
    )


# --- where did the time go -------------------------------------------------------------------


def first_warning(timeline: Iterable[PrefectureTimeline]) -> AlertShown | None:
    """The earliest message of the run that passed simulated stages."""
    shown = [alert for place in timeline for alert in place.alerts if alert.stages]
    return min(shown, key=lambda alert: (alert.issue_ns, alert.number), default=None)


def main_row(summary: Summary, segment: str, population: str = "live") -> LatencyRow | None:
    """The latency row of a segment over everything in a population."""
    for row in summary.latency:
        whole = row.prefecture is None and row.event is None and row.qos is None
        if whole and row.population == population and row.segment == segment:
            return row
    return None


def where_time_went(summary: Summary) -> Answer:
    """Simulated stages beside measured segments, never added up."""
    lines: list[str] = []
    heads: list[str] = []
    warning = first_warning(summary.timeline)
    if warning is not None:
        chain_ns = warning.issue_ns - warning.stages[0].started_ns
        heads.append(f"Chain {words.rounded(chain_ns)}")
        lines.append(_stages(warning, chain_ns))
    delivery = main_row(summary, "delivery")
    if delivery is not None and delivery.n:
        middle = next((q.value_ns for q in delivery.quantiles if q.percent == _HALF), None)
        known = middle if middle is not None else delivery.mean_ns
        heads.append(f"delivery {words.measured(known)}")
        lines += [_delivery(delivery), _segments(summary), _stamps(summary, known)]
    headline = ", ".join(heads)
    return Answer(
        question="Where did the time go?",
        headline=headline[:1].upper() + headline[1:] if heads else "Nothing was measured",
        sentences=tuple(_sentence(line) for line in lines if line),
    )


def _stages(warning: AlertShown, chain_ns: int) -> str:
    spans = [(stage.name, stage.ended_ns - stage.started_ns) for stage in warning.stages]
    parts = [f"{name} {words.rounded(took_ns)}" for name, took_ns in spans]
    text = (
        f"Simulated, until the first warning at {warning.issue_clock}: {words.rounded(chain_ns)}, "
        f"with {words.listed(parts, most=12)}"
    )
    if sum(took_ns for _, took_ns in spans) > chain_ns:
        text += ", in part at the same time"
    if any(stage.assumption for stage in warning.stages):
        text += ". This split is an assumption: it has not been published"
    return text


def _delivery(row: LatencyRow) -> str:
    known = [
        f"{_share(quantile.percent)} within {words.measured(quantile.value_ns)}"
        for quantile in row.quantiles
        if quantile.value_ns is not None
    ]
    known.append(f"all within {words.measured(row.max_ns)}")
    return (
        f"Measured, from the planned instant to the receiver's socket: {words.listed(known)} "
        f"(n = {row.n:,} from "
        f"{words.plural(row.alerts, 'alert')} in {words.plural(row.bursts, 'burst')})"
    )


def _share(percent: float) -> str:
    return "half" if percent == _HALF else f"{percent:g} %"


def _stamps(summary: Summary, middle_ns: int | None) -> str:
    """What the stamps leave in doubt; empty where it is small beside the figures."""
    clocks = summary.clocks
    parts = []
    if clocks.user_stamps:
        count = clocks.kernel_stamps + clocks.user_stamps
        parts.append(
            f"{clocks.user_stamps:,} of {words.plural(count, 'receipt')} were stamped after the "
            "read and not by the kernel, so that their latency includes the receiver's own delay"
        )
    largest_ns = clocks.uncertainty_max_ns or 0
    if middle_ns is not None and largest_ns * _SMALL_BESIDE > middle_ns:
        parts.append(
            f"the stamps are uncertain by up to {words.measured(largest_ns)}, beside a delivery of "
            f"{words.measured(middle_ns)}"
        )
    return f"Stamps: {'; '.join(parts)}" if parts else ""


def _segments(summary: Summary) -> str:
    rows = [main_row(summary, name) for name in ("send", "transit", "handling")]
    parts = [
        f"{row.segment} {words.measured(row.mean_ns)}"
        for row in rows
        if row is not None and row.mean_ns is not None
    ]
    return f"On average {words.listed(parts)}" if parts else ""


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."
