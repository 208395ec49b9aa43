"""Listeners for browsers on brokers of ours: on loopback alone, and the same after a restart."""

import threading
from collections.abc import Callable, Iterator

import paho.mqtt.client as mqtt
import psutil
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulator.delivery.brokers.base import LOOPBACK
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.delivery.brokers.started import StartedBroker

KINDS = [
    pytest.param(EmbeddedBroker, id="embedded"),
    pytest.param(ManagedMosquitto, id="mosquitto", marks=pytest.mark.mosquitto),
]


@pytest.fixture(params=KINDS)
def broker(request: pytest.FixtureRequest) -> Iterator[StartedBroker]:
    make: Callable[..., StartedBroker] = request.param
    made = make(announce=False)
    made.offer_websocket()
    made.start()
    yield made
    made.stop()


def _port(url: str | None) -> int:
    assert url is not None
    return int(url.rpartition(":")[2].partition("/")[0])


def test_a_browser_gets_what_is_published_over_tcp(broker: StartedBroker) -> None:
    heard, ready = threading.Event(), threading.Event()
    versions = CallbackAPIVersion.VERSION2
    browser = mqtt.Client(versions, client_id="browser", transport="websockets")
    browser.ws_set_options(path="/mqtt")
    browser.on_connect = lambda client, *_: client.subscribe("alertsim/#", 1)
    browser.on_subscribe = lambda *_: ready.set()
    browser.on_message = lambda *_: heard.set()
    browser.connect(LOOPBACK, _port(broker.websocket))
    browser.loop_start()
    assert ready.wait(10)
    plain = mqtt.Client(versions, client_id="plain")
    plain.connect(LOOPBACK, broker.endpoint("3.1.1").port)
    plain.loop_start()

    plain.publish("alertsim/v1/alerts/miyagi/test", b"EXERCISE", 1)

    assert heard.wait(10)
    for client in (browser, plain):
        client.disconnect()
        client.loop_stop()


def test_it_listens_on_loopback_alone(broker: StartedBroker) -> None:
    assert broker.process is not None
    listens = [
        each.laddr
        for each in psutil.Process(broker.process).net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert _port(broker.websocket) in {each.port for each in listens}
    assert {each.ip for each in listens} == {LOOPBACK}


def test_started_again_it_has_the_addresses_it_had(broker: StartedBroker) -> None:
    before = broker.addresses(), broker.websocket
    broker.stop()
    assert broker.websocket is None

    broker.start()

    assert (broker.addresses(), broker.websocket) == before


def test_without_being_asked_there_is_none() -> None:
    with EmbeddedBroker(announce=False) as plain:
        assert isinstance(plain, EmbeddedBroker)
        assert plain.websocket is None
