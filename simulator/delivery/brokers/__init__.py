"""Brokers: the one we carry, the one that is installed, and any other by address.

Rule of the package: a broker is started, asked for endpoints and stopped; whoever uses it does not
know which kind it is. What we start binds to loopback and dies with this process, whatever kills
it; what we did not start is never published to without being named, unless it is on this host.
"""

from simulator.delivery.brokers.access import Access, access_of
from simulator.delivery.brokers.amqtt import AmqttBroker
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.choose import STARTED, choose_broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.brokers.external import ExternalBroker
from simulator.delivery.brokers.mosquitto import ManagedMosquitto
from simulator.delivery.loopback import is_loopback

__all__ = [
    "STARTED",
    "Access",
    "AmqttBroker",
    "Broker",
    "EmbeddedBroker",
    "ExternalBroker",
    "ManagedMosquitto",
    "access_of",
    "choose_broker",
    "is_loopback",
]
