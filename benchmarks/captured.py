"""One round of the real publisher and the real swarm while tcpdump looks on.

Rule of the module: the processes are those of a run. A reader can be made to fall behind: it is
stopped from outside (SIGSTOP) while alerts arrive, as a busy machine would stop it.
"""

import os
import signal
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.capture import capturing
from benchmarks.harness import CLOCK, BenchmarkError
from benchmarks.party import Party, fresh_broker, party
from benchmarks.truth import Comparison, compare
from benchmarks.workload import KEEP_ALIVE_S, RUN, Workload, swarm_order, workload
from simulator.delivery.brokers.base import Broker
from simulator.delivery.messages import BrokerEndpoint, Play, Published, PublishOrder, Ready
from simulator.delivery.publisher import publisher_main
from simulator.delivery.swarm.worker import worker_main
from simulator.delivery.wire.stamps import StampClock
from simulator.measure.account import Account
from simulator.measure.ledger import Ledger
from simulator.units import NS_PER_MS, NS_PER_S

LEAD_NS: Final = 500 * NS_PER_MS
MARGIN_NS: Final = 20 * NS_PER_S
SWARM: Final = "swarm"
Pause = tuple[int, int]
"""From when and how long the reader is stopped, ns after the first alert."""


def swarm_round(
    *,
    subscribers: int,
    times_ns: Sequence[int],
    qos: int = 1,
    protocol: str = "5",
    pauses: Sequence[Pause] = (),
    broker: Broker | None = None,
) -> Comparison:
    """Play alerts to a swarm and compare every delivery with the capture's.

    Args:
        subscribers: how many, each of them gets every alert.
        times_ns: when each alert is due, ns after the first.
        qos: of publisher and subscribers.
        protocol: MQTT version.
        pauses: when the reader is stopped.
        broker: not started yet; an embedded one if not given.

    Raises:
        BenchmarkError: if a delivery is missing in the ledger or in the capture.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        broker or fresh_broker() as running,
        party() as members,
    ):
        endpoint = running.endpoint(protocol)
        load = load_at(0, subscribers, times_ns, qos=qos, protocol=protocol)
        stamps = StampClock(CLOCK)
        with capturing(endpoint.port, Path(folder)) as capture:
            endpoints = {version: running.endpoint(version) for version in ("3.1.1", "5")}
            members.start(SWARM, worker_main, swarm_order(load, endpoints))
            members.start("publisher", publisher_main, publish_order(load, endpoint))
            for name in (SWARM, "publisher"):
                members.await_message(name, Ready)
            start_ns = CLOCK.monotonic_ns() + LEAD_NS
            load = load_at(start_ns, subscribers, times_ns, qos=qos, protocol=protocol)
            with _stopped(members.child(SWARM).pid, start_ns, pauses):
                account = _played(members, load, times_ns[-1])
        stamps.refresh()
        if stamps.steps:
            raise BenchmarkError("somebody stepped the wall clock meanwhile")
        return compare(account, capture, (stamps.offset_ns, stamps.offset_ns + stamps.error_ns))


def load_at(
    start_ns: int,
    subscribers: int,
    times_ns: Sequence[int],
    *,
    qos: int = 1,
    protocol: str = "5",
) -> Workload:
    """The workload with the first alert due at this instant (monotonic ns)."""
    return workload(
        times_ns=times_ns,
        subscribers=subscribers,
        qos=qos,
        protocol=protocol,
        start_ns=start_ns,
        start_unix_ns=CLOCK.wall_ns() + max(0, start_ns - CLOCK.monotonic_ns()),
    )


def publish_order(load: Workload, endpoint: BrokerEndpoint) -> PublishOrder:
    """What a run would tell its publisher."""
    return PublishOrder(
        endpoint=endpoint,
        context=load.context,
        prefectures=load.timeline.prefectures,
        client=f"{RUN}-publisher",
        keep_alive_s=KEEP_ALIVE_S,
    )


def _played(members: Party, load: Workload, last_ns: int) -> Account:
    """Publish the schedule and book every delivery."""
    ledger = Ledger(load.alerts, load.subscribers)
    members.open_ledger(ledger)
    members.child("publisher").send(Play(schedule=load.alerts, context=load.context))
    members.await_message("publisher", Published, last_ns + MARGIN_NS)
    members.pump(lambda: ledger.seen == load.deliveries, MARGIN_NS, "all deliveries")
    ledger.drain_ended(CLOCK.monotonic_ns())
    return ledger.close(CLOCK.monotonic_ns())


@contextmanager
def _stopped(pid: int, start_ns: int, pauses: Sequence[Pause]) -> Iterator[None]:
    """Stop a process as planned, in a thread; it goes on whatever happens."""
    over = threading.Event()

    def stop_and_go() -> None:
        for from_ns, for_ns in pauses:
            for due_ns, what in (
                (start_ns + from_ns, signal.SIGSTOP),
                (start_ns + from_ns + for_ns, signal.SIGCONT),
            ):
                if over.wait(max(0, due_ns - CLOCK.monotonic_ns()) / NS_PER_S):
                    return
                os.kill(pid, what)

    thread = threading.Thread(target=stop_and_go, name="stop-and-go")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        os.kill(pid, signal.SIGCONT)
