"""Clocks: the only module that reads the time.

Rule of the room: everybody else takes a Clock as an argument. Durations are measured on the
monotonic clock; the wall clock is read only to tell people and CAP messages what time it is, and
to convert kernel receive stamps, which are CLOCK_REALTIME.
"""

import os
import time
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def monotonic_ns(self) -> int:
        """Nanoseconds on the host's monotonic clock, comparable between its processes."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since the Unix epoch on the host's wall clock."""
        ...

    def sleep_ns(self, duration_ns: int) -> None:
        """Block for at least the duration; return at once if it is not positive."""
        ...


class SystemClock:
    """The host's real clocks: CLOCK_MONOTONIC and CLOCK_REALTIME.

    The functions themselves and not methods around them: the receive path asks several times for
    each delivery.
    """

    monotonic_ns = staticmethod(time.monotonic_ns)
    wall_ns = staticmethod(time.time_ns)

    def sleep_ns(self, duration_ns: int) -> None:
        """Sleep; never negative."""
        if duration_ns > 0:
            time.sleep(duration_ns / 1e9)


class ManualClock:
    """A clock that moves only when told to: tests and step/slew injection.

    Args:
        monotonic: starting value of the monotonic clock, ns.
        wall: starting value of the wall clock, ns since the Unix epoch.
    """

    def __init__(self, *, monotonic: int = 0, wall: int = 1_667_428_740_000_000_000) -> None:
        self._monotonic = monotonic
        self._wall = wall

    def monotonic_ns(self) -> int:
        """The monotonic value set so far."""
        return self._monotonic

    def wall_ns(self) -> int:
        """The wall value set so far."""
        return self._wall

    def sleep_ns(self, duration_ns: int) -> None:
        """Advance both clocks instead of waiting."""
        if duration_ns > 0:
            self.advance(duration_ns)

    def advance(self, duration_ns: int) -> None:
        """Let time pass on both clocks.

        Raises:
            ValueError: if the duration is negative; a monotonic clock never goes back.
        """
        if duration_ns < 0:
            raise ValueError("a monotonic clock never goes back")
        self._monotonic += duration_ns
        self._wall += duration_ns

    def step_wall(self, by_ns: int) -> None:
        """Step the wall clock alone, as a time daemon or an operator would."""
        self._wall += by_ns


def clock_domain() -> str:
    """Name of the set of processes whose monotonic clocks agree: boot id and time namespace.

    Returns:
        ``<boot id>/<time-namespace inode>`` on Linux; elsewhere the host's node name, which is
        good enough to keep two hosts apart.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = Path("/proc/self/ns/time").stat().st_ino
    except OSError:
        return f"host/{os.uname().nodename}"
    return f"{boot}/{namespace}"
