"""Who we are to a broker by address: user and password, and our side of TLS.

Rule of the module: a password is read once, goes to the endpoint, and is shown nowhere; a file that
cannot be used is an error before anything is sent.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from simulator.delivery.messages import TlsFiles
from simulator.errors import ConfigurationError
from simulator.settings import RunSettings

_MOST_BYTES: Final = 64 * 1024  # of a password file; MQTT's own limit of a password


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What opens a broker by address.

    Attributes:
        username: user name, if the address has none.
        password: password, if the address has no user.
        tls: files for addresses with TLS.
    """

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsFiles = field(default_factory=TlsFiles)

    @property
    def asks_for_tls(self) -> bool:
        """Whether anything was given that only TLS can use."""
        return self.tls != TlsFiles()

    @property
    def asks_for_login(self) -> bool:
        """Whether anything was given that only a broker with users can use."""
        return self.username is not None or self.password is not None


def access_of(settings: RunSettings) -> Access:
    """What the run's settings say.

    Raises:
        ConfigurationError: if the password file cannot be read, or the password is given twice, or
            without a user.
    """
    password = _secret(settings.password)
    if settings.password_file is not None:
        if password is not None:
            raise ConfigurationError(
                "the password is given twice",
                field="--password-file",
                value=str(settings.password_file),
                remedy="leave one of --password-file and ALERTSIM_PASSWORD out",
            )
        password = read_password(settings.password_file)
    if password is not None and settings.username is None and "@" not in settings.broker:
        raise ConfigurationError(
            "a password needs a user name",
            field="--username",
            remedy="give --username or ALERTSIM_USERNAME",
        )
    return Access(
        username=settings.username,
        password=password,
        tls=TlsFiles(
            cafile=_text(settings.cafile),
            cert=_text(settings.cert),
            key=_text(settings.key),
            key_password=_secret(settings.key_password),
            server_name=settings.server_name,
        ),
    )


def read_password(path: Path) -> str:
    """The first line of a file.

    Raises:
        ConfigurationError: if it cannot be read, is no text, or is empty.
    """
    try:
        with path.open("rb") as file:
            line = file.read(_MOST_BYTES).partition(b"\n")[0].rstrip(b"\r").decode()
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _unusable(path, "is not UTF-8 text") from None
    if not line:
        raise _unusable(path, "has an empty first line")
    return line


def _unusable(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(
        what,
        field="--password-file",
        value=str(path),
        remedy="give a readable file whose first line is the password",
    )


def _secret(given: SecretStr | None) -> str | None:
    return None if given is None else given.get_secret_value()


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
