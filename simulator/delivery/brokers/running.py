"""The broker of ours that already runs on this host: another run's, or the service's.

Rule of the module: found by its entry in the runtime file, used and never ended by us. Its owner's
life is watched, because a started broker dies with its owner.
"""

from typing import ClassVar, Final

from simulator.delivery.brokers.base import LOOPBACK, PROTOCOLS, Broker
from simulator.delivery.brokers.embedded import EmbeddedBroker
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.runtime_file import RunningBroker, running_brokers
from simulator.errors import BrokerUnreachableError, ConfigurationError

RUNNING: Final = "running"


class FoundBroker(Broker):
    """A broker that another process of this user started and announced.

    Args:
        setting: ``running`` for the newest one, ``running:PID`` for that of one process.
        where: the option it came from, for errors.

    Raises:
        ConfigurationError: if what follows the colon is no process id.
    """

    kind: ClassVar[str] = RUNNING
    properties_allowed: ClassVar[bool] = False

    def __init__(self, setting: str, *, where: str = "--broker") -> None:
        _, colon, owner = setting.partition(":")
        if colon and not (owner.isascii() and owner.isdecimal()):
            raise ConfigurationError(
                "what follows running: is the process id of the broker's owner",
                where,
                "broker",
                setting,
                "write --broker running, or --broker running:PID",
            )
        self._owner = int(owner) if colon else None
        self._entry: RunningBroker | None = None

    def start(self) -> None:
        """Find it.

        Raises:
            BrokerUnreachableError: if none runs.
        """
        self._entry = self._find()
        if self._entry is None:
            whose = "" if self._owner is None else f" of process {self._owner}"
            raise BrokerUnreachableError(
                f"no broker of alertsim{whose} runs on this host: start one in another terminal, "
                "for example with `alertsim serve`, or leave --broker out"
            )
        if self._entry.kind == EmbeddedBroker.kind:
            # An instance's own: another kind has no listener that dies alone.
            self.watched = EmbeddedBroker.watched  # type: ignore[misc]

    def _find(self) -> RunningBroker | None:
        return next(
            (each for each in running_brokers() if self._owner in {None, each.pid}),
            None,
        )

    @property
    def protocols(self) -> tuple[str, ...]:
        """Those it was announced with; both before it was looked for."""
        return PROTOCOLS if self._entry is None else tuple(self._entry.ports)

    def endpoint(self, protocol: str) -> BrokerEndpoint:
        """127.0.0.1 and its port for this version."""
        if self._entry is None:
            raise BrokerUnreachableError("the running broker was not looked for")
        return BrokerEndpoint(host=LOOPBACK, port=self._entry.ports[protocol], protocol=protocol)

    def alive(self) -> str | None:
        """Whether its owner still announces it."""
        if self._entry is None:
            return "the running broker was not looked for"
        if any(each == self._entry for each in running_brokers()):
            return None
        return f"process {self._entry.pid}, which ran the broker, has ended or replaced it"

    def stop(self) -> None:
        """Not ours to stop."""

    def describe(self) -> dict[str, object]:
        """What the manifest says of it."""
        entry = self._entry
        return {
            "kind": self.kind,
            "name": entry.kind if entry else "unknown",
            "version": "unknown",
            "addresses": self.addresses() if entry else {},
            "properties_allowed": self.properties_allowed,
            "settings": {"owner": str(entry.pid)} if entry else {},
        }
