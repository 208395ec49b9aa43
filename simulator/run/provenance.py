"""Where a run comes from: its id, the versions and the machine behind it.

Rule of the module: facts about the system, never about people: no user name, no path, no password.
"""

import os
import platform
import re
import secrets
import shlex
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from simulator.delivery.brokers.external import without_password
from simulator.errors import ConfigurationError
from simulator.units import wall_datetime

_RUN_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_FOR_ONCE = ("--run-id", "--events")
PACKAGES = (
    "aiomqtt",
    "hdrhistogram",
    "iotcore",
    "mqtt5",
    "numpy",
    "paho-mqtt",
    "plotly",
    "polars",
    "pydantic",
    "simpy",
    "structlog",
    "wsproto",
)


def new_run_id(unix_ns: int) -> str:
    """A run id: UTC time to the second and four random digits, ``20261122t142400-3f9a``.

    Lowercase, because it stands in topics and identifiers.
    """
    moment = wall_datetime(unix_ns)
    return f"{moment:%Y%m%dt%H%M%S}-{secrets.token_hex(2)}"


def checked_run_id(given: str) -> str:
    """A run id that was given by name.

    Raises:
        ConfigurationError: if it could not stand in a topic, an identifier and a file name.
    """
    if _RUN_ID.fullmatch(given) is None:
        raise ConfigurationError(
            "not a run id",
            field="--run-id",
            value=repr(given),
            remedy="use at most 64 lowercase letters, digits and inner dashes, e.g. tuesday-drill",
        )
    return given


def alertsim_version() -> str:
    """The installed version; ``0+unknown`` when run without being installed."""
    try:
        return version("alertsim")
    except PackageNotFoundError:
        return "0+unknown"


def package_versions() -> dict[str, str]:
    """Versions of the packages that matter for a figure."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def host_facts() -> dict[str, str]:
    """Facts about the machine that a latency figure depends on."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "processors": str(os.cpu_count() or 0),
        "processor": _processor(),
        "memory_bytes": str(_memory()),
    }


def repeat_command(
    arguments: Sequence[str] | None = None, unspoken: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """The command line that repeats this run, without passwords and without what is for once.

    Args:
        arguments: as typed; the process's own if not given.
        unspoken: environment variables for settings that came from elsewhere.
    """
    given = sys.argv[1:] if arguments is None else arguments
    variables = [f"{name}={without_password(value)}" for name, value in (unspoken or {}).items()]
    program = ["env", *variables, "alertsim"] if variables else ["alertsim"]
    return (*program, *(without_password(argument) for argument in _repeatable(given)))


def _repeatable(arguments: Sequence[str]) -> list[str]:
    """Without the run's own id, its live events, and a broker that runs by now only."""
    kept: list[str] = []
    skip = False
    for number, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if not equals:
            value = next(iter(arguments[number + 1 :]), "")
        once = name in _FOR_ONCE or (name == "--broker" and value.startswith("running"))
        if not (once or skip):
            kept.append(argument)
        skip = once and not equals
    return kept


def as_shell(command: Sequence[str]) -> str:
    """A command as one would type it."""
    return shlex.join(command)


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
