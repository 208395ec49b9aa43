"""The swarm's workers: children of the run, or tasks of a Dask cluster on other hosts.

Rule of the module: the same workers with the same orders either way; the exercise does not know
which it has. A shard is one task, bounded by the run: it ends when the run's connection does, and
is never played again somewhere else, because what it had received would be lost unseen.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Final

from simulator.clock import Clock
from simulator.delivery.children import Child
from simulator.delivery.loopback import is_loopback
from simulator.delivery.messages import Hello, SwarmOrder
from simulator.delivery.registry import shipped_drift_ppm
from simulator.delivery.remote import Door, RemoteChild
from simulator.delivery.room import check_descriptors, tightest_of
from simulator.delivery.swarm.shard import serve
from simulator.delivery.swarm.worker import worker_main
from simulator.delivery.vitals import limits
from simulator.errors import AbortedError, AlertsimError, ConfigurationError
from simulator.experiment.clusters import connect, scheduler_place
from simulator.run.crew import Member
from simulator.run.orders import Orders
from simulator.run.shards import with_room
from simulator.settings import RunSettings
from simulator.units import NS_PER_MS

_LOOK_NS: Final = 200 * NS_PER_MS
_FIELD: Final = "--cluster"


@asynccontextmanager
async def mustered(
    orders: Orders, settings: RunSettings, *, own_broker: bool, domain: str, clock: Clock
) -> AsyncIterator[tuple[Member, ...]]:
    """The workers, started, each with its order.

    Args:
        orders: the run's.
        settings: whether and where there is a cluster, and how long its workers may take.
        own_broker: whether the broker is a child of the run.
        domain: the run's clock domain.
        clock: where time comes from.

    Raises:
        ConfigurationError: if this machine or the cluster cannot carry them.
        AbortedError: if remote workers do not come in.
    """
    if not orders.subscribers:
        yield ()
    elif settings.cluster is None:
        yield await _children(with_room(orders.swarm(), limits(), own_broker=own_broker))
    else:
        shards = _Shards(settings.cluster, orders, domain, clock, settings.clock_bound)
        if own_broker:
            check_descriptors([len(orders.subscribers)], limits(), own_broker=True)
        try:
            yield await asyncio.to_thread(shards.start, settings.wait_timeout)
        finally:
            await asyncio.to_thread(shards.close)


async def _children(orders: Sequence[SwarmOrder]) -> tuple[Member, ...]:
    started: list[Child] = []
    try:
        for order in orders:
            name = f"worker-{order.worker}"
            started.append(await asyncio.to_thread(Child, name, worker_main, order))
    except AlertsimError:
        for child in started:
            child.close()
        raise
    return tuple(started)


class _Shards:
    """Shards of the swarm as tasks of a cluster."""

    def __init__(
        self, cluster: str, orders: Orders, domain: str, clock: Clock, bound_ns: int
    ) -> None:
        self._cluster = cluster
        self._orders = orders
        self._domain = domain
        self._clock = clock
        self._bound_ns = bound_ns
        self._client: Any = None
        self._door: Door | None = None
        self._tasks: list[Any] = []

    def start(self, timeout_ns: int) -> tuple[Member, ...]:
        """Submit the tasks, one host after the other, and let their workers in."""
        scheduler, port = scheduler_place(self._cluster)
        self._client = connect(self._cluster)
        places: dict[str, int] = dict(self._client.nthreads())
        if not places:
            raise ConfigurationError(
                "the Dask scheduler has no workers",
                field=_FIELD,
                value=self._cluster,
                remedy="start some with `dask worker ADDRESS`",
            )
        shards = self._orders.swarm(hosts=len(places))
        check_cluster(shards, scheduler, sum(places.values()))
        self._door = Door((scheduler, port))
        hosts = sorted(places)
        for order in shards:
            self._tasks.append(
                self._client.submit(
                    serve,
                    self._door.host,
                    self._door.port,
                    self._door.secret,
                    order.worker,
                    workers=[hosts[order.worker % len(hosts)]],
                    allow_other_workers=False,
                    pure=False,
                    retries=0,
                )
            )
        return self._admitted({order.worker: order for order in shards}, timeout_ns)

    def _admitted(self, shards: dict[int, SwarmOrder], timeout_ns: int) -> tuple[Member, ...]:
        """All workers, each with its order once all have come in and fit on their hosts."""
        found: dict[int, tuple[Hello, RemoteChild]] = {}
        deadline_ns = self._clock.monotonic_ns() + timeout_ns
        try:
            while len(found) < len(shards) and self._door is not None:
                missing = [number for number in shards if number not in found]
                self._check_coming(missing, late=self._clock.monotonic_ns() > deadline_ns)
                came = self._door.admit(_LOOK_NS)
                if came is not None and came[0].worker in missing:
                    found[came[0].worker] = came[0], self._child(*came)
            orders = with_room_there(shards, {n: hello for n, (hello, _) in found.items()})
        except AlertsimError:
            for _, child in found.values():
                child.close()
            raise
        for number, order in orders.items():
            found[number][1].send(replace(order, asks_clock=True))
        return tuple(child for _, child in found.values())

    def _check_coming(self, missing: Sequence[int], *, late: bool) -> None:
        for number in missing:
            if (fate := self._fate(number)) is not None:
                raise AbortedError(f"a worker of the cluster did not start: {fate}")
        if late and self._door is not None:
            raise AbortedError(
                f"{len(missing)} workers of the cluster did not come in; their hosts must "
                f"reach {self._door.host}:{self._door.port}"
            )

    def _child(self, hello: Hello, pipe: Any) -> RemoteChild:  # noqa: ANN401  # see Door.admit
        return RemoteChild(
            hello,
            pipe,
            domain=self._domain,
            clock=self._clock,
            drift_ppm=shipped_drift_ppm(),
            bound_ns=self._bound_ns,
            fate=partial(self._fate, hello.worker),
        )

    def _fate(self, number: int) -> str | None:
        """How a task ended; None while it runs or waits."""
        task = self._tasks[number]
        if not task.done():
            return None
        error = task.exception()
        return str(error) if error is not None else task.result() or "ended"

    def close(self) -> None:
        """Let go of the cluster; the workers end with their connections."""
        if self._door is not None:
            self._door.close()
        if self._client is not None:
            with suppress(OSError, TimeoutError):
                self._client.close(timeout=5)


def with_room_there(
    shards: Mapping[int, SwarmOrder], hellos: Mapping[int, Hello]
) -> dict[int, SwarmOrder]:
    """The orders with the local addresses to connect from, host by host.

    Workers of one host share its local ports; each has its own descriptors.

    Args:
        shards: the workers' orders by number.
        hellos: what each said first.

    Raises:
        ConfigurationError: naming the host that has no room for its shards, before any connects.
    """
    hosts: dict[str, list[int]] = {}
    for number, hello in hellos.items():
        hosts.setdefault(hello.host, []).append(number)
    found: dict[int, SwarmOrder] = {}
    for host, numbers in hosts.items():
        tightest = tightest_of([hellos[number].limits for number in numbers])
        try:
            fitted = with_room([shards[each] for each in numbers], tightest, own_broker=False)
        except ConfigurationError as error:
            raise ConfigurationError(
                error.message, f"cluster host {host}", error.field, error.value, error.remedy
            ) from None
        found.update(zip(numbers, fitted, strict=True))
    return found


def check_cluster(shards: Sequence[SwarmOrder], scheduler: str, threads: int) -> None:
    """Refuse what a cluster cannot carry.

    Args:
        shards: the workers' orders.
        scheduler: its host.
        threads: of all its workers.

    Raises:
        ConfigurationError: with the remedy.
    """
    if len(shards) > threads:
        raise ConfigurationError(
            f"the cluster has {threads} threads, and each worker of the swarm holds one",
            field="--swarm-workers",
            value=str(len(shards)),
            remedy=f"ask for {threads} at most, or add Dask workers",
        )
    near = [each.host for each in shards[0].endpoints.values() if is_loopback(each.host)]
    if near and not is_loopback(scheduler):
        raise ConfigurationError(
            "the cluster's hosts cannot reach a broker on this host's loopback",
            field="--broker",
            value=near[0],
            remedy="give a broker that they can reach: --broker mqtt://HOST --allow-host HOST",
        )
