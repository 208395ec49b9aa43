import pytest

from simulator.delivery.link import LONGEST_WAIT_NS, backoff_ns
from simulator.units import NS_PER_S


def test_the_bound_of_the_wait_doubles_and_stops() -> None:
    bounds = [backoff_ns(failures, 1.0) for failures in range(8)]

    assert bounds == [int(NS_PER_S * s) for s in (0.5, 1, 2, 4, 8, 16, 30, 30)]
    assert backoff_ns(10**9, 1.0) == LONGEST_WAIT_NS


@pytest.mark.parametrize("failures", [0, 3, 40])
def test_the_wait_lies_in_the_upper_half_of_the_bound(failures: int) -> None:
    bound = backoff_ns(failures, 1.0)

    assert backoff_ns(failures, 0.0) == bound // 2
    assert backoff_ns(failures, 0.5) == bound // 4 * 3
