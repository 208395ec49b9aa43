"""A broker by address: somebody else runs it.

Rule of the module: an exercise message leaves this host only for a host that the user has named in
the allow-list. The password goes to the endpoint and nowhere else.
"""

from collections.abc import Sequence
from typing import ClassVar

from simulator.delivery.brokers.access import Access
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.url import parse_url, without_password
from simulator.delivery.loopback import is_loopback
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.tls import client_context
from simulator.errors import ConfigurationError

__all__ = ["ExternalBroker", "check_allowed", "without_password"]


class ExternalBroker(Broker):
    """A broker that runs already.

    Args:
        url: ``scheme://[user[:password]@]host[:port][/path][?protocol=5]`` with the scheme mqtt,
            mqtts, ws or wss; user and password are percent-decoded; protocol limits the broker to
            one MQTT version; a path is for WebSocket only.
        allow_hosts: hosts that may be published to besides this one.
        where: the option it came from, for errors.
        access: who we are, if the address does not say, and our side of TLS.

    Raises:
        ConfigurationError: for an address that cannot be used or is not allowed, or a TLS file that
            cannot be used.
    """

    kind: ClassVar[str] = "external"
    properties_allowed: ClassVar[bool] = True

    def __init__(
        self,
        url: str,
        *,
        allow_hosts: Sequence[str] = (),
        where: str = "--broker",
        access: Access | None = None,
    ) -> None:
        access = access or Access()
        parts = self._parts = parse_url(url, where)
        check_allowed(parts.host, allow_hosts, where)
        named = parts.username is not None
        self._username = parts.username if named else access.username
        self._password = parts.password
        if parts.password is None and access.username in {None, self._username}:
            self._password = access.password
        self._tls = None
        if parts.secure:
            self._tls = access.tls
            client_context(access.tls)  # its files are looked at before anything is sent
        elif access.asks_for_tls:
            secure = {"mqtt": "mqtts", "ws": "wss"}[parts.scheme]
            raise ConfigurationError(
                "certificates were given, but the address asks for no TLS",
                where,
                "broker",
                without_password(url),
                f"write {secure}:// instead of {parts.scheme}://, or leave --cafile, --cert, --key "
                "and --server-name out",
            )

    def start(self) -> None:
        """Nothing to start; whether it answers is found out by connecting."""

    @property
    def protocols(self) -> tuple[str, ...]:
        """The version that the address names, both if it names none."""
        return self._parts.protocols

    def endpoint(self, protocol: str) -> BrokerEndpoint:
        """The same host and port for both versions, unless the URL limits it to one."""
        if protocol not in self._parts.protocols:
            raise ConfigurationError(
                f"the broker's address limits it to MQTT {self._parts.protocols[0]}",
                "--protocol",
                value=protocol,
                remedy=f"use --protocol {self._parts.protocols[0]}, or leave ?protocol= away",
            )
        return BrokerEndpoint(
            host=self._parts.host,
            port=self._parts.port,
            protocol=protocol,
            username=self._username,
            password=self._password,
            tls=self._tls,
            path=self._parts.path,
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
            "settings": {
                "authenticated": self._username is not None,
                "transport": self._parts.scheme,
                "own_certificate": self._tls is not None and self._tls.cert is not None,
            },
        }

    def __repr__(self) -> str:
        return f"ExternalBroker({self._parts.host}:{self._parts.port})"


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
