"""A broker by address: somebody else runs it.

Rule of the module: an exercise message leaves this host only for a host that the user has named in
the allow-list. The password goes to the endpoint and nowhere else.
"""

from collections.abc import Sequence
from typing import ClassVar, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from simulator.delivery.brokers.base import PROTOCOLS, Broker
from simulator.delivery.loopback import is_loopback
from simulator.delivery.messages import BrokerEndpoint
from simulator.errors import ConfigurationError

_DEFAULT_PORT: Final = 1883
_LATER: Final = ("mqtts", "ws", "wss")
_EXAMPLE: Final = "mqtt://[user[:password]@]host[:port][?protocol=5]"


class ExternalBroker(Broker):
    """A broker that runs already.

    Args:
        url: ``mqtt://[user[:password]@]host[:port][?protocol=5]``; user and password are
            percent-decoded; protocol limits the broker to one MQTT version.
        allow_hosts: hosts that may be published to besides this one.
        where: the option it came from, for errors.

    Raises:
        ConfigurationError: for an address that cannot be used or is not allowed.
    """

    kind: ClassVar[str] = "external"
    properties_allowed: ClassVar[bool] = True

    def __init__(
        self, url: str, *, allow_hosts: Sequence[str] = (), where: str = "--broker"
    ) -> None:
        parts = _split(url, where)
        self._host = parts.hostname or ""
        self._port = _port(parts, where)
        self._protocols = _protocols(parts, where)
        self._username = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password is not None else None
        if self._password is not None and self._username is None:
            raise ConfigurationError(
                "a password needs a user name", where, "broker", without_password(url), _EXAMPLE
            )
        check_allowed(self._host, allow_hosts, where)

    def start(self) -> None:
        """Nothing to start: preflight says whether it can be used."""

    @property
    def protocols(self) -> tuple[str, ...]:
        """The version that the address names, both if it names none."""
        return self._protocols

    def endpoint(self, protocol: str) -> BrokerEndpoint:
        """The same host and port for both versions, unless the URL limits it to one."""
        if protocol not in self._protocols:
            raise ConfigurationError(
                f"the broker's address limits it to MQTT {self._protocols[0]}",
                "--protocol",
                value=protocol,
                remedy=f"use --protocol {self._protocols[0]}, or leave ?protocol= away",
            )
        return BrokerEndpoint(
            host=self._host,
            port=self._port,
            protocol=protocol,
            username=self._username,
            password=self._password,
        )

    def alive(self) -> str | None:
        """Not ours to know: the connections say."""
        return None

    def stop(self) -> None:
        """Not ours to stop."""

    def describe(self) -> dict[str, object]:
        """What the manifest says of it; its name and version are not told by MQTT."""
        return {
            "kind": self.kind,
            "name": "external",
            "version": "unknown",
            "addresses": self.addresses(),
            "properties_allowed": self.properties_allowed,
            "settings": {"authenticated": self._username is not None},
        }

    def __repr__(self) -> str:
        return f"ExternalBroker({self._host}:{self._port})"


def check_allowed(host: str, allow_hosts: Sequence[str], where: str = "--broker") -> None:
    """Refuse a host that is neither this one nor named by the user.

    Raises:
        ConfigurationError: with the setting that would allow it.
    """
    named = {name.rstrip(".").lower() for name in allow_hosts}
    if is_loopback(host) or host.rstrip(".").lower() in named:
        return
    raise ConfigurationError(
        "publishing to a host other than this one needs its name in the allow-list",
        where,
        "allow_hosts",
        host,
        f"if exercise messages may go there, set ALERTSIM_ALLOW_HOSTS={host}, or "
        f'allow_hosts = ["{host}"] in the configuration file',
    )


def without_password(url: str) -> str:
    """A URL, or an option with one (``--broker=URL``), as it may be shown; other text as it is.

    It need not be a valid one: what is refused is shown, too.
    """
    head, at, tail = url.rpartition("@")
    scheme, slashes, user = head.partition("://")
    return f"{scheme}{slashes}{user.partition(':')[0]}:***@{tail}" if at and ":" in user else url


def _split(url: str, where: str) -> SplitResult:
    shown = without_password(url)
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise ConfigurationError(
            "not an address", where, "broker", shown, f"write {_EXAMPLE}"
        ) from None
    if parts.scheme in _LATER:
        raise ConfigurationError(
            f"{parts.scheme}:// comes with a later version",
            where,
            "broker",
            shown,
            "use mqtt:// for now",
        )
    if parts.scheme != "mqtt" or "://" not in url:
        raise ConfigurationError(
            "unknown kind of broker",
            where,
            "broker",
            shown,
            f"write embedded, mosquitto or {_EXAMPLE}",
        )
    if not host or any(mark.isspace() for mark in url):
        raise ConfigurationError("no host is named", where, "broker", shown, f"write {_EXAMPLE}")
    if parts.path.strip("/") or parts.fragment:
        raise ConfigurationError(
            "an address has no path", where, "broker", shown, f"write {_EXAMPLE}"
        )
    return parts


def _port(parts: SplitResult, where: str) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        return _DEFAULT_PORT
    if port == 0:
        raise ConfigurationError(
            "the port is not a number from 1 to 65535",
            where,
            "broker",
            parts.netloc.rpartition("@")[2],
            f"write {_EXAMPLE}",
        )
    return port


def _protocols(parts: SplitResult, where: str) -> tuple[str, ...]:
    chosen: tuple[str, ...] = PROTOCOLS
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name != "protocol" or value not in PROTOCOLS:
            raise ConfigurationError(
                "unknown setting in the broker's address",
                where,
                "broker",
                f"{name}={value}" if name == "protocol" else name,
                f"only protocol={' or protocol='.join(PROTOCOLS)} may follow the question mark",
            )
        chosen = (value,)
    return chosen
