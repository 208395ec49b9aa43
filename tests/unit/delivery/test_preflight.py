import socket
import threading
from collections.abc import Iterator

import pytest

from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.preflight import check_endpoint
from simulator.errors import AbortedError


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A listener that says nothing."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def test_whoever_asks_can_be_stopped_while_the_broker_is_silent(silent: socket.socket) -> None:
    endpoint = BrokerEndpoint(host="127.0.0.1", port=silent.getsockname()[1], protocol="5")
    stop = threading.Event()

    def stop_once_asked() -> None:
        asked, _ = silent.accept()
        with asked:
            asked.recv(1)
            stop.set()
            while asked.recv(1_000):
                pass

    asked = threading.Thread(target=stop_once_asked)
    asked.start()
    with pytest.raises(AbortedError, match="ended while asking the broker"):
        check_endpoint(endpoint, 60.0, stop=stop)
    asked.join()
