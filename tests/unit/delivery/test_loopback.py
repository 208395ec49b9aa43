import socket

import pytest

from simulator.clock import ManualClock
from simulator.delivery.aio import connect
from simulator.delivery.loopback import check_loopback, is_loopback
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.transport import resolve
from simulator.errors import BrokerUnreachableError

ELSEWHERE = "192.0.2.7"


def endpoint(host: str) -> BrokerEndpoint:
    return BrokerEndpoint(host=host, port=1883, protocol="5")


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver for which every name stands for another host too."""
    listed = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 1883))
        for address in ("127.0.0.1", ELSEWHERE)
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: listed)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_host_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["broker.example", "localhost.example", "10.0.0.1", "0.0.0.1", "", "127.0.0.1.example"]
)
def test_everything_else_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", ["localhost", "LocalHost."])
def test_a_loopback_name_must_stand_for_loopback_addresses_only(host: str) -> None:
    check_loopback(host, ["::1", "127.0.0.1"])
    with pytest.raises(BrokerUnreachableError, match=rf"{ELSEWHERE}(?s:.*)remedy: write 127"):
        check_loopback(host, ["127.0.0.1", ELSEWHERE])


@pytest.mark.parametrize("host", ["127.0.0.1", "broker.example", ELSEWHERE])
def test_what_is_not_such_a_name_is_not_looked_at(host: str) -> None:
    check_loopback(host, [ELSEWHERE])


@pytest.mark.usefixtures("poisoned")
def test_nobody_connects_to_a_localhost_that_is_elsewhere() -> None:
    with pytest.raises(BrokerUnreachableError, match=f"localhost stands for {ELSEWHERE}"):
        resolve(endpoint("localhost"))


@pytest.mark.usefixtures("poisoned")
async def test_nor_does_the_other_client() -> None:
    with pytest.raises(BrokerUnreachableError, match=f"localhost stands for {ELSEWHERE}"):
        async with connect(endpoint("localhost"), "c", clock=ManualClock()):
            pass
