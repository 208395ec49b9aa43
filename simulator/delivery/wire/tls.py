"""TLS as a layer: ``ssl.MemoryBIO`` on both sides, and its failures in words.

Rule of the module: certificates and host names are always checked; there is no option that turns
that off. Whoever uses a certificate of their own gives its CA (``--cafile``); whoever connects by
another name than the certificate's says which name to expect (``--server-name``).
"""

import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar, cast

from simulator.clock import SystemClock
from simulator.delivery.messages import BrokerEndpoint, TlsFiles
from simulator.delivery.wire.channel import ChannelError, Edges
from simulator.delivery.wire.validity import validity
from simulator.errors import ConfigurationError
from simulator.units import wall_datetime

_Context = TypeVar("_Context", bound=ssl.SSLContext)

# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_WRONG_NAME: Final = frozenset({62, 64})
_PLAIN: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_OURS: Final = ("CERTIFICATE", "UNKNOWN_CA", "HANDSHAKE_FAILURE", "ACCESS_DENIED")
_HEADER_BYTES: Final = 5
_APPLICATION_DATA: Final = 23
_LOCAL: Final = "check the broker's certificate, or the clock of this host"


class NamedContext(ssl.SSLContext):
    """A context for clients that wrap sockets themselves and know only the host's address.

    Attributes:
        server_name: the name that the broker's certificate must be for.
    """

    server_name: str

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:  # noqa: ANN401
        """As the base class, with our name instead of the caller's."""
        return super().wrap_socket(*arguments, **options | {"server_hostname": self.server_name})


def client_context(
    files: TlsFiles,
    kind: type[_Context] = ssl.SSLContext,  # type: ignore[assignment]
) -> _Context:
    """The TLS settings of our side; reads the files, so it stands outside every loop.

    Args:
        files: CAs, our certificate and its key.
        kind: class of the context.

    Raises:
        ConfigurationError: if a file cannot be read or is not what it should be.
    """
    if files.key is not None and files.cert is None:
        raise ConfigurationError(
            "a private key without its certificate", "--key", value=files.key, remedy="add --cert"
        )
    try:
        context = kind(ssl.PROTOCOL_TLS_CLIENT)  # checks certificates and host names
        if files.cafile is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=files.cafile)
    except ssl.SSLError:
        raise ConfigurationError(
            "is not a file of certificates",
            "--cafile",
            value=files.cafile,
            remedy="give the CA's certificate in PEM form (-----BEGIN CERTIFICATE-----)",
        ) from None
    except OSError as error:
        raise _unreadable("--cafile", files.cafile, error) from None
    if files.cert is not None:
        _load_own(context, files, files.cert)
    return context


def named_context(endpoint: BrokerEndpoint) -> NamedContext | None:
    """Our side of TLS for a client that wraps its socket itself; None for a plain connection.

    The certificate must be for the name that the user wrote.

    Raises:
        ConfigurationError: as :func:`client_context`.
    """
    if endpoint.tls is None:
        return None
    context = client_context(endpoint.tls, NamedContext)
    context.server_name = endpoint.tls.server_name or endpoint.host
    return context


def _load_own(context: ssl.SSLContext, files: TlsFiles, cert: str) -> None:
    for option, path in (("--cert", cert), ("--key", files.key)):
        if path is not None:
            try:
                with open(path, "rb"):  # noqa: PTH123  # only: may we?
                    pass
            except OSError as error:
                raise _unreadable(option, path, error) from None
    try:
        # Without a password the library would ask for one at the terminal.
        context.load_cert_chain(cert, files.key, password=files.key_password or "")
    except ssl.SSLError as error:
        mismatch = error.reason == "KEY_VALUES_MISMATCH"
        raise ConfigurationError(
            "the private key does not belong to the certificate"
            if mismatch
            else "certificate and private key cannot be used",
            "--cert",
            value=cert if files.key is None else f"{cert}, {files.key}",
            remedy="give the key that the certificate was made with"
            if mismatch
            else "both in PEM form; the key in --key or in the same file; if it is encrypted, its "
            "password in ALERTSIM_KEY_PASSWORD",
        ) from None
    _check_dates(cert)


def _check_dates(cert: str) -> None:
    """A broker would refuse it with an alert at best, and often without a word."""
    dates = validity(Path(cert).read_text(encoding="ascii", errors="replace"))
    now = wall_datetime(SystemClock().wall_ns())
    if dates is not None and not dates[0] <= now <= dates[1]:
        first, last = (f"{date:%Y-%m-%d %H:%M:%S} UTC" for date in dates)
        raise ConfigurationError(
            f"our certificate {'has expired' if now > dates[1] else 'is not valid yet'}: it is "
            f"valid from {first} to {last}",
            "--cert",
            value=cert,
            remedy="have a new one made, or check the clock of this host",
        )


def _unreadable(option: str, path: str | None, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"cannot be read: {error.strerror}", option, value=path, remedy="give a readable PEM file"
    )


class TlsLayer:
    """The client's side of one TLS connection.

    Args:
        context: see :func:`client_context`.
        server_name: the name that the broker's certificate must be for.
    """

    name = "TLS"

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self.opened = False
        self.ended = False
        self._edges = Edges(_record, _HEADER_BYTES)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name)

    def start(self) -> None:
        """Say ClientHello."""
        self._shake_hands()

    def receive(self, view: memoryview, count: int) -> int:
        """Decrypt; whole records only, the rest waits for its end."""
        self._edges.follow(view[:count])
        self._incoming.write(view[:count])
        if not self.opened:
            self._shake_hands()
            if not self.opened:
                return 0
        got = 0
        try:
            while taken := self._into(view[got:]):
                got += taken
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.ended = True
        except ssl.SSLError as error:
            if not got:
                raise in_words(error) from None
            self.ended = True  # what came before it counts
        return got

    @property
    def whole(self) -> bool:
        """Whether the last block ended with a record."""
        return self._edges.whole

    def _into(self, view: memoryview) -> int:
        # With a buffer the count is returned; typeshed knows the other form only.
        return cast("int", self._object.read(len(view), view))

    def _shake_hands(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            raise in_words(error) from None
        self.opened = True

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt."""
        try:
            if data:
                self._object.write(data)
        except ssl.SSLError as error:
            raise in_words(error) from None

    def output(self) -> bytes:
        """Records for the broker."""
        return self._outgoing.read()

    def close(self) -> None:
        """Say close_notify, without waiting for the broker's."""
        with suppress(ssl.SSLError, OSError):
            self._object.unwrap()


def _record(head: bytearray) -> tuple[int, int, bool]:
    """RFC 8446, section 5.1: type, version, length."""
    return _HEADER_BYTES, head[3] << 8 | head[4], head[0] == _APPLICATION_DATA


def in_words(error: ssl.SSLError) -> ChannelError:
    """What went wrong, for whoever runs the broker or holds the certificates."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error.verify_code, error.verify_message)
    reason = error.reason or str(error)
    if reason in _PLAIN:
        return ChannelError(
            "the broker's answer is not TLS",
            "this port speaks plain MQTT: mqtt:// instead of "
            "mqtts://, ws:// instead of wss://; or give the port that speaks TLS",
        )
    said = reason.lower().replace("_", " ")
    if "ALERT" in reason and any(mark in reason for mark in _OURS):
        said = said.partition("alert ")[2] or said
        return ChannelError(
            f"the broker refuses our side of TLS: {said}",
            "it may want a client certificate that its CA has signed: --cert and --key",
        )
    return ChannelError(f"TLS failed: {said}", "do broker and client share a version of TLS?")


def _untrusted(code: int, message: str) -> ChannelError:
    if code == _EXPIRED:
        return ChannelError("the broker's certificate, or its CA's, has expired", _LOCAL)
    if code == _NOT_YET_VALID:
        return ChannelError("the broker's certificate, or its CA's, is not valid yet", _LOCAL)
    if code in _WRONG_NAME:
        return ChannelError(
            f"the broker's certificate is for another host: {message.rstrip('.')}",
            "connect by the name in the certificate, or give that name with --server-name",
        )
    return ChannelError(
        f"the broker's certificate is not trusted here: {message}",
        "give the certificate of the CA that signed it with --cafile",
    )
