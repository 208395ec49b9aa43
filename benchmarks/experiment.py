"""Experiments: the chain beside bare SimPy, whole experiments with all people, workers.

Rule of the module: each figure stands beside a floor or a peer measured in the same run, and the
two take turns. CPU time of this process where one is compared with another, wall time where
processes work side by side.
"""

import os
import resource
from collections.abc import Callable, Generator
from time import process_time_ns
from typing import Any, Final
from unittest.mock import patch

import psutil
import simpy

from benchmarks.harness import CLOCK, Result, Table, Target, main, median, spread
from simulator.experiment.drive import MemoryStore, drive
from simulator.experiment.executors import make_executor
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import Plan, make_plan, one_point
from simulator.experiment.replications import Player
from simulator.experiment.variants import read_base
from simulator.model import simulate
from simulator.scenario import Scenario
from simulator.units import NS_PER_S

Process = Generator[simpy.Event, Any, Any]

FOUNDING: Final = "tohoku-2022-11-03-modelled"
NATIONAL: Final = "national"


def measure(small: bool) -> Result:
    """Replications per second, alone and with all people; workers; memory."""
    rounds = 2 if small else 7
    chain = _chain(200 if small else 1000, rounds)
    founding = _whole(FOUNDING, 100 if small else 10_000)
    national = _whole(NATIONAL, 20 if small else 1000)
    one = _workers(FOUNDING, 64 if small else 2000, 1)
    two = _workers(FOUNDING, 64 if small else 2000, 2)
    return Result(
        name="experiment",
        title="Experiments: replications with all people",
        how=(
            "The chain alone and bare SimPy loops take turns on one core (CPU time, medians of "
            f"{rounds} turns). A bare loop passes the same number of engine events: once as one "
            "process that only waits, once as processes, requests and ends of the same kinds and "
            "in the same order as the founding case, with nothing drawn and nothing recorded. "
            "Whole experiments are wall time from the first chunk to the last row, start of the "
            "workers included."
        ),
        targets=(
            Target(
                name="chain alone against bare SimPy with the same events",
                value=chain["ratio_kinds"],
                limit=0.4,
                at_most=False,
            ),
            Target(
                name=f"{founding['rows']:,} replications of the founding case, all people",
                value=founding["wall_s"],
                limit=20.0,
                at_most=True,
                unit="s",
            ),
            Target(
                name="memory of that experiment, all its processes together",
                value=founding["megabytes"],
                limit=500.0,
                at_most=True,
                unit="MB",
            ),
            Target(
                name=f"{national['rows']:,} replications of the national case",
                value=national["wall_s"],
                limit=60.0,
                at_most=True,
                unit="s",
            ),
            Target(
                name="two workers against one",
                value=one["wall_s"] / two["wall_s"],
                limit=1.8,
                at_most=False,
                unit="times",
            ),
        ),
        tables=(
            Table(
                caption="The chain alone, one core",
                columns=("what", "µs a replication", "replications/s"),
                rows=tuple(
                    (name, spread(chain[key], 0), f"{1e6 / median(chain[key]):,.0f}")
                    for name, key in (
                        ("founding case, with its timeline", "timeline_us"),
                        ("founding case, as a row of an experiment", "row_us"),
                        ("bare SimPy: same number and kinds of events", "kinds_us"),
                        ("bare SimPy: one process, as many timeouts", "timeouts_us"),
                    )
                ),
            ),
            Table(
                caption="Whole experiments, all people and channels",
                columns=("experiment", "workers", "wall, s", "ms a replication"),
                rows=tuple(
                    (
                        f"{found['rows']:,} of {name}",
                        str(found["workers"]),
                        f"{found['wall_s']:.1f}",
                        f"{1000 * found['wall_s'] / found['rows']:.2f}",
                    )
                    for name, found in (
                        ("the founding case", founding),
                        ("the national case", national),
                        ("the founding case", one),
                        ("the founding case", two),
                    )
                ),
            ),
        ),
        notes=(
            f"A replication of the chain passes {chain['steps']:.0f} engine events.",
            f"Beside a single process that only waits it reaches {chain['ratio_timeouts']:.2f}.",
            "One process per person, and ten times the people, are measured with reach.",
        ),
        runs={key: chain[key] for key in ("timeline_us", "row_us", "kinds_us", "timeouts_us")},
    )


def _chain(count: int, rounds: int) -> dict[str, Any]:
    """CPU time of a replication beside bare loops, taking turns."""
    base = read_base(FOUNDING)
    scenario = base.scenario()
    player = Player(make_plan(base, one_point(), 1, count))
    steps = _steps(scenario)
    loops: dict[str, Callable[[int], object]] = {
        "timeline_us": lambda number: simulate(scenario, 1, number),
        "row_us": lambda number: player.play(0, number),
        "kinds_us": lambda _number: _same_kinds(round(steps)),
        "timeouts_us": lambda _number: _timeouts(round(steps)),
    }
    found: dict[str, Any] = {name: [] for name in loops}
    for turn in range(rounds + 1):
        for name, once in loops.items():
            began_ns = process_time_ns()
            for number in range(count):
                once(number)
            if turn:
                found[name].append((process_time_ns() - began_ns) / 1000 / count)
    row = median(found["row_us"])
    return found | {
        "steps": steps,
        "ratio_kinds": median(found["kinds_us"]) / row,
        "ratio_timeouts": median(found["timeouts_us"]) / row,
    }


def _steps(scenario: Scenario, sample: int = 200) -> float:
    """Engine events of a replication, counted."""
    counted = 0
    original = simpy.Environment.step

    def step(env: simpy.Environment) -> None:
        nonlocal counted
        counted += 1
        original(env)

    with patch.object(simpy.Environment, "step", step):
        for number in range(sample):
            simulate(scenario, 1, number)
    return counted / sample


def _timeouts(steps: int) -> None:
    env = simpy.Environment()

    def process() -> Process:
        for _ in range(steps - 2):  # its start and its end are events too
            yield env.timeout(1)

    env.process(process())
    env.run()


def _same_kinds() -> None:
    """The founding case's processes with nothing in them, on its clock of nanoseconds."""
    env = simpy.Environment(initial_time=0)
    teams = simpy.PreemptiveResource(env, capacity=1)

    def wait(span_s: int) -> Process:
        yield env.timeout(span_s * NS_PER_S)

    def work(rank: int) -> Process:
        with teams.request(priority=rank, preempt=False) as request:
            yield request
            yield env.timeout(30 * NS_PER_S)

    def launch() -> Process:
        env.process(wait(365))
        sensors = [env.process(wait(span_s)) for span_s in (94, 127)]
        for sensor in sensors:
            yield sensor
        yield env.timeout(208 * NS_PER_S)  # until the track is good enough
        yield from work(0)  # assessment
        yield from work(0)  # second look
        for _ in ("decision", "issue"):
            yield env.timeout(30 * NS_PER_S)
        yield from work(3)  # confirmation
        for _ in ("issue", "discovery"):
            yield env.timeout(30 * NS_PER_S)
        yield from work(6)  # correction

    env.process(launch())
    for span_s in (1560, 3060, 4860):
        env.process(wait(span_s))
    env.run()


def _plan(name: str, count: int) -> Plan:
    return make_plan(read_base(name), one_point(), 1, count, PeopleOrder())


def _whole(name: str, count: int) -> dict[str, Any]:
    """An experiment with all people on as many workers as there are processors."""
    found = _workers(name, count, max(1, os.cpu_count() or 1))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found | {"megabytes": (own + found["children_kb"]) / 1000}


def _workers(name: str, count: int, workers: int) -> dict[str, Any]:
    plan, store = _plan(name, count), MemoryStore()
    sizes = _Sizes()
    began_ns = CLOCK.monotonic_ns()
    with make_executor(workers) as executor:
        drive(plan, executor, store, progress=sizes.look)
    return {
        "rows": plan.rows,
        "workers": workers,
        "wall_s": (CLOCK.monotonic_ns() - began_ns) / NS_PER_S,
        "children_kb": sizes.most_kb,
    }


class _Sizes:
    """The largest resident size of all worker processes together."""

    def __init__(self) -> None:
        self._own = psutil.Process()
        self.most_kb = 0.0

    def look(self, _done: int, _total: int) -> None:
        """Measure once."""
        children = self._own.children(recursive=True)
        self.most_kb = max(self.most_kb, sum(child.memory_info().rss for child in children) / 1024)


if __name__ == "__main__":
    main(measure)
