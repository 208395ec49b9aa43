"""A broker that is not ours: asked now and then, and shown as it is."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulator.clock import SystemClock
from simulator.delivery.brokers.ports import pick_ports
from simulator.delivery.runtime_file import RuntimeFile
from simulator.service.broker import BrokerKeeper

LET_IN = b"\x20\x02\x00\x00"  # CONNACK of MQTT 3.1.1
REFUSED = b"\x20\x02\x00\x05"


@asynccontextmanager
async def _listening(port: int, answer: bytes) -> AsyncIterator[None]:
    """Somebody who answers every CONNECT with this, or with nothing."""

    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            writer.write(answer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(served, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()


class _Kept:
    """A keeper of a broker given by its address, and when what it says is another thing."""

    def __init__(self, port: int) -> None:
        self.changes = 0
        self._changed = asyncio.Event()
        url = f"mqtt://somebody:a-password@127.0.0.1:{port}?protocol=3.1.1"
        self.keeper = BrokerKeeper(url, SystemClock(), self._note)

    def _note(self) -> None:
        self.changes += 1
        self._changed.set()

    async def change(self) -> None:
        async with asyncio.timeout(30):
            await self._changed.wait()
        self._changed.clear()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_ASK_S", "_ASK_AGAIN_S"):
        monkeypatch.setattr(f"simulator.service.broker.{name}", 0.02)


@pytest.mark.usefixtures("quick")
async def test_a_broker_elsewhere_goes_and_comes_back() -> None:
    (port,) = pick_ports([18_830], given=False)
    kept = _Kept(port)
    async with _listening(port, LET_IN):
        await kept.keeper.start()
        assert kept.keeper.info().alive
    await kept.change()
    down = kept.keeper.info()
    assert not down.alive
    assert f"127.0.0.1:{port}" in down.reason
    assert "a-password" not in down.model_dump_json()
    async with _listening(port, LET_IN):
        await kept.change()
        assert kept.keeper.info().alive
        assert kept.keeper.info().reason == ""
        await kept.keeper.stop()
    assert kept.changes == 2


@pytest.mark.usefixtures("quick")
async def test_one_that_lets_nobody_in_is_known_when_the_service_is_up() -> None:
    (port,) = pick_ports([18_830], given=False)
    kept = _Kept(port)
    async with _listening(port, REFUSED):
        await kept.keeper.start()
        assert not kept.keeper.info().alive
        assert kept.keeper.down
        await kept.keeper.stop()


async def test_one_that_says_nothing_holds_up_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = pick_ports([18_830], given=False)
    kept = _Kept(port)
    monkeypatch.setattr("simulator.service.broker._ANSWER_S", 120.0)
    async with _listening(port, b""):
        starting = asyncio.create_task(kept.keeper.start())
        await asyncio.sleep(0.2)
        async with asyncio.timeout(10):
            await kept.keeper.stop()
            await starting
            await kept.keeper.stop()


async def test_a_look_that_fails_is_not_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.service.broker._LOOK_S", 0.001)
    keeper = BrokerKeeper("embedded", SystemClock(), lambda: None)
    looks = asyncio.Semaphore(0)

    def alive() -> str | None:
        looks.release()
        raise OSError("its folder was removed")

    monkeypatch.setattr(keeper._broker, "alive", alive)
    watching = asyncio.create_task(keeper._watch())
    async with asyncio.timeout(10):
        for _ in range(3):
            await looks.acquire()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other broker of ours is known."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.mark.usefixtures("quick", "alone")
async def test_one_of_another_process_is_found_again_on_its_new_ports() -> None:
    (first,) = pick_ports([18_830], given=False)
    told = asyncio.Event()
    keeper = BrokerKeeper("running", SystemClock(), told.set)
    entry = _announced(first)
    async with asyncio.timeout(60):
        async with _listening(first, LET_IN):
            await keeper.start()
            assert keeper.info().alive
        await told.wait()
        assert not keeper.info().alive
        entry.remove()
        told.clear()
        (second,) = pick_ports([18_840], given=False)
        async with _listening(second, LET_IN):
            entry = _announced(second)
            await told.wait()
            assert keeper.info().addresses["3.1.1"].endswith(f":{second}")
            await keeper.stop()
    entry.remove()


def _announced(port: int) -> RuntimeFile:
    return RuntimeFile.write(kind="mosquitto", ports={"3.1.1": port}, root="a", started_ns=1)


async def test_the_end_waits_for_a_broker_that_is_just_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeper = BrokerKeeper("embedded", SystemClock(), lambda: None)
    calls: list[str] = []
    starting, go_on = threading.Event(), threading.Event()

    def start() -> None:
        starting.set()
        assert go_on.wait(30)
        calls.append("started")

    monkeypatch.setattr(keeper._broker, "start", start)
    monkeypatch.setattr(keeper._broker, "stop", lambda: calls.append("stopped"))
    monkeypatch.setattr(keeper, "_down", "it died")
    keeper._task = asyncio.create_task(keeper._restart())
    assert await asyncio.to_thread(starting.wait, 30)

    stopping = asyncio.create_task(keeper.stop())
    await asyncio.sleep(0.05)
    go_on.set()
    async with asyncio.timeout(30):
        await stopping

    assert calls == ["stopped", "started", "stopped"]
