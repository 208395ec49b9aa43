"""Kernel receive stamps on the monotonic clock.

Rule of the module: arithmetic over a Clock, and one question to the kernel. The kernel stamps what
it receives with CLOCK_REALTIME; receipts are on CLOCK_MONOTONIC. Reading the wall clock between two
monotonic reads bounds the difference from both sides; many such pairs narrow it to about a
microsecond. The difference changes only when somebody steps the wall clock, which is noticed and
counted.
"""

import contextlib
import socket
from typing import Final

from simulator.clock import Clock
from simulator.delivery.wire.transport import Address, TcpTransport
from simulator.units import NS_PER_MS, NS_PER_S

PAIRS: Final = 64
REFRESH_NS: Final = NS_PER_S
STEP_NS: Final = NS_PER_MS  # smaller changes are followed without being called a step
_TRIES: Final = 20  # the first packets after switching stamps on may come without
EARLY_NS: Final = 50 * NS_PER_MS  # a segment may be stamped this long before it reaches its socket


class StampClock:
    """The running estimate of wall minus monotonic, and what follows from it.

    Args:
        clock: the host's clocks.

    Attributes:
        offset_ns: lower bound of wall minus monotonic, the one in use.
        error_ns: how far above it the true difference may lie.
        steps: steps of the wall clock seen so far.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset_ns, self.error_ns = self._measure()
        self.steps = 0
        self._former_ns: int | None = None  # the offset before the last step
        self._next_ns = clock.monotonic_ns() + REFRESH_NS

    def _measure(self) -> tuple[int, int]:
        """Lower bound and width of the interval that all pairs agree on."""
        monotonic_ns, wall_ns = self._clock.monotonic_ns, self._clock.wall_ns
        low = high = None
        before = monotonic_ns()
        for _ in range(PAIRS):
            wall = wall_ns()
            after = monotonic_ns()
            low = wall - after if low is None else max(low, wall - after)
            high = wall - before if high is None else min(high, wall - before)
            before = after
        if low is None or high is None or low > high:  # stepped while we looked
            wall = wall_ns()
            after = monotonic_ns()
            return wall - after, after - before
        return low, high - low

    def refresh(self) -> None:
        """Estimate anew; call about once a second, and whenever a stamp cannot be true."""
        low, width = self._measure()
        high = low + width
        overlap_low = max(low, self.offset_ns)
        overlap_high = min(high, self.offset_ns + self.error_ns)
        self._former_ns = None
        if overlap_low <= overlap_high:
            self.offset_ns, self.error_ns = overlap_low, overlap_high - overlap_low
        else:
            if abs(low - self.offset_ns) >= STEP_NS:
                self.steps += 1
                self._former_ns = self.offset_ns
            self.offset_ns, self.error_ns = low, width
        self._next_ns = self._clock.monotonic_ns() + REFRESH_NS

    def check(self, now_ns: int) -> None:
        """Once per turn of a loop: refresh when it is time, or when the wall clock has jumped.

        Args:
            now_ns: monotonic time, read just before the call.
        """
        difference = self._clock.wall_ns() - now_ns
        lowest = self.offset_ns
        if (
            now_ns >= self._next_ns
            or difference < lowest
            or difference > lowest + self.error_ns + STEP_NS
        ):
            self.refresh()

    def convert(self, stamp_ns: int, *, floor_ns: int, now_ns: int) -> tuple[int, int] | None:
        """A kernel stamp as (latest possible arrival, uncertainty), both monotonic ns.

        Args:
            stamp_ns: CLOCK_REALTIME ns.
            floor_ns: the socket is known to have been empty then.
            now_ns: after the read.

        Returns:
            None if no known offset puts the stamp between the floor and now.
        """
        received = stamp_ns - self.offset_ns
        fits = floor_ns - EARLY_NS <= received <= now_ns + self.error_ns
        if self._former_ns is None:
            return (min(received, now_ns), self.error_ns) if fits else None
        former = stamp_ns - self._former_ns  # it may have arrived before the step
        if not floor_ns - EARLY_NS <= former <= now_ns + self.error_ns:
            return (min(received, now_ns), self.error_ns) if fits else None
        if not fits:
            return min(former, now_ns), self.error_ns
        latest = min(max(received, former), now_ns)
        return latest, latest - min(received, former) + self.error_ns


def kernel_stamps_available(clock: Clock) -> bool:
    """Whether this kernel stamps received TCP data, asked over a loopback connection.

    Args:
        clock: the host's clocks; sleeps at most 20 ms.
    """
    stamps = StampClock(clock)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address(family=socket.AF_INET, sockaddr=server.getsockname())
        transport = TcpTransport(address, kernel_stamps=True)
        peer, _ = server.accept()
    view = memoryview(bytearray(_TRIES))
    with peer, contextlib.closing(transport):
        for _ in range(_TRIES):
            floor_ns = clock.monotonic_ns()
            peer.send(b".")
            clock.sleep_ns(NS_PER_MS)
            with contextlib.suppress(BlockingIOError):
                _, stamp_ns = transport.receive_into(view)
                now_ns = clock.monotonic_ns()
                if stamp_ns and stamps.convert(stamp_ns, floor_ns=floor_ns, now_ns=now_ns):
                    return True
    return False
