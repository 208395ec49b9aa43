"""Sharing a swarm out over several workers. Pure.

Rule of the module: every subscriber is in exactly one shard; shards differ by at most one
subscriber, and each has about the same mix of MQTT versions and places, because they are dealt out
version by version in the order of the plan.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from typing import Final

from simulator.delivery.messages import SwarmOrder
from simulator.delivery.room import Limits, check_descriptors, local_addresses

CONNECTIONS_PER_WORKER: Final = 2_500  # below it a second process costs more than it brings


def worker_count(connections: int, wanted: int | None, processors: int | None = None) -> int:
    """How many processes share the swarm.

    Args:
        connections: subscribers, controls included.
        wanted: as the user asked; None: by size and machine.
        processors: of this machine; None: ask the system.

    Returns:
        At least 1, and no more than there are connections.
    """
    if wanted is None:
        available = processors or os.cpu_count() or 1
        wanted = min(available, ceil(connections / CONNECTIONS_PER_WORKER))
    return max(1, min(wanted, connections))


def shards(whole: SwarmOrder, workers: int) -> tuple[SwarmOrder, ...]:
    """One order for each worker, numbered from 0.

    Args:
        whole: the order of one worker that had all subscribers.
        workers: how many share them; the ramp is shared too, at least one a second each.
    """
    rate, more = divmod(whole.ramp_per_s, workers)
    dealt = sorted(whole.subscribers, key=lambda subscriber: subscriber.protocol)
    return tuple(
        replace(
            whole,
            worker=worker,
            subscribers=tuple(sorted(dealt[worker::workers], key=lambda each: each.number)),
            ramp_per_s=max(1, rate + (worker < more)),
        )
        for worker in range(workers)
    )


def with_room(
    orders: Sequence[SwarmOrder], limits: Limits, *, own_broker: bool
) -> tuple[SwarmOrder, ...]:
    """The orders with the local addresses to connect from.

    Args:
        orders: of all workers, with the same endpoints.
        limits: of this machine.
        own_broker: whether the broker is a child of the run.

    Raises:
        ConfigurationError: if this machine has no room for them.
    """
    sizes = [len(order.subscribers) for order in orders]
    check_descriptors(sizes, limits, own_broker=own_broker)
    towards = Counter(
        (order.endpoints[each.protocol].host, order.endpoints[each.protocol].port)
        for order in orders
        for each in order.subscribers
    )
    sources = local_addresses(towards, limits)
    return tuple(replace(order, sources=sources) for order in orders)
