"""A listener that does not answer is dead, unless the broker is only busy."""

import threading
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from simulator.clock import ManualClock
from simulator.delivery.messages import BrokerEndpoint
from simulator.errors import AbortedError, BrokerLostError, BrokerUnreachableError
from simulator.run import listeners
from simulator.run.listeners import PATIENCE_NS, check_listener

ENDPOINT = BrokerEndpoint(host="127.0.0.1", port=1883, protocol="3.1.1")


class Answers:
    """Stands where the question is asked; a second passes with each."""

    def __init__(self, clock: ManualClock, failures: int, error: type[Exception]) -> None:
        self.clock, self.failures, self.error, self.asked = clock, failures, error, 0

    def __call__(self, *_: object, **__: object) -> int:
        self.asked += 1
        self.clock.advance(1_000_000_000)
        if self.asked <= self.failures:
            raise self.error("no answer")
        return 1


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    async def asking(
        failures: int,
        seen: Iterator[int],
        error: type[Exception] = BrokerUnreachableError,
    ) -> Answers:
        clock = ManualClock()
        answers = Answers(clock, failures, error)
        monkeypatch.setattr(listeners, "check_endpoint", answers)
        await check_listener(
            ENDPOINT, root="r", clock=clock, stop=threading.Event(), seen=lambda: next(seen)
        )
        return answers

    return asking


async def test_an_answer_is_enough(ask: Callable[..., object]) -> None:
    assert (await ask(0, count())).asked == 1  # type: ignore[misc]


async def test_silence_while_deliveries_arrive_is_asked_again(ask: Callable[..., object]) -> None:
    assert (await ask(3, count())).asked == 4  # type: ignore[misc]


async def test_silence_while_nothing_arrives_is_a_death(ask: Callable[..., object]) -> None:
    with pytest.raises(BrokerLostError, match=r"MQTT 3\.1\.1 listener died: no answer"):
        await ask(1, iter(lambda: 7, 8))  # type: ignore[misc]


async def test_patience_ends(ask: Callable[..., object]) -> None:
    with pytest.raises(BrokerLostError):
        await ask(PATIENCE_NS // 1_000_000_000 + 1, count())  # type: ignore[misc]


async def test_an_abort_is_no_death(ask: Callable[..., object]) -> None:
    with pytest.raises(AbortedError):
        await ask(1, count(), AbortedError)  # type: ignore[misc]
