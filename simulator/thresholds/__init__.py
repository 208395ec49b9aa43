"""Thresholds: pass/fail expressions in the grammar that load testers know from k6.

Rule of the room: text comes in, frozen records go out; a threshold is judged on numbers that
somebody else measured. Nothing here knows a ledger, a histogram or a broker.
"""

from simulator.thresholds.catalogue import METRICS, Metric, Unit
from simulator.thresholds.expressions import (
    DEFAULTS,
    Threshold,
    Thresholds,
    parse_thresholds,
    samples_needed,
    with_defaults,
)
from simulator.thresholds.verdicts import (
    Judgement,
    Number,
    Observation,
    Verdict,
    as_incomplete,
    judge,
    not_judged,
    overall,
    worst_exit,
)

__all__ = [
    "DEFAULTS",
    "METRICS",
    "Judgement",
    "Metric",
    "Number",
    "Observation",
    "Threshold",
    "Thresholds",
    "Unit",
    "Verdict",
    "as_incomplete",
    "judge",
    "not_judged",
    "overall",
    "parse_thresholds",
    "samples_needed",
    "with_defaults",
    "worst_exit",
]
