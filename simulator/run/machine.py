"""The machine under a run: processor time that others took, and the broker's.

Rule of the module: reads of the operating system only; what it does not tell stays unknown (None),
never 0.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from simulator.clock import Clock
from simulator.delivery.messages import Health
from simulator.delivery.vitals import cpu_ns, rss_bytes
from simulator.units import NS_PER_S

_PROC: Final = Path("/proc")
_STEAL: Final = 7  # user nice system idle iowait irq softirq steal; guest time is part of user
_UTIME: Final = 11  # fields 14 and 15 of /proc/PID/stat, counted after the name in brackets


class MachineWatch:
    """What the machine did while a run was measured.

    The broker's time is read while it runs, with every :meth:`sample`: once it has ended, nobody
    can tell.

    Args:
        clock: for the wall time behind a share.
        proc: where the kernel tells.
    """

    def __init__(self, clock: Clock, proc: Path = _PROC) -> None:
        self._clock = clock
        self._proc = proc
        self._broker: Callable[[], int | None] = lambda: None
        self._begun = False
        self._machine: tuple[int, int] | None = None
        self._pid: int | None = None
        self._first: tuple[int, int] | None = None
        self._last: tuple[int, int] | None = None
        self._steal_share: float | None = None

    def follow(self, broker: Callable[[], int | None]) -> None:
        """Watch the broker whose process id this tells; None for one that we did not start."""
        self._broker = broker

    def begin(self) -> None:
        """The measuring begins."""
        self._begun = True
        self._machine = self._times()
        self._pid = self._broker()
        self._first = self._last = self._broker_time()

    def sample(self) -> None:
        """Read the broker's time so far; costs one small read, nothing before the beginning."""
        if self._begun:
            self._last = self._broker_time() or self._last

    def end(self) -> None:
        """The measuring ended; the broker may be gone already."""
        self.sample()
        now = self._times()
        if self._machine is None or now is None or now[1] <= self._machine[1]:
            return
        self._steal_share = (now[0] - self._machine[0]) / (now[1] - self._machine[1])

    @property
    def steal_share(self) -> float | None:
        """Time that the hypervisor gave to others, of all processor time, 0 to 1."""
        return self._steal_share

    @property
    def broker_cpu_share(self) -> float | None:
        """CPU time of the broker over wall time; above 1 where it uses several processors."""
        if self._first is None or self._last is None or self._last[0] <= self._first[0]:
            return None
        return (self._last[1] - self._first[1]) / (self._last[0] - self._first[0])

    def _times(self) -> tuple[int, int] | None:
        """Steal and total of all processors since boot, in clock ticks."""
        try:
            line = (self._proc / "stat").read_text(encoding="ascii").partition("\n")[0]
            ticks = [int(field) for field in line.split()[1 : _STEAL + 2]]
            return ticks[_STEAL], sum(ticks)
        except (OSError, ValueError, IndexError):
            return None

    def _broker_time(self) -> tuple[int, int] | None:
        """Now and the broker's CPU time so far, both in ns."""
        if self._pid is None:
            return None
        try:
            stat = (self._proc / str(self._pid) / "stat").read_text(encoding="utf-8")
            used = [int(field) for field in stat.rpartition(")")[2].split()[_UTIME : _UTIME + 2]]
            ticks_per_s = os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError):
            return None
        if not used:
            return None
        return self._clock.monotonic_ns(), sum(used) * NS_PER_S // ticks_per_s


def own_health(lag_max_ns: int) -> Health:
    """How the run's own process is doing, as its children say it of themselves.

    Args:
        lag_max_ns: longest time one turn of its loop took since the last report.
    """
    return Health(
        name="run",
        cpu_ns=cpu_ns(),
        lag_max_ns=lag_max_ns,
        reads=0,
        messages=0,
        rss_bytes=rss_bytes(),
    )
