"""The run's books: ledger, foreign clients and what the processes report, as they come in.

Rule of the module: every message of a child or a foreign client ends here, is counted, and rings
the watch; nothing here waits or writes.
"""

from collections.abc import Sequence

from simulator.clock import Clock
from simulator.delivery.messages import (
    Acknowledged,
    Connections,
    Ended,
    Health,
    Notice,
    ProbeSeen,
    Progress,
    Published,
    Ready,
    Receipts,
    Sent,
)
from simulator.delivery.registry import ForeignClient, ForeignRegistry
from simulator.errors import InternalError
from simulator.measure.instrument import InstrumentLog
from simulator.measure.ledger import Ledger
from simulator.measure.plan import PlannedSubscriber, ScheduledAlert, SubscriberKind
from simulator.measure.receipts import ConnectionChange, ReceiptBatch
from simulator.run.journal import Journal
from simulator.run.machine import MachineWatch
from simulator.run.observer import Counts, Observer, View, Watched


class Books:
    """What is known about a run so far.

    Args:
        observer: hears of progress.
        clock: when a health report arrived.
    """

    def __init__(self, observer: Observer, clock: Clock) -> None:
        self._observer = observer
        self._clock = clock
        self.ready: dict[str, int] = {}
        self.progress: dict[str, Progress] = {}
        self.probes: dict[str, bytes] = {}
        self.health = InstrumentLog()
        self.machine = MachineWatch(clock)
        self.sizes: list[int] = []
        self.published: Published | None = None
        self.sessions_left = 0
        self.missing: set[int] = set()  # our own subscribers that are not subscribed at present
        self.subscribers: list[PlannedSubscriber] = []
        self.schedule: Sequence[ScheduledAlert] = ()
        self.ledger: Ledger | None = None
        self.registry: ForeignRegistry | None = None
        self.journal: Journal | None = None
        self.reconnects = 0
        self._left: set[int] = set()  # of our own, who were connected and are not at present
        self._early: list[object] = []

    def plan(self, subscribers: Sequence[PlannedSubscriber]) -> None:
        """The run's own subscribers, numbered from 0; before any foreign client."""
        self.subscribers = list(subscribers)
        self.missing = {
            each.number
            for each in subscribers
            if each.conduct is not None and each.conduct.joins_ns is not None
        }

    def open_ledger(self, ledger: Ledger, schedule: Sequence[ScheduledAlert]) -> None:
        """From here on everything is booked; what came before (connections) is booked now."""
        self.ledger = ledger
        self.schedule = schedule
        self.health.begin()
        self.machine.begin()
        early, self._early = self._early, []
        for message in early:
            self._book(ledger, message)

    def register(self, client: ForeignClient) -> int:
        """A foreign client registered: give it a number and owe it alerts from now on."""
        number = len(self.subscribers)
        started = self.ledger is not None
        subscriber = PlannedSubscriber(
            number=number,
            client=client.client,
            kind=SubscriberKind.FOREIGN,
            prefecture="",
            filters=client.filters,
            session=client.session,
            joins_ns=client.joined_ns if started else None,
            clock=client.clock,
        )
        self.subscribers.append(subscriber)
        if self.ledger is not None:
            self.ledger.add_subscriber(subscriber)
        return number

    def take_foreign(self) -> None:
        """Book what foreign clients reported since the last call."""
        if self.registry is None or self.ledger is None:
            return
        for event in self.registry.take_connections():
            self.ledger.connection(event)
        self.ledger.receipts(self.registry.take_receipts())

    def settle_foreign(self) -> None:
        """Book the rest of the foreign clients' reports: their clocks are known by now."""
        if self.registry is None or self.ledger is None:
            return
        for event in self.registry.take_connections():
            self.ledger.connection(event)
        self.ledger.receipts(self.registry.settle(self.ledger.received_alerts()))

    def digest(self, name: str, message: object) -> None:
        """Book one message of a child."""
        match message:
            case Ready():
                self.ready[name] = message.connections
            case Progress():
                self.progress[name] = message
            case ProbeSeen():
                self.probes[name] = message.payload
            case Health():
                self.health.observe(message, self._clock.monotonic_ns())
                self.machine.sample()
            case Published():
                self.published = message
            case Notice():
                self._observer.phase("note", message.text)
            case Ended():
                self.sessions_left += message.sessions_left
            case Sent() | Acknowledged() | Receipts() | Connections():
                if self.ledger is None:
                    self._early.append(message)
                else:
                    self._book(self.ledger, message)
            case _:
                raise InternalError(f"{name} said {type(message).__name__}")

    def _book(self, ledger: Ledger, message: object) -> None:
        match message:
            case Sent():
                ledger.sent(message.alert, message.composed_ns, message.sent_ns)
                self.sizes.append(message.size_bytes)
                if self.registry is not None:
                    self.registry.note_sent(message.alert, message.sent_ns)
                self._observer.sent(self.schedule[message.alert], message.sent_ns)
            case Acknowledged():
                ledger.acknowledged(message.alert, message.at_ns)
            case Receipts():
                ledger.receipts(ReceiptBatch.from_bytes(message.rows))
            case Connections():
                for event in message.events:
                    ledger.connection(event)
                    if event.change is ConnectionChange.SUBSCRIBED:
                        self.missing.discard(event.subscriber)
                        self.reconnects += event.subscriber in self._left
                        self._left.discard(event.subscriber)
                    elif event.change is not ConnectionChange.CONNECTED:
                        self.missing.add(event.subscriber)
                        self._left.add(event.subscriber)
                    if self.journal is not None:
                        self.journal.note(event, self.subscribers)
            case _:
                raise InternalError(f"{type(message).__name__} is not for the ledger")

    def overflows(self) -> dict[str, int]:
        """Everything bounded that overflowed, and every report that was refused, by reason."""
        refused = self.registry.refused if self.registry is not None else {}
        return {f"foreign: {reason}": count for reason, count in sorted(refused.items())}

    def counts(self) -> Counts:
        """Where the run stands."""
        ledger = self.ledger
        return Counts(
            subscribed=sum(progress.subscribed for progress in self.progress.values()),
            subscribers=sum(progress.total for progress in self.progress.values()),
            sent=ledger.sent_alerts if ledger else 0,
            alerts=len(self.schedule),
            delivered=ledger.seen if ledger else 0,
            owed=ledger.owed if ledger else 0,
        )

    def view(self) -> View:
        """A closer look, which costs a pass over the ledger."""
        running = self.ledger.running() if self.ledger is not None else None
        tallies = {each.number: each for each in running.clients} if running is not None else {}
        clients = []
        for reporter, online in self.registry.present() if self.registry else ():
            tally = tallies.get(reporter.number)
            clients.append(
                Watched(
                    client=reporter.client,
                    online=online,
                    received=reporter.reported,
                    last_ns=tally.last_ns if tally else None,
                    worst_ns=tally.worst_ns if tally else None,
                )
            )
        return View(running=running, clients=tuple(clients), reconnects=self.reconnects)
