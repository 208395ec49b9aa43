"""The swarm at its ceiling: one worker process beside a bare byte counter and aiomqtt.

Rule of the module: the three get the same messages from the same kind of broker in turn, round
after round, so that a noisy machine is noisy for all of them. A round in which a single delivery is
missing is no measurement.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.harness import (
    CLOCK,
    BenchmarkError,
    Result,
    Table,
    Target,
    cpu_s,
    main,
    median,
    spread,
)
from benchmarks.party import Party, fresh_broker, party
from benchmarks.peers import (
    Flooded,
    FloodOrder,
    Go,
    ReadAll,
    ReaderOrder,
    aiomqtt_main,
    counter_main,
    flood_main,
)
from benchmarks.workload import KEEP_ALIVE_S, Workload, swarm_order, workload
from simulator.delivery.messages import BrokerEndpoint, Ready
from simulator.delivery.swarm.worker import worker_main
from simulator.measure.ledger import Ledger
from simulator.units import NS_PER_MS, NS_PER_S

SUBSCRIBERS: Final = 1000
ROUNDS: Final = 3
FAST: Final = {0: 400, 1: 200}  # messages by QoS: a few seconds of work for whoever is quick
SLOW: Final = 20  # for aiomqtt, which takes longer over these
_ROUND_NS: Final = 60 * NS_PER_S
_FLOOR_SHARE: Final = 0.5
_PEER_FACTOR: Final = 10.0
PROTOCOLS: Final = ("3.1.1", "5")
_MAINS: Final[dict[str, Callable[..., None]]] = {"counter": counter_main, "aiomqtt": aiomqtt_main}
_WORDS: Final = {"swarm": "swarm worker", "counter": "bare counter", "aiomqtt": "aiomqtt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One reader in one round.

    Attributes:
        rate: deliveries per second, from the first write of the flood to the last delivery.
        cpu_us: CPU of the reading process per delivery, microseconds.
        broker_us: CPU of the broker per delivery.
        ledger_us: CPU of the process with the ledger per delivery; 0 where there is none.
        behind_ms: from the last receipt's handling to its booking; 0 where there is no ledger.
    """

    rate: float
    cpu_us: float
    broker_us: float
    ledger_us: float = 0.0
    behind_ms: float = 0.0


def one_round(reader: str, *, qos: int, protocol: str, messages: int, subscribers: int) -> Round:
    """Start a broker, connect the reader, flood it once."""
    load = workload(
        times_ns=[number * NS_PER_MS for number in range(messages)],
        subscribers=subscribers,
        qos=qos,
        protocol=protocol,
        start_ns=CLOCK.monotonic_ns(),
        start_unix_ns=CLOCK.wall_ns(),
    )
    sending = [
        (alert.topic, text) for alert, text in zip(load.alerts, load.payloads(), strict=True)
    ]
    with fresh_broker() as broker, party() as members:
        endpoints = {version: broker.endpoint(version) for version in PROTOCOLS}
        order = _reader_order(load, sending, endpoints[protocol])
        if reader == "swarm":
            child = members.start(reader, worker_main, swarm_order(load, endpoints))
        else:
            child = members.start(reader, _MAINS[reader], order)
        members.await_message(reader, Ready)
        flood = FloodOrder(
            endpoint=endpoints["5"], messages=tuple(sending), qos=qos, keep_alive_s=KEEP_ALIVE_S
        )
        members.start("flood", flood_main, flood)
        members.await_message("flood", Ready)
        pids = [child.pid, broker.process or 0]
        before = [cpu_s(pid) for pid in pids]
        if reader == "swarm":
            last_ns, ledger_us, behind_ms = _read_by_swarm(members, load)
        else:
            last_ns, ledger_us, behind_ms = _read_by_other(members, reader, order), 0.0, 0.0
        used = [cpu_s(pid) - earlier for pid, earlier in zip(pids, before, strict=True)]
        first_ns = members.await_message("flood", Flooded).first_ns
    count = load.deliveries
    return Round(
        rate=count / ((last_ns - first_ns) / NS_PER_S),
        cpu_us=used[0] / count * 1e6,
        broker_us=used[1] / count * 1e6,
        ledger_us=ledger_us,
        behind_ms=behind_ms,
    )


def _reader_order(
    load: Workload, sending: Sequence[tuple[str, bytes]], endpoint: BrokerEndpoint
) -> ReaderOrder:
    """What a peer must know. Its bytes: see MQTT 3.1.1 and 5, section 3.3.

    A frame is its first byte, two bytes of length, the topic behind two bytes of length, in MQTT 5
    one byte that says "no properties", and the payload; the counter looks at QoS 0 frames only.
    """
    around = 5 + (endpoint.protocol == "5")
    frames = sum(around + len(topic) + len(payload) for topic, payload in sending)
    return ReaderOrder(
        endpoint=endpoint,
        clients=tuple(each.client for each in load.subscribers),
        filters=load.subscribers[0].filters,
        qos=load.alerts[0].qos,
        messages=len(sending),
        expected_bytes=frames * len(load.subscribers),
        keep_alive_s=KEEP_ALIVE_S,
    )


def _read_by_swarm(members: Party, load: Workload) -> tuple[int, float, float]:
    """Flood the swarm and book every receipt; each pair must be delivered exactly once.

    Returns:
        When the last receipt was handled, CPU microseconds of this process per delivery, and the
        milliseconds from the last receipt's handling to its booking.
    """
    ledger = Ledger(load.alerts, load.subscribers, late_after_ns=_ROUND_NS)
    members.open_ledger(ledger)
    own_s = cpu_s(os.getpid())
    members.child("flood").send(Go())
    members.pump(lambda: ledger.seen == load.deliveries, _ROUND_NS, "all deliveries")
    own_s = cpu_s(os.getpid()) - own_s
    last_ns, behind_ns = members.handled_ns, members.booked_ns - members.handled_ns
    members.await_message("flood", Flooded)  # its sends are booked before it says so
    ledger.drain_ended(CLOCK.monotonic_ns())
    total = ledger.close(CLOCK.monotonic_ns()).total()
    if total.delivered != load.deliveries or total.receipts != load.deliveries:
        raise BenchmarkError(f"not every pair was delivered exactly once: {total}")
    return last_ns, own_s / load.deliveries * 1e6, behind_ns / NS_PER_MS


def _read_by_other(members: Party, reader: str, order: ReaderOrder) -> int:
    """Flood a peer; it must read everything."""
    members.child("flood").send(Go())
    read = members.await_message(reader, ReadAll)
    by_bytes = reader == "counter" and order.qos == 0
    expected = order.expected_bytes if by_bytes else order.messages * len(order.clients)
    if read.count != expected:
        raise BenchmarkError(f"{reader} read {read.count} of {expected}")
    return read.last_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table: who reads what."""

    protocol: str
    qos: int
    reader: str

    @property
    def name(self) -> str:
        """Key of its runs."""
        return f"MQTT {self.protocol} QoS {self.qos} {self.reader}"


def measure(small: bool) -> Result:
    """Deliveries per second and CPU per delivery of one worker process, beside floor and peer."""
    subscribers, rounds = (50, 1) if small else (SUBSCRIBERS, ROUNDS)
    found: dict[Case, list[Round]] = {}
    for protocol, qos in (("5", 0), ("5", 1), ("3.1.1", 0), ("3.1.1", 1)):
        cases = [Case(protocol=protocol, qos=qos, reader=name) for name in _WORDS]
        for _ in range(rounds):
            for case in cases:
                messages = SLOW if case.reader == "aiomqtt" or small else FAST[qos]
                found.setdefault(case, []).append(
                    one_round(
                        case.reader,
                        qos=qos,
                        protocol=protocol,
                        messages=messages,
                        subscribers=subscribers,
                    )
                )
                print(f"   {case.name}: {found[case][-1]}", flush=True)
    return _result(found, subscribers, rounds)


def _result(found: dict[Case, list[Round]], subscribers: int, rounds: int) -> Result:
    rows: list[tuple[str, ...]] = []
    targets: list[Target] = []
    for case, runs in found.items():
        rates = [run.rate for run in runs]
        cells = [f"{case.protocol}", f"{case.qos}", _WORDS[case.reader], spread(rates)]
        cpu = [run.cpu_us for run in runs]
        cells += [spread(cpu, 1), spread([run.broker_us for run in runs], 1)]
        floor = _rate(found, case, "counter")
        if case.reader == "swarm":
            targets.append(_target(case, "of the bare counter's rate", rates, floor, _FLOOR_SHARE))
            peer = _rate(found, case, "aiomqtt")
            targets.append(_target(case, "times aiomqtt's rate", rates, peer, _PEER_FACTOR))
        counter = Case(protocol=case.protocol, qos=case.qos, reader="counter")
        cheapest = median([run.cpu_us for run in found[counter]])
        cells.append(f"{median(rates) / floor:.2f}")
        cells.append(f"{cheapest / median(cpu):.2f}" if median(cpu) else "")
        rows.append(tuple(cells))
    return Result(
        name="swarm",
        title="Swarm at its ceiling",
        how=(
            f"{subscribers:,} subscribers in one worker process, embedded broker, messages of "
            f"about 3 KB as the publisher composes them, {FAST[0]} of them at QoS 0 and {FAST[1]} "
            f"at QoS 1 ({SLOW} for aiomqtt), published as fast as the broker takes them. The "
            "worker stamps, recognises and reports every delivery, and the parent process books it "
            "in the ledger, whose two equations must hold with every pair delivered exactly once. "
            "The bare counter subscribes with the same wire layer and then only reads: epoll, "
            "`recv_into`, a sum of bytes; at QoS 1 it must acknowledge or the broker stops, so it "
            "finds each packet id and nothing else. aiomqtt: one client per subscriber in one "
            "event loop, counting messages. Rates count from the first write of the flood to the "
            f"last delivery. Medians (lowest to highest) of {rounds} rounds, the readers taking "
            "turns, each with a fresh broker."
        ),
        targets=tuple(targets),
        tables=(
            Table(
                caption="Readers of the same flood",
                columns=(
                    "MQTT",
                    "QoS",
                    "reader",
                    "deliveries/s",
                    "reader CPU, us per delivery",
                    "broker CPU, us per delivery",
                    "share of the counter's rate",
                    "counter's CPU / its CPU",
                ),
                rows=tuple(rows),
            ),
        ),
        notes=_notes(found),
        runs={
            f"{case.name} {name}": [getattr(run, name) for run in runs]
            for case, runs in found.items()
            for name in ("rate", "cpu_us", "broker_us", "ledger_us", "behind_ms")
        },
    )


def _notes(found: dict[Case, list[Round]]) -> tuple[str, ...]:
    swarm = [run for case, runs in found.items() if case.reader == "swarm" for run in runs]
    ledger_us = median([run.ledger_us for run in swarm])
    behind_ms = median([run.behind_ms for run in swarm])
    ledger = (
        f"The ledger's process uses {ledger_us:.2f} us of CPU per delivery, pipe included; the "
        f"last receipt of a flood is booked {behind_ms:.0f} ms after it is handled (a worker hands "
        "over every 100 ms)."
    )
    limit = (
        "All processes share the machine's processors, and the broker uses more CPU per delivery "
        "than the worker: it is part of what limits every fast reader here. The last column "
        "compares what the readers themselves cost."
    )
    peer = (
        "aiomqtt is faster at MQTT 3.1.1 than at 5: paho builds a table of property names anew for "
        "every MQTT 5 message."
    )
    return ledger, limit, peer


def _rate(found: dict[Case, list[Round]], case: Case, reader: str) -> float:
    other = Case(protocol=case.protocol, qos=case.qos, reader=reader)
    return median([run.rate for run in found[other]])


def _target(case: Case, words: str, rates: Sequence[float], other: float, limit: float) -> Target:
    return Target(
        name=f"swarm, MQTT {case.protocol}, QoS {case.qos}: {words}",
        value=median(rates) / other,
        limit=limit,
        at_most=False,
    )


if __name__ == "__main__":
    main(measure)
