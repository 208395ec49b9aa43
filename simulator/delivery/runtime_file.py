"""The runtime file: which brokers of ours run on this host, so that other terminals find them.

Rule of the module: one file per running broker in a folder of the user's own, readable by the user
alone, holding process id, ports and topic root and nothing secret. An entry whose process is gone
is removed by whoever notices.
"""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from simulator.errors import ConfigurationError

_FOLDER: Final = "alertsim"
_SUFFIX: Final = ".broker.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBroker:
    """A broker of ours that runs on this host.

    Attributes:
        pid: process id of the run that owns it.
        birth: when that process started, in the kernel's ticks since boot; empty where unknown.
            It tells a process from a later one with the same id.
        kind: kind of broker.
        ports: TCP port on 127.0.0.1 by MQTT version.
        root: topic root of the run.
        started_ns: when it came up, Unix ns.
    """

    pid: int
    birth: str
    kind: str
    ports: Mapping[str, int]
    root: str
    started_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeFile:
    """Our own entry, to be removed at the end."""

    path: Path

    @classmethod
    def write(
        cls, *, kind: str, ports: Mapping[str, int], root: str, started_ns: int
    ) -> "RuntimeFile":
        """Announce a broker of this process.

        Raises:
            ConfigurationError: if the folder cannot be used.
        """
        pid = os.getpid()
        entry = RunningBroker(
            pid=pid,
            birth=_birth(pid),
            kind=kind,
            ports=dict(ports),
            root=root,
            started_ns=started_ns,
        )
        ports_text = "-".join(str(port) for port in dict.fromkeys(ports.values()))
        path = runtime_folder() / f"{pid}-{ports_text}{_SUFFIX}"
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(entry), file)
        fresh.replace(path)
        return cls(path=path)

    def remove(self) -> None:
        """Take the entry away; it may be gone already."""
        self.path.unlink(missing_ok=True)


def running_brokers() -> tuple[RunningBroker, ...]:
    """Brokers of this user's runs on this host, newest first. Stale entries are removed."""
    found: list[RunningBroker] = []
    for path in runtime_folder().glob(f"*{_SUFFIX}"):
        entry = _read(path)
        if entry is None:
            with contextlib.suppress(OSError):
                path.unlink()
        else:
            found.append(entry)
    return tuple(sorted(found, key=lambda entry: entry.started_ns, reverse=True))


def _read(path: Path) -> RunningBroker | None:
    try:
        entry = RunningBroker(**json.loads(path.read_text(encoding="utf-8")))
        alive = _birth(entry.pid) == entry.birth if entry.birth else _exists(entry.pid)
    except (OSError, ValueError, TypeError):
        return None
    return entry if alive else None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _birth(pid: int) -> str:
    """Start time of a process (field 22 of /proc/pid/stat), empty if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def runtime_folder() -> Path:
    """The user's own folder for such files, made on first use with mode 0700.

    ``$XDG_RUNTIME_DIR/alertsim`` where the system gives one, else one named after the user's number
    in the folder for temporary files.

    Raises:
        ConfigurationError: if it cannot be made or belongs to somebody else.
    """
    given = os.environ.get("XDG_RUNTIME_DIR")
    folder = (
        Path(given) / _FOLDER
        if given and Path(given).is_dir() and os.access(given, os.W_OK)
        else Path(tempfile.gettempdir()) / f"{_FOLDER}-{os.getuid()}"
    )
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError as error:
        raise ConfigurationError(
            f"the folder for runtime files cannot be used: {error}",
            str(folder),
            remedy="set XDG_RUNTIME_DIR or TMPDIR to a folder that can be written to",
        ) from None
    if folder.is_symlink() or not folder.is_dir() or state.st_uid != os.getuid():
        raise ConfigurationError(
            "the folder for runtime files belongs to somebody else",
            str(folder),
            remedy="set XDG_RUNTIME_DIR or TMPDIR to a folder of your own",
        )
    return folder
