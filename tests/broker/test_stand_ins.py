"""A stand-in over every channel that a broker may ask for, against a real mosquitto."""

import json
from collections.abc import Iterator

import paho.mqtt.subscribe as paho
import pytest

from simulator.delivery.messages import BrokerEndpoint, TlsFiles
from simulator.testing.stand_in import StandIn
from tests.broker.listeners import Listeners, listening

pytestmark = pytest.mark.mosquitto


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    with listening(tmp_path_factory.mktemp("stand-ins")) as made:
        yield made


def _stand_in(
    listeners: Listeners, kind: str, *, tls: TlsFiles | None = None, path: str = ""
) -> StandIn:
    endpoint = BrokerEndpoint(
        host="127.0.0.1", port=listeners.ports[kind], protocol="5", tls=tls, path=path
    )
    return StandIn(f"siren-{kind}", ("miyagi",), endpoint=endpoint, root="alertsim")


@pytest.mark.parametrize("kind", ["plain", "tls", "mutual", "elsewhere", "ws", "wss"])
def test_it_registers_reports_and_leaves_over_every_channel(
    listeners: Listeners, kind: str
) -> None:
    secured = {
        "tls": TlsFiles(cafile=listeners.ca),
        "wss": TlsFiles(cafile=listeners.ca),
        "mutual": TlsFiles(cafile=listeners.ca, cert=listeners.cert, key=listeners.key),
        "elsewhere": TlsFiles(cafile=listeners.ca, server_name="broker.example"),
    }
    path = "/mqtt" if kind.startswith("ws") else ""
    stand_in = _stand_in(listeners, kind, tls=secured.get(kind), path=path)
    assert _status(listeners, kind)["state"] == "online"
    stand_in.close()
    assert _status(listeners, kind) == {"state": "offline"}


def _status(listeners: Listeners, kind: str) -> dict[str, object]:
    """What stands, retained, on its status topic, read in plain MQTT."""
    found = paho.simple(  # type: ignore[no-untyped-call]
        f"alertsim/v1/status/siren-{kind}", hostname="127.0.0.1", port=listeners.ports["plain"]
    )
    read: dict[str, object] = json.loads(found.payload)
    return read


def test_a_broker_that_is_not_trusted_or_not_there_is_told(listeners: Listeners) -> None:
    with pytest.raises(ConnectionError, match=r"mqtts://.* cannot be reached: .*certificate"):
        _stand_in(listeners, "tls", tls=TlsFiles(cafile=listeners.other_ca))
    nowhere = BrokerEndpoint(host="127.0.0.1", port=1, protocol="5")
    with pytest.raises(ConnectionError, match=r"mqtt://127\.0\.0\.1:1 cannot be reached"):
        StandIn("siren", ("miyagi",), endpoint=nowhere, root="alertsim")
