"""The doctor asks a broker as a run would."""

from collections.abc import Iterator

import pytest

from simulator.delivery.brokers import access_of, choose_broker
from simulator.delivery.facts import BrokerFacts
from simulator.run import doctor_brokers
from simulator.run.doctor_brokers import capacities, examine_broker
from simulator.settings import load_settings
from tests.broker.listeners import PASSWORD, USER, Listeners, listening


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    with listening(tmp_path_factory.mktemp("b"), passwords=True, extra=("sys_interval 1",)) as up:
        yield up


@pytest.mark.parametrize(
    "kind", ["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)]
)
def test_a_broker_of_ours_is_started_asked_and_stopped(kind: str) -> None:
    found = examine_broker(load_settings({"broker": kind}))

    assert [each.level for each in found] == ["ok", "ok", "ok"]
    assert "(MQTT 3.1.1) delivers" in found[0].text
    assert "(MQTT 5) delivers" in found[1].text
    assert "receive maximum: 65535" in found[2].text
    assert "queue limits: not visible over MQTT" in found[2].text


@pytest.mark.mosquitto
def test_a_foreign_mosquitto_is_warned_of(guarded: Listeners) -> None:
    found = examine_broker(
        load_settings(
            {
                "broker": guarded.url("mqtts", "tls"),
                "cafile": guarded.ca,
                "username": USER,
                "password": PASSWORD,
            }
        )
    )

    assert [each.level for each in found] == ["ok", "ok", "ok", "warning"]
    assert "mosquitto version 2" in found[2].text
    assert "keeps 1,000 messages" in found[3].text
    assert "max_queued_messages 0" in found[3].remedy


@pytest.mark.mosquitto
def test_a_broker_that_refuses_is_an_error_with_its_remedy(guarded: Listeners) -> None:
    (found,) = examine_broker(load_settings({"broker": guarded.url("mqtt", "plain")}))

    assert found.level == "error"
    assert "ALERTSIM_PASSWORD" in found.remedy


def test_drops_and_clear_text_passwords_are_warned_of() -> None:
    settings = load_settings(
        {
            "broker": "mqtt://broker.example",
            "allow_hosts": ("broker.example",),
            "username": "me",
            "password": "secret",
        }
    )
    broker = choose_broker(
        settings.broker, allow_hosts=settings.allow_hosts, access=access_of(settings)
    )
    found = doctor_brokers._traps(broker, BrokerFacts(dropped=7))

    assert [each.level for each in found] == ["warning", "warning"]
    assert "dropped 7 messages" in found[0].text
    assert "clear text" in found[1].text
    assert "secret" not in found[1].text


def test_it_predicts_how_many_subscribers_each_broker_carries_here() -> None:
    found = capacities()

    kinds = ("embedded", "mosquitto", "amqtt", "elsewhere", "over TLS")
    assert [each.subject for each in found] == ["subscribers"] * len(kinds)
    for each, kind in zip(found, kinds, strict=True):
        assert kind in each.text
        assert int(each.text.split()[1]) > 0
        assert bool(each.remedy) is (each.level == "warning")
