"""What a cluster cannot carry is refused before anything is started there."""

from dataclasses import replace

import pytest

from simulator.delivery.messages import BrokerEndpoint, Hello, SwarmOrder
from simulator.delivery.room import SPARE_DESCRIPTORS, SPARE_PORTS, Limits
from simulator.errors import ConfigurationError
from simulator.measure.plan import PlannedSubscriber, SubscriberKind
from simulator.run.muster import check_cluster, with_room_there


def _shards(count: int, host: str) -> list[SwarmOrder]:
    endpoint = BrokerEndpoint(host=host, port=1883, protocol="5")
    return [
        SwarmOrder(
            worker=worker,
            endpoints={"5": endpoint},
            subscribers=(),
            identifiers={},
            topics=(),
            state_topics=(),
        )
        for worker in range(count)
    ]


@pytest.mark.parametrize(
    ("broker", "scheduler"),
    [("broker.example", "10.0.0.5"), ("127.0.0.1", "127.0.0.1"), ("10.0.0.5", "localhost")],
)
def test_what_the_hosts_can_reach_and_carry_is_let_through(broker: str, scheduler: str) -> None:
    check_cluster(_shards(2, broker), scheduler, 2)


def test_a_worker_holds_a_thread_as_long_as_the_run() -> None:
    with pytest.raises(ConfigurationError, match="3 threads") as caught:
        check_cluster(_shards(4, "broker.example"), "10.0.0.5", 3)
    assert (caught.value.field, caught.value.value) == ("--swarm-workers", "4")


def test_a_broker_on_our_loopback_is_not_theirs() -> None:
    with pytest.raises(ConfigurationError, match="loopback") as caught:
        check_cluster(_shards(1, "127.0.0.1"), "10.0.0.5", 1)
    assert "--allow-host" in caught.value.remedy


AMPLE = Limits(descriptors=None, ports=60_000)


def _filled(count: int, each: int, host: str) -> dict[int, SwarmOrder]:
    subscribers = tuple(
        PlannedSubscriber(
            number=number,
            client=f"c-{number}",
            kind=SubscriberKind.SWARM,
            prefecture="miyagi",
            filters=(),
            protocol="5",
        )
        for number in range(each)
    )
    return {one.worker: replace(one, subscribers=subscribers) for one in _shards(count, host)}


def _hellos(**limits: Limits) -> dict[int, Hello]:
    """Workers named by host and number, for example ``one_0``."""
    return {
        int(name[-1]): Hello(worker=int(name[-1]), host=name[:-2], domain="d", limits=allowed)
        for name, allowed in limits.items()
    }


def test_hosts_with_room_get_their_orders_as_they_were() -> None:
    shards = _filled(2, 50, "broker.example")
    just = Limits(descriptors=50 + SPARE_DESCRIPTORS, ports=50 + SPARE_PORTS)
    assert with_room_there(shards, _hellos(one_0=just, two_1=just)) == shards


def test_a_host_with_too_few_descriptors_is_named_before_it_connects() -> None:
    shards = _filled(2, 50, "broker.example")
    short = Limits(descriptors=49 + SPARE_DESCRIPTORS, ports=60_000)
    with pytest.raises(ConfigurationError, match=r"cluster host two: .*open files") as caught:
        with_room_there(shards, _hellos(one_0=AMPLE, two_1=short))
    assert caught.value.field == "--swarm-workers"
    assert "ulimit" in caught.value.remedy


def test_workers_of_one_host_share_its_ports() -> None:
    shards = _filled(2, 50, "broker.example")
    for_one = Limits(descriptors=None, ports=50 + SPARE_PORTS)
    with_room_there(shards, _hellos(one_0=for_one, two_1=for_one))
    with pytest.raises(ConfigurationError, match=r"cluster host one: .*local ports"):
        with_room_there(shards, _hellos(one_0=AMPLE, one_1=for_one))


def test_towards_a_broker_on_their_own_loopback_they_take_several_addresses() -> None:
    shards = _filled(2, 50, "127.0.0.1")
    for_one = Limits(descriptors=None, ports=50 + SPARE_PORTS)
    fitted = with_room_there(shards, _hellos(one_0=for_one, one_1=for_one))
    assert {order.sources for order in fitted.values()} == {("127.0.0.1", "127.0.0.2")}
