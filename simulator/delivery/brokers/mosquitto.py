"""The installed mosquitto, started by us on a free loopback port with measured settings.

Rule of the module: never the system's own mosquitto service, whose settings and clients are not
ours. Its defaults lose QoS 1 messages silently and add a 20 ms tail, so limits are lifted and
Nagle's algorithm is off.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar, Final

from simulator.clock import Clock, SystemClock
from simulator.delivery.brokers.base import LOOPBACK, PROTOCOLS, Broker
from simulator.delivery.brokers.child import BrokerProcess
from simulator.delivery.brokers.ports import PortLostError, await_listening, pick_ports
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.runtime_file import RuntimeFile
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
_START_NS: Final = 10_000_000_000


class ManagedMosquitto(Broker):
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
    properties_allowed: ClassVar[bool] = True

    def __init__(
        self,
        *,
        port: int | None = None,
        root: str = "alertsim",
        password_file: Path | None = None,
        clock: Clock | None = None,
        announce: bool = True,
    ) -> None:
        self._wanted = port
        self._root = root
        self._password_file = password_file
        self._announce = announce and password_file is None
        self._clock = clock or SystemClock()
        self._port = 0
        self._version = ""
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: BrokerProcess | None = None
        self._entry: RuntimeFile | None = None

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            BrokerUnreachableError: if mosquitto is not installed or does not come up.
        """
        if self._process is not None:
            return
        program = find_mosquitto()
        try:
            self._version = mosquitto_version(program)
            self._folder = tempfile.TemporaryDirectory(prefix="alertsim-mosquitto-")
            try:
                self._launch(program, Path(self._folder.name))
            except PortLostError:
                self._launch(program, Path(self._folder.name))
            if self._announce:
                self._entry = RuntimeFile.write(
                    kind=self.kind,
                    ports=dict.fromkeys(PROTOCOLS, self._port),
                    root=self._root,
                    started_ns=self._clock.wall_ns(),
                )
        except (OSError, subprocess.SubprocessError) as error:
            self.stop()
            raise BrokerUnreachableError(f"mosquitto cannot start: {error}") from error
        except BaseException:
            self.stop()
            raise

    def _launch(self, program: str, folder: Path) -> None:
        (self._port,) = pick_ports((self._wanted or 0,), given=self._wanted is not None)
        configuration = folder / "mosquitto.conf"
        configuration.write_text(self._configuration(), encoding="utf-8")
        process = BrokerProcess(["exec", program, "-c", str(configuration)], folder / "output.txt")
        process.start()
        try:
            await_listening(
                process, (self._port,), clock=self._clock, timeout_ns=_START_NS, name="mosquitto"
            )
        except BrokerUnreachableError:
            process.stop()
            raise
        self._process = process

    def _configuration(self) -> str:
        lines = [f"listener {self._port} {LOOPBACK}"]
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

    def endpoint(self, protocol: str) -> BrokerEndpoint:
        """One port serves both versions."""
        if not self._port:
            raise BrokerUnreachableError("mosquitto was not started")
        return BrokerEndpoint(host=LOOPBACK, port=self._port, protocol=protocol)

    def alive(self) -> str | None:
        """The child's end and its last words, else None."""
        if self._process is None:
            return "mosquitto is not running"
        ended = self._process.ended()
        return None if ended is None else f"mosquitto {ended}: {self._process.said()}"

    def stop(self) -> None:
        """End the child and forget the runtime entry."""
        if self._entry is not None:
            self._entry.remove()
            self._entry = None
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
        self._port = 0

    @property
    def process(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None else None

    def describe(self) -> dict[str, object]:
        """What the manifest says of it."""
        return {
            "kind": self.kind,
            "name": "mosquitto",
            "version": self._version,
            "addresses": self.addresses() if self._port else {},
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
