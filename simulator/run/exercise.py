"""One exercise over MQTT, from timeline to drained ledger.

Rule of the module: the order of phases and the order of ends. Each phase waits for proof (a SUBACK,
a probe that came through), never for a time; each resource is released in reverse order whatever
happens; what was measured before an early end stays in the books.
"""

import asyncio
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    suppress,
)
from functools import partial

from simulator.clock import Clock, SystemClock, clock_domain
from simulator.delivery.brokers import Broker, access_of, choose_broker
from simulator.delivery.facts import check_usable, described, learn_facts
from simulator.delivery.messages import Begin, Play
from simulator.delivery.preflight import check_endpoint
from simulator.delivery.publisher import PATIENCE_NS
from simulator.delivery.registry import ForeignRegistry
from simulator.delivery.registry_service import RegistryService
from simulator.errors import (
    AlertsimError,
    BrokerLostError,
    BrokerUnreachableError,
    InternalError,
)
from simulator.measure.ledger import Ledger
from simulator.model import simulate
from simulator.run.audience import begun, last_step_ns, lead_in_ns
from simulator.run.books import Books
from simulator.run.crew import Crew, Member
from simulator.run.listeners import check_listener
from simulator.run.machine import own_health
from simulator.run.muster import mustered
from simulator.run.observer import Observer
from simulator.run.orders import Orders
from simulator.run.request import RunRequest
from simulator.run.senders import PUBLISHER, Sender, open_sender
from simulator.run.watch import Watch
from simulator.units import NS_PER_MS, NS_PER_S

_LEAD_NS = 500 * NS_PER_MS  # from "everybody is subscribed" to the first intended send
_ABORT_GRACE_NS = 700 * NS_PER_MS
_GRACE_NS = 3 * NS_PER_S
_TICK_NS = 100 * NS_PER_MS
_PART_TICKS = 40  # a part file every 4 s: closed and renamed at least every 5
_BROKER_TICKS = 5
_HEALTH_TICKS = 10
_LISTENER_EVERY_S = 5.0
_PROBE_NS = 10 * NS_PER_S
_SETTLE_NS = 250 * NS_PER_MS  # receipts of foreign clients travel after the last delivery


class Exercise:
    """Plays one request; made for one use.

    Args:
        request: what to play.
        observer: hears of progress.
        clock: where time comes from.

    Raises:
        InputError: from the constructor, if the request cannot be played.
    """

    def __init__(self, request: RunRequest, observer: Observer, clock: Clock | None = None) -> None:
        self.request = request
        self.settings = request.settings
        self.clock = clock or SystemClock()
        self.observer = observer
        self.watch = Watch()
        self.books = Books(observer, self.clock)
        self.timeline = simulate(request.scenario, self.settings.seed)
        self.domain = clock_domain()
        self.broker: Broker = choose_broker(
            self.settings.broker,
            root=self.settings.root,
            allow_hosts=self.settings.allow_hosts,
            clock=self.clock,
            access=access_of(self.settings),
        )
        self.books.machine.follow(lambda: self.broker.process)
        self.orders = Orders(request, self.timeline, self.domain, self.broker)
        self.subscribers = self.orders.subscribers
        self.workers: tuple[Member, ...] = ()
        self.start_ns = 0
        self.start_unix_ns = 0
        self.closed_ns = 0
        self.broker_facts: dict[str, object] = self.broker.describe()
        self._stop = threading.Event()

    def abort(self, why: str) -> None:
        """End early, in order."""
        self._stop.set()
        self.watch.abort(why)

    async def play(self, write_part: Callable[[], None]) -> None:
        """Play the exercise to its end, orderly or early.

        Args:
            write_part: called every few seconds; writes the rows that are final.

        Raises:
            AlertsimError: why it ended early; the books hold what was measured until then.
        """
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(self._running_broker())
                await stack.enter_async_context(self._listening_registry())
                crew = await stack.enter_async_context(self._crew())
                sender = await stack.enter_async_context(self._sender(crew))
                await stack.enter_async_context(self._ticking(write_part))
                await self._ready(crew, sender)
                await self._clients()
                await self._publish(crew, sender)
                await self._everybody_back()
                await self._drain()
        finally:
            self.books.settle_foreign()
            self.closed_ns = self.clock.monotonic_ns()
        self.watch.check()

    # --- before anything is sent -------------------------------------------------------------

    @asynccontextmanager
    async def _running_broker(self) -> AsyncIterator[None]:
        self.observer.phase("broker", f"{self.broker.kind}, starting")
        if self.broker.notice:
            self.observer.phase("note", self.broker.notice)
        try:
            await asyncio.to_thread(self.broker.start)
            for protocol in self.orders.protocols:
                endpoint = self.broker.endpoint(protocol)
                await asyncio.to_thread(
                    check_endpoint, endpoint, root=self.settings.root, stop=self._stop
                )
            self.watch.check()
            await self._learn_facts()
            self.observer.broker(self.broker.addresses())
            yield
        finally:
            await asyncio.to_thread(self.broker.stop)

    async def _learn_facts(self) -> None:
        """What the broker says of its limits; a run that it could not carry ends here."""
        facts = await asyncio.to_thread(
            learn_facts,
            self.broker.endpoint(self.broker.control_protocol),
            ask_sys=self.broker.kind == "external",
            clock=self.clock,
        )
        self.broker_facts = described(self.broker.describe(), facts)
        check_usable(facts, qos=self.settings.qos, state=self.settings.state)

    @asynccontextmanager
    async def _listening_registry(self) -> AsyncIterator[None]:
        """Listen to foreign clients for the whole run."""
        settings, books = self.settings, self.books
        books.plan(self.subscribers)
        registry = ForeignRegistry(
            root=settings.root,
            domain=self.domain,
            identifiers=self.orders.identifiers(),
            register=books.register,
            clock=self.clock,
            bound_limit_ns=settings.clock_bound,
        )
        books.registry = registry
        self.service = RegistryService(
            registry,
            endpoint=self.broker.endpoint(self.broker.control_protocol),
            root=settings.root,
            client_id=f"{self.request.run}-registry",
            clock=self.clock,
        )
        task = asyncio.create_task(self._report(self.service.run))
        try:
            yield
        finally:
            await _cancel(task)

    @asynccontextmanager
    async def _crew(self) -> AsyncIterator[Crew]:
        """Start the swarm; at the end stop every child in order, the publisher's too."""
        crew = Crew(self.watch, self.books.digest)
        self.observer.phase("connect", f"{len(self.subscribers)} subscribers, controls included")
        own = self.broker.process is not None
        async with mustered(
            self.orders, self.settings, own_broker=own, domain=self.domain, clock=self.clock
        ) as self.workers:
            for worker in self.workers:
                crew.add(worker)
            try:
                yield crew
            finally:
                grace = _GRACE_NS if self.watch.failure is None else _ABORT_GRACE_NS
                await crew.stop(grace)

    def _sender(self, crew: Crew) -> AbstractAsyncContextManager[Sender]:
        return open_sender(
            self.request.client,
            self.orders.publisher(),
            crew=crew,
            digest=self.books.digest,
            watch=self.watch,
            clock=self.clock,
        )

    async def _ready(self, crew: Crew, sender: Sender) -> None:
        """Wait until every subscription is acknowledged and a probe came through."""
        books, timeout = self.books, self.settings.wait_timeout
        names = {PUBLISHER, *(child.name for child in crew.children)}
        if not await self.watch.until(lambda: names <= books.ready.keys(), timeout):
            waiting = sorted(names - books.ready.keys())
            counts = books.counts()
            raise BrokerUnreachableError(
                f"not ready in time: {', '.join(waiting)} still connecting "
                f"({counts.subscribed} of {counts.subscribers} subscribers subscribed); raise "
                "--wait-timeout, or raise --ramp if the broker can take connections faster"
            )
        self.observer.counts(books.counts())
        if not self.subscribers:
            return
        self.observer.phase("probe", "one round trip through the broker to the swarm")
        payload = self.request.run.encode()
        topic = self.orders.probe_topic
        sender.probe(topic, payload)
        if not await self.watch.until(
            lambda: all(books.probes.get(child.name) == payload for child in crew.workers),
            _PROBE_NS,
        ):
            raise BrokerUnreachableError(
                "a probe message did not come through: the broker accepts connections but does "
                "not deliver; check its access rules for the topic "
                f"{topic}"
            )

    async def _clients(self) -> None:
        """Wait for the foreign clients that were asked for."""
        if not await self.watch.until(self.service.ready.is_set, self.settings.wait_timeout):
            raise BrokerUnreachableError(
                "the broker did not acknowledge the subscriptions to status and receipts of "
                f"foreign clients; check its access rules below {self.settings.root}/v1/"
            )
        wanted = self.settings.wait_for_clients
        if not wanted:
            return
        self.observer.phase("wait", f"for {wanted} foreign clients by their retained status")
        registry = self.service.registry
        if not await self.watch.until(
            lambda: registry.online >= wanted, self.settings.wait_timeout
        ):
            raise BrokerUnreachableError(
                f"{registry.online} of {wanted} clients came online in time; a client registers "
                f"with a retained status on {self.settings.root}/v1/status/<client id>"
            )

    # --- sending and after -------------------------------------------------------------------

    async def _publish(self, crew: Crew, sender: Sender) -> None:
        """Fix the start, open the ledger, let the publisher play."""
        lead_ns = _LEAD_NS + lead_in_ns(self.settings, self.timeline)
        self.start_ns = self.clock.monotonic_ns() + lead_ns
        self.start_unix_ns = self.clock.wall_ns() + (self.start_ns - self.clock.monotonic_ns())
        final = self.orders.schedule(self.start_ns)
        books = self.books
        books.open_ledger(
            Ledger(
                final,
                begun(books.subscribers, self.start_ns),
                late_after_ns=self.settings.late_after,
                expiry_ns=self.orders.message_expiry_s * NS_PER_S or None,
            ),
            final,
        )
        for child in crew.workers:
            child.send(Begin(start_ns=self.start_ns))
        self.observer.begun(self.start_unix_ns, final)
        duration_ns = final[-1].intended_ns - self.start_ns if final else 0
        self.observer.phase(
            "publish",
            f"{len(final)} alerts in {duration_ns / NS_PER_S:.1f} s of wall time, the first in "
            f"{lead_ns / NS_PER_S:.1f} s",
        )
        context = self.orders.context(self.start_ns, self.start_unix_ns)
        sender.play(Play(schedule=final, context=context))
        limit = duration_ns + PATIENCE_NS + self.settings.drain + _GRACE_NS + lead_ns
        if not await self.watch.until(lambda: books.published is not None, limit):
            raise BrokerLostError(
                "the broker stopped taking messages: the publisher could not finish its schedule"
            )

    async def _everybody_back(self) -> None:
        """Wait for planned joins and returns that lie behind the last alert, and what they need."""
        last_ns = last_step_ns(self.subscribers)
        if not last_ns:
            return
        left_ns = max(0, self.start_ns + last_ns - self.clock.monotonic_ns())
        self.observer.phase("return", f"the last subscriber is back in {left_ns / NS_PER_S:.1f} s")
        await self.watch.pause(left_ns)
        books = self.books
        await self.watch.until(lambda: not books.missing, self.settings.drain)

    async def _drain(self) -> None:
        """Wait for what is still owed, at most so long; then hold if asked to."""
        ledger = self.books.ledger
        if ledger is None:
            return
        if last_step_ns(self.subscribers):
            # Of thousands who were away it takes seconds, for which the loop cannot stand still.
            await asyncio.to_thread(ledger.forgo, self.clock.monotonic_ns())
        self.observer.phase("drain", f"{ledger.waiting()} deliveries outstanding")
        deadline_ns = self.clock.monotonic_ns() + self.settings.drain
        registry = self.service.registry
        await self.watch.until(lambda: ledger.waiting() <= registry.held, self.settings.drain)
        if registry.online:
            left_ns = max(0, deadline_ns - self.clock.monotonic_ns())
            await self.watch.pause(min(_SETTLE_NS, left_ns))
        self.books.take_foreign()
        ledger.drain_ended(self.clock.monotonic_ns())
        self.observer.counts(self.books.counts())
        self.observer.look(self.books.view)
        for protocol in self.broker.watched:
            await self._check_listener(protocol)
        if self.settings.hold:
            self.observer.phase("hold", f"{self.settings.hold / NS_PER_S:.0f} s")
            await self.watch.pause(self.settings.hold)

    # --- beside the phases -------------------------------------------------------------------

    @asynccontextmanager
    async def _ticking(self, write_part: Callable[[], None]) -> AsyncIterator[None]:
        """Watch the broker, take foreign reports, show progress, write parts."""
        tasks = [asyncio.create_task(self._report(partial(self._tick, write_part)))]
        tasks += [
            asyncio.create_task(self._report(partial(self._probe_listener, protocol)))
            for protocol in self.broker.watched
        ]
        try:
            yield
        finally:
            for task in tasks:
                await _cancel(task)

    async def _tick(self, write_part: Callable[[], None]) -> None:
        ticks = lag_max_ns = 0
        while True:
            due_ns = self.clock.monotonic_ns() + _TICK_NS
            await asyncio.sleep(_TICK_NS / NS_PER_S)
            lag_max_ns = max(lag_max_ns, self.clock.monotonic_ns() - due_ns)
            ticks += 1
            self.books.take_foreign()
            self.observer.counts(self.books.counts())
            self.observer.look(self.books.view)
            self.watch.ring()
            if ticks % _BROKER_TICKS == 0 and (reason := self.broker.alive()):
                raise BrokerLostError(f"the broker is gone: {reason}")
            if ticks % _HEALTH_TICKS == 0:
                self.books.digest("run", own_health(lag_max_ns))
                lag_max_ns = 0
            if ticks % _PART_TICKS == 0 and self.books.ledger is not None:
                write_part()

    async def _probe_listener(self, protocol: str) -> None:
        while True:
            await asyncio.sleep(_LISTENER_EVERY_S)
            await self._check_listener(protocol)

    async def _check_listener(self, protocol: str) -> None:
        await check_listener(
            self.broker.endpoint(protocol),
            root=self.settings.root,
            clock=self.clock,
            stop=self._stop,
            seen=lambda: self.books.counts().delivered,
        )

    async def _report(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run a task beside the phases; its failure ends the run."""
        try:
            await work()
        except AlertsimError as error:
            self.watch.fail(error)
        except Exception as error:  # noqa: BLE001  # a defect ends the run in order, as 107
            self.watch.fail(InternalError("".join(traceback.format_exception(error))))


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
