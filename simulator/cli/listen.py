"""What ``subscribe`` does: find a broker, listen, print, leave in order."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from simulator.cli.common import Output
from simulator.clock import SystemClock, clock_domain
from simulator.delivery.brokers import STARTED, ExternalBroker, access_of
from simulator.delivery.hearing import Heard, HeardKind
from simulator.delivery.hearing_text import format_human, format_json
from simulator.delivery.listener import ListenOrder
from simulator.delivery.listener import listen as listen_to
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.runtime_file import running_brokers
from simulator.errors import BrokerUnreachableError, ConfigurationError, ExitCode
from simulator.randomness import Streams
from simulator.settings import RunSettings, load_settings
from simulator.units import NS_PER_S, parse_duration
from simulator.world.geography import prefecture


def listen(
    output: Output,
    *,
    prefectures: Sequence[str],
    everywhere: bool,
    protocol: str,
    client_id: str | None,
    qos: int,
    count: int | None,
    timeout: str | None,
    settings: Mapping[str, object],
    config: Path | None,
) -> None:
    """Listen until interrupted, until ``count`` alerts came, or until the time is up."""
    if everywhere and prefectures:
        raise ConfigurationError(
            "both --all and --prefecture were given", field="--all", remedy="leave one of them out"
        )
    if not everywhere and not prefectures:
        raise ConfigurationError(
            "say where to listen", field="--prefecture", remedy="--prefecture miyagi, or --all"
        )
    slugs = tuple(prefecture(name).slug for name in prefectures)
    limit_ns = None if timeout is None else _duration(timeout)
    chosen = load_settings(settings, config)
    endpoint, found_root = find_broker(chosen, protocol)
    order = ListenOrder(
        endpoint=endpoint,
        client_id=client_id or f"alertsim-subscribe-{os.getpid()}",
        prefectures=slugs,
        root=found_root,
        qos=qos,
        domain=clock_domain(),
    )
    output.start_log()
    heard = HeardCount()
    try:
        asyncio.run(_listen(output, order, count, limit_ns, heard))
    except asyncio.CancelledError:
        # Ctrl-C is the way an endless listener ends; one that was to count has been cut short.
        sys.exit(ExitCode.PASS if count is None else ExitCode.ABORTED)
    if not heard.connected:
        raise BrokerUnreachableError(
            f"{_where(order)}: not connected within {timeout}, the whole time that --timeout "
            "allows\n  remedy: is the broker running, and is this its address and port, mqtt:// "
            "or mqtts://?"
        )
    if count is not None and heard.alerts < count:
        output.aside(f"{heard.alerts} of {count} alerts came in time")
        sys.exit(ExitCode.THRESHOLD_FAILED)


@dataclass(slots=True)
class HeardCount:
    """How many live alerts came, and whether any could have come."""

    alerts: int = 0
    connected: bool = False


def _duration(text: str) -> int:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(
            str(error), field="--timeout", value=repr(text), remedy="write for example 60s"
        ) from None


def find_broker(settings: RunSettings, protocol: str) -> tuple[BrokerEndpoint, str]:
    """The broker to listen to, and its topic root.

    Args:
        settings: ``broker`` (a URL; otherwise the newest broker of ours that runs here), ``root``
            and ``allow_hosts`` (receipts are published, so another host needs to be allowed).
        protocol: MQTT version.

    Raises:
        BrokerUnreachableError: if none was given and none runs.
    """
    if settings.broker not in STARTED:
        broker = ExternalBroker(
            settings.broker, allow_hosts=settings.allow_hosts, access=access_of(settings)
        )
        return broker.endpoint(protocol), settings.root
    running = running_brokers()
    if not running:
        raise BrokerUnreachableError(
            "no broker of alertsim runs on this host: start one in another terminal with "
            "`alertsim publish SCENARIO --wait-for-clients 1`, or give --broker mqtt://host:port"
        )
    newest = running[0]
    if protocol not in newest.ports:
        raise ConfigurationError(
            f"the {newest.kind} broker that runs here does not speak this MQTT version",
            field="--protocol",
            value=protocol,
            remedy=f"use --protocol {' or '.join(newest.ports)}",
        )
    endpoint = BrokerEndpoint(host="127.0.0.1", port=newest.ports[protocol], protocol=protocol)
    default = RunSettings.model_fields["root"].default
    return endpoint, newest.root if settings.root == default else settings.root


def _where(order: ListenOrder) -> str:
    return f"{order.endpoint.host}:{order.endpoint.port} (MQTT {order.endpoint.protocol})"


async def _listen(
    output: Output, order: ListenOrder, count: int | None, limit_ns: int | None, heard: HeardCount
) -> None:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
    limit_s = None if limit_ns is None else limit_ns / NS_PER_S
    with suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            await _hear(output, order, count, heard)


async def _hear(output: Output, order: ListenOrder, count: int | None, heard: HeardCount) -> None:
    zone = ZoneInfo("Asia/Tokyo")
    jitter = Streams(os.getpid()).stream("subscribe/reconnect")
    async with aclosing(listen_to(order, clock=SystemClock(), jitter=jitter)) as records:
        async for record in records:
            if not heard.connected:  # the first record says that we listen
                heard.connected = True
                output.aside(f"listening at {_where(order)} as {order.client_id}; Ctrl-C ends")
            if isinstance(record, Heard) and record.repeats:
                continue
            if output.as_json:
                output.line(format_json(record))
            else:
                output.text(format_human(record, zone))
            heard.alerts += isinstance(record, Heard) and record.kind is HeardKind.ALERT
            if count is not None and heard.alerts >= count:
                return
