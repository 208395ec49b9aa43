"""A run's live events folded into what a page needs to know when it comes late. Pure.

Rule of the module: the state is the latest of each kind; progress adds up by group, alerts sent are
kept by their number in the plan. Its size is bounded by the plan, never by the length of the run.
Bytes that came from the run are handed on as they came.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Final

Event = dict[str, Any]
_ONCE: Final = ("plan", "begun", "broker", "directory", "end")
_MOST_PHASES: Final = 64


class FoldError(ValueError):
    """A line that is no event."""


@dataclass(slots=True)
class Fold:
    """What is known of a run from its events.

    Attributes:
        number: of the last event, 0 before the first.
        dropped: events that the run says it had to drop.
    """

    number: int = 0
    dropped: int = 0
    _raw: dict[str, bytes] = field(default_factory=dict)
    _events: dict[str, Event] = field(default_factory=dict)
    _phases: list[bytes] = field(default_factory=list)
    _sent: dict[int, bytes] = field(default_factory=dict)
    _progress: Event = field(default_factory=dict)
    _groups: dict[tuple[str, str, int], Event] = field(default_factory=dict)
    _snapshot: tuple[int, bytes] | None = None

    def add(self, line: bytes) -> Event:
        """Take the next event.

        Returns:
            The event.

        Raises:
            FoldError: if the line is none.
        """
        event = _parsed(line)
        try:
            self._take(event, line)
        except (KeyError, TypeError, AttributeError) as error:
            raise FoldError(f"not an event of this kind: {error!r}") from None
        return event

    def _take(self, event: Event, line: bytes) -> None:
        kind = event["type"]
        self.number = event["n"]
        self.dropped += event.get("dropped", 0)
        if kind in _ONCE:
            self._raw[kind], self._events[kind] = line, event
        elif kind == "phase":
            self._phases.append(line)
            del self._phases[:-_MOST_PHASES]
        elif kind == "sent":
            self._sent[event["alert"]] = line
        elif kind == "progress":
            self._progress = event
            for group in event.get("groups", ()):
                key = (group["prefecture"], group["event"], group["qos"])
                self._groups[key] = group

    def last(self, kind: str) -> Event | None:
        """The latest plan, begun, broker, directory, progress or end; None if there was none."""
        if kind == "progress":
            return self._progress or None
        return self._events.get(kind)

    def groups(self) -> list[Event]:
        """Every group of the latest progress, whichever event told it last."""
        return list(self._groups.values())

    def snapshot(self) -> bytes:
        """Everything so far as one JSON document, made once for each state."""
        if self._snapshot is None or self._snapshot[0] != self.number:
            self._snapshot = (self.number, self._made())
        return self._snapshot[1]

    def _made(self) -> bytes:
        progress = json.dumps(
            self._progress | {"groups": self.groups()}, ensure_ascii=False, separators=(",", ":")
        )
        parts = {
            "n": b"%d" % self.number,
            "dropped": b"%d" % self.dropped,
            **{kind: self._raw.get(kind, b"null") for kind in _ONCE},
            "phases": b"[" + b",".join(self._phases) + b"]",
            "sent": b"[" + b",".join(self._sent.values()) + b"]",
            "progress": progress.encode() if self._progress else b"null",
        }
        body = b",".join(b'"%s":%s' % (name.encode(), text) for name, text in parts.items())
        return b'{"type":"snapshot",' + body + b"}"


def _parsed(line: bytes) -> Event:
    try:
        event = json.loads(line)
    except ValueError as error:
        raise FoldError(f"not JSON: {error}") from None
    if not isinstance(event, dict) or not isinstance(event.get("type"), str):
        raise FoldError("not an event: it has no type")
    if not isinstance(event.get("n"), int):
        raise FoldError("not an event: it has no number")
    return event
