"""A broker's address as the user writes it.

Rule of the module: pure text; what is refused is shown without its password.
"""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from simulator.delivery.brokers.base import PROTOCOLS
from simulator.delivery.wire.websocket import DEFAULT_PATH
from simulator.errors import ConfigurationError

PORTS: Final = {"mqtt": 1883, "mqtts": 8883, "ws": 80, "wss": 443}
EXAMPLE: Final = "mqtt://[user[:password]@]host[:port][?protocol=5]"
_WEB: Final = frozenset({"ws", "wss"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUrl:
    """The parts of an address.

    Attributes:
        scheme: ``mqtt``, ``mqtts``, ``ws`` or ``wss``.
        host: name or address.
        port: TCP port; the scheme's own if none was written.
        path: path of the WebSocket with its slash; empty for mqtt and mqtts.
        protocols: MQTT versions that it admits.
        username: percent-decoded, or None.
        password: percent-decoded, or None.
    """

    scheme: str
    host: str
    port: int
    path: str
    protocols: tuple[str, ...]
    username: str | None
    password: str | None = field(repr=False)

    @property
    def secure(self) -> bool:
        """Whether it asks for TLS."""
        return self.scheme in {"mqtts", "wss"}


def parse_url(url: str, where: str = "--broker") -> BrokerUrl:
    """The parts of an address.

    Args:
        url: ``scheme://[user[:password]@]host[:port][/path][?protocol=5]``.
        where: the option it came from, for errors.

    Raises:
        ConfigurationError: if it cannot be used, with an example.
    """
    parts = _split(url, where)
    if parts.password is not None and not parts.username:
        raise ConfigurationError(
            "a password needs a user name", where, "broker", without_password(url), EXAMPLE
        )
    web = parts.scheme in _WEB
    return BrokerUrl(
        scheme=parts.scheme,
        host=parts.hostname or "",
        port=_port(parts, where),
        path=(parts.path if parts.path.strip("/") else DEFAULT_PATH) if web else "",
        protocols=_protocols(parts, where),
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
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
            "not an address", where, "broker", shown, f"write {EXAMPLE}"
        ) from None
    if parts.scheme not in PORTS or "://" not in url:
        raise ConfigurationError(
            "unknown kind of broker",
            where,
            "broker",
            shown,
            f"write embedded, mosquitto, amqtt or {EXAMPLE}; mqtts:// for TLS, ws:// and "
            "wss:// for WebSocket",
        )
    if not host or any(mark.isspace() for mark in url):
        raise ConfigurationError("no host is named", where, "broker", shown, f"write {EXAMPLE}")
    if parts.fragment or (parts.scheme not in _WEB and parts.path.strip("/")):
        raise ConfigurationError(
            "only an address of ws:// or wss:// has a path, and none has a fragment",
            where,
            "broker",
            shown,
            f"write {EXAMPLE}",
        )
    return parts


def _port(parts: SplitResult, where: str) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        return PORTS[parts.scheme]
    if port == 0:
        raise ConfigurationError(
            "the port is not a number from 1 to 65535",
            where,
            "broker",
            parts.netloc.rpartition("@")[2],
            f"write {EXAMPLE}",
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
