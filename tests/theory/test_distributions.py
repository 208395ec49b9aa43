"""What is drawn against what the laws promise: means, and the slower of two sensors."""

import math
from datetime import datetime
from statistics import fmean, stdev
from typing import Any

import pytest
from pydantic import TypeAdapter

from simulator.model import simulate
from simulator.randomness import Streams
from simulator.scenario import Scenario
from simulator.scenario.laws import Law, duration_ns
from simulator.units import NS_PER_S

EPOCH = datetime.fromisoformat("2026-01-15T10:00:00+09:00")
LAWS: TypeAdapter[Law] = TypeAdapter(Law)
NORMAL = 3.3  # two-sided 99.9 % point of the standard normal distribution: 3.291
DRAWS = 4000

# 1.6448536269514722 is the 95th percentile of the standard normal distribution.
_SIGMA = math.log(420 / 180) / 1.6448536269514722
MEANS: list[tuple[dict[str, Any], float]] = [
    ({"law": "uniform", "low": "10s", "high": "30s"}, 20),
    ({"law": "triangular", "low": "10s", "mode": "20s", "high": "90s"}, 40),
    ({"law": "lognormal", "median": "180s", "p95": "420s"}, 180 * math.exp(_SIGMA**2 / 2)),
    ({"law": "gamma", "mean": "240s", "shape": 2.5}, 240),
    ({"law": "gamma", "mean": "240s", "shape": 0.5}, 240),
    ({"law": "empirical", "values": ["60s", "120s"], "weights": [1, 3]}, 105),
]


@pytest.mark.parametrize(("fields", "mean_s"), MEANS, ids=str)
def test_draws_have_the_mean_of_their_law(fields: dict[str, Any], mean_s: float) -> None:
    law = LAWS.validate_python(fields)
    stream = Streams(2022).stream(str(fields))
    drawn = [duration_ns(law, stream.uniform(), EPOCH) / NS_PER_S for _ in range(DRAWS)]
    assert abs(fmean(drawn) - mean_s) < NORMAL * stdev(drawn) / math.sqrt(DRAWS)


def _two_sensors() -> Scenario:
    chain: dict[str, Any] = {
        stage: {"law": "constant", "value": "0s"}
        for stage in ("assessment", "decision", "issue", "confirmation")
    }
    sensor = {"law": "uniform", "low": "0s", "high": "300s"}
    return Scenario.model_validate(
        {
            "schema": "1.0",
            "id": "x",
            "title": "X",
            "epoch": "2026-01-15T10:00:00+09:00",
            "fictional": True,
            "chain": {"teams": 1, "satellite": sensor, "radar": sensor, **chain},
            "launches": [
                {
                    "id": "a",
                    "at": "0s",
                    "belief": {"prefectures": ["miyagi"], "outcome": "not-coming"},
                }
            ],
        }
    )


def test_sensing_takes_as_long_as_the_larger_of_two_draws() -> None:
    scenario, replications = _two_sensors(), 600
    sensed = [
        simulate(scenario, 2022, number).alerts[0].at_ns / NS_PER_S
        for number in range(replications)
    ]
    # The larger of two uniform draws has mean 2/3 and variance 1/18 of the range and its square.
    assert abs(fmean(sensed) - 200) < NORMAL * stdev(sensed) / math.sqrt(replications)
    assert stdev(sensed) == pytest.approx(300 / math.sqrt(18), rel=0.1)
