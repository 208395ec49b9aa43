"""The installed mosquitto, started by us on a free loopback port with measured settings.

Rule of the module: never the system's own mosquitto service, whose settings and clients are not
ours. Its defaults lose QoS 1 messages silently and add a 20 ms tail, so limits are lifted and
Nagle's algorithm is off.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar, Final

from simulator.clock import Clock
from simulator.delivery.brokers.base import LOOPBACK
from simulator.delivery.brokers.started import StartedBroker
from simulator.errors import BrokerUnreachableError

_PROGRAM: Final = "mosquitto"
_ADMIN_PATH: Final = "/usr/sbin:/usr/local/sbin"  # Debian installs it outside a user's PATH
_SETTINGS: Final = {
    "max_inflight_messages": "0",
    "max_queued_messages": "0",
    "set_tcp_nodelay": "true",
    "persistence": "false",
    "allow_anonymous": "true",
    "sys_interval": "0",
}


class ManagedMosquitto(StartedBroker):
    """A mosquitto of our own.

    Args:
        port: port of 127.0.0.1; None: a free one.
        root: topic root, for whoever looks the broker up in the runtime file.
        password_file: a file made by ``mosquitto_passwd``; None admits everybody on this host.
        clock: where time comes from.
        announce: keep an entry in the runtime file while it runs (never with a password file,
            since the entry holds no password).
    """

    kind: ClassVar[str] = "mosquitto"
    called: ClassVar[str] = "mosquitto"
    preferred: ClassVar[tuple[int, ...]] = (0,)
    start_ns: ClassVar[int] = 10_000_000_000
    properties_allowed: ClassVar[bool] = True
    has_websocket: ClassVar[bool] = True

    def __init__(
        self,
        *,
        port: int | None = None,
        root: str = "alertsim",
        password_file: Path | None = None,
        clock: Clock | None = None,
        announce: bool = True,
    ) -> None:
        super().__init__(
            ports=None if port is None else (port,),
            root=root,
            clock=clock,
            announce=announce and password_file is None,
        )
        self._password_file = password_file
        self._version = ""

    def _command(self, folder: Path, ports: tuple[int, ...]) -> list[str]:
        program = find_mosquitto()
        self._version = mosquitto_version(program)
        configuration = folder / "mosquitto.conf"
        configuration.write_text(self._configuration(*ports), encoding="utf-8")
        return ["exec", program, "-c", str(configuration)]

    def _configuration(self, port: int, websocket: int | None = None) -> str:
        lines = [f"listener {port} {LOOPBACK}"]
        if websocket is not None:
            # Without the domain some versions ignore the address and listen to the whole world.
            lines += [
                f"listener {websocket} {LOOPBACK}",
                "protocol websockets",
                "socket_domain ipv4",
            ]
        lines += [f"{name} {value}" for name, value in self._settings().items()]
        if os.geteuid() == 0:
            # Changing its user would make the kernel forget to end it with us.
            lines.append("user root")
        return "\n".join([*lines, ""])

    def _settings(self) -> dict[str, str]:
        settings = dict(_SETTINGS)
        if self._password_file is not None:
            settings["allow_anonymous"] = "false"
            settings["password_file"] = str(self._password_file)
        return settings

    def describe(self) -> dict[str, object]:
        """What the manifest says of it."""
        return {
            "kind": self.kind,
            "name": "mosquitto",
            "version": self._version,
            "addresses": self.addresses() if self._ports else {},
            "properties_allowed": self.properties_allowed,
            "settings": self._settings(),
        }


def find_mosquitto() -> str:
    """Path of the installed mosquitto.

    Raises:
        BrokerUnreachableError: if there is none, with the remedy.
    """
    found = shutil.which(_PROGRAM) or shutil.which(_PROGRAM, path=_ADMIN_PATH)
    if found is None:
        raise BrokerUnreachableError(
            "mosquitto is not installed\n  remedy: install it (Debian, Ubuntu: apt-get install "
            "mosquitto; macOS: brew install mosquitto), or use --broker embedded"
        )
    return found


def mosquitto_version(program: str) -> str:
    """Version that the program itself states, or ``unknown``."""
    shown = subprocess.run(  # noqa: S603  # a path we looked up
        [program, "-h"], capture_output=True, text=True, timeout=10, check=False
    )
    stated = re.search(r"version (\S+)", shown.stdout)
    return stated[1] if stated else "unknown"
