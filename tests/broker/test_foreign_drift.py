"""A client whose clock runs at another rate, or is stepped: the truth is known, it is injected."""

import asyncio
from contextlib import aclosing, suppress
from fractions import Fraction

import pytest

from simulator.clock import SystemClock
from simulator.delivery.brokers.base import Broker
from simulator.delivery.hearing import Heard, HeardKind
from simulator.delivery.listener import ListenOrder, listen
from simulator.delivery.registry import ForeignClient
from simulator.measure.receipts import ReceiptFlag
from simulator.randomness import Streams
from simulator.units import NS_PER_S
from tests.broker.foreign import MakePlay, on_duty, play_on, reach

ELSEWHERE = "another-host/1"
MILLION = 1_000_000


class DriftingClock(SystemClock):
    """This host's clock, gaining on it at a constant rate from the first look, and stepped."""

    def __init__(self, *, ahead_ns: int, gains_ppm: int) -> None:
        self._start_ns = super().monotonic_ns()
        self._ahead_ns = ahead_ns
        self._rate = Fraction(MILLION + gains_ppm, MILLION)

    def monotonic_ns(self) -> int:
        return self.at(super().monotonic_ns())

    def at(self, ours_ns: int) -> int:
        """What it shows at an instant of our clock."""
        gone = (ours_ns - self._start_ns) * self._rate
        return self._start_ns + self._ahead_ns + gone.__floor__()

    def ours(self, theirs_ns: int) -> int:
        """The instant of our clock at which it shows this."""
        return (
            self._start_ns
            + ((theirs_ns - self._start_ns - self._ahead_ns) / self._rate).__floor__()
        )

    def step(self, by_ns: int) -> None:
        self._ahead_ns += by_ns


async def hear(broker: Broker, clock: SystemClock, heard: dict[str, int]) -> None:
    """A client that notes the stamp of each alert it reports."""
    order = ListenOrder(
        endpoint=broker.endpoint("3.1.1"),
        client_id="ear",
        prefectures=("miyagi",),
        domain=ELSEWHERE,
    )
    jitter = Streams(1).stream("ear")
    async with aclosing(listen(order, clock=clock, jitter=jitter)) as records:
        async for record in records:
            if isinstance(record, Heard) and record.message and record.kind is HeardKind.ALERT:
                heard[record.message.identifier] = record.arrival.received_ns


@pytest.mark.parametrize("gains_ppm", [200, -200, 900])
async def test_a_drifting_clock_is_bounded_and_so_is_every_reception(
    embedded: Broker, make_play: MakePlay, gains_ppm: int
) -> None:
    clock = DriftingClock(ahead_ns=-7 * NS_PER_S, gains_ppm=gains_ppm)
    identifiers = {one.identifier: one.number for one in make_play(repeat=10).schedule}
    registered: list[ForeignClient] = []
    heard: dict[str, int] = {}
    began_ns = SystemClock().monotonic_ns()
    async with on_duty(embedded, identifiers, registered) as service:
        registry = service.registry
        listening = asyncio.ensure_future(hear(embedded, clock, heard))
        await reach(lambda: registry.online, 1)
        await play_on(embedded, make_play, registry, repeat=10)
        await reach(lambda: registry.receipts, 20)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        rows = registry.settle().rows.tolist()

    assert registry.refused == {}
    truth = {identifiers[one]: clock.ours(theirs_ns) for one, theirs_ns in heard.items()}
    assert len(rows) == 20
    for _, alert, received_ns, uncertainty_ns, _, flags in rows:
        assert flags == ReceiptFlag.USER_STAMP
        assert received_ns - uncertainty_ns - 1 <= truth[alert] <= received_ns + 1

    now_ns = SystemClock().monotonic_ns()
    (known,) = registry.clocks(began_ns, now_ns)
    assert known.one_way == 20
    assert known.estimate is not None
    offset_ns = known.estimate.at_ns - clock.at(known.estimate.at_ns)
    assert known.estimate.bound.low_ns <= offset_ns <= known.estimate.bound.high_ns
    assert known.estimate.drift_low_ppm <= gains_ppm <= known.estimate.drift_high_ppm


async def test_a_client_whose_clock_is_stepped_has_no_one_way_figure(
    embedded: Broker, make_play: MakePlay
) -> None:
    clock = DriftingClock(ahead_ns=0, gains_ppm=0)
    identifiers = {one.identifier: one.number for one in make_play(repeat=10).schedule}
    heard: dict[str, int] = {}
    async with on_duty(embedded, identifiers, []) as service:
        registry = service.registry
        listening = asyncio.ensure_future(hear(embedded, clock, heard))
        await reach(lambda: registry.online, 1)
        playing = asyncio.ensure_future(play_on(embedded, make_play, registry, repeat=10))
        await reach(lambda: registry.receipts, 6)
        clock.step(3600 * NS_PER_S)
        await playing
        await reach(lambda: registry.receipts, 20)
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening
        rows = registry.settle().rows.tolist()

    assert len(rows) == 20
    assert {row[-1] for row in rows} == {ReceiptFlag.ROUND_TRIP}
    assert registry.refused == {"impossible stamp": 20}
    (known,) = registry.clocks(0, SystemClock().monotonic_ns())
    assert (known.estimate, known.one_way) == (None, 0)
