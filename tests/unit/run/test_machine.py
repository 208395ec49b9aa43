"""What the machine did: from the kernel's own files, and unknown where it does not tell."""

import os
from pathlib import Path

import pytest

from simulator.clock import ManualClock, SystemClock
from simulator.run.machine import MachineWatch
from simulator.units import NS_PER_S

PID = 4242


def tell(proc: Path, *, steal: int, idle: int, used_s: float | None = None) -> None:
    """Write what the kernel would: user 100, guest time that is part of it, and these."""
    proc.joinpath("stat").write_text(
        f"cpu  100 0 0 {idle} 0 0 0 {steal} 50 0\ncpu0 1 2 3\n", encoding="ascii"
    )
    if used_s is not None:
        ticks = round(used_s * os.sysconf("SC_CLK_TCK"))
        folder = proc / str(PID)
        folder.mkdir(exist_ok=True)
        before = "S 1 1 1 0 -1 0 0 0 0 0"
        text = f"{PID} (a (bad) name) {before} {ticks - 1} 1 77 88 20"
        folder.joinpath("stat").write_text(text, encoding="utf-8")


def test_steal_and_the_brokers_time_are_those_between_beginning_and_end(tmp_path: Path) -> None:
    clock = ManualClock(monotonic=NS_PER_S)
    watch = MachineWatch(clock, tmp_path)
    watch.follow(lambda: PID)
    tell(tmp_path, steal=30, idle=70, used_s=3)
    watch.begin()
    clock.advance(4 * NS_PER_S)
    tell(tmp_path, steal=40, idle=100, used_s=5)
    watch.sample()
    clock.advance(6 * NS_PER_S)
    (tmp_path / str(PID) / "stat").unlink()  # the broker has ended: its last reading stays
    watch.end()

    assert watch.steal_share == 10 / 40
    assert watch.broker_cpu_share == 2 / 4


@pytest.mark.parametrize("text", ["", "cpu  1 2 3\n", "intr 5\n", "cpu  a b c d e f g h\n"])
def test_what_the_kernel_does_not_tell_is_unknown(tmp_path: Path, text: str) -> None:
    (tmp_path / str(PID)).mkdir()
    for path in (tmp_path / "stat", tmp_path / str(PID) / "stat"):
        path.write_text(text, encoding="ascii")
    watch = MachineWatch(ManualClock(), tmp_path)
    watch.follow(lambda: PID)
    watch.begin()
    watch.end()

    assert (watch.steal_share, watch.broker_cpu_share) == (None, None)


def test_a_broker_of_somebody_else_and_no_kernel_at_all_are_unknown(tmp_path: Path) -> None:
    clock = ManualClock()
    watch = MachineWatch(clock, tmp_path / "absent")
    watch.sample()
    watch.begin()
    clock.advance(NS_PER_S)
    watch.end()

    assert (watch.steal_share, watch.broker_cpu_share) == (None, None)


def test_this_machine_tells() -> None:
    clock = SystemClock()
    watch = MachineWatch(clock)
    watch.follow(os.getpid)
    watch.begin()
    while watch.steal_share is None or watch.broker_cpu_share is None:
        clock.sleep_ns(NS_PER_S // 50)  # until a tick of the kernel's clock has passed
        watch.end()

    assert 0 <= watch.steal_share <= 1
    assert watch.broker_cpu_share >= 0
