"""The columns of the deliveries table: name, unit and meaning of each, in the table's order.

Rule of the module: words only. The rows are made by :mod:`simulator.measure.rows`, the file by the
report; both take the names from here, and so does the reference page.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column.

    Attributes:
        name: as in the file.
        unit: ``text``, ``count``, ``number``, ``bits``, ``ns, clock`` (an instant on the run's
            monotonic clock) or ``ns`` (a wall duration).
        nullable: whether it may be missing.
        meaning: one sentence.
    """

    name: str
    unit: str
    nullable: bool = False
    meaning: str


COLUMNS: Final = (
    Column(name="outcome", unit="text", meaning="What became of the delivery, or `unexpected`."),
    Column(name="cause", unit="text", meaning="What more is known about it; empty for nothing."),
    Column(
        name="population", unit="text", meaning="`live`, `retained` or `queued`; empty if unseen."
    ),
    Column(
        name="subscriber",
        unit="number",
        nullable=True,
        meaning="Number of the subscriber; missing for an unseen shared subscription.",
    ),
    Column(name="client", unit="text", meaning="MQTT client id, or the share's name."),
    Column(name="kind", unit="text", meaning="`swarm`, `control` or `foreign`."),
    Column(name="group", unit="text", meaning="Group of the scenario that it belongs to."),
    Column(name="municipality", unit="text", meaning="Municipality code, where it stands for one."),
    Column(name="prefecture", unit="text", meaning="Prefecture of the alert, by slug."),
    Column(
        name="event", unit="text", meaning="Event of the alert, for example `launch` or `passage`."
    ),
    Column(name="identifier", unit="text", meaning="CloudEvents id and CAP identifier."),
    Column(name="alert", unit="number", nullable=True, meaning="Number of the alert in the run."),
    Column(name="repetition", unit="number", nullable=True, meaning="Which playing, from 0."),
    Column(
        name="burst", unit="number", nullable=True, meaning="Alerts that go out together share it."
    ),
    Column(name="sequence", unit="number", nullable=True, meaning="Number on its topic."),
    Column(name="qos", unit="number", meaning="QoS owed, or received if unexpected."),
    Column(name="intended_ns", unit="ns, clock", nullable=True, meaning="When the plan said so."),
    Column(
        name="sent_ns",
        unit="ns, clock",
        nullable=True,
        meaning="Immediately before the publisher's write.",
    ),
    Column(
        name="received_ns", unit="ns, clock", nullable=True, meaning="At the receiver's socket."
    ),
    Column(
        name="uncertainty_ns",
        unit="ns",
        nullable=True,
        meaning="It may have arrived this much before `received_ns`.",
    ),
    Column(
        name="handled_ns", unit="ns, clock", nullable=True, meaning="When the receiver was done."
    ),
    Column(name="send_ns", unit="ns", nullable=True, meaning="sent - intended."),
    Column(name="transit_ns", unit="ns", nullable=True, meaning="received - sent."),
    Column(name="handling_ns", unit="ns", nullable=True, meaning="handled - received."),
    Column(name="delivery_ns", unit="ns", nullable=True, meaning="received - intended."),
    Column(name="end_to_end_ns", unit="ns", nullable=True, meaning="handled - intended."),
    Column(
        name="round_trip_ns",
        unit="ns",
        nullable=True,
        meaning="Until its receipt was back, where no clock can be compared.",
    ),
    Column(name="copies", unit="count", meaning="Copies received of it."),
    Column(name="flags", unit="bits", meaning="What more is known about the first copy."),
)

COLUMN_NAMES: Final = tuple(column.name for column in COLUMNS)
