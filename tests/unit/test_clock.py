import time
from pathlib import Path

import pytest

from simulator import clock
from simulator.clock import ManualClock, SystemClock


def test_the_system_clock_reads_the_system() -> None:
    system = SystemClock()
    before, wall_before = time.monotonic_ns(), time.time_ns()
    assert before <= system.monotonic_ns() <= time.monotonic_ns()
    assert wall_before <= system.wall_ns() <= time.time_ns()


def test_the_system_clock_sleeps_at_least_as_long() -> None:
    system = SystemClock()
    before = system.monotonic_ns()
    system.sleep_ns(2_000_000)
    assert system.monotonic_ns() - before >= 2_000_000


def test_nobody_sleeps_backwards() -> None:
    SystemClock().sleep_ns(-1)
    manual = ManualClock(monotonic=5)
    manual.sleep_ns(-1)
    assert manual.monotonic_ns() == 5


def test_a_manual_clock_moves_only_when_told() -> None:
    manual = ManualClock(monotonic=10, wall=1000)
    assert (manual.monotonic_ns(), manual.wall_ns()) == (10, 1000)
    manual.sleep_ns(5)
    assert (manual.monotonic_ns(), manual.wall_ns()) == (15, 1005)
    manual.step_wall(-500)
    assert (manual.monotonic_ns(), manual.wall_ns()) == (15, 505)


def test_a_monotonic_clock_never_goes_back() -> None:
    with pytest.raises(ValueError, match="never goes back"):
        ManualClock().advance(-1)


def test_one_host_is_one_clock_domain() -> None:
    domain = clock.clock_domain()
    assert domain == clock.clock_domain()
    assert "/" in domain


def test_without_a_boot_id_the_host_name_is_the_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_self: Path, **_options: str) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", refuse)
    assert clock.clock_domain().startswith("host/")
