"""From the ``--broker`` setting to a broker."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from simulator.clock import Clock
from simulator.delivery.brokers.access import Access
from simulator.delivery.brokers.amqtt import INSTEAD, AmqttBroker
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.brokers.external import ExternalBroker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.delivery.brokers.running import RUNNING, FoundBroker
from simulator.errors import ConfigurationError

STARTED: Final = ("embedded", "mosquitto", "amqtt")


def choose_broker(
    setting: str,
    *,
    root: str = "alertsim",
    allow_hosts: Sequence[str] = (),
    clock: Clock | None = None,
    where: str = "--broker",
    access: Access | None = None,
    announce: bool = True,
) -> Broker:
    """The broker that a setting means; nothing is started yet.

    Args:
        setting: ``embedded``, ``mosquitto``, ``amqtt``, ``running`` or a URL. Where the
            embedded broker is not installed, because no wheel of it fits, amqtt takes its place
            and says so.
        root: topic root, noted in the runtime file.
        allow_hosts: hosts that may be published to besides this one.
        clock: where time comes from.
        where: the option it came from, for errors.
        access: who we are to a broker by URL.
        announce: keep an entry of a broker we start in the runtime file.

    Raises:
        ConfigurationError: for an unknown kind, an unusable address or a host not allowed.
    """
    if setting in STARTED and access is not None and access.asks_for_tls:
        raise ConfigurationError(
            "a broker that alertsim starts speaks plain MQTT on this host",
            where,
            "broker",
            setting,
            "give the URL of a broker with TLS (mqtts://host:port), or leave --cafile, --cert, "
            "--key and --server-name out",
        )
    if setting in STARTED and access is not None and access.asks_for_login:
        raise ConfigurationError(
            "a broker that alertsim starts admits everybody on this host, without user or password",
            where,
            "broker",
            setting,
            "give the URL of a broker that asks for them (mqtt://host:port), or leave --username, "
            "--password-file, ALERTSIM_USERNAME and ALERTSIM_PASSWORD out",
        )
    if setting.partition(":")[0] == RUNNING:
        return FoundBroker(setting, where=where)
    if setting == "embedded":
        if find_spec("iotcore") is None:
            return AmqttBroker(root=root, clock=clock, notice=INSTEAD, announce=announce)
        return EmbeddedBroker(root=root, clock=clock, announce=announce)
    if setting == "amqtt":
        return AmqttBroker(root=root, clock=clock, announce=announce)
    if setting == "mosquitto":
        return ManagedMosquitto(root=root, clock=clock, announce=announce)
    return ExternalBroker(setting, allow_hosts=allow_hosts, where=where, access=access)
