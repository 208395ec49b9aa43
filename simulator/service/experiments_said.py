"""What the process of an experiment says: how far it is, and why it ended.

Rule of the module: text comes in, a few words go out; what is not understood is left out.
"""

import json
from typing import Any, Final

from simulator.service.process import CommandProcess

WHOLE: Final = (0, 98, 99)
STOPPED: Final = 105
DEFECT: Final = 107
_HEARD_BYTES: Final = 64 * 1024


async def heard_of(process: CommandProcess) -> str:
    """The beginning of what it writes to standard output; the rest is read and forgotten."""
    heard: list[str] = []
    size = 0
    async for line in process.lines():
        if size < _HEARD_BYTES:
            heard.append(line.decode(errors="replace"))
            size += len(line)
    return "\n".join(heard)


def progress_in(said: str) -> tuple[int, int] | None:
    """Replications done and planned, from the last log entry that says so; None if none does."""
    for line in reversed(said.splitlines()):
        entry = _entry(line)
        if entry.get("event") == "replications":
            done, total = entry.get("done"), entry.get("total")
            if isinstance(done, int) and isinstance(total, int):
                return done, total
    return None


def _entry(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def ending(code: int, heard: str, said: str) -> tuple[int, str, str]:
    """Exit code, reason and remedy of an experiment whose process ended."""
    if code in WHOLE:
        return code, "", ""
    if code == STOPPED:
        return code, "it was stopped; what was finished is kept", "continue it"
    if code < 0:
        return DEFECT, f"its process was killed (signal {-code})", "continue it"
    error = _entry(heard).get("error")
    if isinstance(error, dict):
        parts = [str(error.get(name) or "") for name in ("where", "field", "message")]
        value = error.get("value")
        shown = ": ".join(part for part in parts if part)
        return (
            code,
            shown if value is None else f"{shown} (got {value})",
            str(error.get("remedy") or ""),
        )
    lines = [line for line in said.splitlines() if not _entry(line)]
    return code, lines[-1].strip() if lines else f"its process ended with {code}", ""
