"""What a broker says of itself: its limits in CONNACK, its version and drops under ``$SYS``.

Rule of the module: a few short-lived connections, each with its deadline, which publish nothing. A
broker that says nothing, or closes on the question, is left with what is known. Queue limits are
visible nowhere: MQTT has no word for them, and no broker we know states them under ``$SYS``.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from simulator.clock import Clock, SystemClock
from simulator.delivery.dialogue import Dialogue
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.order import ConnectionOrder
from simulator.errors import AlertsimError, BrokerUnreachableError
from simulator.units import NS_PER_MS, NS_PER_S

_TIMEOUT_NS: Final = 5 * NS_PER_S
_SILENCE_NS: Final = 250 * NS_PER_MS  # retained messages come at once after SUBACK, or not at all
_VERSION: Final = "$SYS/broker/version"
_DROPPED: Final = "$SYS/broker/publish/messages/dropped"
_MOST_CHARACTERS: Final = 80
UNSEEN: Final = "not visible over MQTT"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerFacts:
    """What was learnt.

    Attributes:
        version: name and version as the broker writes them, empty if it does not.
        dropped: messages that it says it has dropped since its start; None if it does not say.
        stated: limits by name, in words; empty where only MQTT 3.1.1 is spoken.
    """

    version: str = ""
    dropped: int | None = None
    stated: dict[str, str] = field(default_factory=dict)

    @property
    def is_mosquitto(self) -> bool:
        """Whether it calls itself so."""
        return "mosquitto" in self.version.lower()

    def texts(self) -> dict[str, str]:
        """For the manifest and for people."""
        known = dict(self.stated)
        if self.dropped is not None:
            known["dropped since its start"] = f"{self.dropped} messages"
        return known | {"queue limits": UNSEEN}


def described(broker: Mapping[str, object], facts: BrokerFacts) -> dict[str, object]:
    """What is known of a broker with what it says of itself, for the manifest.

    Args:
        broker: Broker.describe().
        facts: what was learnt.
    """
    found = dict(broker) | {"stated": facts.texts()}
    if facts.version and broker.get("version") == "unknown":
        found["version"] = facts.version
    return found


def check_usable(facts: BrokerFacts, *, qos: int, state: bool) -> None:
    """Refuse a broker that says it cannot carry the run, before anything is sent.

    Args:
        facts: what was learnt.
        qos: of the publisher.
        state: whether retained states are published.

    Raises:
        BrokerUnreachableError: with the remedy.
    """
    most = facts.stated.get("maximum QoS", "2")
    if int(most) < qos:
        raise BrokerUnreachableError(
            f"the broker takes QoS {most} at most, the run publishes at QoS {qos}\n"
            f"  remedy: run with --qos {most}, or change the broker's maximum QoS"
        )
    if state and facts.stated.get("retained messages") == "not available":
        raise BrokerUnreachableError(
            "the broker keeps no retained messages, so that no state can be published\n"
            "  remedy: set ALERTSIM_STATE=false, or let the broker keep retained messages"
        )


def learn_facts(
    endpoint: BrokerEndpoint, *, ask_sys: bool = True, clock: Clock | None = None
) -> BrokerFacts:
    """Ask a broker that is known to work; blocks, so a loop calls it in a thread.

    Args:
        endpoint: where.
        ask_sys: whether to look under ``$SYS`` (the embedded broker has none and disconnects).
        clock: where time comes from.
    """
    clock = clock or SystemClock()
    try:
        stated, _ = _ask(endpoint, (), clock)
        heard = _ask(endpoint, (_VERSION, _DROPPED), clock)[1] if ask_sys else {}
    except AlertsimError:
        return BrokerFacts()
    dropped = heard.get(_DROPPED, "")
    return BrokerFacts(
        version=heard.get(_VERSION, ""),
        dropped=int(dropped) if dropped.isdecimal() else None,
        stated=stated,
    )


def _ask(
    endpoint: BrokerEndpoint, topics: tuple[str, ...], clock: Clock
) -> tuple[dict[str, str], dict[str, str]]:
    """CONNACK's statements, and the retained messages of the topics."""
    order = ConnectionOrder(
        endpoint=endpoint,
        client=f"alertsim-facts-{secrets.token_hex(6)}",
        filters=tuple((topic, 0) for topic in topics),
    )
    with Dialogue(order, clock) as dialogue:
        dialogue.open(_TIMEOUT_NS)
        dialogue.run(lambda: len(dialogue.heard) >= len(topics), _SILENCE_NS)
    heard = {
        packet.topic: packet.payload.decode(errors="replace")[:_MOST_CHARACTERS]
        for _, packet in dialogue.heard
    }
    return dict(dialogue.connection.stated), heard
