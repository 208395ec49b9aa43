"""What brokers say of themselves."""

from collections.abc import Iterator

import pytest

from simulator.delivery.brokers.base import Broker
from simulator.delivery.facts import BrokerFacts, check_usable, described, learn_facts
from simulator.delivery.messages import BrokerEndpoint
from simulator.errors import BrokerUnreachableError
from tests.broker.listeners import Listeners, listening


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    """A mosquitto with limits, and with ``$SYS``."""
    folder = tmp_path_factory.mktemp("strict")
    with listening(folder, extra=("sys_interval 1",), plain=("max_qos 1",)) as started:
        yield started


def test_the_brokers_that_we_start_state_their_limits(broker: Broker) -> None:
    facts = learn_facts(broker.endpoint("5"), ask_sys=broker.kind != "embedded")

    assert facts.stated["receive maximum"] == "65535"
    assert facts.stated["retained messages"] == "available"
    assert facts.texts()["queue limits"] == "not visible over MQTT"
    check_usable(facts, qos=2, state=True)


def test_over_the_older_version_little_is_said(broker: Broker) -> None:
    assert learn_facts(broker.endpoint("3.1.1"), ask_sys=False) == BrokerFacts()


def test_asking_the_embedded_broker_for_sys_harms_nobody(embedded: Broker) -> None:
    assert learn_facts(embedded.endpoint("5")).version == ""
    assert learn_facts(embedded.endpoint("5"), ask_sys=False).stated


@pytest.mark.mosquitto
def test_limits_version_and_drops_of_a_broker_by_address(strict: Listeners) -> None:
    endpoint = BrokerEndpoint(host="127.0.0.1", port=strict.ports["plain"], protocol="5")
    facts = learn_facts(endpoint)

    assert facts.version.startswith("mosquitto version 2")
    assert facts.is_mosquitto
    assert facts.dropped == 0
    assert facts.stated["maximum QoS"] == "1"
    with pytest.raises(BrokerUnreachableError, match="--qos 1"):
        check_usable(facts, qos=2, state=False)
    check_usable(facts, qos=1, state=True)
    shown = described({"kind": "external", "version": "unknown"}, facts)
    assert shown["version"] == facts.version
    assert shown["stated"] == facts.texts()


def test_a_broker_that_keeps_nothing_takes_no_states() -> None:
    facts = BrokerFacts(stated={"retained messages": "not available"})
    with pytest.raises(BrokerUnreachableError, match="ALERTSIM_STATE=false"):
        check_usable(facts, qos=1, state=True)
    check_usable(facts, qos=1, state=False)


def test_a_broker_that_is_not_there_leaves_nothing_known() -> None:
    nowhere = BrokerEndpoint(host="no-such-host.invalid", port=1883, protocol="5")
    assert learn_facts(nowhere) == BrokerFacts()
    assert described({"version": "2.0"}, BrokerFacts(version="other"))["version"] == "2.0"
