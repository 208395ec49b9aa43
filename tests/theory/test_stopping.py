"""Stopping as soon as half a width is small enough: how often the interval then holds the mean.

Who stops because the interval is narrow has looked at it before: where the sample happens to spread
too little it ends too soon, so that the last interval covers less often than it says (Y. S. Chow
and H. Robbins, Annals of Mathematical Statistics 36 (1965) 457-462: asymptotically as often). The
rule is asked every hundred replications so that this costs next to nothing; asked after every one
from the tenth on, it would be plain to see.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from simulator.experiment.drive import STEP, MemoryStore, StopRule, drive
from simulator.experiment.estimates import FEWEST, half_width, student_interval
from simulator.experiment.executors import InlineExecutor
from simulator.experiment.plan import Chunk, Plan, make_plan, one_point
from simulator.experiment.replications import Columns
from simulator.experiment.variants import read_base
from simulator.run.experiments import stop_rule
from simulator.units import NS_PER_S

_TRIALS = 400
_MOST = 1200
_MEAN_S = 100.0  # of an exponential law, which is as skewed as any stage of the chain
_HALF_S = 9.0  # about 475 replications: well beyond the first look


@dataclass(frozen=True, slots=True)
class Drawn(InlineExecutor):
    """Replications whose figure has a known mean."""

    values_ns: np.ndarray

    def play(self, plan: Plan, chunks: Iterator[Chunk]) -> Iterator[Columns]:
        for chunk in chunks:
            assert chunk.number < plan.chunks
            first = chunk.first_replication
            values = self.values_ns[first : first + chunk.replications]
            yield Columns(chunk=chunk, columns={"alert_ns": values.tolist()})


@pytest.fixture(scope="module")
def plan() -> Plan:
    return make_plan(read_base("tohoku-2022-11-03-modelled"), one_point(), 1, _MOST)


@pytest.fixture(scope="module")
def rule(plan: Plan) -> StopRule:
    return stop_rule(f"alert={_HALF_S}s", plan)


def _drawn(trial: int) -> np.ndarray:
    shares = (np.random.PCG64(trial).random_raw(_MOST) >> np.uint64(11)) / 2**53
    drawn: np.ndarray = np.round(-_MEAN_S * np.log1p(-shares) * NS_PER_S)
    return drawn


def test_the_interval_of_a_stopped_experiment_holds_the_mean_as_often_as_it_says(
    plan: Plan, rule: StopRule
) -> None:
    inside, means, stopped_at = 0, [], []
    for trial in range(_TRIALS):
        values = _drawn(trial)
        driven = drive(plan, Drawn(values), MemoryStore(), stop=rule)
        assert driven.stopped
        seen = values[: driven.replications]
        interval = student_interval(seen)
        assert interval is not None
        assert (interval[1] - interval[0]) / 2 <= _HALF_S * NS_PER_S
        inside += interval[0] <= _MEAN_S * NS_PER_S <= interval[1]
        means.append(seen.mean() / NS_PER_S)
        stopped_at.append(driven.replications)
    assert {at % STEP for at in stopped_at} == {0}
    assert min(stopped_at) >= 3 * STEP
    # The draws are fixed: 94 % of these trials. Skewness takes its share of what is missing.
    assert inside / _TRIALS > 0.93
    # Samples that end sooner spread less and have a smaller mean: the bias is far within the width.
    assert np.mean(means) == pytest.approx(_MEAN_S, abs=_HALF_S / 4)


def test_asked_after_every_replication_it_would_be_wrong_more_often_and_too_low() -> None:
    def stopped(step: int, first: int) -> tuple[float, float]:
        inside, means = 0, []
        for trial in range(_TRIALS):
            values = _drawn(trial) / NS_PER_S
            count = next(
                count
                for count in range(first, len(values) + 1, step)
                if (half_width(values[:count]) or 0) <= 30
            )
            interval = student_interval(values[:count])
            assert interval is not None
            inside += interval[0] <= _MEAN_S <= interval[1]
            means.append(values[:count].mean())
        return inside / _TRIALS, float(np.mean(means))

    often, low = stopped(step=1, first=FEWEST)
    as_it_is, mean = stopped(step=STEP, first=STEP)
    assert often < 0.9
    assert as_it_is > 0.94
    assert low < 0.97 * _MEAN_S
    assert mean == pytest.approx(_MEAN_S, rel=0.01)
