"""Other people's clients as subscribers at low load: one process, one loop, a stamp per message.

Rule of the module: each client is used as its own documentation shows it, and stamps a message when
that client hands it over, on the monotonic clock. The functions run in child processes.
"""

import array
import asyncio
import selectors
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from typing import Final

from gmqtt import Client as GmqttClient
from gmqtt.mqtt.constants import MQTTv311
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from benchmarks.harness import CLOCK, BenchmarkError
from benchmarks.peers import ReadAll, ReaderOrder
from simulator.delivery.messages import Ended, Ready, Stop
from simulator.delivery.vitals import raise_descriptor_limit
from simulator.units import NS_PER_S

_ID_BYTES: Final = 96  # of a payload: its identifier stands there
_SELECT_S: Final = 0.1
_START_NS: Final = 60 * NS_PER_S


@dataclass(slots=True)
class _Seen:
    """Stamps and the beginnings of payloads, in order of arrival."""

    stamps: "array.array[int]" = field(default_factory=lambda: array.array("q"))
    beginnings: list[bytes] = field(default_factory=list)

    def note(self, payload: bytes) -> None:
        self.stamps.append(CLOCK.monotonic_ns())
        self.beginnings.append(payload[:_ID_BYTES])

    def report(self) -> ReadAll:
        return ReadAll(
            count=len(self.stamps),
            last_ns=self.stamps[-1] if self.stamps else 0,
            stamps=self.stamps.tobytes(),
            beginnings=tuple(self.beginnings),
        )


# --- paho, its sockets in one selector --------------------------------------------------------


def paho_main(pipe: Pipe, order: ReaderOrder) -> None:
    """One paho client per subscriber, driven by ``loop_read`` and ``loop_write``."""
    raise_descriptor_limit()
    seen, selector = _Seen(), selectors.DefaultSelector()
    for name in order.clients:  # one after the other: connecting is not measured
        _paho_client(name, order, seen, selector)
    pipe.send(Ready(connections=len(order.clients)))
    selector.register(pipe, selectors.EVENT_READ, None)
    told = False
    while True:
        for key, _ in selector.select(_SELECT_S):
            if key.data is None:
                if isinstance(pipe.recv(), Stop):
                    pipe.send(Ended(name="paho"))
                    return
            else:
                _turn(key.data)
        if not told and len(seen.stamps) == order.messages * len(order.clients):
            told = True
            pipe.send(seen.report())


def _paho_client(
    name: str, order: ReaderOrder, seen: _Seen, selector: selectors.BaseSelector
) -> None:
    subscribed: list[bool] = []

    def on_connect(client: PahoClient, *_: object) -> None:
        client.subscribe(list(order.filters))

    def on_message(_client: PahoClient, _userdata: object, message: MQTTMessage) -> None:
        seen.note(bytes(message.payload))

    client = PahoClient(
        CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv311
    )
    client.on_connect, client.on_message = on_connect, on_message
    client.on_subscribe = lambda *_: subscribed.append(True)
    client.connect(order.endpoint.host, order.endpoint.port, keepalive=order.keep_alive_s)
    line = client.socket()
    if line is None:
        raise BenchmarkError(f"paho: {name} has no socket")
    selector.register(line.fileno(), selectors.EVENT_READ, client)
    deadline_ns = CLOCK.monotonic_ns() + _START_NS
    while not subscribed:
        if CLOCK.monotonic_ns() > deadline_ns:
            raise BenchmarkError(f"paho: {name} is not subscribed in time")
        if client.want_write():
            client.loop_write()
        for key, _ in selector.select(_SELECT_S):
            _turn(key.data)


def _turn(client: PahoClient) -> None:
    if client.loop_read() is not MQTTErrorCode.MQTT_ERR_SUCCESS:
        raise BenchmarkError("paho lost its connection")
    if client.want_write():
        client.loop_write()


# --- gmqtt ------------------------------------------------------------------------------------


def gmqtt_main(pipe: Pipe, order: ReaderOrder) -> None:
    """One gmqtt client per subscriber in one event loop."""
    raise_descriptor_limit()
    asyncio.run(_gmqtt(pipe, order))


async def _gmqtt(pipe: Pipe, order: ReaderOrder) -> None:
    seen, over = _Seen(), asyncio.Event()
    expected = order.messages * len(order.clients)

    def on_message(_client: object, _topic: str, payload: bytes, *_: object) -> int:
        seen.note(bytes(payload))
        if len(seen.stamps) == expected:
            pipe.send(seen.report())
        return 0

    def told() -> None:
        if isinstance(pipe.recv(), Stop):
            over.set()

    clients = []
    for name in order.clients:
        client = GmqttClient(name)
        subscribed = asyncio.Event()
        client.on_message = on_message
        client.on_subscribe = lambda *_, event=subscribed: event.set()
        await client.connect(
            order.endpoint.host,
            order.endpoint.port,
            keepalive=order.keep_alive_s,
            version=MQTTv311,
        )
        for topic_filter, qos in order.filters:
            client.subscribe(topic_filter, qos=qos)
        async with asyncio.timeout(_START_NS / NS_PER_S):
            await subscribed.wait()
        clients.append(client)
    asyncio.get_running_loop().add_reader(pipe.fileno(), told)
    pipe.send(Ready(connections=len(clients)))
    await over.wait()
    for client in clients:
        await client.disconnect()
    pipe.send(Ended(name="gmqtt"))
