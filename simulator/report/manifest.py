"""``manifest.json``: what was run, from what, on what, and how it ended.

Rule of the module: a closed, frozen record that is always whole on disk: it is written beside
itself and renamed, so that a run killed at any instant leaves the last whole one.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.errors import OutputError

MANIFEST_SCHEMA = "1.0"
MANIFEST_NAME = "manifest.json"

Model = TypeVar("Model", bound=BaseModel)


class Manifest(BaseModel):
    """A run's identity and state.

    Unknown keys of a later minor version are kept out, not refused: a manifest is read by older
    and newer versions of alertsim alike.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    schema_version: str = Field(default=MANIFEST_SCHEMA, description="Version of this file's form.")
    run: str = Field(description="Run id, also the first part of every CAP identifier.")
    state: Literal["running", "complete", "incomplete"] = Field(
        default="running",
        description="running while it runs (or after a kill), complete, or incomplete.",
    )
    reason: str = Field(default="", description="Why the run is incomplete, one sentence.")
    started: str = Field(description="ISO 8601 wall time at which the run was created.")
    ended: str | None = Field(default=None, description="ISO 8601 wall time of the end.")
    command: tuple[str, ...] = Field(
        default=(), description="Arguments that repeat the run, the program's name first."
    )
    seed: int = Field(description="The seed every random stream derives from.")
    speed: float = Field(default=1.0, gt=0, description="Scenario seconds per wall second.")
    scenario: dict[str, Any] = Field(
        default_factory=dict, description="The scenario as resolved, with every default filled in."
    )
    timeline_digest: str = Field(default="", description="SHA-256 of the timeline, hex.")
    versions: dict[str, str] = Field(
        default_factory=dict, description="Versions of alertsim, Python and the libraries used."
    )
    host: dict[str, Any] = Field(
        default_factory=dict, description="What the run ran on: system, processors, memory."
    )
    broker: dict[str, Any] = Field(
        default_factory=dict, description="The broker, its version and settings; never a password."
    )
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Run settings: subscribers, QoS, drain, late-after …"
    )
    exit_code: int | None = Field(default=None, description="Exit code, once it is known.")


def manifest_json_schema() -> dict[str, Any]:
    """JSON Schema of ``manifest.json``; open, as a later version may add to it."""
    return Manifest.model_json_schema(mode="serialization")


def write_atomically(path: Path, data: bytes, *, option: str = "--out") -> None:
    """Replace a file by a whole new one, or leave the old one untouched.

    The bytes are on the disk before the name points at them: a power cut leaves either version.

    Args:
        path: the file.
        data: all of its bytes.
        option: what chose the place, for the remedy.

    Raises:
        OutputError: if the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):  # nothing can be removed either from a read-only file system
            temporary.unlink(missing_ok=True)
        raise unwritable(path, error, option=option) from error


def unwritable(path: Path, error: OSError, *, option: str = "--out") -> OutputError:
    """The OutputError of a failed write, with a remedy that fits the cause and what chose it."""
    remedies = {
        "ENOSPC": "free some space or choose another directory",
        "EDQUOT": "free some of your quota or choose another directory",
        "EFBIG": "allow larger files (ulimit -f) or choose another directory",
        "EROFS": "the file system is read-only: choose another place",
        "EACCES": "choose a place you may write to",
        "EPERM": "choose a place you may write to",
        "ENOENT": "make the directory first, or choose another",
        "EISDIR": "a directory stands there: choose the name of a file",
        "ENOTDIR": "a file stands where a directory is needed: choose another place",
        "ENAMETOOLONG": "choose a shorter path",
    }
    remedy = remedies.get(_errno_name(error), "choose another directory")
    return OutputError(
        f"cannot be written: {error.strerror or error}",
        where=str(path),
        remedy=f"{remedy} with {option}",
    )


def _errno_name(error: OSError) -> str:
    import errno  # noqa: PLC0415  (only on the way to an error)

    return errno.errorcode.get(error.errno or 0, "")


def dump_manifest(manifest: Manifest) -> bytes:
    """The bytes of ``manifest.json``: indented, keys in the order of the model."""
    return (
        json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    ).encode()


def load_manifest(path: Path) -> Manifest:
    """Read ``manifest.json``.

    Raises:
        OutputError: if it is not there, is truncated, or has an unknown major version.
    """
    return checked(path, load_json(path), Manifest, MANIFEST_SCHEMA, called="manifest")


def load_json(path: Path) -> dict[str, Any]:
    """Read one JSON object.

    Raises:
        OutputError: if the file cannot be read, is truncated, or holds something else.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise OutputError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except ValueError as error:
        raise OutputError(
            f"not whole JSON, probably truncated: {error}",
            where=str(path),
            remedy="restore the file from where the run was copied from, or run again",
        ) from error
    if not isinstance(data, dict):
        raise OutputError("not a JSON object", where=str(path))
    return data


def checked(
    path: Path,
    data: dict[str, Any],
    model: type[Model],
    known: str,
    *,
    called: str,
    remedy: str = "",
) -> Model:
    """What a file of ours says, as its model.

    Args:
        path: the file.
        data: its JSON.
        model: what it must be.
        known: version of its schema, of which the major one must be the file's.
        called: what it is to be, for the message.
        remedy: what to do if it is not.

    Raises:
        OutputError: naming the field that is wrong, or the version.
    """
    check_schema(path, data, known)
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise OutputError(
            f"not a {called} of alertsim: {first['msg']}",
            where=str(path),
            field=".".join(str(part) for part in first["loc"]),
            remedy=remedy,
        ) from error


def check_schema(path: Path, data: dict[str, Any], known: str) -> None:
    """Refuse a file whose schema's major version is not the known one.

    Raises:
        OutputError: naming the version found and the one known.
    """
    found = data.get("schema_version")
    if str(found).split(".", maxsplit=1)[0] != known.split(".", maxsplit=1)[0]:
        raise OutputError(
            f"unknown schema version, this alertsim reads {known.split('.', maxsplit=1)[0]}.x",
            where=str(path),
            field="schema_version",
            value=str(found),
            remedy="use the alertsim version named in the manifest, or run again",
        )
