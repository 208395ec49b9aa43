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
    LeadTimeRow,
    PrefectureTimeline,
    Summary,
    ThresholdResult,
)
from simulator.report import people_tables, tables, words
from simulator.report.people import PeopleWarned
from simulator.units import NS_PER_S

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
    lines = [_judged(summary.thresholds), *map(_failure, _of(summary.thresholds, "fail"))]
    lines += [
        f"{tables.threshold_metric(result)} {result.expression} is inconclusive: {result.reason}"
        for result in _of(summary.thresholds, "inconclusive")
    ]
    if summary.completeness.state == "incomplete":
        lines.insert(0, f"The run is incomplete: {summary.completeness.reason}")
    if verdict.overlap is not None:
        lines.append(verdict.overlap.note)
    if verdict.instrument_bottleneck:
        lines.append(
            "The instrument was the bottleneck: "
            + words.listed(summary.instrument.reasons)
            + ". It can only have made the figures longer."
        )
    lines += [_reached(summary), _controls(summary)]
    return Answer(
        question="Did it pass?",
        headline=f"{words.VERDICTS[verdict.outcome]} (exit {verdict.exit_code})",
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
        actual = words.listed(
            f"{result.metric.replace('_', ' ')} {_is(result)}" for result in thresholds
        )
        return f"All thresholds are met: {actual}"
    return f"{met} of {words.plural(len(thresholds), 'threshold')} met"


def _is(result: ThresholdResult) -> str:
    return f"{tables.threshold_actual(result)} ({result.expression})"


def _failure(result: ThresholdResult) -> str:
    return (
        f"{tables.threshold_metric(result)} was to meet {result.expression} "
        f"and is {tables.threshold_actual(result)}"
    )


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
    lines = _leads(summary)
    if people is not None:
        epoch = datetime.fromisoformat(summary.run.epoch)
        lines.insert(0, people_tables.sentence(people, epoch))
    return Answer(
        question="Who was warned in time?",
        headline=_in_time(summary) if people is None else people_tables.headline(people),
        sentences=tuple(_sentence(line) for line in lines if line),
    )


def _in_time(summary: Summary) -> str:
    """Prefectures whose warning came before the arrival; of several launches the closest counts."""
    told = [place.prefecture for place in summary.timeline]
    if not told:
        return "Nobody"
    known = [row for row in summary.lead_times if row.applicable and row.model_term_ns is not None]
    kind = "true" if any(row.kind == "true" for row in known) else "predicted"
    least: dict[str, int] = {}
    for row in known:
        if row.kind == kind:
            lead_ns = _median_lead(row)
            least[row.prefecture] = min(lead_ns, least.get(row.prefecture, lead_ns))
    if not least:
        return words.listed(map(words.prefecture, told))
    early = words.listed(words.prefecture(slug) for slug, lead_ns in least.items() if lead_ns > 0)
    late = words.listed(words.prefecture(slug) for slug, lead_ns in least.items() if lead_ns <= 0)
    if not early:
        return "Nobody in time"
    return f"In time: {early}; too late: {late}" if late else f"In time: {early}"


def _leads(summary: Summary) -> list[str]:
    """One sentence per kind and group of prefectures with the same model term."""
    groups: dict[tuple[str, int | None, int, str], list[LeadTimeRow]] = {}
    for row in summary.lead_times:
        if row.applicable and row.model_term_ns is not None:
            # Measured terms differ by milliseconds: the sentence groups by the whole second.
            term = round(_median_lead(row) / NS_PER_S)
            key = (row.kind, term, row.precision_ns, row.launch or "")
            groups.setdefault(key, []).append(row)
    lines = [_lead_sentence(rows) for rows in groups.values()]
    none = [row for row in summary.lead_times if row.kind == "true" and not row.applicable]
    if none:
        who = words.listed(dict.fromkeys(words.prefecture(row.prefecture) for row in none))
        lines.append(f"Nothing truly arrived over {who}")
    most = 4
    if len(lines) > most:
        left = len(lines) - most + 1
        lines = [*lines[: most - 1], f"{left} further groups stand under lead time"]
    return lines


def _median_lead(row: LeadTimeRow) -> int:
    if row.lead_median_ns is not None:
        return row.lead_median_ns
    return row.model_term_ns or 0


def _lead_sentence(rows: list[LeadTimeRow]) -> str:
    row = rows[0]
    who = words.listed(words.prefecture(one.prefecture) for one in rows)
    lead_ns = _median_lead(row)
    whole_ns = round(abs(lead_ns) / NS_PER_S) * NS_PER_S
    arrival = "the passage it predicted" if row.kind == "predicted" else "the true arrival"
    about = f" ({words.precision(row.precision_ns)})" if row.precision_ns else ""
    if not whole_ns:
        return f"In {who} the warning came at the time of {arrival}{about}"
    when = "before" if lead_ns > 0 else "after"
    return f"In {who} the warning came {words.span(whole_ns)} {when} {arrival}{about}"


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
        heads.append(f"Chain {words.span(chain_ns)}")
        lines.append(_stages(warning, chain_ns))
    delivery = main_row(summary, "delivery")
    if delivery is not None and delivery.n:
        middle = next((q.value_ns for q in delivery.quantiles if q.percent == 50.0), None)  # noqa: PLR2004
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
    parts = [f"{name} {words.span(took_ns)}" for name, took_ns in spans]
    text = (
        f"Simulated, until the first warning at {warning.issue_clock}: {words.span(chain_ns)}, "
        f"with {words.listed(parts, most=12)}"
    )
    if sum(took_ns for _, took_ns in spans) > chain_ns:
        text += ", in part at the same time"
    if any(stage.assumption for stage in warning.stages):
        text += ". This split is an assumption: it has not been published"
    return text


def _delivery(row: LatencyRow) -> str:
    known = [
        f"{words.measured(quantile.value_ns)} at {words.quantile_name(quantile.percent)}"
        for quantile in row.quantiles
        if quantile.value_ns is not None
    ]
    at = f"{words.listed(known)}, " if known else ""
    return (
        f"Measured, from the planned instant to the receiver's socket: {at}"
        f"at most {words.measured(row.max_ns)} (n = {row.n:,} from "
        f"{words.plural(row.alerts, 'alert')} in {words.plural(row.bursts, 'burst')})"
    )


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
