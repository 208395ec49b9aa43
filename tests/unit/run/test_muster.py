"""What a cluster cannot carry is refused before anything is started there."""

import pytest

from simulator.delivery.messages import BrokerEndpoint, SwarmOrder
from simulator.errors import ConfigurationError
from simulator.run.muster import check_cluster


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
