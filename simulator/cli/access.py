"""Options that every command which speaks to a broker shares: user, password, certificates.

Rule of the module: no option takes a password, because other users of a host see command lines; it
comes from a file or from the environment.
"""

from pathlib import Path
from typing import Annotated

import typer

UsernameOption = Annotated[
    str | None,
    typer.Option(
        help="User name for a broker by URL. The password: --password-file or ALERTSIM_PASSWORD."
    ),
]
PasswordFileOption = Annotated[
    Path | None, typer.Option(help="File whose first line is the password.", metavar="FILE")
]
CafileOption = Annotated[
    Path | None,
    typer.Option(
        help="PEM file of the CA that signed the broker's certificate, for mqtts:// and wss://. "
        "Default: the system's CAs.",
        metavar="FILE",
    ),
]
CertOption = Annotated[
    Path | None,
    typer.Option(help="PEM file of our own certificate, if the broker wants one.", metavar="FILE"),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        help="PEM file of its private key; its password: ALERTSIM_KEY_PASSWORD.", metavar="FILE"
    ),
]
ServerNameOption = Annotated[
    str | None,
    typer.Option(
        help="Host name in the broker's certificate, if the URL says another or an address."
    ),
]


def access_options(
    username: str | None,
    password_file: Path | None,
    cafile: Path | None,
    cert: Path | None,
    key: Path | None,
    server_name: str | None,
) -> dict[str, object]:
    """The options as run settings; None: not given."""
    return {
        "username": username,
        "password_file": password_file,
        "cafile": cafile,
        "cert": cert,
        "key": key,
        "server_name": server_name,
    }
