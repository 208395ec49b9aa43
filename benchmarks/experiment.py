"""Experiments: the chain beside bare SimPy, whole experiments with all people, workers.

Rule of the module: each figure stands beside a floor or a peer measured in the same run, and the
two take turns. CPU time of this process where one is compared with another, wall time where
processes work side by side.
"""

import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from time import process_time_ns
from typing import Any, Final

import psutil

from benchmarks.bare_chain import check_same, engine_events, one_process, same_kinds
from benchmarks.harness import CLOCK, Result, Table, Target, main, median, spread
from benchmarks.reach import persons
from simulator.experiment.drive import MemoryStore, drive
from simulator.experiment.executors import make_executor
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import Plan, make_plan, one_point
from simulator.experiment.replications import Player
from simulator.experiment.variants import read_base
from simulator.model import simulate
from simulator.model.engine import play_once
from simulator.randomness import Streams
from simulator.reach import ReachPlan
from simulator.units import NS_PER_S

FOUNDING: Final = "tohoku-2022-11-03-modelled"
NATIONAL: Final = "national"
_TEN: Final = 10
_CHAIN: Final = {
    "rows": "founding case: events and messages recorded",
    "figures": "founding case: a row of an experiment",
    "timeline": "founding case: a timeline of records",
    "kinds": "bare SimPy: same number and kinds of events",
    "timeouts": "bare SimPy: one process, as many timeouts",
}


def measure(small: bool) -> Result:
    """Replications per second, alone and with all people; workers; memory."""
    rounds = 2 if small else 7
    chain = _chain(100 if small else 500, rounds)
    crowd = _crowd(20 if small else 200, rounds)
    one = _played(FOUNDING, 100 if small else 10_000, 1)
    two = _played(FOUNDING, 100 if small else 10_000, 2)
    national = _played(NATIONAL, 40 if small else 1000, 2)
    side_by_side = _side_by_side(200 if small else 20_000)
    sample, person_s, person_kb = persons(500 if small else 20_000)
    person_by_person_s = crowd.people * person_s
    ratio = median(chain["kinds"]) / median(chain["rows"])
    events = sum(engine_events(_chain_loops()["rows"]).values())
    return Result(
        name="experiment",
        title="Experiments: replications with all people",
        how=(
            "The chain alone and bare SimPy loops take turns on one core (CPU time, medians of "
            f"{rounds} turns). The bare chain has the processes, requests and waits of the "
            "founding case, counted to be the same, with nothing drawn and nothing recorded. "
            "Whole experiments are wall time from the order to the last row, start of the workers "
            "included; once at work is the rate after the first chunk of each worker."
        ),
        targets=(
            _target("chain alone against bare SimPy with the same events", ratio, 0.4, least=True),
            _target(
                f"{two.rows:,} replications of the founding case, all people", two.wall_s, 20, "s"
            ),
            _target(
                "memory of that experiment, all its processes together", two.megabytes, 500, "MB"
            ),
            _target(
                f"{national.rows:,} replications of the national case", national.wall_s, 60, "s"
            ),
            _target("a replication with ten times the people", median(crowd.ratios), 1.05, "times"),
            _target(
                "two workers against one, once at work",
                two.rate / one.rate,
                1.8,
                "times",
                least=True,
            ),
        ),
        tables=(
            Table(
                caption="The chain alone, one core",
                columns=("what", "µs a replication", "replications/s", "of bare SimPy's rate"),
                rows=tuple(
                    (
                        name,
                        spread(chain[key], 0),
                        f"{1e6 / median(chain[key]):,.0f}",
                        f"{median(chain['kinds']) / median(chain[key]):.2f}",
                    )
                    for key, name in _CHAIN.items()
                ),
            ),
            Table(
                caption="Whole experiments, all people and channels",
                columns=("experiment", "workers", "wall, s", "rows/s once at work", "MB"),
                rows=tuple(
                    (
                        f"{played.rows:,} of {name}",
                        str(played.workers),
                        f"{played.wall_s:.1f}",
                        f"{played.rate:,.0f}",
                        f"{played.megabytes:,.0f}",
                    )
                    for name, played in (
                        ("the founding case", one),
                        ("the founding case", two),
                        ("the national case", national),
                    )
                ),
            ),
            Table(
                caption="One replication of the founding case, one core",
                columns=("what", "ms", "MB", "times the time"),
                rows=(
                    (
                        "chain and all people",
                        f"{median(crowd.ms):.2f}",
                        f"{one.megabytes:,.0f}",
                        "1",
                    ),
                    (
                        "one SimPy process a person, scaled up",
                        f"{1000 * person_by_person_s:,.0f}",
                        f"{crowd.people * person_kb / 1024:,.0f}",
                        f"{1000 * person_by_person_s / median(crowd.ms):,.0f}",
                    ),
                ),
            ),
        ),
        notes=(
            (
                f"A replication of the chain passes {events:.0f} engine events, records 29 and "
                "sends 9 messages. Of what it costs beyond bare SimPy (measured by leaving parts "
                "out), its 11 draws are somewhat less than a third, a hash and an inverse "
                "distribution function each; rows and messages are a quarter; the rest is the "
                "Python of the stages themselves."
            ),
            (
                f"Start of the workers included, two are {one.wall_s / two.wall_s:.2f} times as "
                "fast as one: each imports the program and works out the curves of its people "
                f"anew. Two bare loops side by side reach {side_by_side:.2f} times one on this "
                "machine."
            ),
            f"The process for each person is a sample of {sample:,}.",
        ),
        runs={f"{key}, us": chain[key] for key in _CHAIN} | {"ten times the people": crowd.ratios},
    )


def _target(
    name: str, value: float, limit: float, unit: str = "", *, least: bool = False
) -> Target:
    return Target(name=name, value=value, limit=limit, at_most=not least, unit=unit)


def _chain_loops() -> dict[str, Callable[[int], object]]:
    """What takes turns; each plays a replication, given its number."""
    base = read_base(FOUNDING)
    scenario = base.scenario()
    player = Player(make_plan(base, one_point(), 1, 1))
    events = engine_events(lambda number: simulate(scenario, 1, number))
    check_same(events, engine_events(lambda _number: same_kinds()))
    steps = round(sum(events.values()))
    return {
        "rows": lambda number: play_once(scenario, Streams(1, number)),
        "figures": lambda number: player.play(0, number).row(),
        "timeline": lambda number: simulate(scenario, 1, number),
        "kinds": lambda _number: same_kinds(),
        "timeouts": lambda _number: one_process(steps),
    }


def _chain(count: int, rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU of a replication, beside bare loops."""
    loops = _chain_loops()
    found: dict[str, list[float]] = {name: [] for name in loops}
    for turn in range(rounds + 1):
        for name, once in loops.items():
            began_ns = process_time_ns()
            for number in range(count):
                once(number)
            if turn:
                found[name].append((process_time_ns() - began_ns) / 1000 / count)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crowd:
    """Replications of the founding case with its people, and with ten times as many.

    Attributes:
        people: how many live there.
        ms: CPU of a replication, by round.
        ratios: CPU with ten times the people over CPU with these, by round.
    """

    people: float
    ms: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)


def _crowd(count: int, rounds: int) -> _Crowd:
    few, many = (Player(_plan(FOUNDING, 1)) for _ in range(2))
    alerted = [player.play(0, 0).figures["alerted_people"] for player in (few, many)]
    plan = _reach_plan(many)
    plan.area = replace(plan.area, population=_TEN * plan.area.population)
    found = _Crowd(people=float(alerted[0] or 0))
    for _ in range(rounds):
        few_ns = many_ns = 0
        for number in range(count):
            began_ns = process_time_ns()
            few.play(0, number)
            between_ns = process_time_ns()
            many.play(0, number)
            few_ns, many_ns = (
                few_ns + between_ns - began_ns,
                many_ns + process_time_ns() - between_ns,
            )
        found.ms.append(few_ns / count / 1e6)
        found.ratios.append(many_ns / few_ns)
    return found


def _reach_plan(player: Player) -> ReachPlan:
    """What a player that has played keeps about its people."""
    people: Any = player._people  # noqa: SLF001
    (plan,) = people._plans.values()  # noqa: SLF001
    found: ReachPlan = plan
    return found


def _plan(name: str, count: int) -> Plan:
    return make_plan(read_base(name), one_point(), 1, count, PeopleOrder())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Played:
    """A whole experiment.

    Attributes:
        rows: replications.
        workers: processes that played them.
        wall_s: from the order to the last row.
        rate: rows a second after the first chunk of each worker.
        megabytes: of this process and the workers together, at most.
    """

    rows: int
    workers: int
    wall_s: float
    rate: float
    megabytes: float


def _played(name: str, count: int, workers: int) -> _Played:
    """An experiment with all people."""
    plan, watch = _plan(name, count), _Watch()
    with make_executor(workers) as executor:
        drive(plan, executor, MemoryStore(), progress=watch.look)
    wall_s = watch.seconds()
    start_s, start_rows = watch.seen[workers]
    end_s, end_rows = watch.seen[-1]
    own_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return _Played(
        rows=plan.rows,
        workers=workers,
        wall_s=wall_s,
        rate=(end_rows - start_rows) / (end_s - start_s),
        megabytes=(own_kb + watch.children_kb) / 1000,
    )


class _Watch:
    """When how many rows were there, and the largest size of all workers together."""

    def __init__(self) -> None:
        self._own = psutil.Process()
        self._began_ns = CLOCK.monotonic_ns()
        self.children_kb = 0.0
        self.seen: list[tuple[float, int]] = []

    def seconds(self) -> float:
        """Since its making."""
        return (CLOCK.monotonic_ns() - self._began_ns) / NS_PER_S

    def look(self, done: int, _total: int) -> None:
        """Called after each chunk."""
        self.seen.append((self.seconds(), done))
        children = self._own.children(recursive=True)
        sizes_kb = sum(child.memory_info().rss for child in children) / 1024
        self.children_kb = max(self.children_kb, sizes_kb)


def _side_by_side(count: int) -> float:
    """How much more two processes do than one, with nothing shared: what the machine gives."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        list(pool.map(_loop_s, (count // 10, count // 10)))
        alone_s = pool.submit(_loop_s, count).result()
        together_s = list(pool.map(_loop_s, (count, count)))
    return 2 * alone_s / max(together_s)


def _loop_s(count: int) -> float:
    """Wall seconds of so many bare chains."""
    began_ns = CLOCK.monotonic_ns()
    for _ in range(count):
        same_kinds()
    return (CLOCK.monotonic_ns() - began_ns) / NS_PER_S


if __name__ == "__main__":
    main(measure)
