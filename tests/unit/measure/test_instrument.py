from dataclasses import dataclass

import numpy as np
import pytest

from simulator.measure.instrument import InstrumentLog, Limits, ProcessFigures, judge_instrument

S, MS = 1_000_000_000, 1_000_000
NOBODY = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Report:
    name: str = "worker-0"
    cpu_ns: int = 0
    lag_max_ns: int = 0
    reads: int = 0
    messages: int = 0
    rss_bytes: int = 0
    stamps_missing: int = 0
    clock_error_ns: int = 0
    clock_steps: int = 0
    clock_slewed_ns: int = 0
    clock_estimates: int = 0
    batch_max: int = 0


def process(*, lag_ms: float = 1, cpu: float = 0.5) -> ProcessFigures:
    return ProcessFigures(
        name="worker-0",
        cpu_share=cpu,
        loop_lag_max_ns=round(lag_ms * MS),
        reads=1,
        messages=1,
        rss_bytes=1,
    )


@pytest.mark.parametrize(
    ("figures", "lateness_ms", "words"),
    [
        (process(), [1.0], []),
        (process(lag_ms=250, cpu=0.9), [100.0], []),  # the limits themselves
        (process(lag_ms=251), [], ["loop"]),
        (process(cpu=0.91), [], ["processor"]),
        (process(), [101.0] * 9, ["one of 9 alerts left"]),
        (process(lag_ms=300, cpu=1), [500.0], ["loop", "processor", "left"]),
        (process(), [500.0] + [1.0] * 99, []),  # one in a hundred is not the 99th percentile
        (process(), [500.0] * 2 + [1.0] * 98, ["one alert in a hundred left"]),
    ],
)
def test_the_limits(figures: ProcessFigures, lateness_ms: list[float], words: list[str]) -> None:
    lateness = (np.array(lateness_ms) * MS).astype(np.int64)

    verdict = judge_instrument([figures], lateness)

    assert verdict.bottleneck is bool(words)
    assert len(verdict.reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, verdict.reasons, strict=True))


def test_other_limits_may_be_given() -> None:
    assert judge_instrument([process(cpu=0.5)], NOBODY, Limits(cpu_share=0.4)).bottleneck


def test_reports_become_figures_of_the_time_measured() -> None:
    log = InstrumentLog()
    log.observe(Report(cpu_ns=5 * S, lag_max_ns=9 * S, rss_bytes=999), 0)  # the ramp
    log.begin()
    log.observe(Report(cpu_ns=6 * S, lag_max_ns=3, reads=4, messages=8, rss_bytes=10), 2 * S)
    log.observe(
        Report(
            cpu_ns=7 * S,
            lag_max_ns=2,
            reads=5,
            messages=9,
            rss_bytes=8,
            batch_max=3,
            clock_slewed_ns=40,
            clock_estimates=9,
        ),
        4 * S,
    )
    log.observe(Report(name="publisher", stamps_missing=2, clock_error_ns=7, clock_steps=1), 4 * S)
    log.observe(Report(name="publisher", stamps_missing=3, clock_error_ns=5, clock_steps=2), 5 * S)
    log.observe(Report(name="worker-1", clock_slewed_ns=50, clock_estimates=8), 5 * S)

    publisher, worker, other = log.figures

    assert (worker.name, worker.cpu_share, worker.loop_lag_max_ns) == ("worker-0", 0.5, 3)
    assert (worker.reads, worker.messages, worker.rss_bytes) == (5, 9, 10)
    assert (worker.batch_max, other.batch_max) == (3, 0)
    assert (log.clock_slewed_ns, log.clock_estimates) == (50, 17)
    assert (publisher.name, publisher.cpu_share) == ("publisher", 0.0)
    assert (log.stamps_missing, log.clock_error_ns, log.clock_steps) == (3, 7, 2)


def test_a_process_that_reported_once_has_no_cpu_share() -> None:
    log = InstrumentLog()
    log.observe(Report(cpu_ns=5 * S), 0)
    assert log.figures[0].cpu_share == 0
    assert InstrumentLog().clock_steps == 0


@pytest.mark.parametrize(("steal", "limited"), [(None, False), (0.05, False), (0.051, True)])
def test_time_that_the_hypervisor_gave_to_others_is_a_limit(
    steal: float | None, limited: bool
) -> None:
    verdict = judge_instrument([process()], NOBODY, steal_share=steal)

    assert verdict.bottleneck is limited
    assert ["5.1% of the processor time" in reason for reason in verdict.reasons] == [
        True
    ] * limited
