"""Kernel receive stamps on the monotonic clock.

Rule of the module: arithmetic over a Clock, and one question to the kernel. The kernel stamps what
it receives with CLOCK_REALTIME; receipts are on CLOCK_MONOTONIC. Reading the wall clock between two
monotonic reads bounds the difference from both sides; many such pairs narrow it to about a
microsecond. The estimate is watched with one pair on every turn of a loop and renewed once a
second. Somebody may step the wall clock or slew it: either is seen on the next turn, counted, and
followed. A stamp may be older than the change, so former estimates are kept for as long as a stamp
that needs them can still turn up, and a stamp that fits several is as uncertain as they are apart.
"""

import contextlib
import socket
from collections import deque
from dataclasses import dataclass
from typing import Final

from simulator.clock import Clock
from simulator.delivery.wire.transport import Address, TcpTransport
from simulator.units import NS_PER_MS, NS_PER_S, NS_PER_US

PAIRS: Final = 64
REFRESH_NS: Final = NS_PER_S
STEP_NS: Final = NS_PER_MS  # a smaller change between two turns is a slew, not a step
_TRIES: Final = 20  # the first packets after switching stamps on may come without
EARLY_NS: Final = 50 * NS_PER_MS
"""A segment may be stamped this long before it reaches its socket: the kernel puts what it has
stamped on a queue, and a processor that the hypervisor takes away meanwhile leaves it there."""

LAG_NS: Final = 5 * NS_PER_US
"""A stamp is taken where IP hands the segment over: measured on loopback, Linux 6.18, 0.3 to 4 us
after the interface had it. An interrupt in between is not covered; one in 2,000 took 50 us."""

_FASTEST_SLEW: Final = 10  # one part in: chronyd's default is a twelfth (chrony.conf, maxslewrate)
_KEEP: Final = 64
_KEEP_NS: Final = 10 * NS_PER_S


@dataclass(frozen=True, slots=True)
class _Former:
    """An estimate that held for a while: wall minus monotonic lay between low and high."""

    since_ns: int
    until_ns: int
    low: int
    high: int

    def joined(self, later: "_Former") -> "_Former":
        """Both as one, wider."""
        return _Former(
            self.since_ns, later.until_ns, min(self.low, later.low), max(self.high, later.high)
        )


class StampClock:
    """The running estimate of wall minus monotonic, and what follows from it.

    Args:
        clock: the host's clocks.

    Attributes:
        offset_ns: lower bound of wall minus monotonic, the one in use.
        error_ns: how far above it the true difference may lie.
        steps: changes of at least a millisecond between two looks, so far.
        slewed_ns: smaller changes, added up whatever their direction.
        estimates: how often the difference was estimated.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.offset_ns, self.error_ns = self._measure()
        self.steps = self.slewed_ns = 0
        self.estimates = 1
        self._former: deque[_Former] = deque()
        self._since_ns = 0  # nothing is known of an earlier one
        self._seen_ns = clock.monotonic_ns()  # when the estimate was last found true
        self._next_ns = self._seen_ns + REFRESH_NS

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
        if low is None or high is None or low > high:  # changed while we looked
            before = monotonic_ns()
            wall = wall_ns()
            after = monotonic_ns()
            return wall - after, after - before
        return low, high - low

    def refresh(self) -> None:
        """Estimate anew; call about once a second, and whenever the estimate is found wrong."""
        low, width = self._measure()
        high = low + width
        self.estimates += 1
        now_ns = self._clock.monotonic_ns()
        overlap_low = max(low, self.offset_ns)
        overlap_high = min(high, self.offset_ns + self.error_ns)
        if overlap_low <= overlap_high:
            self.offset_ns, self.error_ns = overlap_low, overlap_high - overlap_low
        else:
            change = abs(low - self.offset_ns)
            if change >= STEP_NS:
                self.steps += 1
            else:
                self.slewed_ns += change
            self._retire(now_ns, low, high, change)
            self.offset_ns, self.error_ns = low, width
        self._seen_ns = now_ns
        self._next_ns = now_ns + REFRESH_NS

    def _retire(self, now_ns: int, low: int, high: int, change: int) -> None:
        """Keep the estimate that is no longer true, up to the change somewhere since the last look.

        A slew passes through everything between the two estimates, a step through nothing.
        """
        former, seen_ns = self._former, self._seen_ns
        old_low, old_high = self.offset_ns, self.offset_ns + self.error_ns
        if change <= (now_ns - seen_ns) // _FASTEST_SLEW:
            former.append(_Former(self._since_ns, seen_ns, old_low, old_high))
            former.append(_Former(seen_ns, now_ns, min(old_low, low), max(old_high, high)))
            self._since_ns = now_ns
        else:
            former.append(_Former(self._since_ns, now_ns, old_low, old_high))
            self._since_ns = seen_ns
        while former[0].until_ns < now_ns - _KEEP_NS:
            former.popleft()
        while len(former) > _KEEP:
            former.appendleft(former.popleft().joined(former.popleft()))

    def check(self, now_ns: int) -> None:
        """Once per turn of a loop: refresh when it is time, or when the wall clock has changed.

        A change smaller than what the two reads take, about a microsecond, is seen at the next
        refresh.

        Args:
            now_ns: monotonic time, read just before the call.
        """
        wall = self._clock.wall_ns()
        after = self._clock.monotonic_ns()
        if (
            now_ns >= self._next_ns
            or wall - now_ns < self.offset_ns
            or wall - after > self.offset_ns + self.error_ns
        ):
            self.refresh()
        else:
            self._seen_ns = now_ns

    def convert(self, stamp_ns: int, *, floor_ns: int, now_ns: int) -> tuple[int, int] | None:
        """A kernel stamp as (latest possible arrival, uncertainty), both monotonic ns.

        Args:
            stamp_ns: CLOCK_REALTIME ns.
            floor_ns: the socket is known to have been empty then.
            now_ns: after the read.

        Returns:
            None if no known offset puts the stamp between the floor and now.
        """
        earliest = floor_ns - EARLY_NS
        former = self._former
        if former and former[-1].until_ns >= earliest:
            return self._among(stamp_ns, earliest, now_ns)
        received, error_ns = stamp_ns - self.offset_ns, self.error_ns
        if earliest <= received <= now_ns:
            return received, error_ns
        return (now_ns, error_ns) if now_ns < received <= now_ns + error_ns else None

    def _among(self, stamp_ns: int, earliest: int, now_ns: int) -> tuple[int, int] | None:
        """Where the stamp may have been taken by a former offset: all that is possible."""
        found: list[tuple[int, int]] = []
        in_use = _Former(self._since_ns, now_ns, self.offset_ns, self.offset_ns + self.error_ns)
        for each in (*self._former, in_use):
            first = max(stamp_ns - each.high, earliest, each.since_ns)
            last = min(stamp_ns - each.low, each.until_ns)
            if first <= last:
                found.append((first, last))
        if not found:
            return None
        latest = max(last for _, last in found)
        return latest, latest - min(first for first, _ in found)


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
            stamps.check(floor_ns)  # the first estimate may have been interrupted
            peer.send(b".")
            clock.sleep_ns(NS_PER_MS)
            with contextlib.suppress(BlockingIOError):
                _, stamp_ns = transport.receive_into(view)
                now_ns = clock.monotonic_ns()
                if stamp_ns and stamps.convert(stamp_ns, floor_ns=floor_ns, now_ns=now_ns):
                    return True
    return False
