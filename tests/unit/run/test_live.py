"""Live events: bounded, numbered without gaps, and never in the way of the run."""

import json
import threading
from pathlib import Path
from typing import TextIO

from simulator.clock import SystemClock
from simulator.errors import BrokerUnreachableError
from simulator.run.live import EventWriter, LiveEvents
from simulator.run.observer import Silent, View

_NOTHING = View(running=None, clients=(), reconnects=0)


class Stuck:
    """A stream whose reader takes nothing until it is let go."""

    def __init__(self, kept: TextIO) -> None:
        self.free = threading.Event()
        self.kept = kept

    def write(self, text: str) -> int:
        self.free.wait(20)
        return self.kept.write(text)

    def flush(self) -> None:
        self.kept.flush()

    def close(self) -> None:
        self.kept.close()


def _read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_reader_that_stands_still_costs_progress_first_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "events"
    stuck = Stuck(path.open("w"))
    writer = EventWriter(stuck, SystemClock())  # type: ignore[arg-type]
    for _ in range(3000):
        writer.put("progress", {})
    for _ in range(3000):
        writer.put("sent", {})
    stuck.free.set()
    writer.close()

    events = _read(path)
    assert [each["n"] for each in events] == list(range(1, len(events) + 1))
    assert sum(each["type"] == "sent" for each in events) == 3000
    dropped = [each["dropped"] for each in events if "dropped" in each]
    assert sum(map(int, map(str, dropped))) == 6000 - len(events) > 0


def test_a_reader_that_went_away_changes_nothing(tmp_path: Path) -> None:
    stream = (tmp_path / "events").open("w")
    stream.close()
    writer = EventWriter(stream, SystemClock())
    for _ in range(10):
        writer.put("sent", {})
    writer.close()


def test_the_end_of_a_run_that_never_began_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "events"
    live = LiveEvents(Silent(), path.open("w"), SystemClock())
    live.phase("broker", "external")
    live.failed(BrokerUnreachableError("nobody answers"))
    live.failed(KeyboardInterrupt())
    live.close()

    phase, end = _read(path)
    assert (phase["type"], phase["name"], phase["n"]) == ("phase", "broker", 1)
    assert (end["type"], end["exit_code"], end["reason"]) == ("end", 106, "nobody answers")


def test_progress_is_told_four_times_a_second_at_most_and_only_if_something_changed(
    tmp_path: Path,
) -> None:
    path = tmp_path / "events"
    clock = _Clock()
    live = LiveEvents(Silent(), path.open("w"), clock)
    views = [_NOTHING, _NOTHING, View(running=None, clients=(), reconnects=1)]
    for seen in views:
        for _ in range(5):
            live.look(lambda seen=seen: seen)  # type: ignore[misc]
            clock.now_ns += 50_000_000
    live.close()

    assert [each["reconnects"] for each in _read(path)] == [0, 1]


class _Clock(SystemClock):
    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns
