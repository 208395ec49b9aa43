"""The instrument looks at itself: was it the bottleneck?

Rule of the module: reports of the instrument's processes come in, one verdict goes out, by limits
that stand here and in the summary. A slow instrument lengthens latencies and loses nothing silently
in them, so its verdict can only take firmness away from others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from simulator.measure.columns import Int64s
from simulator.measure.sampling import P99, nearest_rank
from simulator.units import NS_PER_MS, format_seconds

_HUNDRED: Final = 100


class HealthReport(Protocol):
    """What a process of the instrument says about itself (see delivery.messages.Health)."""

    @property
    def name(self) -> str:
        """``publisher``, ``worker-N`` or ``run``."""
        ...

    @property
    def cpu_ns(self) -> int:
        """CPU time so far."""
        ...

    @property
    def lag_max_ns(self) -> int:
        """Longest turn of its loop since the last report."""
        ...

    @property
    def reads(self) -> int:
        """Socket reads so far."""
        ...

    @property
    def messages(self) -> int:
        """PUBLISH packets read so far."""
        ...

    @property
    def rss_bytes(self) -> int:
        """Resident memory."""
        ...

    @property
    def stamps_missing(self) -> int:
        """Reads without a kernel stamp so far."""
        ...

    @property
    def clock_error_ns(self) -> int:
        """Bound on the error of its wall-to-monotonic offset."""
        ...

    @property
    def clock_steps(self) -> int:
        """Steps of the wall clock seen so far."""
        ...

    @property
    def clock_slewed_ns(self) -> int:
        """Smaller changes of the wall clock, added up."""
        ...

    @property
    def clock_estimates(self) -> int:
        """How often that offset was estimated."""
        ...

    @property
    def batch_max(self) -> int:
        """Most PUBLISH packets that one read brought so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """From when on a process counts as the bottleneck.

    Attributes:
        loop_lag_ns: one turn of a loop, wall ns. Kernel stamps hide a late read from the figures
            only up to what their uncertainty shows; a quarter of a second is beyond any burst that
            the swarm is sized for.
        publisher_late_ns: sent minus intended, 99th percentile, wall ns: a tenth of the finest
            threshold people set on delivery.
        cpu_share: CPU time over wall time of one process, 0 to 1: above it, its loop never rests.
        steal_share: processor time that the hypervisor gave to others, of all of the machine's, 0
            to 1: one part in twenty is a stall that no loop of ours can see or account for.
    """

    loop_lag_ns: int = 250 * NS_PER_MS
    publisher_late_ns: int = 100 * NS_PER_MS
    cpu_share: float = 0.9
    steal_share: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessFigures:
    """One process over the measured part of the run.

    Attributes:
        name: ``publisher``, ``worker-N`` or ``run``.
        cpu_share: CPU time over wall time; 0 if it reported less than twice.
        loop_lag_max_ns: longest turn of its loop, wall ns.
        reads: socket reads since its start.
        messages: PUBLISH packets read since its start.
        batch_max: most PUBLISH packets that one read brought since its start.
        rss_bytes: largest resident memory.
    """

    name: str
    cpu_share: float
    loop_lag_max_ns: int
    reads: int
    messages: int
    rss_bytes: int
    batch_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentVerdict:
    """Whether the instrument was the bottleneck, and by which limits."""

    bottleneck: bool
    reasons: tuple[str, ...]


class _Process:
    """What one process has reported since the measuring began."""

    def __init__(self, report: HealthReport, at_ns: int) -> None:
        self.latest = report
        self.lag_max_ns = 0
        self.rss_bytes = 0
        self.first = (at_ns, report.cpu_ns)
        self.last = self.first

    def observe(self, report: HealthReport, at_ns: int) -> None:
        self.latest = report
        self.lag_max_ns = max(self.lag_max_ns, report.lag_max_ns)
        self.rss_bytes = max(self.rss_bytes, report.rss_bytes)
        self.last = (at_ns, report.cpu_ns)

    def figures(self) -> ProcessFigures:
        wall_ns = self.last[0] - self.first[0]
        cpu_ns = self.last[1] - self.first[1]
        return ProcessFigures(
            name=self.latest.name,
            cpu_share=cpu_ns / wall_ns if wall_ns > 0 else 0.0,
            loop_lag_max_ns=self.lag_max_ns,
            reads=self.latest.reads,
            messages=self.latest.messages,
            batch_max=self.latest.batch_max,
            rss_bytes=self.rss_bytes,
        )


class InstrumentLog:
    """Collects health reports of all processes."""

    def __init__(self) -> None:
        self._processes: dict[str, _Process] = {}
        self._clock_error_ns = 0

    def observe(self, report: HealthReport, at_ns: int) -> None:
        """Take in a report (monotonic ns of its arrival)."""
        process = self._processes.get(report.name)
        if process is None:
            process = self._processes[report.name] = _Process(report, at_ns)
        process.observe(report, at_ns)
        self._clock_error_ns = max(self._clock_error_ns, report.clock_error_ns)

    def begin(self) -> None:
        """The measuring begins: what the connection ramp cost does not count."""
        for name, process in self._processes.items():
            self._processes[name] = _Process(process.latest, process.last[0])

    @property
    def figures(self) -> tuple[ProcessFigures, ...]:
        """Each process, in order of name."""
        return tuple(self._processes[name].figures() for name in sorted(self._processes))

    @property
    def clock_error_ns(self) -> int:
        """Largest bound on the error of any process's wall-to-monotonic offset."""
        return self._clock_error_ns

    @property
    def clock_steps(self) -> int:
        """Steps of the wall clock, as seen by the process that saw most."""
        return max((p.latest.clock_steps for p in self._processes.values()), default=0)

    @property
    def clock_slewed_ns(self) -> int:
        """Smaller changes of the wall clock added up, as seen by the process that saw most."""
        return max((p.latest.clock_slewed_ns for p in self._processes.values()), default=0)

    @property
    def clock_estimates(self) -> int:
        """How often the conversion was estimated, all processes."""
        return sum(process.latest.clock_estimates for process in self._processes.values())

    @property
    def stamps_missing(self) -> int:
        """Reads without a kernel stamp, all processes."""
        return sum(process.latest.stamps_missing for process in self._processes.values())


def judge_instrument(
    processes: Sequence[ProcessFigures],
    lateness_ns: Int64s,
    limits: Limits | None = None,
    *,
    steal_share: float | None = None,
) -> InstrumentVerdict:
    """Whether the instrument was the bottleneck.

    Args:
        processes: figures of every process.
        lateness_ns: sent minus intended of every alert sent, wall ns.
        limits: by which to judge; the documented ones if None.
        steal_share: processor time that the hypervisor gave to others; None if unknown.
    """
    limits = limits or Limits()
    reasons: list[str] = []
    for process in processes:
        if process.loop_lag_max_ns > limits.loop_lag_ns:
            reasons.append(
                f"{process.name}: one turn of its loop took "
                f"{format_seconds(process.loop_lag_max_ns)}, more than "
                f"{format_seconds(limits.loop_lag_ns)}"
            )
        if process.cpu_share > limits.cpu_share:
            reasons.append(
                f"{process.name}: its processor was busy {process.cpu_share:.0%} of the time, "
                f"more than {limits.cpu_share:.0%}"
            )
    if steal_share is not None and steal_share > limits.steal_share:
        reasons.append(
            f"machine: its hypervisor gave {steal_share:.1%} of the processor time to others, "
            f"more than {limits.steal_share:.0%}"
        )
    if len(lateness_ns):
        late_ns = nearest_rank(np.sort(lateness_ns), P99)
        if late_ns > limits.publisher_late_ns:
            # Of fewer than a hundred the 99th percentile is the largest: one alert, not a share.
            few = len(lateness_ns) < _HUNDRED
            who = f"one of {len(lateness_ns)} alerts" if few else "one alert in a hundred"
            late = f"{format_seconds(late_ns)} late" + ("" if few else " or later")
            reasons.append(
                f"publisher: {who} left {late}, "
                f"more than {format_seconds(limits.publisher_late_ns)}"
            )
    return InstrumentVerdict(bottleneck=bool(reasons), reasons=tuple(reasons))
