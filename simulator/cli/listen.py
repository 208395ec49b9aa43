"""What ``subscribe`` does: find a broker, listen, print, leave in order."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import aclosing
from zoneinfo import ZoneInfo

from simulator.cli.common import Output
from simulator.clock import SystemClock, clock_domain
from simulator.delivery.brokers import ExternalBroker
from simulator.delivery.hearing import Heard, HeardKind
from simulator.delivery.hearing_text import format_human, format_json
from simulator.delivery.listener import ListenOrder
from simulator.delivery.listener import listen as listen_to
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.runtime_file import running_brokers
from simulator.errors import BrokerUnreachableError, ConfigurationError, ExitCode
from simulator.randomness import Streams
from simulator.world.geography import prefecture


def listen(
    output: Output,
    *,
    prefectures: Sequence[str],
    everywhere: bool,
    broker: str | None,
    protocol: str,
    client_id: str | None,
    qos: int,
    count: int | None,
    root: str | None,
    allow_hosts: Sequence[str],
) -> None:
    """Listen until interrupted, or until ``count`` alerts came."""
    if everywhere == bool(prefectures):
        raise ConfigurationError(
            "say where to listen", field="--prefecture", remedy="--prefecture miyagi, or --all"
        )
    slugs = tuple(prefecture(name).slug for name in prefectures)
    endpoint, found_root = find_broker(broker, protocol, allow_hosts)
    order = ListenOrder(
        endpoint=endpoint,
        client_id=client_id or f"alertsim-subscribe-{os.getpid()}",
        prefectures=slugs,
        root=root or found_root,
        qos=qos,
        domain=clock_domain(),
    )
    output.start_log()
    try:
        asyncio.run(_listen(output, order, count))
    except asyncio.CancelledError:
        sys.exit(ExitCode.PASS)  # the way a listener ends: nothing was cut short


def find_broker(
    url: str | None, protocol: str, allow_hosts: Sequence[str]
) -> tuple[BrokerEndpoint, str]:
    """The broker to listen to, and its topic root.

    Args:
        url: ``mqtt://…``, or None for the newest broker of ours that runs on this host.
        protocol: MQTT version.
        allow_hosts: hosts other than this one that receipts may be published to.

    Raises:
        BrokerUnreachableError: if none was given and none runs.
    """
    if url is not None:
        return ExternalBroker(url, allow_hosts=allow_hosts).endpoint(protocol), "alertsim"
    running = running_brokers()
    if not running:
        raise BrokerUnreachableError(
            "no broker of alertsim runs on this host: start one in another terminal with "
            "`alertsim publish SCENARIO --wait-for-clients 1`, or give --broker mqtt://host:port"
        )
    newest = running[0]
    endpoint = BrokerEndpoint(host="127.0.0.1", port=newest.ports[protocol], protocol=protocol)
    return endpoint, newest.root


async def _listen(output: Output, order: ListenOrder, count: int | None) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
    where = f"{order.endpoint.host}:{order.endpoint.port} (MQTT {order.endpoint.protocol})"
    output.aside(f"listening at {where} as {order.client_id}; Ctrl-C ends")
    heard = 0
    zone = ZoneInfo("Asia/Tokyo")
    jitter = Streams(os.getpid()).stream("subscribe/reconnect")
    async with aclosing(listen_to(order, clock=SystemClock(), jitter=jitter)) as records:
        async for record in records:
            if isinstance(record, Heard) and record.repeats:
                continue
            if output.as_json:
                output.line(format_json(record))
            else:
                output.text(format_human(record, zone))
            heard += isinstance(record, Heard) and record.kind is HeardKind.ALERT
            if count is not None and heard >= count:
                return
