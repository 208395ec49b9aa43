"""A signal at each stage of a run."""

import asyncio
import signal

import pytest

from simulator.run.interrupt import Interrupts


def test_at_first_it_is_a_keyboard_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), Interrupts().installed():
        signal.raise_signal(signal.SIGTERM)


def test_held_it_waits_for_the_loop_then_it_aborts_then_it_is_ignored() -> None:
    interrupts, heard = Interrupts(), list[str]()

    async def run() -> None:
        interrupts.begin(heard.append)
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(0)
        interrupts.end()

    before = signal.getsignal(signal.SIGTERM)
    with interrupts.installed():
        interrupts.hold()
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        asyncio.run(run())
        signal.raise_signal(signal.SIGTERM)
    assert heard == ["ended by SIGTERM", "ended by SIGINT"]
    assert signal.getsignal(signal.SIGTERM) is before


async def test_outside_the_main_thread_nothing_is_installed() -> None:
    def inside() -> object:
        with Interrupts().installed():
            return signal.getsignal(signal.SIGINT)

    assert await asyncio.to_thread(inside) is signal.getsignal(signal.SIGINT)
