"""Clients on another clock: a time namespace, where the true offset is known exactly."""

import sys
from pathlib import Path

import pytest

from simulator.delivery.brokers.base import Broker
from simulator.delivery.registry import ForeignClient
from simulator.measure.receipts import ReceiptFlag
from simulator.units import NS_PER_MS, NS_PER_S
from tests.broker.foreign import CLOCK, MakePlay, on_duty, play_on, reach, running
from tests.broker.hosts import another_host, forwarding

pytestmark = pytest.mark.netns
AHEAD_S = 12_345
BEHIND_S = -20  # no clock can be set to before the host's start
A_YEAR_S = 365 * 86_400
PAHO = str(Path(__file__).parents[2] / "docs/examples/receipt_client_paho.py")
LISTENER = """
import asyncio, sys
from contextlib import aclosing
from simulator.clock import SystemClock, clock_domain
from simulator.delivery.listener import ListenOrder, listen
from simulator.delivery.messages import BrokerEndpoint
from simulator.randomness import Streams

async def main(host, port, prefecture):
    order = ListenOrder(
        endpoint=BrokerEndpoint(host=host, port=int(port), protocol="3.1.1"),
        client_id="ear", prefectures=(prefecture,), domain=clock_domain(),
    )
    async with aclosing(listen(order, clock=SystemClock(), jitter=Streams(1).stream("x"))) as all:
        async for _ in all:
            pass

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("program", "ahead_s"),
    [
        pytest.param([PAHO], AHEAD_S, id="example on paho, ahead"),
        pytest.param([PAHO], BEHIND_S, id="example on paho, behind"),
        pytest.param([PAHO], 1, id="example on paho, by a second"),
        pytest.param([PAHO], A_YEAR_S, id="example on paho, by a year"),
        pytest.param(["-c", LISTENER], AHEAD_S, id="alertsim subscribe, ahead"),
        pytest.param(["-c", LISTENER], BEHIND_S, id="alertsim subscribe, behind"),
    ],
)
async def test_the_true_offset_lies_inside_the_stated_bound(
    embedded: Broker, make_play: MakePlay, program: list[str], ahead_s: int
) -> None:
    endpoint = embedded.endpoint("3.1.1")
    identifiers = {one.identifier: one.number for one in make_play(repeat=5).schedule}
    registered: list[ForeignClient] = []
    elsewhere = ["unshare", "--time", "--monotonic", str(ahead_s), "--fork", "--kill-child"]
    command = [*elsewhere, sys.executable, *program, endpoint.host, str(endpoint.port), "miyagi"]
    async with on_duty(embedded, identifiers, registered) as service:
        registry = service.registry
        with running(*command):
            await reach(lambda: registry.online, 1)
            await play_on(embedded, make_play, registry, repeat=5)
            await reach(lambda: registry.receipts, 10)
        assert registry.take_receipts().rows.tolist() == []  # not before all evidence is in
        rows = registry.settle().rows.tolist()

    (client,) = registered
    assert client.clock is not None
    assert registry.refused == {}
    if program[0] == "-c":  # hearing that the sender's clock is another, it asks for the time
        answered = registry._clients["ear"].reporter.answered
        assert answered
        assert answered[0] >= 1
    assert len(rows) == 10
    sent = registry._rows._sent
    for _, alert, received_ns, uncertainty_ns, handled_ns, flags in rows:
        assert flags == ReceiptFlag.USER_STAMP
        # Not the hours between the two clocks, but what a loopback interface takes.
        assert 0 <= received_ns - uncertainty_ns - sent[alert] <= NS_PER_S
        assert 0 < uncertainty_ns < NS_PER_S
        assert received_ns <= handled_ns
    bound = registry.offset(client.client, min(sent.values()), max(sent.values()))
    assert bound is not None
    assert bound.low_ns <= -ahead_s * NS_PER_S <= bound.high_ns
    assert bound.width_ns < NS_PER_S


@pytest.mark.parametrize(
    ("ahead_s", "there_ms", "back_ms"), [(AHEAD_S, 0, 0), (-15, 30, 3), (86_400, 3, 30)]
)
async def test_between_hosts_delays_need_not_be_equal_for_the_bound_to_hold(
    embedded: Broker, make_play: MakePlay, ahead_s: int, there_ms: int, back_ms: int
) -> None:
    identifiers = {one.identifier: one.number for one in make_play(repeat=5).schedule}
    began_ns = CLOCK.monotonic_ns()
    way = {"there_s": there_ms / 1000, "back_s": back_ms / 1000}
    with another_host(ahead_s) as host:
        async with (
            forwarding(host.ours, embedded.endpoint("3.1.1").port, **way) as (port, peers),
            on_duty(embedded, identifiers, []) as service,
        ):
            registry = service.registry
            command = [*host.enter, sys.executable, "-c", LISTENER]
            with running(*command, host.ours, str(port), "miyagi"):
                await reach(lambda: registry.online, 1)
                await play_on(embedded, make_play, registry, repeat=5)
                await reach(lambda: registry.receipts, 10)
            rows = registry.settle().rows.tolist()

    assert peers == {host.theirs}  # from an address of its own
    assert registry.refused == {}
    (known,) = registry.clocks(began_ns, CLOCK.monotonic_ns())
    assert known.estimate is not None
    bound = known.estimate.bound
    # The true offset is inside, and no more is claimed than the delays allow to be known.
    assert bound.low_ns <= -ahead_s * NS_PER_S <= bound.high_ns
    assert bound.width_ns >= (there_ms + back_ms) * NS_PER_MS
    assert len(rows) == known.one_way == 10
    sent = registry._rows._sent
    for _, alert, received_ns, uncertainty_ns, _, flags in rows:
        assert flags == ReceiptFlag.USER_STAMP
        # What the way back took is inside too: the alert was under way at least so long.
        assert received_ns >= sent[alert] + back_ms * NS_PER_MS
        assert 0 < uncertainty_ns < NS_PER_S
