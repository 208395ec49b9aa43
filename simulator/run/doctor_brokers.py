"""``alertsim doctor`` about brokers: how many subscribers each carries here, and one by address.

Rule of the module: a broker by address is asked as a run would ask it; a trap is named only where
the broker shows signs of it or hides what would rule it out. Figures come from ``config/``.
"""

import json
import os
from pathlib import Path
from typing import Final

from simulator import resources
from simulator.delivery.brokers import access_of, choose_broker
from simulator.delivery.brokers.base import Broker
from simulator.delivery.capacity import UNLIMITED, load_of, predict, subscribers_within
from simulator.delivery.facts import BrokerFacts, learn_facts
from simulator.delivery.loopback import is_loopback
from simulator.delivery.preflight import check_endpoint
from simulator.delivery.traps import HELD_NS, try_delay, try_queue
from simulator.delivery.vitals import limits
from simulator.errors import BrokerError
from simulator.run.findings import Finding
from simulator.settings import RunSettings

SUBSCRIBERS: Final = 300  # the default of --subscribers
_SUBJECT: Final = "broker"
_MEMINFO: Final = Path("/proc/meminfo")
_KIB: Final = 1024


def capacities() -> list[Finding]:
    """How many subscribers this machine carries, by kind of broker."""
    costs = json.loads(resources.config_text("capacity.json"))
    kinds = ("embedded", "mosquitto", "amqtt", "external")
    return [*(_capacity(kind, costs) for kind in kinds), _capacity("external", costs, tls=True)]


def _capacity(kind: str, costs: dict[str, object], *, tls: bool = False) -> Finding:
    memory = _free_memory()
    load = load_of(kind, costs, workers=os.cpu_count() or 1, tls=tls)
    found = predict(limits(), memory or UNLIMITED, load)
    what = "a broker elsewhere" if kind == "external" else f"--broker {kind}"
    what += " over TLS" if tls else ""
    short = subscribers_within(found.most) < SUBSCRIBERS
    return Finding(
        level="warning" if short else "ok",
        subject="subscribers",
        text=f"about {found.most} with {what} (controls included); then ends: "
        f"{found.tightest.name}",
        remedy=found.tightest.remedy + fewer(found.most) if short else "",
    )


def fewer(connections: int) -> str:
    """How many subscribers would do, as the end of a remedy; empty if none would."""
    most = subscribers_within(connections)
    return f"; or run with --subscribers {most} or fewer" if most else ""


def _free_memory() -> int:
    """Bytes that programs can have now; 0 if the system does not tell."""
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(sizes[0]) * _KIB if sizes else 0


def examine_broker(settings: RunSettings, *, thorough: bool = False) -> list[Finding]:
    """Look at the broker of these settings; one of ours is started for it.

    Args:
        settings: the broker, and who we are to it.
        thorough: also try out what no broker states: its queue, and whether it holds messages back.

    Raises:
        ConfigurationError: if its address or a file cannot be used.
    """
    broker = choose_broker(
        settings.broker,
        root=settings.root,
        allow_hosts=settings.allow_hosts,
        access=access_of(settings),
    )
    try:
        with broker:
            found = _round_trips(broker, settings.root)
            if found[-1].level == "error":
                return found
            facts = learn_facts(
                broker.endpoint(broker.control_protocol), ask_sys=broker.kind == "external"
            )
            found += [*_stated(facts), *_traps(broker, facts, tried=thorough)]
            return found + (_tried(broker, settings.root) if thorough else [])
    except BrokerError as error:
        return [_failure(error)]


def _failure(error: BrokerError) -> Finding:
    what, _, remedy = str(error).partition("\n  remedy: ")
    return Finding(level="error", subject=_SUBJECT, text=what, remedy=remedy)


def _round_trips(broker: Broker, root: str) -> list[Finding]:
    """What works, and then what does not: one version can, although the other one cannot."""
    found, failed = [], []
    for protocol in broker.protocols:
        try:
            found.append(_round_trip(broker, protocol, root))
        except BrokerError as error:
            failed.append(_failure(error))
    return found + failed if found else failed[:1]


def _round_trip(broker: Broker, protocol: str, root: str) -> Finding:
    took_ns = check_endpoint(broker.endpoint(protocol), root=root)
    address = broker.addresses()[protocol]
    return Finding(
        level="ok",
        subject=_SUBJECT,
        text=f"{address} (MQTT {protocol}) delivers; one round trip took {took_ns / 1e6:.1f} ms",
    )


def _stated(facts: BrokerFacts) -> list[Finding]:
    name = [facts.version] if facts.version else []
    said = [f"{key}: {value}" for key, value in facts.texts().items()]
    return [Finding(level="ok", subject=_SUBJECT, text="; ".join([*name, *said]))]


def _tried(broker: Broker, root: str) -> list[Finding]:
    """What trying it out showed."""
    endpoint = broker.endpoint(broker.control_protocol)
    queue = try_queue(endpoint, root=root)
    delay_ns = try_delay(endpoint, root=root)
    short, held = queue.kept < queue.sent, delay_ns >= HELD_NS
    return [
        Finding(
            level="warning" if short else "ok",
            subject=_SUBJECT,
            text=f"{queue.kept} of {queue.sent} messages at QoS 1 reached a session that had been "
            "offline" + ("; the publisher got every acknowledgement" if short else ""),
            remedy="raise its queue limits (mosquitto: max_queued_messages 0), or expect losses "
            "after every outage"
            if short
            else "",
        ),
        Finding(
            level="warning" if held else "ok",
            subject=_SUBJECT,
            text=f"two small messages to a client that talks take {delay_ns / 1e6:.1f} ms"
            + (": Nagle's algorithm, or something like it, holds them back" if held else ""),
            remedy="turn it off at the broker (mosquitto: set_tcp_nodelay true), or count it in"
            if held
            else "",
        ),
    ]


def _traps(broker: Broker, facts: BrokerFacts, *, tried: bool = False) -> list[Finding]:
    """What is known to go wrong with such a broker, where it is not tried out."""
    found = []
    endpoint = broker.endpoint(broker.control_protocol)
    if facts.is_mosquitto and broker.kind == "external" and not tried:
        found += [
            Finding(
                level="warning",
                subject=_SUBJECT,
                text=f"{gap['text']}; whether this one still has its defaults is not visible",
                remedy=f"{gap['remedy']}; --thorough tries it out",
            )
            for gap in json.loads(resources.config_text("broker_gaps.json"))["mosquitto"]
        ]
    if facts.dropped:
        found.append(
            Finding(
                level="warning",
                subject=_SUBJECT,
                text=f"it has dropped {facts.dropped} messages since its start",
                remedy="raise its queue limits (mosquitto: max_queued_messages 0)",
            )
        )
    if endpoint.password is not None and endpoint.tls is None and not is_loopback(endpoint.host):
        found.append(
            Finding(
                level="warning",
                subject=_SUBJECT,
                text="user and password travel in clear text",
                remedy="use mqtts:// or wss:// if the broker has such a port",
            )
        )
    return found
