"""The ledger beside a packet capture of the same deliveries, row by row.

How far they lie apart is the benchmark's to print (benchmarks/low_load.py); here only what must
hold on any machine: where messages coalesced because the reader was behind, the capture lies inside
the stated interval, in every case.
"""

import numpy as np
import pytest

from benchmarks.captured import swarm_round
from benchmarks.truth import Comparison
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.units import NS_PER_MS

pytestmark = pytest.mark.capture


def unstarted(kind: str) -> Broker:
    return EmbeddedBroker(announce=False) if kind == "embedded" else ManagedMosquitto()


def outside(rows: Comparison) -> int:
    """Rows of blocks whose captured arrival is not in the stated interval."""
    block = ~rows.exact
    return int(np.count_nonzero((rows.after[block] > 0) | (rows.before[block] > 0)))


@pytest.mark.parametrize(
    ("kind", "qos", "protocol"),
    [
        ("embedded", 1, "5"),
        pytest.param("mosquitto", 0, "3.1.1", marks=pytest.mark.mosquitto),
    ],
)
def test_where_the_reader_was_behind_every_captured_arrival_is_inside_its_interval(
    kind: str, qos: int, protocol: str
) -> None:
    rows = swarm_round(
        subscribers=20,
        times_ns=[number * 2 * NS_PER_MS for number in range(60)],
        qos=qos,
        protocol=protocol,
        pauses=[(10 * NS_PER_MS, 60 * NS_PER_MS)],
        broker=unstarted(kind),
    )

    assert len(rows) == 20 * 60
    assert np.count_nonzero(~rows.exact) >= 20 * 2  # the pause made blocks of several
    assert outside(rows) == 0
    assert rows.after.max() == 0
    # No stated interval is wider than the delivery took: none begins before the sending.
    assert (rows.uncertainty <= rows.reported).all()


def test_messages_that_come_alone_are_exact() -> None:
    rows = swarm_round(subscribers=10, times_ns=[number * 30 * NS_PER_MS for number in range(10)])

    assert len(rows) == 100
    assert np.count_nonzero(rows.exact) >= 50  # a busy machine puts some into one read
    assert outside(rows) == 0
    assert rows.after.max() == 0
    # Both count from the publisher's write to the last byte: they may differ, but not in kind.
    assert np.median(rows.errors()) < np.median(rows.captured)
