"""What a play says on standard error, read while it goes on.

Rule of the module: reading only; a line that is half written is left for the next time.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SentAlert:
    """An alert that was sent.

    Attributes:
        identifier: CloudEvents id, CAP identifier.
        prefecture: slug.
        event: ``launch``, ``passage``, ``correction`` …
    """

    identifier: str
    prefecture: str
    event: str

    def __str__(self) -> str:
        return f"{self.event} to {self.prefecture}"


class Said:
    """The log of a play.

    Args:
        path: file that takes its standard error, JSON Lines with plain lines between them.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def sent(self) -> tuple[SentAlert, ...]:
        """Alerts sent so far, in order."""
        found: list[SentAlert] = []
        for entry in self._entries():
            if entry.get("event") == "alert sent":
                *_, prefecture, event = str(entry["topic"]).split("/")
                found.append(
                    SentAlert(
                        identifier=str(entry["identifier"]), prefecture=prefecture, event=event
                    )
                )
        return tuple(found)

    def phase(self) -> str:
        """The last phase that began."""
        phases = [entry for entry in self._entries() if entry.get("event") == "phase"]
        if not phases:
            return "its start"
        return f"{phases[-1]['phase']} {phases[-1]['detail']}".rstrip()

    def complaint(self) -> str:
        """What it said in plain words: the error and its remedy; empty if nothing."""
        plain = [line for line in self._lines() if not line.startswith("{")]
        return "".join(f"\n  {line}" for line in plain)

    def _entries(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._lines() if line.startswith("{")]

    def _lines(self) -> list[str]:
        text = self.path.read_text(encoding="utf-8", errors="replace")
        return text[: text.rfind("\n") + 1].splitlines()
