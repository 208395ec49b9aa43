"""A swarm shared out: everybody once, evenly, in any number of shards."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.delivery.messages import BrokerEndpoint, SwarmOrder
from simulator.delivery.room import SPARE_PORTS, Limits
from simulator.errors import ConfigurationError
from simulator.measure.plan import PlannedSubscriber, SubscriberKind
from simulator.run.shards import CONNECTIONS_PER_WORKER, shards, with_room, worker_count


def _whole(count: int, ramp: int = 2000) -> SwarmOrder:
    return SwarmOrder(
        worker=0,
        endpoints={
            "3.1.1": BrokerEndpoint(host="127.0.0.1", port=1883, protocol="3.1.1"),
            "5": BrokerEndpoint(host="127.0.0.1", port=1883, protocol="5"),
        },
        subscribers=tuple(
            PlannedSubscriber(
                number=number,
                client=f"run-{number}",
                kind=SubscriberKind.SWARM,
                prefecture="miyagi",
                filters=(),
                protocol=("3.1.1", "5")[number % 2],
            )
            for number in range(count)
        ),
        identifiers={},
        topics=(),
        state_topics=(),
        ramp_per_s=ramp,
    )


@given(st.integers(1, 60), st.integers(1, 9), st.integers(9, 5000))
def test_everybody_is_in_exactly_one_shard(count: int, workers: int, ramp: int) -> None:
    dealt = shards(_whole(count, ramp), workers)
    numbers = [each.number for order in dealt for each in order.subscribers]
    assert sorted(numbers) == list(range(count))
    sizes = [len(order.subscribers) for order in dealt]
    assert max(sizes) - min(sizes) <= 1
    assert [order.worker for order in dealt] == list(range(workers))
    assert sum(order.ramp_per_s for order in dealt) == ramp


def test_shards_have_the_same_mix_of_versions_in_the_order_of_the_plan() -> None:
    for order in shards(_whole(40), 2):
        versions = [each.protocol for each in order.subscribers]
        assert versions.count("3.1.1") == versions.count("5") == 10
        numbers = [each.number for each in order.subscribers]
        assert numbers == sorted(numbers)


def test_a_ramp_below_the_number_of_workers_leaves_each_one_a_second() -> None:
    assert [order.ramp_per_s for order in shards(_whole(8, ramp=2), 4)] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("connections", "wanted", "processors", "expected"),
    [
        (300, None, 8, 1),
        (CONNECTIONS_PER_WORKER, None, 8, 1),
        (CONNECTIONS_PER_WORKER + 1, None, 8, 2),
        (10_500, None, 2, 2),
        (10_500, None, 8, 5),
        (10_500, 3, 2, 3),
        (2, 5, 8, 2),
        (0, None, 8, 1),
    ],
)
def test_worker_count(connections: int, wanted: int | None, processors: int, expected: int) -> None:
    assert worker_count(connections, wanted, processors) == expected


def test_connections_of_all_workers_and_versions_to_one_address_share_its_ports() -> None:
    orders = shards(_whole(60), 2)
    enough = Limits(descriptors=None, ports=60 + SPARE_PORTS)
    assert {order.sources for order in with_room(orders, enough, own_broker=True)} == {()}
    half = Limits(descriptors=None, ports=30 + SPARE_PORTS)
    both = ("127.0.0.1", "127.0.0.2")
    assert {order.sources for order in with_room(orders, half, own_broker=True)} == {both}


def test_a_swarm_without_room_is_refused() -> None:
    orders, none = shards(_whole(2), 1), Limits(descriptors=10, ports=30_000)
    with pytest.raises(ConfigurationError):
        with_room(orders, none, own_broker=False)
