"""The swarm at its ceiling: one worker process beside a C program and other people's clients.

Rule of the module: all get the same messages from the same kind of broker in turn, round after
round, so that a noisy machine is noisy for all of them. A round in which a single delivery is
missing is no measurement.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from benchmarks.gmqtt_peer import gmqtt_main
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
    flood_main,
)
from benchmarks.programs import build_reader, c_reader_main, locust_main, locust_version
from benchmarks.workload import KEEP_ALIVE_S, Workload, swarm_order, workload
from simulator.delivery.messages import BrokerEndpoint, Ready
from simulator.delivery.swarm.outbox import FLUSH_NS
from simulator.delivery.swarm.worker import worker_main
from simulator.measure.ledger import Ledger
from simulator.report.hlog import fill, new_histogram
from simulator.units import NS_PER_MS, NS_PER_S

SUBSCRIBERS: Final = 1000
ROUNDS: Final = 3
FAST: Final = {0: 400, 1: 200}  # messages by QoS: a few seconds of work for whoever is quick
SLOW: Final = {"aiomqtt": 20, "gmqtt": 60, "locust": 20}  # for those who take longer over each
_ROUND_NS: Final = 60 * NS_PER_S
_START_NS: Final = 180 * NS_PER_S  # Locust spawns its users slowly
_FLOOR_SHARES: Final = {0: 0.4, 1: 0.6}
_PEER_FACTORS: Final = {"aiomqtt": 15.0, "gmqtt": 5.0, "locust": 30.0}
_LEDGER_COST: Final = 0.15
PROTOCOLS: Final = ("3.1.1", "5")
FLOOR: Final = "C reader"
BARE: Final = "swarm, nothing booked"
_MAINS: Final[dict[str, Callable[..., None]]] = {
    FLOOR: c_reader_main,
    "aiomqtt": aiomqtt_main,
    "gmqtt": gmqtt_main,
    "locust": locust_main,
}
_READERS: Final = {
    ("5", 0): ("swarm", BARE, FLOOR, "aiomqtt", "gmqtt"),
    ("5", 1): ("swarm", BARE, FLOOR, "aiomqtt", "gmqtt"),
    ("3.1.1", 1): ("swarm", FLOOR, "aiomqtt", "gmqtt", "locust"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One reader in one round.

    Attributes:
        rate: deliveries per second, from the first write of the flood to the last delivery.
        cpu_us: CPU of the reading process per delivery, microseconds.
        broker_us: CPU of the broker per delivery.
        ledger_us: CPU of the process with the ledger per delivery; 0 where there is none.
        behind_ms: from the last receipt's handling to its booking; 0 where there is no ledger.
        all_in: deliveries per second until everything was booked, judged and in a histogram, or
            only counted where nothing is booked.
    """

    rate: float
    cpu_us: float
    broker_us: float
    ledger_us: float = 0.0
    behind_ms: float = 0.0
    all_in: float = 0.0


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
        order = _reader_order(load, endpoints[protocol])
        ours = reader in {"swarm", BARE}
        if ours:
            child = members.start("reader", worker_main, swarm_order(load, endpoints))
        else:
            child = members.start("reader", _MAINS[reader], order)
        members.await_message("reader", Ready, _START_NS)
        flood = FloodOrder(
            endpoint=endpoints["5"], messages=tuple(sending), qos=qos, keep_alive_s=KEEP_ALIVE_S
        )
        members.start("flood", flood_main, flood)
        members.await_message("flood", Ready)
        pids = [child.pid, broker.process or 0]
        before = [cpu_s(pid) for pid in pids]
        if ours:
            read = _read_by_swarm(members, load, book=reader == "swarm")
        else:
            read = _read_by_other(members, reader, order)
        used = [cpu_s(pid) - earlier for pid, earlier in zip(pids, before, strict=True)]
        first_ns = members.await_message("flood", Flooded).first_ns
    count = load.deliveries
    return Round(
        rate=count / ((read.last_ns - first_ns) / NS_PER_S),
        cpu_us=(read.cpu_s or used[0]) / count * 1e6,
        broker_us=used[1] / count * 1e6,
        ledger_us=read.ledger_us,
        behind_ms=read.behind_ms,
        all_in=count / ((read.done_ns - first_ns) / NS_PER_S),
    )


def _reader_order(load: Workload, endpoint: BrokerEndpoint) -> ReaderOrder:
    """What a peer must know."""
    return ReaderOrder(
        endpoint=endpoint,
        clients=tuple(each.client for each in load.subscribers),
        filters=load.subscribers[0].filters,
        qos=load.alerts[0].qos,
        messages=len(load.alerts),
        keep_alive_s=KEEP_ALIVE_S,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """What came of one reader; see Round.

    Attributes:
        last_ns: when the last delivery was read, monotonic ns.
        done_ns: when nothing was left to do about it.
    """

    last_ns: int
    done_ns: int
    cpu_s: float = 0.0
    ledger_us: float = 0.0
    behind_ms: float = 0.0


def _read_by_swarm(members: Party, load: Workload, *, book: bool) -> _Reading:
    """Flood the swarm and book every receipt, each pair exactly once; or only count."""
    ledger = Ledger(load.alerts, load.subscribers, late_after_ns=_ROUND_NS)
    members.open_ledger(ledger)
    if not book:
        members.only_count()
    own_s = cpu_s(os.getpid())
    members.child("flood").send(Go())
    members.pump(
        lambda: (ledger.seen if book else members.counted) >= load.deliveries,
        _ROUND_NS,
        "all deliveries",
    )
    last_ns = members.handled_ns
    # A worker hands over every FLUSH_NS; only what comes later than that is the booking's fault.
    done_ns = max(last_ns, members.booked_ns - FLUSH_NS)
    if not book:
        return _Reading(last_ns=last_ns, done_ns=done_ns)
    members.await_message("flood", Flooded)  # its sends are booked before it says so
    began_ns = CLOCK.monotonic_ns()
    ledger.drain_ended(began_ns)
    account = ledger.close(began_ns)
    pairs = account.evidence.expectation.pairs
    latency_ns = pairs["received_ns"] - account.evidence.expectation.intended_ns[pairs["alert"]]
    fill(new_histogram(), latency_ns)
    closing_ns = CLOCK.monotonic_ns() - began_ns
    own_s = cpu_s(os.getpid()) - own_s
    total = account.total()
    if total.delivered != load.deliveries or total.receipts != load.deliveries:
        raise BenchmarkError(f"not every pair was delivered exactly once: {total}")
    return _Reading(
        last_ns=last_ns,
        done_ns=done_ns + closing_ns,
        ledger_us=own_s / load.deliveries * 1e6,
        behind_ms=(members.booked_ns - last_ns) / NS_PER_MS,
    )


def _read_by_other(members: Party, reader: str, order: ReaderOrder) -> _Reading:
    """Flood a peer; it must read everything."""
    members.child("flood").send(Go())
    read = members.await_message("reader", ReadAll)
    expected = order.messages * len(order.clients)
    if read.count != expected:
        raise BenchmarkError(f"{reader} read {read.count} of {expected}")
    return _Reading(last_ns=read.last_ns, done_ns=read.last_ns, cpu_s=read.cpu_s)


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
    """Deliveries per second and CPU per delivery of one worker process, beside floor and peers."""
    build_reader()
    locust = "" if small else locust_version()
    subscribers, rounds = (50, 1) if small else (SUBSCRIBERS, ROUNDS)
    found: dict[Case, list[Round]] = {}
    for number in range(rounds):
        for (protocol, qos), readers in _READERS.items():
            for reader in readers:
                if reader in SLOW and (number or (reader == "locust" and not locust)):
                    continue  # far behind in any round, and each takes long
                case = Case(protocol=protocol, qos=qos, reader=reader)
                messages = 20 if small else SLOW.get(reader, FAST[qos])
                found.setdefault(case, []).append(
                    one_round(
                        reader,
                        qos=qos,
                        protocol=protocol,
                        messages=messages,
                        subscribers=subscribers,
                    )
                )
                print(f"   {case.name}: {found[case][-1]}", flush=True)
    return _result(found, subscribers, rounds, locust)


def _result(found: dict[Case, list[Round]], subscribers: int, rounds: int, locust: str) -> Result:
    rows: list[tuple[str, ...]] = []
    for case, runs in found.items():
        rates = [run.rate for run in runs]
        floor = _rate(found, case, FLOOR)
        rows.append(
            (
                case.protocol,
                f"{case.qos}",
                case.reader,
                spread(rates),
                spread([run.cpu_us for run in runs], 1),
                spread([run.broker_us for run in runs], 1),
                f"{median(rates) / floor:.2f}",
            )
        )
    return Result(
        name="swarm",
        title="Swarm at its ceiling",
        how=(
            f"{subscribers:,} subscribers in one process, embedded broker, messages of about 3 KB "
            f"as the publisher composes them, {FAST[0]} of them at QoS 0 and {FAST[1]} at QoS 1 "
            f"({', '.join(f'{count} for {name}' for name, count in SLOW.items())}), published as "
            "fast as the broker takes them. The worker stamps, recognises and reports every "
            "delivery, and the parent process books it in the ledger, whose two equations must "
            "hold with every pair delivered exactly once, and fills the histogram. The C reader "
            "(`benchmarks/reader.c`, cc -O2) parses every frame whole and acknowledges; it knows "
            "neither stamps nor alerts. aiomqtt and gmqtt: one client per subscriber in one event "
            "loop, counting messages; locust: its own MqttUser, one request event a message. Rates "
            "count from the first write of the flood to the last delivery. Medians (lowest to "
            f"highest) of {rounds} rounds (other people's clients: one), the readers taking turns, "
            "each with a fresh broker."
        ),
        targets=_targets(found),
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
                    "share of the C reader's rate",
                ),
                rows=tuple(rows),
            ),
        ),
        notes=_notes(found, locust),
        runs={
            f"{case.name} {name}": [getattr(run, name) for run in runs]
            for case, runs in found.items()
            for name in ("rate", "cpu_us", "broker_us", "ledger_us", "behind_ms", "all_in")
        },
    )


def _targets(found: dict[Case, list[Round]]) -> tuple[Target, ...]:
    targets: list[Target] = []
    for case, runs in found.items():
        rate = median([run.rate for run in runs])
        if case.reader == FLOOR:
            ours = _rate(found, case, "swarm")
            limit = _FLOOR_SHARES[case.qos]
            targets.append(_target(case, "of the C reader's rate", ours / rate, limit))
        elif case.reader in _PEER_FACTORS:
            ours, limit = _rate(found, case, "swarm"), _PEER_FACTORS[case.reader]
            targets.append(_target(case, f"times {case.reader}'s rate", ours / rate, limit))
        elif case.reader == BARE:
            booked = Case(protocol=case.protocol, qos=case.qos, reader="swarm")
            with_them = median([run.all_in for run in found[booked]])
            without = median([run.all_in for run in runs])
            targets.append(
                Target(
                    name=f"swarm, MQTT {case.protocol}, QoS {case.qos}: rate that ledger, "
                    "judgement and histogram cost",
                    value=1 - with_them / without,
                    limit=_LEDGER_COST,
                    at_most=True,
                )
            )
    return tuple(targets)


def _notes(found: dict[Case, list[Round]], locust: str) -> tuple[str, ...]:
    swarm = [run for case, runs in found.items() if case.reader == "swarm" for run in runs]
    ledger_us = median([run.ledger_us for run in swarm])
    behind_ms = median([run.behind_ms for run in swarm])
    booked = (
        f"The ledger's process uses {ledger_us:.2f} us of CPU per delivery, pipe, judgement and "
        f"histogram included; the last receipt of a flood is booked {behind_ms:.0f} ms after it is "
        "handled (a worker hands over every 100 ms)."
    )
    shared = (
        "All processes share the machine's processors, and the broker uses more CPU per delivery "
        "than the worker: it is part of what limits every fast reader here."
    )
    least = (
        "At QoS 0 the C reader does next to nothing for a delivery, so the worker's stamp, "
        "recognition and report weigh more beside it."
    )
    other = "locust could not be installed here: not measured."
    if locust:
        other = f"locust {locust} in an environment of its own."
    return booked, shared, least, *_ceilings(found), other


def _ceilings(found: dict[Case, list[Round]]) -> tuple[str, ...]:
    """How far ahead of each peer the C reader is: nobody who does more can be much further."""
    said = []
    for protocol, qos in _READERS:
        cases = [case for case in found if (case.protocol, case.qos) == (protocol, qos)]
        floor = _rate(found, cases[0], FLOOR)
        ahead = ", ".join(
            f"{floor / _rate(found, case, case.reader):.3g} times {case.reader}"
            for case in cases
            if case.reader in _PEER_FACTORS
        )
        said.append(f"MQTT {protocol}, QoS {qos}: the C reader itself is {ahead} in this run.")
    return tuple(said)


def _rate(found: dict[Case, list[Round]], case: Case, reader: str) -> float:
    other = Case(protocol=case.protocol, qos=case.qos, reader=reader)
    return median([run.rate for run in found[other]])


def _target(case: Case, words: str, value: float, limit: float) -> Target:
    return Target(
        name=f"swarm, MQTT {case.protocol}, QoS {case.qos}: {words}",
        value=value,
        limit=limit,
        at_most=False,
    )


if __name__ == "__main__":
    main(measure)
