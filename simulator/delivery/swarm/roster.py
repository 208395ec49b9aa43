"""From an order to the worker's subscribers and probes, nobody connected yet.

Rule of the module: subscribers of one MQTT version share one memory of known frames.
"""

from simulator.delivery.messages import SwarmOrder
from simulator.delivery.swarm.probes import Probes
from simulator.delivery.swarm.recognise import FrameMemory
from simulator.delivery.swarm.subscriber import (
    PROBE,
    Subscriber,
    planned_connection,
    probe_connection,
)


def enlist(order: SwarmOrder) -> tuple[list[Subscriber], Probes]:
    """Make everybody whom the order names, and a probe for each MQTT version in use."""
    memories = {protocol: FrameMemory() for protocol in order.endpoints}
    subscribers = [
        Subscriber(
            planned.number,
            planned_connection(planned, order),
            memories[planned.protocol],
            planned.joins_ns,
            planned.conduct,
        )
        for planned in order.subscribers
    ]
    used = sorted({planned.protocol for planned in order.subscribers})
    probes = [
        Subscriber(PROBE, probe_connection(protocol, order), memories[protocol])
        for protocol in used or sorted(order.endpoints)
        if order.probe_topic
    ]
    return subscribers, Probes(probes)
