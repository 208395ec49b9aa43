"""The swarm's own delay: what it reports beside a packet capture of the same deliveries.

Rule of the module: the capture's durations are differences of its own stamps, publish to delivery;
the swarm's are received minus sent. Every delivery must stand in both, or the round does not count.
The swarm is compared row by row (benchmarks.truth), the other clients by their quantiles.
"""

import tempfile
from array import array
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.capture import capturing
from benchmarks.captured import LEAD_NS, MARGIN_NS, load_at, publish_order, swarm_round
from benchmarks.harness import (
    CLOCK,
    BenchmarkError,
    Result,
    Table,
    Target,
    main,
    median,
    quantile,
    spread,
)
from benchmarks.party import Party, fresh_broker, party
from benchmarks.peers import ReadAll, ReaderOrder, aiomqtt_main
from benchmarks.readers import gmqtt_main, paho_main
from benchmarks.truth import Comparison
from benchmarks.workload import KEEP_ALIVE_S, Workload
from simulator.delivery.messages import Play, Published, Ready
from simulator.delivery.publisher import publisher_main
from simulator.measure.ledger import Ledger
from simulator.units import NS_PER_MS, NS_PER_S, NS_PER_US

SUBSCRIBERS: Final = 200
ALERTS: Final = 100
EVERY_NS: Final = 100 * NS_PER_MS
ROUNDS: Final = 3
SWARM: Final = "swarm"
PEERS: Final[dict[str, Callable[..., None]]] = {
    "gmqtt": gmqtt_main,
    "paho": paho_main,
    "aiomqtt": aiomqtt_main,
}
_RATIO: Final = 1.1
_PATIENCE_NS: Final = 60 * NS_PER_S  # for a client that does not keep up on a busy machine
_MEDIAN_US: Final = 50
_P99_US: Final = 200
_QUANTILES: Final = (50, 99)
_PROTOCOL: Final = "3.1.1"  # of the peers: aiomqtt is faster with it, gmqtt sets properties in 5
_BEHIND: Final = [number * 2 * NS_PER_MS for number in range(200)]
_PAUSES: Final = ((20 * NS_PER_MS, 100 * NS_PER_MS), (200 * NS_PER_MS, 60 * NS_PER_MS))
_FLATTERED: Final = (
    "The reader shares the processors with the broker: a slow reader also delays what the capture "
    "sees, so the ratios flatter the slow ones. Compare the reported columns too."
)
_APART: Final = (
    "The difference between a row and the capture is mostly the publisher's: its stamp is taken "
    "before its own write, the capture's when the interface has the packet. In the flood a message "
    "waits between the two for the broker to read, so only its arrival is compared."
)
_LATE: Final = (
    "A stamp is taken where IP hands a segment over. Where that is more than 5 us after the "
    "interface had it (an interrupt in between), a row of a message by itself lies outside."
)


def peer_round(reader: str, *, subscribers: int, alerts: int) -> dict[str, list[float]]:
    """Play alerts to somebody else's client while tcpdump looks on.

    Returns:
        Latencies in microseconds: ``reported`` by the reader and ``captured``.
    """
    times_ns = [number * EVERY_NS for number in range(alerts)]
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_broker() as broker,
        party() as members,
    ):
        load = load_at(0, subscribers, times_ns)
        endpoint = broker.endpoint(_PROTOCOL)
        order = ReaderOrder(
            endpoint=endpoint,
            clients=tuple(each.client for each in load.subscribers),
            filters=load.subscribers[0].filters,
            qos=1,
            messages=len(load.alerts),
            stamps=True,
            keep_alive_s=KEEP_ALIVE_S,
        )
        members.start(reader, PEERS[reader], order)
        members.start("publisher", publisher_main, publish_order(load, endpoint))
        for name in (reader, "publisher"):
            members.await_message(name, Ready)
        with capturing(endpoint.port, Path(folder)) as capture:
            load = load_at(CLOCK.monotonic_ns() + LEAD_NS, subscribers, times_ns)
            members.open_ledger(Ledger(load.alerts, load.subscribers))
            members.child("publisher").send(Play(schedule=load.alerts, context=load.context))
            members.await_message("publisher", Published, times_ns[-1] + MARGIN_NS)
            reported = _reported(reader, members, load)
    captured = capture.durations_ns()
    if len(captured) != load.deliveries:
        raise BenchmarkError(
            f"the capture holds {len(captured)} of {load.deliveries} deliveries "
            f"({capture.dropped} packets dropped by tcpdump)"
        )
    return {
        "reported": [value / NS_PER_US for value in reported],
        "captured": [value / NS_PER_US for value in captured],
    }


def _reported(reader: str, members: Party, load: Workload) -> list[int]:
    """When the client handed each message over, minus its send."""
    read = members.await_message(reader, ReadAll, _PATIENCE_NS)
    if read.count != load.deliveries:
        raise BenchmarkError(f"{reader} read {read.count} of {load.deliveries}")
    numbers = {alert.identifier: alert.number for alert in load.alerts}
    sent = members.sent_ns
    return [
        at_ns - sent[numbers[beginning.split(b'"id":"', 1)[1].split(b'"', 1)[0].decode()]]
        for at_ns, beginning in zip(array("q", read.stamps), read.beginnings, strict=True)
    ]


class _Found:
    """Figures of all rounds by name, and the row-by-row comparisons by load."""

    def __init__(self) -> None:
        self.runs: dict[str, list[float]] = {}
        self.rows: dict[str, list[Comparison]] = {}

    def note(self, name: str, value: float) -> None:
        self.runs.setdefault(name, []).append(value)

    def quantiles(self, reader: str, source: str, values_us: list[float]) -> None:
        for percent in _QUANTILES:
            self.note(f"{reader} {source} p{percent}, us", quantile(values_us, percent))

    def compared(self, load: str, rows: Comparison) -> None:
        self.rows.setdefault(load, []).append(rows)
        errors = (rows.errors() / NS_PER_US).tolist()
        for percent in _QUANTILES:
            if errors:
                self.note(f"{load}: apart p{percent}, us", quantile(errors, percent))

    def ratios(self, reader: str, percent: int) -> list[float]:
        return [
            mine / theirs
            for mine, theirs in zip(
                self.runs[f"{reader} reported p{percent}, us"],
                self.runs[f"{reader} captured p{percent}, us"],
                strict=True,
            )
        ]


def _rounds(subscribers: int, alerts: int, rounds: int) -> _Found:
    found = _Found()
    for _ in range(rounds):
        low = swarm_round(
            subscribers=subscribers, times_ns=[number * EVERY_NS for number in range(alerts)]
        )
        found.compared("low load", low)
        found.quantiles(SWARM, "reported", (low.reported / NS_PER_US).tolist())
        found.quantiles(SWARM, "captured", (low.captured / NS_PER_US).tolist())
        for reader in PEERS:
            for source, values in peer_round(
                reader, subscribers=subscribers, alerts=alerts
            ).items():
                found.quantiles(reader, source, values)
        found.compared(
            "reader stopped", swarm_round(subscribers=20, times_ns=_BEHIND, pauses=_PAUSES)
        )
        found.compared("flood", swarm_round(subscribers=subscribers, times_ns=[0] * 50))
    return found


def _truth(found: _Found) -> Table:
    """Row by row, all rounds of a load together."""
    cells: list[tuple[str, ...]] = []
    for load, rounds in found.rows.items():
        exact = sum(int(np.count_nonzero(rows.exact)) for rows in rounds)
        apart = [
            spread(found.runs[name])
            if (name := f"{load}: apart p{percent}, us") in found.runs
            else "-"
            for percent in _QUANTILES
        ]
        blocks = sum(int(np.count_nonzero(~rows.exact)) for rows in rounds)
        cells.append(
            (
                load,
                f"{sum(len(rows) for rows in rounds):,}",
                f"{exact:,}",
                *(apart if load != "flood" else ("-", "-")),
                f"{_outside(rounds, exact=True):,}",
                f"{blocks:,}",
                f"{max(int(rows.uncertainty.max()) for rows in rounds) / NS_PER_MS:,.1f}",
                f"{_outside(rounds, exact=False):,}",
            )
        )
    return Table(
        caption="The swarm row by row",
        columns=(
            "load",
            "deliveries",
            "exact to 50 us",
            "apart, p50, us",
            "apart, p99, us",
            "outside",
            "of blocks",
            "widest, ms",
            "outside",
        ),
        rows=tuple(cells),
    )


def _outside(rounds: list[Comparison], *, exact: bool) -> int:
    """Rows whose captured arrival is not in the stated interval."""
    return sum(
        int(np.count_nonzero(((rows.after > 0) | (rows.before > 0)) & (rows.exact == exact)))
        for rows in rounds
    )


def measure(small: bool) -> Result:
    """Latency at low load, reported and captured."""
    subscribers, alerts, rounds = (20, 10, 1) if small else (SUBSCRIBERS, ALERTS, ROUNDS)
    found = _rounds(subscribers, alerts, rounds)
    return Result(
        name="low_load",
        title="Latency at low load",
        how=(
            f"{NS_PER_S // EVERY_NS} alerts a second to {subscribers} subscribers for "
            f"{alerts * EVERY_NS / NS_PER_S:.0f} s, QoS 1, MQTT 5 (3.1.1 for the other clients), "
            "embedded broker, the real publisher process. Reported: received minus sent, as the "
            "ledger has it (for the others: when the client hands the message over, minus the same "
            "send stamp). Captured: tcpdump on the loopback interface, the kernel's stamps, from "
            "the alert's packet to the broker to the packet with the delivery's last byte, all "
            f"deliveries. Medians (lowest to highest) of {rounds} rounds, the readers taking "
            "turns, each with a fresh broker and a capture of its own. Row by row: how far the "
            "swarm's transit and the capture's lie apart where the stated uncertainty is below "
            "50 us, and in how many rows the captured arrival lies outside the stated interval: "
            "at low load; with the reader stopped twice (60 and 100 ms) while 20 subscribers get "
            f"an alert every 2 ms; and with 50 alerts at once to {subscribers}."
        ),
        targets=(
            Target(
                name="median the swarm reports, times the packet capture's",
                value=median(found.ratios(SWARM, 50)),
                limit=_RATIO,
                at_most=True,
            ),
            Target(
                name="transit reported and captured apart, p50",
                value=median(found.runs["low load: apart p50, us"]),
                limit=_MEDIAN_US,
                at_most=True,
                unit="us",
            ),
            Target(
                name="transit reported and captured apart, p99",
                value=median(found.runs["low load: apart p99, us"]),
                limit=_P99_US,
                at_most=True,
                unit="us",
            ),
            Target(
                name="coalesced deliveries whose capture lies outside the stated interval",
                value=sum(_outside(rows, exact=False) for rows in found.rows.values()),
                limit=0,
                at_most=True,
            ),
        ),
        tables=(
            Table(
                caption="Latency, microseconds",
                columns=("reader", "quantile", "reported", "captured", "reported / captured"),
                rows=tuple(
                    (
                        reader,
                        f"p{percent}",
                        spread(found.runs[f"{reader} reported p{percent}, us"]),
                        spread(found.runs[f"{reader} captured p{percent}, us"]),
                        f"{median(found.ratios(reader, percent)):.2f}",
                    )
                    for reader in (SWARM, *PEERS)
                    for percent in _QUANTILES
                ),
            ),
            _truth(found),
        ),
        notes=(_FLATTERED, _APART, _LATE),
        runs=found.runs,
    )


if __name__ == "__main__":
    main(measure)
