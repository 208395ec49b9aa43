"""The swarm's own delay: what it reports beside a packet capture of the same deliveries.

Rule of the module: the capture's durations are differences of its own stamps, publish to delivery;
the swarm's are received minus sent. Every delivery must stand in both, or the round does not count.
"""

import tempfile
from array import array
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.capture import Capture, capturing
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
from benchmarks.workload import KEEP_ALIVE_S, RUN, Workload, swarm_order, workload
from simulator.delivery.messages import BrokerEndpoint, Play, Published, PublishOrder, Ready
from simulator.delivery.publisher import publisher_main
from simulator.delivery.swarm.worker import worker_main
from simulator.measure.ledger import Ledger
from simulator.units import NS_PER_MS, NS_PER_S, NS_PER_US

SUBSCRIBERS: Final = 333
ALERTS: Final = 100
EVERY_NS: Final = 100 * NS_PER_MS
ROUNDS: Final = 3
_LEAD_NS: Final = 500 * NS_PER_MS
_MARGIN_NS: Final = 20 * NS_PER_S
_LIMIT: Final = 1.3
_QUANTILES: Final = (50, 99)
_PROTOCOLS: Final = {"swarm": "5", "aiomqtt": "3.1.1"}  # aiomqtt is faster with the older one
_NOTE: Final = (
    "The reader shares the processors with the broker: a slow reader also delays what the capture "
    "sees, so aiomqtt's ratio flatters it. Compare the reported columns too."
)


def one_round(reader: str, *, subscribers: int, alerts: int) -> dict[str, list[float]]:
    """Play alerts to one reader while tcpdump looks on.

    Returns:
        Latencies in microseconds: ``reported`` by the reader and ``captured``.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        fresh_broker() as broker,
        party() as members,
    ):
        load = _load(subscribers, alerts, 0)
        endpoint = broker.endpoint(_PROTOCOLS[reader])
        if reader == "swarm":
            endpoints = {version: broker.endpoint(version) for version in ("3.1.1", "5")}
            members.start(reader, worker_main, swarm_order(load, endpoints))
        else:
            members.start(reader, aiomqtt_main, _reader_order(load, endpoint))
        members.start("publisher", publisher_main, _publish_order(load, endpoint))
        for name in (reader, "publisher"):
            members.await_message(name, Ready)
        with capturing(endpoint.port, Path(folder)) as capture:
            load = _load(subscribers, alerts, CLOCK.monotonic_ns() + _LEAD_NS)
            members.open_ledger(Ledger(load.alerts, load.subscribers))
            members.child("publisher").send(Play(schedule=load.alerts, context=load.context))
            members.await_message("publisher", Published, alerts * EVERY_NS + _MARGIN_NS)
            if reader == "swarm":
                reported = _swarm_reported(members, load)
            else:
                reported = _peer_reported(members, load)
    captured = capture.durations_ns()
    if len(captured) != load.deliveries:
        raise BenchmarkError(_missing(capture, len(captured), load.deliveries))
    return {
        "reported": [value / NS_PER_US for value in reported],
        "captured": [value / NS_PER_US for value in captured],
    }


def _load(subscribers: int, alerts: int, start_ns: int) -> Workload:
    return workload(
        times_ns=[number * EVERY_NS for number in range(alerts)],
        subscribers=subscribers,
        start_ns=start_ns,
        start_unix_ns=CLOCK.wall_ns() + max(0, start_ns - CLOCK.monotonic_ns()),
    )


def _reader_order(load: Workload, endpoint: BrokerEndpoint) -> ReaderOrder:
    return ReaderOrder(
        endpoint=endpoint,
        clients=tuple(each.client for each in load.subscribers),
        filters=load.subscribers[0].filters,
        qos=1,
        messages=len(load.alerts),
        stamps=True,
        keep_alive_s=KEEP_ALIVE_S,
    )


def _publish_order(load: Workload, endpoint: BrokerEndpoint) -> PublishOrder:
    return PublishOrder(
        endpoint=endpoint,
        context=load.context,
        prefectures=load.timeline.prefectures,
        client=f"{RUN}-publisher",
        keep_alive_s=KEEP_ALIVE_S,
    )


def _missing(capture: Capture, found: int, expected: int) -> str:
    return (
        f"the capture holds {found} of {expected} deliveries "
        f"({capture.dropped} packets dropped by tcpdump)"
    )


def _swarm_reported(members: Party, load: Workload) -> list[int]:
    """Received minus sent of every delivery, from the ledger's rows."""
    ledger = members.ledger
    if ledger is None:
        raise BenchmarkError("no ledger")
    members.pump(lambda: ledger.seen == load.deliveries, _MARGIN_NS, "all deliveries")
    ledger.drain_ended(CLOCK.monotonic_ns())
    account = ledger.close(CLOCK.monotonic_ns())
    found: list[int] = []
    for rows in account.rows():
        found += (np.asarray(rows["received_ns"]) - np.asarray(rows["sent_ns"])).tolist()
    return found


def _peer_reported(members: Party, load: Workload) -> list[int]:
    """When aiomqtt handed each message over, minus its send."""
    read = members.await_message("aiomqtt", ReadAll, _MARGIN_NS)
    if read.count != load.deliveries:
        raise BenchmarkError(f"aiomqtt read {read.count} of {load.deliveries}")
    numbers = {alert.identifier: alert.number for alert in load.alerts}
    sent = members.sent_ns
    return [
        at_ns - sent[numbers[beginning.split(b'"id":"', 1)[1].split(b'"', 1)[0].decode()]]
        for at_ns, beginning in zip(array("q", read.stamps), read.beginnings, strict=True)
    ]


def measure(small: bool) -> Result:
    """Latency at low load, reported and captured."""
    subscribers, alerts, rounds = (20, 10, 1) if small else (SUBSCRIBERS, ALERTS, ROUNDS)
    runs: dict[str, list[float]] = {}
    for _ in range(rounds):
        for reader in ("swarm", "aiomqtt"):
            for source, values in one_round(reader, subscribers=subscribers, alerts=alerts).items():
                for percent in _QUANTILES:
                    key = f"{reader} {source} p{percent}, us"
                    runs.setdefault(key, []).append(quantile(values, percent))
    ratios = {
        (reader, percent): [
            mine / theirs
            for mine, theirs in zip(
                runs[f"{reader} reported p{percent}, us"],
                runs[f"{reader} captured p{percent}, us"],
                strict=True,
            )
        ]
        for reader in ("swarm", "aiomqtt")
        for percent in _QUANTILES
    }
    return Result(
        name="low_load",
        title="Latency at low load",
        how=(
            f"{NS_PER_S // EVERY_NS} alerts a second to {subscribers} subscribers for "
            f"{alerts * EVERY_NS / NS_PER_S:.0f} s, QoS 1, MQTT 5 (3.1.1 for aiomqtt, "
            "which is faster with it), embedded broker, the real publisher process. Reported: "
            "received minus sent, as the ledger has it (for aiomqtt: "
            "when its `async for` hands the message over, minus the same send stamp). Captured: "
            "tcpdump on the loopback interface, the kernel's stamps, from the alert's packet to "
            "the broker to the packet with the delivery's last byte, all deliveries. Medians "
            f"(lowest to highest) of {rounds} rounds, the two taking turns, each with a fresh "
            "broker and a capture of its own."
        ),
        targets=(
            Target(
                name="median the swarm reports, times the packet capture's",
                value=median(ratios["swarm", 50]),
                limit=_LIMIT,
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
                        spread(runs[f"{reader} reported p{percent}, us"]),
                        spread(runs[f"{reader} captured p{percent}, us"]),
                        f"{median(ratio):.2f}",
                    )
                    for (reader, percent), ratio in ratios.items()
                ),
            ),
        ),
        notes=(_NOTE,),
        runs=runs,
    )


if __name__ == "__main__":
    main(measure)
