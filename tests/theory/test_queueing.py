"""The assessment teams against queueing theory.

The very process that the model uses (``team_work``) is driven by Poisson arrivals; the mean wait
over independent replications must lie inside its own confidence interval around the closed form.
Most of the replications are worked out without the engine, by a few lines which the process must
agree with to the nanosecond in the others: five times as many, in a quarter of the time.
Seeds are fixed: a failure is a change, never bad luck.
"""

import math
from collections.abc import Callable
from heapq import heappop, heappush
from statistics import fmean, stdev
from typing import Any

import pytest
import simpy

from simulator.model.launch_script import RANKS
from simulator.model.play import team_work
from simulator.randomness import Stream, Streams
from simulator.units import NS_PER_S

Work = Callable[[float, Stream], float]

REPLICATIONS = 60
WARM_UP = 300
COUNTED = 900
STUDENT_T = 3.47  # two-sided 99.9 % point for 59 degrees of freedom, less for more: 3.463
MEAN_SERVICE_S = 60


def _exponential_s(mean_s: float, stream: Stream) -> float:
    """By its inverse; laws have tests of their own, and this is a hundred times as quick."""
    return -mean_s * math.log(stream.uniform())


def _fixed_s(mean_s: float, _: Stream) -> float:
    return mean_s


def _waits(
    replication: int, *, teams: int, load: float, service: Work, shares: tuple[float, ...] = (1.0,)
) -> dict[int, list[float]]:
    """Waits in seconds by rank, after the warm-up, of one replication.

    Args:
        replication: its number.
        teams: how many work side by side.
        load: arrival rate times mean service over the number of teams.
        service: draws the work from its mean and a stream, seconds.
        shares: which part of the arrivals has rank 0, 1, …
    """
    streams = Streams(2022, replication)
    arrivals, services, ranks = (streams.stream(name) for name in ("arrival", "service", "rank"))
    gap_s = MEAN_SERVICE_S / (load * teams)
    env = simpy.Environment(initial_time=0)
    resource = simpy.PreemptiveResource(env, capacity=teams)
    waits: dict[int, list[float]] = {rank: [] for rank in range(len(shares))}

    def customer(number: int, rank: int, work_ns: int) -> Any:
        waited_ns = yield from team_work(env, resource, rank, work_ns)
        if number >= WARM_UP:
            waits[rank].append(waited_ns / NS_PER_S)

    def source() -> Any:
        for number in range(WARM_UP + COUNTED):
            yield env.timeout(round(_exponential_s(gap_s, arrivals) * NS_PER_S))
            rank = 0 if ranks.uniform() < shares[0] else len(shares) - 1
            work_ns = round(service(MEAN_SERVICE_S, services) * NS_PER_S)
            env.process(customer(number, rank, work_ns))

    env.process(source())
    env.run()
    return waits


def _assert_meets(means: list[float], expected: float) -> None:
    half_width = STUDENT_T * stdev(means) / math.sqrt(len(means))
    assert half_width < 0.2 * expected, "the interval is too wide to show anything"
    assert abs(fmean(means) - expected) < half_width


def _erlang_c(teams: int, load: float) -> float:
    """Probability of waiting in M/M/c, with ``load`` per team (Erlang 1917)."""
    offered = teams * load
    waiting = offered**teams / math.factorial(teams) / (1 - load)
    free = sum(offered**busy / math.factorial(busy) for busy in range(teams))
    return waiting / (free + waiting)


def _recursion(replication: int, *, teams: int, load: float, service: Work) -> list[float]:
    """The same waits without an engine: who comes first goes to the team that is free first.

    J. Kiefer and J. Wolfowitz, "On the theory of queues with many servers", Transactions of the
    American Mathematical Society 78, 1955.
    """
    streams = Streams(2022, replication)
    arrivals, services = streams.stream("arrival"), streams.stream("service")
    gap_s = MEAN_SERVICE_S / (load * teams)
    now_ns, waits = 0, []
    free_ns = [0] * teams
    for number in range(WARM_UP + COUNTED):
        now_ns += round(_exponential_s(gap_s, arrivals) * NS_PER_S)
        begins_ns = max(now_ns, heappop(free_ns))
        heappush(free_ns, begins_ns + round(service(MEAN_SERVICE_S, services) * NS_PER_S))
        if number >= WARM_UP:
            waits.append((begins_ns - now_ns) / NS_PER_S)
    return waits


@pytest.mark.parametrize(("teams", "load"), [(1, 0.5), (2, 0.7), (3, 0.6)])
def test_poisson_arrivals_and_exponential_work_wait_as_in_m_m_c(teams: int, load: float) -> None:
    means = [
        fmean(_recursion(number, teams=teams, load=load, service=_exponential_s))
        for number in range(5 * REPLICATIONS)
    ]
    expected = _erlang_c(teams, load) * MEAN_SERVICE_S / (teams * (1 - load))
    _assert_meets(means, expected)
    engine = [
        fmean(_waits(number, teams=teams, load=load, service=_exponential_s)[0])
        for number in range(REPLICATIONS // 4)
    ]
    assert engine == means[: len(engine)]


@pytest.mark.parametrize("load", [0.4, 0.7])
def test_poisson_arrivals_and_fixed_work_wait_as_in_m_d_1(load: float) -> None:
    means = [
        fmean(_recursion(number, teams=1, load=load, service=_fixed_s))
        for number in range(5 * REPLICATIONS)
    ]
    # Pollaczek and Khinchine, for work without variance.
    _assert_meets(means, load * MEAN_SERVICE_S / (2 * (1 - load)))
    engine = [
        fmean(_waits(number, teams=1, load=load, service=_fixed_s)[0])
        for number in range(REPLICATIONS // 4)
    ]
    assert engine == means[: len(engine)]


def _by_rank(replication: int, *, load: float, shares: tuple[float, ...]) -> dict[int, list[float]]:
    """As ``_waits`` of one team and exponential work, without an engine.

    Whoever waits is kept by rank, then by when it asked; who is interrupted asks again.
    """
    streams = Streams(2022, replication)
    arrivals, services, ranks = (streams.stream(name) for name in ("arrival", "service", "rank"))
    coming, at_ns = [], 0
    for number in range(WARM_UP + COUNTED):
        at_ns += round(_exponential_s(MEAN_SERVICE_S / load, arrivals) * NS_PER_S)
        rank = 0 if ranks.uniform() < shares[0] else len(shares) - 1
        coming.append(
            (at_ns, rank, number, round(_exponential_s(MEAN_SERVICE_S, services) * NS_PER_S))
        )
    coming.reverse()
    waited_ns = dict.fromkeys(range(len(coming)), 0)
    rank_of = {number: rank for _, rank, number, _ in coming}
    waiting: list[tuple[int, int, int, int]] = []
    now_ns = 0
    while coming or waiting:
        if not waiting:
            asked_ns, rank, number, left_ns = coming.pop()
            now_ns = max(now_ns, asked_ns)
        else:
            rank, asked_ns, number, left_ns = heappop(waiting)
        waited_ns[number] += now_ns - asked_ns
        while coming and coming[-1][0] < now_ns + left_ns:
            then_ns, other, newcomer, work_ns = coming.pop()
            heappush(waiting, (other, then_ns, newcomer, work_ns))
            if other // RANKS < rank // RANKS:
                heappush(waiting, (rank, then_ns, number, left_ns - (then_ns - now_ns)))
                now_ns, left_ns = then_ns, 0
                break
        now_ns += left_ns
    found: dict[int, list[float]] = {rank: [] for rank in range(len(shares))}
    for number in range(WARM_UP, WARM_UP + COUNTED):
        found[rank_of[number]].append(waited_ns[number] / NS_PER_S)
    return found


def _means_by_rank(load: float, shares: tuple[float, ...]) -> tuple[list[float], list[float]]:
    """Mean waits of the first and the last rank; the engine must agree on some of them."""
    alone = [_by_rank(number, load=load, shares=shares) for number in range(5 * REPLICATIONS)]
    for number in range(REPLICATIONS // 4):
        engine = _waits(number, teams=1, load=load, service=_exponential_s, shares=shares)
        assert {rank: sorted(waits) for rank, waits in engine.items()} == {
            rank: sorted(waits) for rank, waits in alone[number].items()
        }
    return [fmean(wait[0]) for wait in alone], [fmean(wait[len(shares) - 1]) for wait in alone]


def test_high_threats_wait_as_in_a_queue_with_two_priorities() -> None:
    load, shares = 0.7, (0.4, 0.6)
    first, last = _means_by_rank(load, shares)
    # Cobham 1954, not interrupted, exponential work: mean residual work is load times mean work.
    residual, high = load * MEAN_SERVICE_S, load * shares[0]
    _assert_meets(first, residual / (1 - high))
    _assert_meets(last, residual / ((1 - high) * (1 - load)))


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
    first, last = _means_by_rank(load, shares)
    high = load * shares[0]
    # Those of the earlier turn wait as if the others were not there.
    _assert_meets(first, high * MEAN_SERVICE_S / (1 - high))
    stay = (MEAN_SERVICE_S * (1 - load) + load * MEAN_SERVICE_S) / ((1 - high) * (1 - load))
    _assert_meets(last, stay - MEAN_SERVICE_S)
