"""A small exercise played and summarised in a line."""

from typing import Any

from simulator.measure.summarise import summarise
from simulator.measure.summary import (
    Summary,
    ThresholdResult,
)
from simulator.thresholds import parse_thresholds, with_defaults

MS = 1_000_000


def play(
    kit: Any,
    *rows: Any,
    thresholds: dict[str, str] | None = None,
    alerts: Any = None,
    subs: Any = None,
    events: Any = (),
    speed: float = 1.0,
    **more: Any,
) -> Summary:
    """One alert (or these) to one subscriber (or these), everything sent, these receipts."""
    alerts = alerts or [kit.alert(0)]
    ledger = kit.ledger(alerts, subs or [kit.sub(0)])
    kit.send(ledger, *range(len(alerts)))
    ledger.acknowledged(0, kit.T0 + 5 * MS)
    ledger.receipts(kit.batch(*rows))
    return summarise(
        kit.close(ledger),
        kit.timeline(alerts, events),
        with_defaults(parse_thresholds(thresholds or {})),
        run=kit.facts(speed=speed),
        broker=kit.broker(),
        provenance=kit.provenance(),
        **more,
    )


def verdicts(summary: Summary) -> list[tuple[str, str]]:
    return [(result.metric, result.verdict) for result in summary.thresholds]


def result_of(summary: Summary, metric: str) -> ThresholdResult:
    return next(result for result in summary.thresholds if result.metric == metric)
