"""The bytes of one connection: opening, reading and writing over a non-blocking transport.

Rule of the module: never blocks, never reads a clock, never raises for what the peer does: whatever
breaks becomes ``State.CLOSED`` with a cause and a reason. It knows nothing of packets but where
MQTT begins, and that a packet can end in a later read.
"""

import selectors
from abc import ABC, abstractmethod
from collections.abc import Callable

from simulator.delivery.wire.channel import ChannelError
from simulator.delivery.wire.handshake import INSTEAD, not_mqtt
from simulator.delivery.wire.order import READ_BYTES, Cause, ConnectionOrder, ReadBuffer, State
from simulator.delivery.wire.transport import Address, Transport


class ByteStream(ABC):
    """What lies below MQTT in a connection.

    Args:
        order: what to connect as.
        transport: how to open the bytes below.

    Attributes:
        state: where it stands.
        cause: why it is closed.
        reason: the same in words, for people.
        remedy: what to do about it, where TLS or WebSocket failed; else empty.
        layered: whether TLS or WebSocket lies below.
        last_alive_ns: when bytes of the broker were last read, monotonic ns.
        written_bytes: handed to the kernel on this connection; compare with ``queued_bytes`` to
            learn when the first byte of a queued frame left.
    """

    def __init__(
        self,
        order: ConnectionOrder,
        transport: Callable[[Address, ConnectionOrder], Transport],
    ) -> None:
        self.order = order
        self.state = State.IDLE
        self.cause = Cause.NONE
        self.reason = ""
        self.remedy = ""
        self.layered = False
        self.last_alive_ns = 0
        self.written_bytes = 0
        self.registered = 0  # the poller's note of what it waits for
        self.paused = False  # its owner reads when it wants to: the poller does not watch for it
        self.rest = b""  # the beginning of a packet not yet whole
        self.unsent = bytearray()  # handed to ``send`` and not yet taken by the kernel
        self._open_transport = transport
        self._transport: Transport | None = None

    @abstractmethod
    def _begin(self) -> None:
        """Everything below stands: begin with MQTT."""

    # --- opening and closing ---

    def open(self, address: Address, now_ns: int) -> None:
        """Start connecting; a failure shows as CLOSED.

        Raises:
            RuntimeError: if the connection is open, or not released yet.
        """
        if self._transport is not None:
            raise RuntimeError("release the connection before opening it again")
        self.cause, self.reason, self.remedy = Cause.NONE, "", ""
        self.rest = b""
        self.unsent.clear()
        self.written_bytes = 0
        self.last_alive_ns = now_ns
        self.paused = False
        self.state = State.CONNECTING
        try:
            self._transport = self._open_transport(address, self.order)
            self.layered = self._transport.layered
        except OSError as error:
            self._broken(error)

    def _advance(self, now_ns: int) -> None:
        """Go on opening; begin with MQTT when everything below stands."""
        if self._transport is None:
            return
        try:
            if not self._transport.advance():
                return
        except OSError as error:
            self._broken(error)
            return
        self.state = State.CONNACK
        self.last_alive_ns = now_ns
        self._begin()

    def close(self, cause: Cause = Cause.ORDERLY, reason: str = "") -> None:
        """Give the connection up; the first cause stands."""
        if self.state is not State.CLOSED:
            self.state = State.CLOSED
            self.cause, self.reason = cause, reason or cause.value

    def _broken(self, error: OSError) -> None:
        """Give up for what came from below."""
        if isinstance(error, ChannelError) and self.state is not State.UP:
            self.remedy = error.remedy
            self.close(Cause.CHANNEL, error.reason)
            return
        said = error.strerror or str(error)
        match self.state:
            case State.IDLE | State.CONNECTING:
                self.close(Cause.UNREACHABLE, said)
            case State.CONNACK:
                self.close(Cause.REFUSED, f"{INSTEAD}: {said}")
            case _:
                self.close(Cause.LOST, said)

    def release(self) -> None:
        """Close the descriptor; the connection can be opened again."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self.state = State.IDLE

    def fileno(self) -> int:
        """The descriptor to wait on; -1 if there is none."""
        return -1 if self._transport is None else self._transport.fileno()

    # --- what a loop asks ---

    @property
    def events(self) -> int:
        """What to wait for: a mask of selectors' EVENT_READ and EVENT_WRITE, 0 when closed."""
        state = self.state  # compared one by one: hashing an enumeration member is slow
        transport = self._transport
        if state is State.CLOSED or state is State.IDLE or transport is None:
            return 0
        if state is State.CONNECTING:
            return transport.waits
        waiting = self.unsent or transport.pending
        return selectors.EVENT_READ | (selectors.EVENT_WRITE if waiting else 0)

    @property
    def filled(self) -> bool:
        """Whether more may have come than the last read handed up (see Transport)."""
        return self._transport is not None and self._transport.filled

    @property
    def pending(self) -> bool:
        """Whether a layer holds bytes that the kernel did not take yet."""
        return self._transport is not None and self._transport.pending

    @property
    def queued_bytes(self) -> int:
        """Bytes handed to ``send`` and not yet taken by the kernel."""
        return len(self.unsent)

    # --- writing ---

    def writable(self, now_ns: int) -> None:
        """Go on opening, or write what waits."""
        if self.state is State.CONNECTING:
            self._advance(now_ns)
        else:
            self.flush()

    def send(self, data: bytes | bytearray) -> None:
        """Write now if nothing waits, else queue behind what waits."""
        if self.unsent:
            self.unsent += data
            return
        taken = self._write(data)
        if taken < len(data):
            self.unsent += memoryview(data)[taken:]

    def flush(self) -> None:
        """Write what waits, as far as the kernel takes it."""
        if self.unsent:
            taken = self._write(self.unsent)
            del self.unsent[:taken]
        elif self.pending:
            self._write(b"")

    def _write(self, data: bytes | bytearray) -> int:
        if self._transport is None or self.state is State.CLOSED:
            return 0
        try:
            taken = self._transport.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._broken(error)
            return 0
        self.written_bytes += taken
        return taken

    # --- reading ---

    def receive(self, buffer: ReadBuffer, now_ns: int) -> tuple[int, int]:
        """One read, behind what was kept, into the shared buffer.

        Returns:
            End of the valid bytes in the buffer (0: nothing new), and the kernel's stamp.
        """
        if self._transport is None or self.state is State.CLOSED:
            return 0, 0
        kept = len(self.rest)
        if kept:
            buffer.data[:kept] = self.rest
        try:
            count, stamp = self._transport.receive_into(buffer.view[kept : kept + READ_BYTES])
        except BlockingIOError:
            if self.state is State.CONNECTING:  # a handshake below MQTT goes on
                self._advance(now_ns)
            return 0, 0
        except OSError as error:
            self._broken(error)
            return 0, 0
        if count == 0:
            refused = self.state is State.CONNACK
            self.close(
                Cause.REFUSED if refused else Cause.LOST,
                INSTEAD if refused else "closed by the broker",
            )
            return 0, 0
        if self.state is State.CONNACK and (objection := not_mqtt(buffer.data, kept + count)):
            self.close(Cause.VIOLATION, objection)
            return 0, 0
        self.last_alive_ns = now_ns
        return kept + count, stamp

    def keep(self, buffer: ReadBuffer, position: int, end: int) -> None:
        """Remember the beginning of a packet for the next read."""
        if position < end:
            self.rest = bytes(buffer.view[position:end])
        elif end:
            self.rest = b""
