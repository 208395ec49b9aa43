"""What no broker states is tried out: each verdict on a broker that deserves it."""

from collections.abc import Iterator

import pytest

from simulator.delivery.brokers import AmqttBroker
from simulator.delivery.brokers.base import Broker
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.traps import HELD_NS, QueueTried, try_delay, try_queue
from simulator.run.doctor_brokers import examine_broker
from simulator.settings import load_settings
from tests.broker.listeners import Listeners, listening


@pytest.fixture(scope="module")
def untuned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    """A mosquitto with its own defaults."""
    with listening(tmp_path_factory.mktemp("untuned"), tuned=False) as started:
        yield started


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_the_brokers_that_we_start_keep_everything(broker: Broker, protocol: str) -> None:
    tried = try_queue(broker.endpoint(protocol), root="alertsim")
    assert tried == QueueTried(sent=1500, kept=1500)


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_short_queue_and_nagles_algorithm_are_found(untuned: Listeners, protocol: str) -> None:
    endpoint = BrokerEndpoint(host="127.0.0.1", port=untuned.ports["plain"], protocol=protocol)

    assert try_queue(endpoint, root="alertsim") == QueueTried(sent=1500, kept=1000)
    assert try_delay(endpoint, root="alertsim") >= HELD_NS


@pytest.mark.mosquitto
def test_our_mosquitto_holds_nothing_back(mosquitto: Broker) -> None:
    assert try_delay(mosquitto.endpoint("5"), root="alertsim") < HELD_NS


def test_the_embedded_broker_does(embedded: Broker) -> None:
    """The gap that config/broker_gaps.json names; gone, it is to be taken out there."""
    assert try_delay(embedded.endpoint("3.1.1"), root="alertsim") >= HELD_NS


def test_amqtt_keeps_nothing_for_whoever_is_offline() -> None:
    with AmqttBroker(announce=False) as broker:
        tried = try_queue(broker.endpoint("3.1.1"), root="alertsim", count=20)
    assert tried == QueueTried(sent=20, kept=0)


@pytest.mark.mosquitto
def test_the_doctor_says_what_it_tried(untuned: Listeners) -> None:
    settings = load_settings({"broker": untuned.url("mqtt", "plain")})
    *_, queue, delay = examine_broker(settings, thorough=True)

    assert (queue.level, delay.level) == ("warning", "warning")
    assert "1000 of 1500" in queue.text
    assert "max_queued_messages 0" in queue.remedy
    assert "set_tcp_nodelay true" in delay.remedy
    *_, queue, delay = examine_broker(load_settings({"broker": "mosquitto"}), thorough=True)
    assert (queue.level, delay.level) == ("ok", "ok")
