"""The catalogue: which metrics exist, what they may be narrowed to, how they may be summed up.

Rule of the module: names and closed sets only. The words are those of the ledger, the latency table
and the message events; tests compare them with the rooms they come from, which lie above this one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Unit(StrEnum):
    """What a metric is counted in."""

    NS = "ns"
    COUNT = "count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Something a run measures that a threshold can speak about.

    Attributes:
        name: as written, with underscores.
        unit: ns for durations, count for the ledger's counts.
        tags: tag name to the values it may take; an empty tuple leaves the value open.
        latency: a measured duration that overlapping deliveries make doubtful.
        lengthened: a slow instrument makes the figure larger, as it does every latency; a lead
            time shrinks instead, and a count can go either way.
        scale: ``wall``, ``scenario`` or ``none``.
        description: one sentence.
    """

    name: str
    unit: Unit
    tags: dict[str, tuple[str, ...]]
    latency: bool = False
    lengthened: bool | None = None
    scale: str = "none"
    description: str


EVENTS: Final = (
    "launch",
    "take-shelter",
    "passage",
    "fell-in-sea",
    "not-coming",
    "not-falling",
    "intercepted",
    "fell-on-land",
    "correction",
    "all-clear",
    "test",
)
KINDS: Final = ("swarm", "control", "foreign")
QOS: Final = ("0", "1", "2")
DUPLICATE_CAUSES: Final = ("redelivery", "overlap", "broker")
UNEXPECTED_CAUSES: Final = ("wrong-area", "foreign", "malformed")

_PLACE: Final = {"prefecture": (), "event": EVENTS, "qos": QOS}
_OPEN: Final[dict[str, tuple[str, ...]]] = {
    "group": ()
}  # of subscribers, as the scenario names them
_PAIR: Final = {**_PLACE, "kind": KINDS, **_OPEN}

_DURATIONS: Final = (
    Metric(
        name="delivery_latency",
        unit=Unit.NS,
        tags={
            "population": ("live", "queued"),
            "segment": ("delivery", "send", "transit", "handling", "end-to-end"),
            **_PLACE,
            **_OPEN,
        },
        latency=True,
        lengthened=True,
        scale="wall",
        description="Received minus intended, or a segment of it; 0 to the round trip where only "
        "that is known.",
    ),
    Metric(
        name="alert_age",
        unit=Unit.NS,
        tags={**_PLACE, **_OPEN},
        latency=True,
        lengthened=True,
        scale="wall",
        description="Age of a retained alert when a late joiner received it.",
    ),
    Metric(
        name="send_lateness",
        unit=Unit.NS,
        tags={"prefecture": (), "event": EVENTS},
        latency=True,
        lengthened=True,
        scale="wall",
        description="Sent minus intended, one sample for each alert.",
    ),
    Metric(
        name="predicted_lead_time",
        unit=Unit.NS,
        tags={"prefecture": ()},
        lengthened=False,
        scale="scenario",
        description="Arrival believed at issue minus (planned issue plus measured latency).",
    ),
    Metric(
        name="lead_time",
        unit=Unit.NS,
        tags={"prefecture": ()},
        lengthened=False,
        scale="scenario",
        description="True arrival minus (planned issue plus measured latency).",
    ),
)

_COUNTS: Final = {
    "expected": "Alert times planned subscriber whose filter matches.",
    "delivered": "First copies in time.",
    "late": "First copies after late_after or after the drain.",
    "queued": "First copies after reconnecting to a persistent session.",
    "expired": "Owed to an offline session whose message expired before it returned.",
    "missed_offline": "Clean session or QoS 0, not connected when sent.",
    "undetermined": "Sent while it was in doubt who was listening.",
    "lost": "Owed and not seen.",
    "not_sent": "The run ended first.",
}

METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        *_DURATIONS,
        *(
            Metric(name=name, unit=Unit.COUNT, tags=_PAIR, description=text)
            for name, text in _COUNTS.items()
        ),
        Metric(
            name="duplicates",
            unit=Unit.COUNT,
            tags={"cause": DUPLICATE_CAUSES},
            description="Further copies of something already received.",
        ),
        Metric(
            name="unexpected",
            unit=Unit.COUNT,
            tags={"cause": UNEXPECTED_CAUSES},
            description="Wrong area, foreign or malformed.",
        ),
        Metric(
            name="receipts", unit=Unit.COUNT, tags={}, description="Copies received, all of them."
        ),
        Metric(
            name="qos_lowered",
            unit=Unit.COUNT,
            tags=_PAIR,
            description="First copies that came below the effective QoS.",
        ),
        Metric(
            name="reordered",
            unit=Unit.COUNT,
            tags={},
            description="First copies that arrived after a later one on their topic.",
        ),
        Metric(
            name="gaps",
            unit=Unit.COUNT,
            tags={},
            description="Missing messages with a later one received on their topic.",
        ),
        Metric(
            name="stale",
            unit=Unit.COUNT,
            tags={},
            description="Subscribers left with a wrong state of a prefecture: believing in an "
            "alert that was withdrawn, or not knowing of one in force.",
        ),
    )
}

AGGREGATES: Final[dict[Unit, tuple[str, ...]]] = {
    Unit.NS: ("p(q)", "med", "avg", "min", "max", "count"),
    Unit.COUNT: ("count", "rate"),
}
