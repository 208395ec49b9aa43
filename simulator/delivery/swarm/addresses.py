"""Where each subscriber connects to, and from which local address.

Rule of the module: names are looked up once, before the loop starts, because that blocks.
"""

from dataclasses import replace

from simulator.delivery.messages import SwarmOrder
from simulator.delivery.swarm.subscriber import Subscriber
from simulator.delivery.wire.transport import Address, resolve


class Addresses:
    """The brokers' addresses, from each of the order's local addresses in turn.

    Args:
        order: its endpoints and sources.

    Raises:
        BrokerUnreachableError: if a broker's name is unknown.
    """

    def __init__(self, order: SwarmOrder) -> None:
        self._choices: dict[str, tuple[Address, ...]] = {}
        for protocol, endpoint in order.endpoints.items():
            found = resolve(endpoint)
            self._choices[protocol] = tuple(
                replace(found, source=source) for source in order.sources or ("",)
            )

    def of(self, subscriber: Subscriber) -> Address:
        """The subscriber's, the same at every attempt."""
        choice = self._choices[subscriber.connection.codec.protocol]
        return choice[subscriber.number % len(choice)]
