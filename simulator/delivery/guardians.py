"""Guardians: one connection per published state, whose last will clears it.

Rule of the module: no retained warning outlives its publisher (DESIGN section 4). A connection has
one will, so each prefecture's state has a connection of its own, which alone publishes that state.
Whatever ends the process, the broker then publishes the empty retained message for every one of
them; an orderly end publishes the same first and only then says DISCONNECT.
"""

from typing import Final

from simulator.alerts.topics import state_topic
from simulator.delivery.backoff import Backoff
from simulator.delivery.messages import PublishOrder
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import Will
from simulator.delivery.wire.poller import Poller
from simulator.delivery.wire.transport import Address
from simulator.units import NS_PER_S

_STATE_QOS: Final = 1
_RECONNECT: Final = Backoff(first_ns=NS_PER_S // 2, longest_ns=8 * NS_PER_S)


class Guardian:
    """One prefecture's state and the connection that answers for it."""

    def __init__(self, order: PublishOrder, prefecture: str) -> None:
        self.prefecture = prefecture
        self.topic = state_topic(order.context.root, prefecture)
        self.connection = Connection(
            ConnectionOrder(
                endpoint=order.endpoint,
                client=f"{order.client}-state-{prefecture}",
                keep_alive_s=order.keep_alive_s,
                will=Will(topic=self.topic, payload=b"", qos=_STATE_QOS, retain=True),
            )
        )
        self.current = b""  # what the state is to be; empty: cleared
        self.pending = False  # it is not written yet
        self.reopen_ns = 0
        self.failures = 0

    @property
    def settled(self) -> bool:
        """Whether the broker has acknowledged what the state is to be."""
        connection = self.connection
        return not (self.pending or connection.outgoing or connection.queued_bytes)


class Guardians:
    """All guardians of a publisher. A lost one comes back and restores its state.

    Args:
        order: whose states to guard.
        address: where the broker is.
        poller: the publisher's; guardians are registered with themselves as data.
        buffer: the publisher's read buffer.
    """

    def __init__(
        self, order: PublishOrder, address: Address, poller: Poller, buffer: ReadBuffer
    ) -> None:
        names = dict.fromkeys(order.prefectures) if order.state else {}
        self._guardians = {name: Guardian(order, name) for name in names}
        self._address = address
        self._poller = poller
        self._buffer = buffer
        self._pending: dict[str, None] = {}
        self._reopens = True

    def __len__(self) -> int:
        return len(self._guardians)

    def open(self, now_ns: int) -> None:
        """Start connecting all of them."""
        for guardian in self._guardians.values():
            guardian.connection.open(self._address, now_ns)
            self._follow(guardian, now_ns)

    @property
    def up(self) -> int:
        """How many are connected."""
        return sum(each.connection.state is State.UP for each in self._guardians.values())

    @property
    def failure(self) -> tuple[Cause, str] | None:
        """Why one could not connect, or was lost and is not back; None if all are well."""
        for guardian in self._guardians.values():
            connection = guardian.connection
            if connection.state is State.IDLE and connection.cause is not Cause.NONE:
                return connection.cause, connection.reason
        return None

    def handle(self, guardian: Guardian, events: int, now_ns: int) -> None:
        """Serve a ready connection."""
        was_up = guardian.connection.state is State.UP
        guardian.connection.handle(events, now_ns, self._buffer)
        if guardian.connection.state is State.UP and not was_up:
            guardian.failures = 0
            if guardian.current:
                self._mark(guardian)
        self._follow(guardian, now_ns)

    def tick(self, now_ns: int) -> None:
        """Keep alive; reopen what was lost."""
        for guardian in self._guardians.values():
            connection = guardian.connection
            if connection.state is State.IDLE:
                if self._reopens and now_ns >= guardian.reopen_ns:
                    connection.open(self._address, now_ns)
            else:
                connection.tick(now_ns)
            self._follow(guardian, now_ns)

    def _follow(self, guardian: Guardian, now_ns: int) -> None:
        if guardian.connection.state is State.IDLE:
            return
        if not self._poller.update(guardian.connection, guardian):
            guardian.reopen_ns = now_ns + _RECONNECT.wait_ns(guardian.failures)
            guardian.failures += 1

    def set(self, prefecture: str, payload: bytes) -> None:
        """The state is to be this from now on; empty clears it. The last one wins."""
        guardian = self._guardians.get(prefecture)
        if guardian is not None:
            guardian.current = payload
            self._mark(guardian)

    def _mark(self, guardian: Guardian) -> None:
        guardian.pending = True
        self._pending[guardian.prefecture] = None

    @property
    def has_work(self) -> bool:
        """Whether a state waits to be written on a connection that is up."""
        return any(self._guardians[name].connection.state is State.UP for name in self._pending)

    def write_one(self, now_ns: int) -> None:
        """Write one waiting state."""
        for name in self._pending:
            guardian = self._guardians[name]
            if guardian.connection.state is State.UP:
                del self._pending[name]
                guardian.pending = False
                guardian.connection.publish(
                    guardian.topic, guardian.current, qos=_STATE_QOS, retain=True
                )
                self._follow(guardian, now_ns)
                return

    def clear_all(self) -> None:
        """Every state is to be empty; nothing is reopened any more."""
        self._reopens = False
        for guardian in self._guardians.values():
            guardian.current = b""
            if guardian.connection.state is State.UP:
                self._mark(guardian)

    @property
    def settled(self) -> bool:
        """Whether every connected guardian's state is acknowledged."""
        return all(
            each.settled for each in self._guardians.values() if each.connection.state is State.UP
        )

    def part(self, now_ns: int) -> None:
        """Say DISCONNECT where the state is settled; elsewhere the will shall speak."""
        for guardian in self._guardians.values():
            connection = guardian.connection
            if guardian.settled and connection.state is State.UP:
                connection.send(connection.codec.disconnect())
                self._follow(guardian, now_ns)
            else:
                self.abandon(guardian, now_ns)

    @property
    def all_closed(self) -> bool:
        """Whether the broker has closed every connection."""
        return all(each.connection.state is State.IDLE for each in self._guardians.values())

    def abandon(self, guardian: Guardian, now_ns: int) -> None:
        """Close without a word, so that the will is published."""
        guardian.connection.close()
        self._follow(guardian, now_ns)

    def abandon_all(self, now_ns: int) -> None:
        """Close everything without a word."""
        for guardian in self._guardians.values():
            self.abandon(guardian, now_ns)
