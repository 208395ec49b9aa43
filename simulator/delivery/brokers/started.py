"""A broker that we start ourselves: a child process on loopback ports.

Rule of the module: a broker that did not come up leaves nothing behind, neither a process nor files
nor an entry in the runtime file; ports are taken again once, elsewhere, if somebody was quicker.
"""

import subprocess
from abc import abstractmethod
from itertools import cycle
from pathlib import Path
from typing import ClassVar, Final

from simulator.clock import Clock, SystemClock
from simulator.delivery.brokers.base import LOOPBACK, PROTOCOLS, Broker
from simulator.delivery.brokers.child import BrokerProcess
from simulator.delivery.brokers.folders import OwnFolder
from simulator.delivery.brokers.ports import PortLostError, await_listening, pick_ports
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.runtime_file import RuntimeFile
from simulator.delivery.wire.websocket import DEFAULT_PATH
from simulator.errors import BrokerUnreachableError

WEBSOCKET_PORT: Final = 18884


class StartedBroker(Broker):
    """A broker of our own; each kind says what to run.

    Args:
        ports: ports of 127.0.0.1 that were asked for, one for each MQTT version or one for all;
            None: those preferred if they are free, else free ones.
        root: topic root, for whoever looks the broker up in the runtime file.
        clock: where time comes from.
        announce: keep an entry in the runtime file while it runs.

    Attributes:
        called: what it is called in messages.
        preferred: ports taken if none were asked for; 0 is any free one.
        start_ns: how long it may take to listen, wall ns.
        has_websocket: whether it can listen for browsers too.
    """

    called: ClassVar[str]
    preferred: ClassVar[tuple[int, ...]]
    start_ns: ClassVar[int]
    has_websocket: ClassVar[bool] = False

    def __init__(
        self,
        *,
        ports: tuple[int, ...] | None,
        root: str,
        clock: Clock | None,
        announce: bool,
    ) -> None:
        self._wanted = ports
        self._root = root
        self._clock = clock or SystemClock()
        self._announce = announce
        self._ports: tuple[int, ...] = ()
        self._had: tuple[int, ...] = ()
        self._for_browsers = False
        self._folder: OwnFolder | None = None
        self._process: BrokerProcess | None = None
        self._entry: RuntimeFile | None = None

    @abstractmethod
    def _command(self, folder: Path, ports: tuple[int, ...]) -> list[str]:
        """Write the configuration into the folder; arguments for the child (see guard).

        Args:
            folder: its own.
            ports: as many as are preferred, and one more for browsers if that was asked for.

        Raises:
            BrokerUnreachableError: if its program is not installed.
        """

    def start(self) -> None:
        """Start the child and wait until it listens; again, on the ports it had if they are free.

        Raises:
            BrokerUnreachableError: if it is not installed or does not come up.
        """
        if self._process is not None:
            return
        browsers = (WEBSOCKET_PORT,) if self._for_browsers else ()
        preferred = self._had or (*self.preferred, *browsers)
        anywhere = tuple(0 for _ in preferred)
        try:
            self._folder = OwnFolder(self.kind)
            folder = self._folder.path
            try:
                self._launch(folder, self._wanted or preferred)
            except PortLostError:
                self._launch(folder, self._wanted or anywhere)
            if self._announce:
                self._entry = RuntimeFile.write(
                    kind=self.kind,
                    ports=self._port_by_protocol(),
                    root=self._root,
                    started_ns=self._clock.wall_ns(),
                )
        except (OSError, subprocess.SubprocessError) as error:
            self.stop()
            raise BrokerUnreachableError(f"{self.called} cannot start: {error}") from error
        except BaseException:
            self.stop()
            raise

    def _launch(self, folder: Path, wanted: tuple[int, ...]) -> None:
        self._ports = pick_ports(wanted, given=self._wanted is not None)
        process = BrokerProcess(self._command(folder, self._ports), folder / "output.txt")
        process.start()
        try:
            await_listening(
                process, self._ports, clock=self._clock, timeout_ns=self.start_ns, name=self.called
            )
        except BrokerUnreachableError:
            process.stop()
            raise
        self._process, self._had = process, self._ports

    def offer_websocket(self) -> None:
        """Ask, before the start, for a listener for browsers, if it can have one."""
        self._for_browsers = self.has_websocket and self._wanted is None

    @property
    def websocket(self) -> str | None:
        """URL for browsers while it runs; None without such a listener."""
        if not self._for_browsers or not self._ports:
            return None
        return f"ws://{LOOPBACK}:{self._ports[-1]}{DEFAULT_PATH}"

    def _port_by_protocol(self) -> dict[str, int]:
        spoken = self._ports[: len(self.preferred)]
        return dict(zip(PROTOCOLS, cycle(spoken), strict=False))

    def endpoint(self, protocol: str) -> BrokerEndpoint:
        """127.0.0.1 and the port of this version."""
        if not self._ports:
            raise BrokerUnreachableError(f"{self.called} was not started")
        port = self._port_by_protocol()[protocol]
        return BrokerEndpoint(host=LOOPBACK, port=port, protocol=protocol)

    def alive(self) -> str | None:
        """The child's end and its last words, else None."""
        if self._process is None:
            return f"{self.called} is not running"
        ended = self._process.ended()
        if ended is None:
            return None
        said = self._process.said()
        return f"{self.called} {ended}" + (f": {said}" if said else "")

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
        self._ports = ()

    @property
    def process(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process is not None else None
