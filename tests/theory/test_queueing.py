"""The assessment teams against queueing theory.

The very process that the model uses (``team_work``) is driven by Poisson arrivals; the mean wait
over independent replications must lie inside its own confidence interval around the closed form.
Seeds are fixed: a failure is a change, never bad luck.
"""

import math
from datetime import datetime
from statistics import fmean, stdev
from typing import Any

import pytest
import simpy
from pydantic import TypeAdapter

from simulator.model.play import team_work
from simulator.randomness import Stream, Streams
from simulator.scenario.laws import Law, duration_ns
from simulator.units import NS_PER_S

EPOCH = datetime.fromisoformat("2026-01-15T10:00:00+09:00")
LAWS: TypeAdapter[Law] = TypeAdapter(Law)
REPLICATIONS = 60
WARM_UP = 300
COUNTED = 900
STUDENT_T = 3.47  # two-sided 99.9 % point for 59 degrees of freedom: 3.463
MEAN_SERVICE_S = 60

EXPONENTIAL = LAWS.validate_python({"law": "gamma", "shape": 1, "mean": f"{MEAN_SERVICE_S}s"})
FIXED = LAWS.validate_python({"law": "constant", "value": f"{MEAN_SERVICE_S}s"})


def _draw(law: Law, stream: Stream) -> int:
    return duration_ns(law, stream.uniform(), EPOCH)


def _waits(
    replication: int, *, teams: int, load: float, service: Law, shares: tuple[float, ...] = (1.0,)
) -> dict[int, list[float]]:
    """Waits in seconds by rank, after the warm-up, of one replication.

    Args:
        replication: its number.
        teams: how many work side by side.
        load: arrival rate times mean service over the number of teams.
        service: law of the work.
        shares: which part of the arrivals has rank 0, 1, …
    """
    streams = Streams(2022, replication)
    arrivals, services, ranks = (streams.stream(name) for name in ("arrival", "service", "rank"))
    gap_ms = round(MEAN_SERVICE_S * 1000 / (load * teams))
    gap = LAWS.validate_python({"law": "gamma", "shape": 1, "mean": f"{gap_ms}ms"})
    env = simpy.Environment(initial_time=0)
    resource = simpy.PreemptiveResource(env, capacity=teams)
    waits: dict[int, list[float]] = {rank: [] for rank in range(len(shares))}

    def customer(number: int, rank: int, work_ns: int) -> Any:
        waited_ns = yield from team_work(env, resource, rank, work_ns)
        if number >= WARM_UP:
            waits[rank].append(waited_ns / NS_PER_S)

    def source() -> Any:
        for number in range(WARM_UP + COUNTED):
            yield env.timeout(_draw(gap, arrivals))
            rank = 0 if ranks.uniform() < shares[0] else len(shares) - 1
            env.process(customer(number, rank, _draw(service, services)))

    env.process(source())
    env.run()
    return waits


def _assert_meets(means: list[float], expected: float) -> None:
    half_width = STUDENT_T * stdev(means) / math.sqrt(len(means))
    assert half_width < 0.25 * expected, "the interval is too wide to show anything"
    assert abs(fmean(means) - expected) < half_width


def _erlang_c(teams: int, load: float) -> float:
    """Probability of waiting in M/M/c, with ``load`` per team (Erlang 1917)."""
    offered = teams * load
    waiting = offered**teams / math.factorial(teams) / (1 - load)
    free = sum(offered**busy / math.factorial(busy) for busy in range(teams))
    return waiting / (free + waiting)


@pytest.mark.parametrize(("teams", "load"), [(1, 0.5), (2, 0.7), (3, 0.6)])
def test_poisson_arrivals_and_exponential_work_wait_as_in_m_m_c(teams: int, load: float) -> None:
    means = [
        fmean(_waits(number, teams=teams, load=load, service=EXPONENTIAL)[0])
        for number in range(REPLICATIONS)
    ]
    expected = _erlang_c(teams, load) * MEAN_SERVICE_S / (teams * (1 - load))
    _assert_meets(means, expected)


@pytest.mark.parametrize("load", [0.4, 0.7])
def test_poisson_arrivals_and_fixed_work_wait_as_in_m_d_1(load: float) -> None:
    means = [
        fmean(_waits(number, teams=1, load=load, service=FIXED)[0])
        for number in range(REPLICATIONS)
    ]
    # Pollaczek and Khinchine, for work without variance.
    _assert_meets(means, load * MEAN_SERVICE_S / (2 * (1 - load)))


def test_high_threats_wait_as_in_a_queue_with_two_priorities() -> None:
    load, shares = 0.7, (0.4, 0.6)
    waits = [
        _waits(number, teams=1, load=load, service=EXPONENTIAL, shares=shares)
        for number in range(REPLICATIONS)
    ]
    # Cobham 1954, not interrupted, exponential work: mean residual work is load times mean work.
    residual, high = load * MEAN_SERVICE_S, load * shares[0]
    _assert_meets([fmean(wait[0]) for wait in waits], residual / (1 - high))
    _assert_meets([fmean(wait[1]) for wait in waits], residual / ((1 - high) * (1 - load)))


def test_a_salvo_at_once_is_worked_off_in_order() -> None:
    """D/D/c with all arrivals at once: the k-th waits floor(k / c) times the work."""
    env = simpy.Environment(initial_time=0)
    resource = simpy.PreemptiveResource(env, capacity=3)
    waits: list[int] = []

    def customer() -> Any:
        waits.append((yield from team_work(env, resource, 0, 10)))

    for _ in range(10):
        env.process(customer())
    env.run()
    assert waits == [number // 3 * 10 for number in range(10)]
    assert env.now == 40


def test_work_of_a_later_turn_waits_as_where_it_is_interrupted() -> None:
    """Two classes, preemptive and resumed, exponential work (Kleinrock 1976, volume 2, 3.6)."""
    load, shares = 0.7, (0.4, 0.0, 0.0, 0.6)
    waits = [
        _waits(number, teams=1, load=load, service=EXPONENTIAL, shares=shares)
        for number in range(REPLICATIONS)
    ]
    high = load * shares[0]
    # Those of the earlier turn wait as if the others were not there.
    _assert_meets([fmean(wait[0]) for wait in waits], high * MEAN_SERVICE_S / (1 - high))
    stay = (MEAN_SERVICE_S * (1 - load) + load * MEAN_SERVICE_S) / ((1 - high) * (1 - load))
    _assert_meets([fmean(wait[3]) for wait in waits], stay - MEAN_SERVICE_S)
