"""amqtt: a broker in pure Python, for hosts that no wheel of the embedded broker fits.

Rule of the module: a child process like every broker of ours, so that its event loop is not the
run's, and its warnings are not the program's. It is slow and speaks MQTT 3.1.1 only: a fallback to
try things out on, not to measure a path with.
"""

import json
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar, Final

from simulator.clock import Clock
from simulator.delivery.brokers.base import LOOPBACK
from simulator.delivery.brokers.embedded import PREFERRED_PORTS
from simulator.delivery.brokers.started import StartedBroker
from simulator.delivery.messages import BrokerEndpoint
from simulator.errors import BrokerUnreachableError, ConfigurationError

PROTOCOL: Final = "3.1.1"
INSTEAD: Final = (
    "the embedded broker has no wheel for this platform: amqtt takes its place, a broker in pure "
    "Python that speaks MQTT 3.1.1 only, knows no shared subscriptions, queues nothing for "
    "anonymous clients that are offline, and delivers some 3,000 messages a second"
)
_SETTINGS: Final = {"max_connections": 20_000, "sys_interval": 0}


class AmqttBroker(StartedBroker):
    """The pure-Python broker.

    Args:
        port: port of 127.0.0.1; None: 18831 if it is free, else a free one.
        root: topic root, for whoever looks the broker up in the runtime file.
        clock: where time comes from.
        announce: keep an entry in the runtime file while it runs.
        notice: what the user should know before the run.
    """

    kind: ClassVar[str] = "amqtt"
    called: ClassVar[str] = "amqtt"
    preferred: ClassVar[tuple[int, ...]] = PREFERRED_PORTS[:1]
    start_ns: ClassVar[int] = 20_000_000_000
    properties_allowed: ClassVar[bool] = False

    def __init__(
        self,
        *,
        port: int | None = None,
        root: str = "alertsim",
        clock: Clock | None = None,
        announce: bool = True,
        notice: str = "",
    ) -> None:
        super().__init__(
            ports=None if port is None else (port,), root=root, clock=clock, announce=announce
        )
        self.notice = notice

    @property
    def protocols(self) -> tuple[str, ...]:
        """MQTT 3.1.1 only."""
        return (PROTOCOL,)

    def _port_by_protocol(self) -> dict[str, int]:
        return {PROTOCOL: self._ports[0]}

    def endpoint(self, protocol: str) -> BrokerEndpoint:
        """127.0.0.1 and its port."""
        if protocol != PROTOCOL:
            raise ConfigurationError(
                f"amqtt speaks MQTT {PROTOCOL} only",
                field="--protocol",
                value=protocol,
                remedy=f"use --protocol {PROTOCOL}, or --broker mosquitto",
            )
        return super().endpoint(protocol)

    def _command(self, folder: Path, ports: tuple[int, ...]) -> list[str]:
        if not is_installed():
            raise BrokerUnreachableError(
                "amqtt is not installed\n  remedy: python -m pip install 'alertsim[amqtt]', or use "
                "--broker mosquitto"
            )
        configuration = folder / "amqtt.json"
        configuration.write_text(json.dumps(_configuration(ports[0])), encoding="ascii")
        return ["amqtt", str(configuration)]

    def describe(self) -> dict[str, object]:
        """What the manifest says of it."""
        try:
            installed = version("amqtt")
        except PackageNotFoundError:
            installed = "not installed"
        return {
            "kind": self.kind,
            "name": "amqtt",
            "version": installed,
            "addresses": self.addresses() if self._ports else {},
            "properties_allowed": self.properties_allowed,
            "settings": dict(_SETTINGS),
        }


def is_installed() -> bool:
    """Whether the package is there; it is not imported."""
    return find_spec("amqtt") is not None


def _configuration(port: int) -> dict[str, object]:
    return {
        "listeners": {
            "default": {
                "type": "tcp",
                "bind": f"{LOOPBACK}:{port}",
                "max_connections": _SETTINGS["max_connections"],
            }
        },
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
