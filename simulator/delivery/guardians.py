"""Guardians: one connection per published state, whose last will clears it.

Rule of the module: no retained warning outlives its publisher (DESIGN section 4). A connection has
one will, so each prefecture's state has a connection of its own, which alone publishes that state.
Whatever ends the process, the broker then publishes the empty retained message for every one of
them; an orderly end publishes the same first and only then says DISCONNECT.

A state belongs to the run that wrote it last. A guardian listens to its own topic: when another
run's message stands there, it says DISCONNECT, so that neither its will nor its end clears what is
not its own any more; it comes back when it has a state of its own to write.
"""

from collections.abc import Callable
from typing import Final

from simulator.alerts.topics import state_topic
from simulator.delivery.backoff import Backoff
from simulator.delivery.messages import Notice, PublishOrder
from simulator.delivery.preflight import PARTING_NS
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.packets import Packet, Publish, Will
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
                filters=((self.topic, _STATE_QOS),),
                will=Will(topic=self.topic, payload=b"", qos=_STATE_QOS, retain=True),
                message_expiry_s=order.message_expiry_s,
            )
        )
        self._mark = own_mark(order.context.run, prefecture)
        self._unheard = 0  # messages of ours that have not come back yet
        self.current = b""  # what the state is to be; empty: cleared
        self.pending = False  # it is not written yet
        self.fresh = False  # it was set and is not written: it wins over whatever stands there
        self.yielded = False  # another run's message stands there
        self.part_ns = 0  # DISCONNECT was said: the broker is to close until then
        self.reopen_ns = 0
        self.failures = 0

    @property
    def settled(self) -> bool:
        """Whether the broker has acknowledged what the state is to be."""
        connection = self.connection
        return not (self.pending or connection.outgoing or connection.queued_bytes)

    @property
    def writable(self) -> bool:
        """Whether a state can be written now."""
        return self.connection.state is State.UP and not self.part_ns

    def write(self) -> None:
        """Publish the state."""
        self.pending = self.fresh = False
        self._unheard += bool(self.current)
        self.connection.publish(self.topic, self.current, qos=_STATE_QOS, retain=True)

    def opening(self) -> None:
        """A new connection: what did not come back on the last one will not."""
        self._unheard = 0

    def overruled(self, packets: list[Packet]) -> bool:
        """Whether another run wrote the state after us, by what came in.

        The broker hands messages on in the order in which it took them: while one of ours has not
        come back yet, it comes after whatever is heard now.
        """
        for packet in packets:
            if isinstance(packet, Publish) and packet.payload and packet.topic == self.topic:
                if self._mark in packet.payload:
                    self._unheard -= bool(self._unheard and not packet.retain)
                elif not (self._unheard or self.fresh):
                    return True
        return False


class Guardians:
    """All guardians of a publisher. A lost one comes back and restores its state.

    Args:
        order: whose states to guard.
        address: where the broker is.
        poller: the publisher's; guardians are registered with themselves as data.
        buffer: the publisher's read buffer.
        report: told when a state is another run's.
    """

    def __init__(
        self,
        order: PublishOrder,
        address: Address,
        poller: Poller,
        buffer: ReadBuffer,
        report: Callable[[Notice], None],
    ) -> None:
        names = dict.fromkeys(order.prefectures) if order.state else {}
        self._guardians = {name: Guardian(order, name) for name in names}
        self._address = address
        self._poller = poller
        self._buffer = buffer
        self._report = report
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
        """How many are connected, or have nothing to guard."""
        return sum(
            each.yielded or each.connection.state is State.UP for each in self._guardians.values()
        )

    @property
    def failure(self) -> tuple[Cause, str] | None:
        """Why one could not connect, or was lost and is not back; None if all are well."""
        for guardian in self._guardians.values():
            connection = guardian.connection
            idle = connection.state is State.IDLE and not guardian.yielded
            if idle and connection.cause is not Cause.NONE:
                return connection.cause, connection.reason
        return None

    def handle(self, guardian: Guardian, events: int, now_ns: int) -> None:
        """Serve a ready connection."""
        was_up = guardian.connection.state is State.UP
        packets = guardian.connection.handle(events, now_ns, self._buffer)
        if guardian.connection.state is State.UP and not was_up:
            guardian.failures = 0
            guardian.opening()
            if guardian.current:
                self._mark(guardian)
        if not guardian.yielded and guardian.overruled(packets):
            self._yield(guardian, now_ns)
        self._follow(guardian, now_ns)

    def _yield(self, guardian: Guardian, now_ns: int) -> None:
        """Leave the state to the run that wrote it; DISCONNECT takes the will back.

        The broker closes, not we: see preflight.
        """
        guardian.yielded, guardian.current, guardian.pending = True, b"", False
        self._pending.pop(guardian.prefecture, None)
        guardian.connection.send(guardian.connection.codec.disconnect())
        guardian.part_ns = now_ns + PARTING_NS
        self._report(
            Notice(
                text=f"another run's message stands at {guardian.topic}: this run neither "
                "restores nor clears it until it has one of its own to write there"
            )
        )

    def tick(self, now_ns: int) -> None:
        """Keep alive; reopen what was lost."""
        for guardian in self._guardians.values():
            connection = guardian.connection
            if connection.state is State.IDLE:
                if self._reopens and not guardian.yielded and now_ns >= guardian.reopen_ns:
                    connection.open(self._address, now_ns)
            elif guardian.part_ns and now_ns >= guardian.part_ns:
                connection.close()
            else:
                connection.tick(now_ns)
            self._follow(guardian, now_ns)

    def _follow(self, guardian: Guardian, now_ns: int) -> None:
        if guardian.connection.state is State.IDLE:
            return
        if not self._poller.update(guardian.connection, guardian):
            guardian.reopen_ns = now_ns + _RECONNECT.wait_ns(guardian.failures)
            guardian.failures += 1
            if guardian.part_ns:
                guardian.part_ns = guardian.reopen_ns = guardian.failures = 0

    def set(self, prefecture: str, payload: bytes) -> None:
        """The state is to be this from now on; empty clears it. The last one wins."""
        guardian = self._guardians.get(prefecture)
        if guardian is None or (guardian.yielded and not payload):
            return
        if guardian.yielded:
            guardian.yielded = False
        guardian.current = payload
        guardian.fresh = bool(payload)
        self._mark(guardian)

    def _mark(self, guardian: Guardian) -> None:
        guardian.pending = True
        self._pending[guardian.prefecture] = None

    @property
    def has_work(self) -> bool:
        """Whether a state waits to be written on a connection that is up."""
        return any(self._guardians[name].writable for name in self._pending)

    def write_one(self, now_ns: int) -> None:
        """Write one waiting state."""
        for name in self._pending:
            guardian = self._guardians[name]
            if guardian.writable:
                del self._pending[name]
                guardian.write()
                self._follow(guardian, now_ns)
                return

    def clear_all(self) -> None:
        """Every state is to be empty; nothing is reopened any more."""
        self._reopens = False
        for guardian in self._guardians.values():
            guardian.current = b""
            if guardian.writable:
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


def own_mark(run: str, prefecture: str) -> bytes:
    """What stands in every message of a run to a prefecture, whatever its format: its identifier.

    Args:
        run: run id.
        prefecture: slug.
    """
    return f"{run}-{prefecture}-".encode()
