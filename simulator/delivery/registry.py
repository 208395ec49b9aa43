"""Foreign clients: who registered, what they report, what time it is for them.

Rule of the module: a state machine without a socket. MQTT messages from strangers go in; rows for
the ledger, connection events and answers to clock requests come out. Nothing a stranger sends can
raise: what does not fit the contract is counted by reason, with the first example of each.

A client is known by its retained status; its last will says offline. Our own swarm and publisher
publish no status, so they are never among the foreign clients.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from simulator.alerts.contract import (
    ClockRequest,
    ClockResponse,
    ReceiptPayload,
    RefusedPayloadError,
    StatusPayload,
    parse_payload,
)
from simulator.alerts.topics import TopicKind, clock_response_topic, parse_topic
from simulator.clock import Clock
from simulator.delivery.aio import Incoming
from simulator.delivery.receipt_rows import ReceiptRows, Reporter
from simulator.measure.foreign_clocks import KnownClock
from simulator.measure.offsets import OffsetBound
from simulator.measure.plan import Session
from simulator.measure.receipts import UNKNOWN, ConnectionChange, ConnectionEvent, ReceiptBatch
from simulator.resources import config_text
from simulator.units import NS_PER_S

MAX_CLIENTS: Final = 10_000
CLOCK_BOUND_NS: Final = NS_PER_S
_LONGEST_EXAMPLE: Final = 300


def shipped_drift_ppm() -> int:
    """Greatest relative rate of two hosts' monotonic clocks, from ``config/clocks.json``."""
    return int(json.loads(config_text("clocks.json"))["drift_ppm"]["value"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignClient:
    """A client that registered itself, as the ledger needs to know it.

    Attributes:
        client: its MQTT client id, as in its status topic.
        filters: (topic filter, requested QoS) pairs as it says.
        session: clean or persistent, as it says.
        clock: domain of its stamps; None if it has no clock to compare.
        joined_ns: when its status reached us: from then on alerts are owed to it.
    """

    client: str
    filters: tuple[tuple[str, int], ...]
    session: Session
    clock: str | None
    joined_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A message to publish at QoS 0, at once."""

    topic: str
    payload: bytes


@dataclass(slots=True, kw_only=True)
class _Known:
    """What is kept about one client."""

    said: ForeignClient
    reporter: Reporter
    online: bool
    alive_ns: int


class ForeignRegistry:
    """The run's side of the status, receipt and clock topics.

    Args:
        root: topic root.
        domain: our clock domain.
        identifiers: CloudEvents id to alert number; may be filled later.
        register: called for each new client, or a known one that changed its filters, session or
            clock; returns its subscriber number in the ledger.
        clock: for t3.
        drift_ppm: greatest relative rate of two clocks; the shipped figure if not given.
        bound_limit_ns: largest uncertainty of a one-way figure of a client on another clock.

    Attributes:
        refused: how often what was refused, by reason.
        examples: the first example of each reason.
    """

    def __init__(
        self,
        *,
        root: str,
        domain: str,
        identifiers: Mapping[str, int],
        register: Callable[[ForeignClient], int],
        clock: Clock,
        drift_ppm: int | None = None,
        bound_limit_ns: int = CLOCK_BOUND_NS,
    ) -> None:
        self._root = root
        self._domain = domain
        self._identifiers = identifiers
        self._register = register
        self._clock = clock
        self._clients: dict[str, _Known] = {}
        self._events: list[ConnectionEvent] = []
        self._rows = ReceiptRows(
            domain=domain,
            drift_ppm=shipped_drift_ppm() if drift_ppm is None else drift_ppm,
            bound_limit_ns=bound_limit_ns,
            refuse=self.refuse,
        )
        self.refused: Counter[str] = Counter()
        self.examples: dict[str, str] = {}

    @property
    def online(self) -> int:
        """How many clients are online now."""
        return sum(known.online for known in self._clients.values())

    @property
    def receipts(self) -> int:
        """How many receipts were taken in."""
        return self._rows.count

    @property
    def held(self) -> int:
        """Deliveries that were reported and enter the ledger only when the run settles."""
        return self._rows.held

    @property
    def clients(self) -> tuple[ForeignClient, ...]:
        """Every client that ever registered, as it last described itself."""
        return tuple(known.said for known in self._clients.values())

    def present(self) -> tuple[tuple[Reporter, bool], ...]:
        """Every client that ever registered, and whether it is online."""
        return tuple((known.reporter, known.online) for known in self._clients.values())

    def offset(self, client: str, from_ns: int, to_ns: int) -> OffsetBound | None:
        """Our clock minus the client's during a window of ours, as far as is known by now."""
        known = self._clients.get(client)
        if known is None or known.said.clock is None:
            return None
        offsets = known.reporter.offsets.get(known.said.clock)
        return offsets.over(from_ns, to_ns) if offsets else None

    def clocks(self, from_ns: int, to_ns: int) -> tuple[KnownClock, ...]:
        """What is known about the clock of each client in another domain, over a window of ours."""
        found: list[KnownClock] = []
        for known in self._clients.values():
            domain, reporter = known.said.clock, known.reporter
            if domain is None or domain == self._domain:
                continue
            offsets = reporter.offsets.get(domain)
            found.append(
                KnownClock(
                    client=known.said.client,
                    domain=domain,
                    estimate=offsets.estimate(from_ns, to_ns) if offsets else None,
                    one_way=reporter.one_way,
                    beyond=reporter.beyond,
                )
            )
        return tuple(found)

    def note_sent(self, alert: int, sent_ns: int) -> None:
        """The publisher's stamp of one alert: no reception can lie before it."""
        self._rows.note_sent(alert, sent_ns)

    def take(self, message: Incoming) -> Reply | None:
        """Digest one MQTT message; returns the answer to a clock request.

        Never raises for anything a client sent.
        """
        topic = parse_topic(self._root, message.topic)
        kind = topic.kind if topic else None
        name = topic.name if topic else ""
        try:
            match kind:
                case TopicKind.STATUS:
                    self._status(name, message)
                case TopicKind.RECEIPT:
                    self._receipt(name, message)
                case TopicKind.CLOCK_REQUEST:
                    return self._clock_request(name, message)
                case _:
                    self.refuse("foreign topic", message.topic)
        except RefusedPayloadError as error:
            what = kind.name.lower().replace("_", " ") if kind else "message"
            self.refuse(f"malformed {what}", f"{message.topic}: {error}")
        return None

    def take_connections(self) -> tuple[ConnectionEvent, ...]:
        """Connection changes since the last call, in order."""
        events, self._events = tuple(self._events), []
        return events

    def take_receipts(self) -> ReceiptBatch:
        """Rows that became final since the last call.

        Receipts of another clock domain are not among them before :meth:`settle`.
        """
        return self._rows.take()

    def settle(self, proved: Collection[int] = ()) -> ReceiptBatch:
        """The rest, at the end of the run, when every ``sent`` stamp that will come has come.

        Args:
            proved: alerts that a subscriber of our own received: they were sent.
        """
        return self._rows.settle(proved)

    def refuse(self, reason: str, example: str, count: int = 1) -> None:
        """Count something that was not believed or not kept; the first example stays."""
        self.refused[reason] += count
        self.examples.setdefault(reason, example[:_LONGEST_EXAMPLE])

    def _status(self, client: str, message: Incoming) -> None:
        known, at_ns = self._clients.get(client), message.at_ns
        if not message.payload:  # cleared: the client left nothing behind
            self._offline(known, at_ns)
            return
        status = parse_payload(StatusPayload, message.payload)
        if status.state == "offline":
            self._offline(known, at_ns)
            return
        said = ForeignClient(
            client=client,
            filters=tuple((each.filter, each.qos) for each in status.filters),
            session=Session(status.session),
            clock=status.clock,
            joined_ns=at_ns,
        )
        if known is None:
            if len(self._clients) >= MAX_CLIENTS:
                self.refuse("clients beyond the limit", client)
                return
            reporter = Reporter(client=client, number=self._register(said), joined_ns=at_ns)
            known = _Known(said=said, reporter=reporter, online=False, alive_ns=at_ns)
            self._clients[client] = known
            self._connected(known, at_ns)
        elif _asked(said) != _asked(known.said):
            self._offline(known, at_ns)
            known.said, known.reporter.number = said, self._register(said)
            known.reporter.answered = None
            self._connected(known, at_ns)
        elif not known.online:
            known.reporter.returned = said.session is Session.PERSISTENT
            known.reporter.answered = None
            self._connected(known, at_ns)
        known.alive_ns = at_ns

    def _connected(self, known: _Known, at_ns: int) -> None:
        known.online = True
        for change in (ConnectionChange.CONNECTED, ConnectionChange.SUBSCRIBED):
            self._events.append(
                ConnectionEvent(
                    subscriber=known.reporter.number,
                    change=change,
                    at_ns=at_ns,
                    session_present=known.reporter.returned,
                )
            )

    def _offline(self, known: _Known | None, at_ns: int) -> None:
        if known is None or not known.online:
            return
        known.online = False
        self._events.append(
            ConnectionEvent(
                subscriber=known.reporter.number,
                change=ConnectionChange.CLOSED,
                at_ns=at_ns,
                last_alive_ns=known.alive_ns,
                reason="offline by its status or last will",
            )
        )

    def _receipt(self, client: str, message: Incoming) -> None:
        if message.retain:
            self.refuse("retained receipt", message.topic)
            return
        receipt = parse_payload(ReceiptPayload, message.payload)
        known = self._clients.get(client)
        if known is None:
            self.refuse("receipt of an unregistered client", client)
            return
        known.alive_ns = message.at_ns
        alert = self._identifiers.get(receipt.id, UNKNOWN)
        self._rows.add(known.reporter, receipt, alert=alert, at_ns=message.at_ns)

    def _clock_request(self, client: str, message: Incoming) -> Reply | None:
        if message.retain:
            self.refuse("retained clock request", message.topic)
            return None
        request = parse_payload(ClockRequest, message.payload)
        known, t2_ns = self._clients.get(client), message.at_ns
        t3_ns = self._clock.monotonic_ns()
        if known is not None:
            known.alive_ns = t2_ns
            if known.said.clock is not None:
                self._rows.hear_request(
                    known.reporter, known.said.clock, request, t2_ns=t2_ns, t3_ns=t3_ns
                )
        response = ClockResponse(n=request.n, t1_ns=request.t1_ns, t2_ns=t2_ns, t3_ns=t3_ns)
        return Reply(topic=clock_response_topic(self._root, client), payload=response.encode())


def _asked(client: ForeignClient) -> tuple[object, ...]:
    return client.filters, client.session, client.clock
