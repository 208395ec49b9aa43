"""Silent receivers: the beta law of each profile against what failed in tests and activations.

A rate drawn from the law and towns that fail independently at that rate give a beta-binomial
number of silent towns; each count of ``config/receiver_failures.csv`` must lie within the middle
99 % of it. The one that does not is known: the first test in Okinawa, days before a launch.
"""

import csv
import math
from itertools import accumulate
from typing import Any

import pytest

from simulator.reach import load_profile
from simulator.resources import config_text

ROWS = list(csv.DictReader(config_text("receiver_failures.csv").splitlines()))
KNOWN_MISS = "2012-04-05"
TAIL = 0.005


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def _mass(failed: int, towns: int, a: int, b: int) -> float:
    return math.comb(towns, failed) * math.exp(
        _log_beta(failed + a, towns - failed + b) - _log_beta(a, b)
    )


def _tails(row: dict[str, Any]) -> tuple[float, float]:
    """Probability of at most, and of at least, as many silent towns."""
    failed, towns = int(row["failed"]), int(row["participating"])
    law = load_profile(row["profile"]).municipal.failure
    below = [0.0, *accumulate(_mass(count, towns, law.a, law.b) for count in range(failed + 1))]
    return below[failed + 1], 1.0 - below[failed]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['date']}-{row['area']}")
def test_what_failed_could_have_been_drawn(row: dict[str, Any]) -> None:
    likely = min(_tails(row)) > TAIL
    assert likely is (row["date"] != KNOWN_MISS)


def test_the_law_is_not_so_wide_that_it_says_nothing() -> None:
    """A tenth of all towns silent would be a surprise."""
    tenth = {"failed": "170", "participating": "1700", "profile": "j-alert-2022"}
    assert _tails(tenth)[1] < TAIL
