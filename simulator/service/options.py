"""How the service itself is set up, from its command line.

Rule of the module: frozen; the token is held as a secret and shown nowhere.
"""

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from simulator.delivery.loopback import is_loopback
from simulator.errors import ConfigurationError

TOKEN_VARIABLE: Final = "ALERTSIM_SERVICE_TOKEN"  # noqa: S105  # the variable's name
_SHORTEST_TOKEN: Final = 16
_LONGEST_TOKEN: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """How the service is set up.

    Attributes:
        store: directory of run directories.
        host: address to listen on.
        port: TCP port; 0: a free one.
        broker: a kind of broker to start, or a URL.
        max_runs: runs at the same time; others wait.
        max_waiting: runs that may wait; beyond it a start is refused.
        max_subscribers: subscribers of one run.
        token: bearer token; None: none is asked for, on loopback only.
        loops: scenarios that are played again and again: names of shipped ones, or files.
        loop_speed: of these, scenario seconds per wall second.
        loop_subscribers: of these, in each run.
        keep_runs: runs that are kept, and experiments as many again; the oldest go first.
        keep_bytes: how large the store may grow before the oldest go.
        stop_s: how long a run may take to end in order when it is stopped, wall seconds.
    """

    store: Path = Path("runs")
    host: str = "127.0.0.1"
    port: int = 8080
    broker: str = "embedded"
    max_runs: int = 2
    max_waiting: int = 100
    max_subscribers: int = 20_000
    token: SecretStr | None = None
    loops: tuple[str, ...] = ()
    loop_speed: float = 60.0
    loop_subscribers: int = 100
    keep_runs: int = 1000
    keep_bytes: int = 10 * 1024**3
    stop_s: float = 20.0

    @property
    def is_local(self) -> bool:
        """Whether only this host can reach it."""
        return is_loopback(self.host)

    @property
    def shown_host(self) -> str:
        """The host as it stands in a URL."""
        try:
            return f"[{self.host}]" if ipaddress.ip_address(self.host).version > 4 else self.host  # noqa: PLR2004
        except ValueError:
            return self.host


def check_token(options: ServiceOptions) -> ServiceOptions:
    """Refuse to be reachable from elsewhere without a token.

    Raises:
        ConfigurationError: with the remedy.
    """
    if options.token is None and not options.is_local:
        raise ConfigurationError(
            "other hosts may reach this address, and no token is asked for",
            field="--host",
            value=options.host,
            remedy=f"give --token-file FILE or set {TOKEN_VARIABLE}, or listen on 127.0.0.1 alone",
        )
    return options


def read_token(file: Path | None, variable: str | None) -> SecretStr | None:
    """The token from its file or its variable; the file wins.

    Args:
        file: whose first line is the token.
        variable: value of ALERTSIM_SERVICE_TOKEN, None if not set.

    Raises:
        ConfigurationError: if the file cannot be read or the token is too short to be one.
    """
    if file is None and not variable:
        return None
    named = "--token-file" if file is not None else TOKEN_VARIABLE
    text = variable or ""
    if file is not None:
        try:
            with file.open(encoding="utf-8") as lines:
                text = lines.readline(_LONGEST_TOKEN + 2).strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"cannot be read: {getattr(error, 'strerror', None) or error}",
                field=named,
                value=str(file),
                remedy="give a text file whose first line is the token",
            ) from None
    if not _SHORTEST_TOKEN <= len(text) <= _LONGEST_TOKEN or not text.isascii() or " " in text:
        raise ConfigurationError(
            f"a token has {_SHORTEST_TOKEN} to {_LONGEST_TOKEN} ASCII characters without spaces",
            field=named,
            remedy="make one: python3 -c 'import secrets; print(secrets.token_urlsafe())'",
        )
    return SecretStr(text)
