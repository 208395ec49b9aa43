"""Workers are real processes here: they are started, killed and counted."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import psutil
import pytest

from simulator.errors import ConfigurationError, InternalError
from simulator.experiment import designs, executors
from simulator.experiment.axes import parse_axis
from simulator.experiment.executors import (
    InlineExecutor,
    ProcessExecutor,
    available_workers,
    make_executor,
)
from simulator.experiment.plan import Chunk, Plan
from simulator.experiment.replications import Columns


def _played(executor: executors.Executor, plan: Plan) -> dict[int, Columns]:
    with executor:
        return {one.chunk.number: one for one in executor.play(plan, plan.all_chunks())}


def test_the_rows_do_not_depend_on_the_number_of_workers(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(100)
    alone, two, three = (_played(make_executor(workers), plan) for workers in (1, 2, 3))
    assert len(alone) == plan.chunks > 3
    assert alone == two == three


def test_a_lost_worker_loses_nothing(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(200)
    found: dict[int, Columns] = {}
    with ProcessExecutor(2) as executor:
        for columns in executor.play(plan, plan.all_chunks()):
            assert columns.chunk.number not in found
            if not found:
                assert executor._pool is not None
                for process in list(executor._pool._processes.values()):
                    process.kill()
            found[columns.chunk.number] = columns
    assert found == _played(InlineExecutor(), plan)


def _die(_chunk: Chunk) -> NoReturn:
    os._exit(3)


def test_a_chunk_that_kills_every_worker_is_a_defect(
    plan_of: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "_play", _die)
    plan = plan_of(10)
    with pytest.raises(InternalError, match="finished replications are kept"):
        _played(ProcessExecutor(1), plan)


def test_a_variant_that_cannot_be_made_is_the_users_error_in_a_worker_too(
    plan_of: Callable[..., Plan],
) -> None:
    plan = plan_of(2, designs.grid([parse_axis("chain.radar.low=5min,6min")]))
    with pytest.raises(ConfigurationError, match="low is longer than high") as caught:
        _played(ProcessExecutor(2), plan)
    assert "chain.radar.low=5min" in caught.value.field


def test_leaving_early_ends_the_workers(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(5000)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with ProcessExecutor(2) as executor:
        results = executor.play(plan, plan.all_chunks())
        assert next(results).chunk.rows
        during = {child.pid for child in psutil.Process().children(recursive=True)} - before
        assert len(during) >= 2
    workers = [psutil.Process(pid) for pid in during if psutil.pid_exists(pid)]
    assert not [one for one in workers if "spawn_main" in " ".join(one.cmdline())]


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        textwrap.dedent("""
            import os
            from simulator.experiment.executors import ProcessExecutor
            from simulator.experiment.plan import make_plan, one_point
            from simulator.experiment.variants import read_base

            if __name__ == "__main__":
                base = read_base("tohoku-2022-11-03-modelled")
                plan = make_plan(base, one_point(), 1, 100_000)
                with ProcessExecutor(2) as executor:
                    results = executor.play(plan, plan.all_chunks())
                    next(results)
                    print("playing", flush=True)
                    for _ in results:
                        pass
        """)
    )
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == "playing\n"
        workers = psutil.Process(parent.pid).children(recursive=True)
        assert len(workers) >= 2
        parent.kill()
        parent.wait(timeout=30)
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive


def test_there_is_at_least_one_processor() -> None:
    assert available_workers() >= 1
