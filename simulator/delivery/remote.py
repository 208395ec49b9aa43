"""Workers on other hosts, from the run's side: a door they come in by, and their clocks.

Rule of the module: what a remote worker reports reaches the run on the run's own clock, with the
bound of the offset added to its uncertainty, or without a time where there is no bound. Nobody is
let in without the secret, and nothing is unpickled before it was shown.
"""

import contextlib
import hmac
import secrets
import socket
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection as Pipe
from typing import Any, Final

import numpy as np

from simulator.clock import Clock
from simulator.delivery.messages import (
    Begin,
    ClockAsk,
    ClockTell,
    Connections,
    Hello,
    ProbeSeen,
    Receipts,
)
from simulator.delivery.swarm.shard import prepare
from simulator.errors import BrokerUnreachableError
from simulator.measure.foreign_clocks import KnownClock
from simulator.measure.offsets import OffsetBound, OffsetEstimator
from simulator.measure.receipts import NO_TIME, ConnectionEvent, ReceiptBatch
from simulator.units import NS_PER_S

_SECRET_BYTES: Final = 64
_HELLO_S: Final = 5.0
_RECEIVED, _UNCERTAINTY, _HANDLED = 2, 3, 4
_MARGIN_NS: Final = NS_PER_S


class RemoteChild:
    """One remote worker, with the face of a child process.

    Args:
        hello: what it said first.
        pipe: to it.
        domain: the run's clock domain.
        clock: the run's clocks.
        drift_ppm: greatest relative rate of two clocks.
        bound_ns: an uncertain time beyond this is none.
        fate: how its task ended, in words; None while it runs.
    """

    def __init__(
        self,
        hello: Hello,
        pipe: "Pipe[Any, Any]",
        *,
        domain: str,
        clock: Clock,
        drift_ppm: int,
        bound_ns: int,
        fate: Callable[[], str | None],
    ) -> None:
        self.name = f"worker-{hello.worker}"
        self.host = hello.host
        self._pipe = pipe
        self._domain = hello.domain
        self._same = hello.domain == domain
        self._now = clock.monotonic_ns
        self._offsets = OffsetEstimator(drift_ppm=drift_ppm)
        self._bound_ns = bound_ns
        self._fate = fate
        self._timed = self._untimed = 0

    def fileno(self) -> int:
        """The connection's descriptor."""
        return self._pipe.fileno()

    def send(self, message: object) -> None:
        """Hand it a message, in its own time; silently nothing if it is gone."""
        if isinstance(message, Begin) and not self._same:
            offset_ns = self._middle(self._now(), self._now())
            message = replace(message, start_ns=message.start_ns - offset_ns)
        with contextlib.suppress(OSError):
            self._pipe.send(message)

    def poll(self) -> bool:
        """Whether ``recv`` has something at once: a message, or the end."""
        return self._pipe.poll()

    def recv(self) -> object:
        """The next message, on the run's clock.

        Raises:
            EOFError: if the worker is gone.
        """
        try:
            message = self._pipe.recv()
        except OSError as error:
            raise EOFError from error
        now_ns = self._now()
        if isinstance(message, ClockAsk):
            self._offsets.reached_us(theirs_ns=message.theirs_ns, ours_ns=now_ns)
            if message.told_ns is not None:
                self._offsets.reached_them(ours_ns=message.told_ns, theirs_ns=message.reached_ns)
            self.send(ClockTell(ours_ns=self._now()))
        elif not self._same:
            return self._translated(message, now_ns)
        return message

    def ended(self) -> str | None:
        """How its task ended, in words; None while it runs."""
        return self._fate()

    def said(self) -> str:
        """Its last words are its task's result."""
        return ""

    def close(self, grace_ns: int = 0) -> None:
        """Close the connection: the worker ends by that."""
        del grace_ns
        self._pipe.close()

    def known_clock(self, from_ns: int, to_ns: int) -> KnownClock | None:
        """What was learnt about its clock; None if it is the run's own."""
        if self._same:
            return None
        return KnownClock(
            client=f"{self.name} on {self.host}",
            domain=self._domain,
            estimate=self._offsets.estimate(from_ns, to_ns),
            one_way=self._timed,
            beyond=self._untimed,
        )

    # --- their clock to ours -----------------------------------------------------------------

    def _middle(self, from_ns: int, to_ns: int) -> int:
        bound = self._offsets.over(from_ns, to_ns)
        return 0 if bound is None else (bound.low_ns + bound.high_ns) // 2

    def _translated(self, message: object, now_ns: int) -> object:
        if isinstance(message, Receipts):
            return Receipts(rows=self._rows(message.rows, now_ns))
        if isinstance(message, Connections):
            offset_ns = self._middle(now_ns - _MARGIN_NS, now_ns)
            return Connections(events=tuple(_moved(each, offset_ns) for each in message.events))
        if isinstance(message, ProbeSeen):
            offset_ns = self._middle(now_ns - _MARGIN_NS, now_ns)
            return replace(message, at_ns=message.at_ns + offset_ns)
        return message

    def _rows(self, data: bytes, now_ns: int) -> bytes:
        rows = ReceiptBatch.from_bytes(data).rows.copy()
        bound = self._during(rows[:, _HANDLED] - rows[:, _RECEIVED], rows, now_ns)
        timed = rows[:, _RECEIVED] != NO_TIME
        if bound is None or bound.width_ns > self._bound_ns:
            rows[:, _RECEIVED] = rows[:, _HANDLED] = NO_TIME
            self._untimed += len(rows)
            return rows.tobytes()
        rows[timed, _RECEIVED] += bound.high_ns
        rows[timed, _UNCERTAINTY] += bound.width_ns
        rows[:, _HANDLED] += bound.high_ns
        self._timed += len(rows)
        return rows.tobytes()

    def _during(
        self, handling_ns: "np.ndarray[Any, Any]", rows: "np.ndarray[Any, Any]", now_ns: int
    ) -> OffsetBound | None:
        """The offset from the earliest of these receipts until now."""
        handled = rows[:, _HANDLED]
        age_ns = int(handled.max() - handled.min()) + int(np.abs(handling_ns).max())
        return self._offsets.over(now_ns - age_ns - _MARGIN_NS, now_ns)


def _moved(event: ConnectionEvent, by_ns: int) -> ConnectionEvent:
    alive_ns = event.last_alive_ns
    return replace(
        event,
        at_ns=event.at_ns + by_ns,
        last_alive_ns=alive_ns if alive_ns == NO_TIME else alive_ns + by_ns,
    )


class Door:
    """Where remote workers come in.

    Args:
        towards: host and port of something that the workers' hosts can see; the address by which
            it is reached from here is the one that they are told.

    Raises:
        BrokerUnreachableError: if there is no way there.
    """

    def __init__(self, towards: tuple[str, int]) -> None:
        try:
            with socket.create_connection(towards, _HELLO_S) as way:
                self.host = str(way.getsockname()[0])
            self._listener = socket.create_server((self.host, 0))
        except OSError as error:
            raise BrokerUnreachableError(
                f"no way to {towards[0]}:{towards[1]}: {error.strerror or error}"
            ) from error
        self.port = int(self._listener.getsockname()[1])
        self.secret = secrets.token_hex(_SECRET_BYTES // 2)

    def admit(self, timeout_ns: int) -> "tuple[Hello, Pipe[Any, Any]] | None":
        """Wait for the next worker; None if nobody came, or who came was none. Blocks.

        Args:
            timeout_ns: how long, wall ns.
        """
        self._listener.settimeout(max(1, timeout_ns) / NS_PER_S)
        try:
            line, _ = self._listener.accept()
        except OSError:
            return None
        line.settimeout(_HELLO_S)
        prepare(line)
        pipe: Pipe[Any, Any] = Pipe(line.detach())
        try:
            if pipe.poll(_HELLO_S):
                shown = pipe.recv_bytes(_SECRET_BYTES)
                if hmac.compare_digest(shown, self.secret.encode()) and pipe.poll(_HELLO_S):
                    hello = pipe.recv()
                    if isinstance(hello, Hello):
                        return hello, pipe
        except (OSError, EOFError):
            pass
        pipe.close()
        return None

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.close()
