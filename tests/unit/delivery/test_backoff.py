import pytest

from simulator.delivery import guardians
from simulator.delivery.backoff import Backoff
from simulator.delivery.link import RECONNECT as OF_A_LISTENER
from simulator.delivery.swarm.subscriber import RECONNECT as OF_THE_SWARM
from simulator.units import NS_PER_S


@pytest.mark.parametrize(
    ("rule", "bounds_s"),
    [
        (OF_A_LISTENER, (0.5, 1, 2, 4, 8, 16, 30, 30)),
        (OF_THE_SWARM, (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10)),
        (guardians._RECONNECT, (0.5, 1, 2, 4, 8, 8)),
    ],
)
def test_the_longest_wait_doubles_and_stops(rule: Backoff, bounds_s: tuple[float, ...]) -> None:
    bounds = [rule.wait_ns(before) for before in range(len(bounds_s))]

    assert bounds == [int(NS_PER_S * bound_s) for bound_s in bounds_s]
    assert rule.wait_ns(10**9) == rule.longest_ns


@pytest.mark.parametrize("before", [0, 3, 40])
def test_the_wait_lies_in_the_upper_half(before: int) -> None:
    bound = OF_A_LISTENER.wait_ns(before)

    assert OF_A_LISTENER.wait_ns(before, 0.0) == bound // 2
    assert OF_A_LISTENER.wait_ns(before, 0.5) == bound // 4 * 3
