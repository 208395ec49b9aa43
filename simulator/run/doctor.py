"""``alertsim doctor``: what this machine offers a run, and which known traps are near.

Rule of the module: each finding is looked at, not assumed; nothing is changed. Figures about
brokers come from ``config/broker_gaps.json``.
"""

import json
import resource
import shutil
import socket
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import Literal

from simulator import resources
from simulator.clock import SystemClock, clock_domain
from simulator.delivery.runtime_file import running_brokers
from simulator.delivery.wire.stamps import kernel_stamps_available
from simulator.run.provenance import alertsim_version, host_facts, package_versions

Level = Literal["ok", "note", "warning", "error"]

_NEEDED_DESCRIPTORS = 4096
_SPARE_DESCRIPTORS = 256  # the worker's own files and the ramp's half-open sockets
_EMBEDDED_PORTS = {"3.1.1": 18831, "5": 18835}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        level: ok, note, warning or error (a run cannot work).
        subject: what was looked at.
        text: what was found.
        remedy: what to do about it, empty if nothing.
    """

    level: Level
    subject: str
    text: str
    remedy: str = ""

    def line(self) -> str:
        """For people."""
        text = f"{self.level:<8} {self.subject:<20} {self.text}"
        return f"{text}\n{'':30}remedy: {self.remedy}" if self.remedy else text

    def document(self) -> dict[str, str]:
        """For scripts."""
        return asdict(self)


def examine() -> list[Finding]:
    """Look at everything, in the order in which a run would need it."""
    return [
        *_versions(),
        _descriptors(),
        _stamps(),
        *_ports(),
        *_embedded(),
        _mosquitto(),
        *_running(),
    ]


def _versions() -> list[Finding]:
    host = host_facts()
    missing = [name for name, found in package_versions().items() if found == "not installed"]
    found = [
        Finding(level="ok", subject="alertsim", text=f"{alertsim_version()}, {host['python']}"),
        Finding(
            level="ok",
            subject="machine",
            text=f"{host['system']}, {host['processors']} processors, clock {clock_domain()}",
        ),
    ]
    if missing:
        found.append(
            Finding(
                level="error",
                subject="packages",
                text=f"missing: {', '.join(missing)}",
                remedy="install alertsim again: python -m pip install alertsim",
            )
        )
    return found


def _descriptors() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = max(0, soft - _SPARE_DESCRIPTORS)
    text = f"ulimit -n is {soft} (hard {hard}): room for about {room} subscribers in one worker"
    if soft < _NEEDED_DESCRIPTORS:
        return Finding(
            level="warning",
            subject="open files",
            text=text,
            remedy=f"ulimit -n {min(hard, 65536) if hard > 0 else 65536}",
        )
    return Finding(level="ok", subject="open files", text=text)


def _stamps() -> Finding:
    if kernel_stamps_available(SystemClock()):
        return Finding(
            level="ok", subject="receive stamps", text="the kernel stamps received TCP data"
        )
    return Finding(
        level="warning",
        subject="receive stamps",
        text="this kernel gives no receive stamps on TCP: stamps are taken after the read",
        remedy="measure on Linux 4.13 or newer; reports say which stamps they rest on",
    )


def _ports() -> list[Finding]:
    taken = [f"{port} (MQTT {version})" for version, port in _EMBEDDED_PORTS.items() if _used(port)]
    if taken:
        return [
            Finding(
                level="note",
                subject="embedded ports",
                text=f"in use: {', '.join(taken)}; a run takes free ports and prints them",
            )
        ]
    ports = ", ".join(f"{port} (MQTT {version})" for version, port in _EMBEDDED_PORTS.items())
    return [Finding(level="ok", subject="embedded ports", text=f"free: {ports}")]


def _used(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def _embedded() -> list[Finding]:
    gaps = json.loads(resources.config_text("broker_gaps.json"))
    version = package_versions()["iotcore"]
    found = [Finding(level="ok", subject="embedded broker", text=f"iotcore {version}")]
    found += [
        Finding(level="note", subject="embedded broker", text=gap["text"], remedy=gap["remedy"])
        for gap in gaps["iotcore"]
    ]
    return found


def _mosquitto() -> Finding:
    program = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
    if program is None:
        return Finding(
            level="note",
            subject="mosquitto",
            text="not installed; --broker mosquitto is not available",
            remedy="apt install mosquitto, or the like of your system",
        )
    shown = subprocess.run(  # noqa: S603  # the installed program, no input of the user's
        [program, "-h"], capture_output=True, text=True, timeout=10, check=False
    )
    version = shown.stdout.splitlines()[0] if shown.stdout else "version unknown"
    return Finding(
        level="ok",
        subject="mosquitto",
        text=f"{version}; runs started by alertsim lift its queue limits and Nagle delay",
    )


def _running() -> list[Finding]:
    return [
        Finding(
            level="note",
            subject="running",
            text=f"{broker.kind} broker of process {broker.pid}, root {broker.root}, "
            + ", ".join(
                f"mqtt://127.0.0.1:{port} (MQTT {version})"
                for version, port in broker.ports.items()
            ),
        )
        for broker in running_brokers()
    ] or [
        Finding(
            level="ok",
            subject="running",
            text=f"no broker of alertsim runs on this host ({sys.platform})",
        )
    ]
