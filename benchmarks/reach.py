"""What a replication of reach costs, and what it would cost with one process a person.

Rule of the module: reach alone, on one core, without the chain that gives it its times of issue;
the baseline plays a sample of persons in SimPy in the same run, each waiting for the first of its
channels, and its figure for all people is the sample's scaled up.
"""

import resource
import time
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime
from statistics import fmean
from typing import Any, Final

import numpy as np
import psutil
import simpy

from benchmarks.harness import CLOCK, Result, Table, Target, main, median, spread
from simulator.randomness import Streams
from simulator.reach import ChannelName, ReachPlan, load_profile
from simulator.units import NS_PER_S
from simulator.world.geography import municipalities

_MOMENT: Final = datetime.fromisoformat("2022-11-03T07:39+09:00")
_FOUNDING: Final = ("miyagi", "yamagata", "niigata")
_ROUNDS: Final = 7
_BATCH: Final = 240
_REPLICATIONS: Final = {"founding": 10_000, "ten times the people": 10_000, "national": 1_000}
_LIMIT_S: Final = {"founding": 20.0, "national": 60.0}
_CORES: Final = 2
_PERSONS: Final = 20_000
_KIB_PER_MB: Final = 1024
_TEN: Final = 10
_STEADY: Final = 1.05


def measure(small: bool) -> Result:
    """Seconds for all replications, persons a second, memory."""
    rounds = 1 if small else _ROUNDS
    plans, build_s = _plans()
    runs: dict[str, list[float]] = {name: [] for name in plans}
    more: list[float] = []
    for _ in range(rounds):
        batch = 3 if small else _BATCH
        founding_s, crowded_s = _paired(plans["founding"], plans["ten times the people"], batch)
        runs["founding"].append(founding_s)
        runs["ten times the people"].append(crowded_s)
        more.append(crowded_s / founding_s)
        rest = [_replicate(plans["national"], number) for number in range(batch // 6 + 1)]
        runs["national"].append(fmean(rest))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KIB_PER_MB
    sample, person_s, person_kb = persons(500 if small else _PERSONS)
    founding = plans["founding"]
    people = float(founding.area.population.sum())
    naive_s = people * person_s
    return Result(
        name="reach",
        title="Reach: people instead of processes",
        how=(
            "Replications of reach alone, all channels, drawn anew each time, on one core, CPU "
            f"time; medians of {rounds} rounds in turn. The founding case has "
            f"{len(founding.area.towns)} municipalities and {people / 1e6:.2f} million people. The "
            f"baseline is {sample:,} persons in SimPy, one process each."
        ),
        targets=(
            *(
                Target(
                    name=f"{_REPLICATIONS[name]:,} replications, {name}, on {_CORES} cores",
                    value=median(runs[name]) * _REPLICATIONS[name] / _CORES,
                    limit=limit,
                    at_most=True,
                    unit="s",
                )
                for name, limit in _LIMIT_S.items()
            ),
            Target(
                name="time with ten times the people",
                value=median(more),
                limit=_STEADY,
                at_most=True,
                unit="times",
            ),
            Target(name="peak memory", value=peak_mb, limit=500, at_most=True, unit="MB"),
        ),
        tables=(
            Table(
                caption="One replication of reach",
                columns=("what", "ms", "per second", "plan built in, s"),
                rows=tuple(
                    (
                        name,
                        spread([1000 * value for value in found], 2),
                        f"{1 / median(found):,.0f}",
                        f"{build_s[name]:.2f}",
                    )
                    for name, found in runs.items()
                ),
            ),
            Table(
                caption="The founding case once, with one process a person",
                columns=("what", "s", "MB", "times the time"),
                rows=(
                    ("reach", f"{median(runs['founding']):.4f}", f"{peak_mb:,.0f}", "1"),
                    (
                        "SimPy, scaled up",
                        f"{naive_s:,.0f}",
                        f"{people * person_kb / _KIB_PER_MB:,.0f}",
                        f"{naive_s / median(runs['founding']):,.0f}",
                    ),
                ),
            ),
        ),
        notes=("Two cores are one core's time halved; what workers cost is measured with them.",),
        runs={f"{name}, ms": [1000 * value for value in found] for name, found in runs.items()},
    )


def _plans() -> tuple[dict[str, ReachPlan], dict[str, float]]:
    profile = load_profile("j-alert-2022")
    everywhere = municipalities()
    founding = tuple(town for town in everywhere if town.prefecture in _FOUNDING)
    areas = {
        "founding": founding,
        # Town by town the same shares of people: sizes of towns decide what they have.
        "ten times the people": founding,
        "national": everywhere,
    }
    plans, build_s = {}, {}
    for name, towns in areas.items():
        began_ns = CLOCK.monotonic_ns()
        plans[name] = ReachPlan.build(profile, towns, _MOMENT)
        build_s[name] = (CLOCK.monotonic_ns() - began_ns) / NS_PER_S
    crowded = plans["ten times the people"]
    crowded.area = replace(crowded.area, population=_TEN * crowded.area.population)
    return plans, build_s


def _paired(one: ReachPlan, other: ReachPlan, replications: int) -> tuple[float, float]:
    """Mean seconds of the same replications of two plans, one replication after the other."""
    pairs = [(_replicate(one, number), _replicate(other, number)) for number in range(replications)]
    return fmean(first for first, _ in pairs), fmean(second for _, second in pairs)


def _replicate(plan: ReachPlan, number: int) -> float:
    """Seconds of CPU of one replication."""
    moments = dict.fromkeys(plan.area.prefectures, 660 * NS_PER_S)
    later = dict.fromkeys(plan.area.prefectures, 780 * NS_PER_S)
    began_ns = time.process_time_ns()
    plan.replicate(issues_ns=moments, arrivals_ns=later, streams=Streams(7, number)).totals()
    return (time.process_time_ns() - began_ns) / NS_PER_S


def persons(count: int) -> tuple[int, float, float]:
    """Persons, seconds of CPU and KiB of memory for each."""
    draws = np.random.default_rng(1).lognormal(2.5, 0.8, (count, len(ChannelName))).tolist()
    process = psutil.Process()
    before, began_ns = process.memory_info().rss, time.process_time_ns()
    environment = simpy.Environment()
    warned: list[float] = []
    for delays in draws:
        environment.process(_person(environment, delays, warned))
    environment.run(until=1e-9)  # every person waits now
    held = process.memory_info().rss - before
    environment.run()
    return count, (time.process_time_ns() - began_ns) / NS_PER_S / count, held / 1024 / count


def _person(
    environment: simpy.Environment, delays: list[float], warned: list[float]
) -> Generator[simpy.Event, Any, None]:
    yield environment.any_of([environment.timeout(delay) for delay in delays])
    warned.append(environment.now)


if __name__ == "__main__":
    main(measure)
