"""What every broker can do."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Final, Self

from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.websocket import DEFAULT_PATH

LOOPBACK: Final = "127.0.0.1"
PROTOCOLS: Final = ("3.1.1", "5")


class Broker(ABC):
    """An MQTT broker for the length of a run. ``start`` and ``stop`` may be called twice.

    Attributes:
        kind: ``embedded``, ``mosquitto``, ``amqtt`` or ``external``.
        properties_allowed: whether our messages may carry MQTT 5 properties.
        notice: what the user should know of it before the run; mostly empty.
        watched: MQTT versions whose listener can die while the broker seems healthy, so that it
            must be probed during the run.
    """

    kind: ClassVar[str]
    properties_allowed: ClassVar[bool]
    watched: ClassVar[tuple[str, ...]] = ()
    notice: str = ""

    @abstractmethod
    def start(self) -> None:
        """Bring the broker up; returns when it accepts connections.

        Raises:
            ConfigurationError: if a port that was asked for is taken.
            BrokerUnreachableError: if it does not come up.
        """

    @abstractmethod
    def endpoint(self, protocol: str) -> BrokerEndpoint:
        """Where a client of this MQTT version (``3.1.1`` or ``5``) connects.

        Raises:
            ConfigurationError: if the broker was not given for this version.
        """

    @abstractmethod
    def alive(self) -> str | None:
        """None while the broker is believed to live, else why it is not. Costs next to nothing."""

    @abstractmethod
    def stop(self) -> None:
        """End what was started. A broker that we did not start is left alone."""

    @abstractmethod
    def describe(self) -> dict[str, object]:
        """Kind, name, version, addresses and settings for the manifest; never a password."""

    @property
    def protocols(self) -> tuple[str, ...]:
        """MQTT versions that this broker may be used with: ``3.1.1``, ``5`` or both."""
        return PROTOCOLS

    @property
    def control_protocol(self) -> str:
        """The version of our own publisher, guardians and registry: 5 where there is a choice."""
        return PROTOCOLS[-1] if PROTOCOLS[-1] in self.protocols else self.protocols[0]

    @property
    def process(self) -> int | None:
        """Process id of a broker that we started and that runs; None otherwise."""
        return None

    def addresses(self) -> dict[str, str]:
        """URL by MQTT version, without user and password."""
        found: dict[str, str] = {}
        for protocol in self.protocols:
            endpoint = self.endpoint(protocol)
            host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
            path = "" if endpoint.path in {"", DEFAULT_PATH} else endpoint.path
            found[protocol] = f"{endpoint.scheme}://{host}:{endpoint.port}{path}"
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
