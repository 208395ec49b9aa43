"""The founding case's chain with nothing in it: what SimPy itself costs.

Rule of the module: the same processes, waits, requests and releases as the model's, in the same
order and on the same clock of nanoseconds, counted, so that the two can be compared; nothing is
drawn and nothing recorded.
"""

from collections import Counter
from collections.abc import Callable, Generator
from typing import Any, Final
from unittest.mock import patch

import simpy

from benchmarks.harness import BenchmarkError
from simulator.units import NS_PER_S

Process = Generator[simpy.Event, Any, Any]

_OFF: Final = 0.5  # now and then the real chain passes an event more: a team comes back to its work


def same_kinds() -> None:
    """The founding case's processes."""
    env = simpy.Environment(initial_time=0)
    teams = simpy.PreemptiveResource(env, capacity=1)

    def wait(span_s: int) -> Process:
        yield env.timeout(span_s * NS_PER_S)

    def work(rank: int) -> Process:
        with teams.request(priority=rank, preempt=False) as request:
            yield request
            yield env.timeout(30 * NS_PER_S)

    def launch() -> Process:
        env.process(wait(365))  # what the flight does
        sensors = [env.process(wait(span_s)) for span_s in (94, 127)]
        yield from sensors
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
    for span_s in (1560, 3060, 4860):  # what happens beside the chain
        env.process(wait(span_s))
    env.run()


def one_process(steps: int) -> None:
    """As many events from one process that only waits."""
    env = simpy.Environment()

    def process() -> Process:
        for _ in range(steps - 2):  # its start and its end are events too
            yield env.timeout(1)

    env.process(process())
    env.run()


def engine_events(once: Callable[[int], object], sample: int = 200) -> dict[str, float]:
    """Engine events of a replication by their kind, counted.

    Args:
        once: plays a replication, given its number.
        sample: how many are played.
    """
    counted: Counter[str] = Counter()
    original = simpy.Environment.schedule

    def schedule(env: simpy.Environment, event: simpy.Event, *args: Any, **more: Any) -> None:  # noqa: ANN401
        counted[type(event).__name__] += 1
        original(env, event, *args, **more)

    with patch.object(simpy.Environment, "schedule", schedule):
        for number in range(sample):
            once(number)
    return {kind: count / sample for kind, count in sorted(counted.items())}


def check_same(real: dict[str, float], bare: dict[str, float]) -> None:
    """Refuse to compare chains that pass different events.

    Raises:
        BenchmarkError: naming both.
    """
    if any(abs(real.get(kind, 0) - bare.get(kind, 0)) > _OFF for kind in {*real, *bare}):
        raise BenchmarkError(f"the bare chain passes {bare}, the founding case {real}")
