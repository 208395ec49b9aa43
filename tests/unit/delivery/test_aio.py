"""The adapter against a scripted broker: one that does what real ones do only when they fail."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from simulator.clock import ManualClock
from simulator.delivery.aio import Incoming, Will, connect
from simulator.delivery.messages import BrokerEndpoint
from simulator.errors import BrokerLostError, BrokerUnreachableError

CONNACK = bytes([0x20, 2, 0, 0])
CONNACK_5 = bytes([0x20, 3, 0, 0, 0])
SUBACK_TYPE, PUBLISH_TYPE, CONNECT_TYPE, DISCONNECT_TYPE = 8, 3, 1, 14
Packet = tuple[int, bytes]  # first byte, body
Script = Callable[[Packet], bytes | None]  # None: close the connection


class ScriptedBroker:
    """Reads whole MQTT packets, answers each as the script says, and keeps them all."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.packets: list[Packet] = []
        self.arrived = asyncio.Condition()
        self.port = 0
        self.open: dict[asyncio.StreamWriter, asyncio.Task[object] | None] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open[writer] = asyncio.current_task()
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                packet = await self._read(reader)
                async with self.arrived:
                    self.packets.append(packet)
                    self.arrived.notify_all()
                answer = self.script(packet)
                if answer is None:
                    break
                writer.write(answer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> Packet:
        first = (await reader.readexactly(1))[0]
        length, shift = 0, 0
        while True:
            byte = (await reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return first, await reader.readexactly(length)

    def endpoint(self, protocol: str = "3.1.1") -> BrokerEndpoint:
        return BrokerEndpoint(host="127.0.0.1", port=self.port, protocol=protocol)

    async def left(self) -> None:
        """Wait until every client has closed its end."""
        async with asyncio.timeout(5):
            await asyncio.gather(*(task for task in self.open.values() if task))

    async def until(self, kind: int, count: int) -> list[bytes]:
        def found() -> list[bytes]:
            return [body for first, body in self.packets if first >> 4 == kind]

        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: len(found()) >= count)
        return found()


@asynccontextmanager
async def scripted(script: Script) -> AsyncIterator[ScriptedBroker]:
    broker = ScriptedBroker(script)
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        for writer in broker.open:
            writer.close()
        await asyncio.gather(*(task for task in broker.open.values() if task))


def silent(packet: Packet) -> bytes:
    """Admit everybody and never acknowledge anything."""
    return CONNACK if packet[0] >> 4 == CONNECT_TYPE else b""


def publish(topic: bytes, payload: bytes, first: int = 0x30) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (b"\0\1" if first & 6 else b"") + payload
    return bytes([first, len(body)]) + body


async def within_5_s(awaitable: Awaitable[object]) -> object:
    async with asyncio.timeout(5):
        return await awaitable


CLOCK = ManualClock(monotonic=42)


async def test_a_thousand_unacknowledged_messages_are_not_held_back() -> None:
    async with scripted(silent) as broker, connect(broker.endpoint(), "a", clock=CLOCK) as out:
        sending = [asyncio.ensure_future(out.publish("t", b"x", qos=1)) for _ in range(1000)]
        await broker.until(PUBLISH_TYPE, 1000)
        assert not any(one.done() for one in sending)
        for one in sending:
            one.cancel()


async def test_no_acknowledgement_in_time_is_no_error() -> None:
    async with scripted(silent) as broker, connect(broker.endpoint(), "a", clock=CLOCK) as out:
        assert await within_5_s(out.publish("t", b"x", qos=1, timeout_s=0.05)) is False
        assert await within_5_s(out.publish("t", b"x", qos=0, timeout_s=0.05)) is True


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_nothing_we_send_carries_a_property(protocol: str) -> None:
    def admit(packet: Packet) -> bytes:
        connack = CONNACK_5 if protocol == "5" else CONNACK
        return connack if packet[0] >> 4 == CONNECT_TYPE else b""

    will = Will(topic="w", payload=b"gone")
    async with (
        scripted(admit) as broker,
        connect(broker.endpoint(protocol), "me", clock=CLOCK, will=will) as out,
    ):
        await out.publish("t", b"x")
        (sent,) = await broker.until(PUBLISH_TYPE, 1)
        (greeting,) = await broker.until(CONNECT_TYPE, 1)

    none = b"\0" if protocol == "5" else b""  # a property length of zero
    level = b"\5" if protocol == "5" else b"\4"
    # Clean, will retained at QoS 1, keep alive 60 s.
    assert greeting == (
        b"\0\4MQTT" + level + b"\x2e\0\x3c" + none + b"\0\2me" + none + b"\0\1w\0\4gone"
    )
    assert sent == b"\0\1t" + none + b"x"


async def test_messages_are_stamped_and_flagged_as_they_arrive() -> None:
    def script(packet: Packet) -> bytes:
        if packet[0] >> 4 == CONNECT_TYPE:
            return CONNACK + publish(b"a", b"1") + publish(b"b", b"2", 0x3B)
        return b""

    async with scripted(script) as broker, connect(broker.endpoint(), "a", clock=CLOCK) as link:
        messages = link.messages()
        found = [await within_5_s(anext(messages)) for _ in range(2)]

    plain = Incoming(topic="a", payload=b"1", qos=0, retain=False, dup=False, at_ns=42)
    kept = Incoming(topic="b", payload=b"2", qos=1, retain=True, dup=True, at_ns=42)
    assert found == [plain, kept]


async def test_a_reader_waits_for_what_is_to_come() -> None:
    def script(packet: Packet) -> bytes:
        return publish(b"a", b"echo") if packet[0] >> 4 == PUBLISH_TYPE else silent(packet)

    async with scripted(script) as broker, connect(broker.endpoint(), "a", clock=CLOCK) as link:
        reading = asyncio.ensure_future(anext(link.messages()))
        await asyncio.sleep(0)
        await link.publish("t", b"x")
        message = await within_5_s(reading)

    assert isinstance(message, Incoming)
    assert message.payload == b"echo"


async def test_what_arrived_before_a_loss_is_not_lost_with_it() -> None:
    def script(packet: Packet) -> bytes | None:
        if packet[0] >> 4 == CONNECT_TYPE:
            return CONNACK + publish(b"a", b"1") + publish(b"a", b"2") + publish(b"a", b"3")
        return None

    async with scripted(script) as broker, connect(broker.endpoint(), "a", clock=CLOCK) as link:
        with pytest.raises(BrokerLostError):
            await within_5_s(link.publish("t", b"x", qos=1))
        messages = link.messages()
        assert [(await anext(messages)).payload for _ in range(3)] == [b"1", b"2", b"3"]
        with pytest.raises(
            BrokerLostError, match=rf"127\.0\.0\.1:{broker.port} ended: it was closed"
        ):
            await anext(messages)
        with pytest.raises(BrokerLostError):
            await link.publish("t", b"x", qos=0)
        with pytest.raises(BrokerLostError):
            await link.subscribe([("t", 0)])


async def test_a_full_queue_counts_what_it_does_not_keep() -> None:
    flood = b"".join(publish(b"a", b"%03d" % number) for number in range(100))

    def script(packet: Packet) -> bytes | None:
        kind = packet[0] >> 4
        return CONNACK + flood if kind == CONNECT_TYPE else None if kind == PUBLISH_TYPE else b""

    async with (
        scripted(script) as broker,
        connect(broker.endpoint(), "a", clock=CLOCK, queue_limit=10) as link,
    ):
        with pytest.raises(BrokerLostError):  # the end comes after the flood
            await within_5_s(link.publish("t", b"x", qos=1))
        assert link.overflow == 90
        messages = link.messages()
        assert [(await anext(messages)).payload for _ in range(10)] == [
            b"%03d" % number for number in range(10)
        ]


@pytest.mark.parametrize(
    ("protocol", "connack", "reason"),
    [
        ("3.1.1", bytes([0x20, 2, 0, 5]), "refuses the connection.*Not authorized"),
        ("5", bytes([0x20, 3, 0, 0x86, 0]), "refuses the connection.*Bad user name or password"),
    ],
)
async def test_a_refused_connection_says_why(protocol: str, connack: bytes, reason: str) -> None:
    async with scripted(lambda _: connack) as broker:
        with pytest.raises(BrokerUnreachableError, match=reason):
            async with connect(broker.endpoint(protocol), "a", clock=CLOCK):
                pytest.fail("refused")


async def test_a_refused_subscription_names_its_filter() -> None:
    def script(packet: Packet) -> bytes:
        if packet[0] >> 4 == SUBACK_TYPE:
            return b"\x90\4" + packet[1][:2] + b"\0\x80"
        return silent(packet)

    async with scripted(script) as broker, connect(broker.endpoint(), "a", clock=CLOCK) as link:
        with pytest.raises(BrokerUnreachableError, match=r"subscription to secret/# .*0x80"):
            await within_5_s(link.subscribe([("open", 0), ("secret/#", 1)]))


@pytest.mark.parametrize("answer", [b"", None, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_what_is_no_broker_is_unreachable(answer: bytes | None) -> None:
    async with scripted(lambda _: answer) as broker:
        with pytest.raises(
            BrokerUnreachableError, match=f"no MQTT broker answers at .*{broker.port}"
        ):
            async with connect(broker.endpoint(), "a", clock=CLOCK, timeout_s=0.2):
                pytest.fail("nobody answers")
        await broker.left()


@pytest.mark.parametrize("host", ["127.0.0.1", "no-such-host.invalid", "a" * 300])
async def test_nobody_there_is_unreachable(host: str) -> None:
    endpoint = BrokerEndpoint(host=host, port=1, protocol="3.1.1")
    with pytest.raises(BrokerUnreachableError, match=host):
        async with connect(endpoint, "a", clock=CLOCK):
            pytest.fail("nobody is there")


async def test_cancelled_while_connecting_it_leaves_nothing_open() -> None:
    async with scripted(lambda _: b"") as broker:

        async def wait() -> None:
            async with connect(broker.endpoint(), "a", clock=CLOCK, timeout_s=0.5):
                pytest.fail("nobody answers")

        waiting = asyncio.ensure_future(wait())
        await broker.until(CONNECT_TYPE, 1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await within_5_s(waiting)
        await broker.left()


async def test_leaving_says_goodbye() -> None:
    async with scripted(silent) as broker:
        async with connect(broker.endpoint(), "a", clock=CLOCK):
            pass
        await broker.left()
        assert await broker.until(DISCONNECT_TYPE, 1) == [b""]
