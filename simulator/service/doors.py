"""The doors: what every request passes before a route sees it.

Rule of the module: pure ASGI, nothing is read that may be refused. The name that the browser asked
for is checked (a web page of somebody else's must not reach a service on this host under a name of
its own), a request that changes something must not come from another site's page, the token is
asked for where there is one, a body has a limit before it is read, and every answer carries its
headers.
"""

import hashlib
import hmac
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Final

from pydantic import SecretStr
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.delivery.loopback import is_loopback
from simulator.service.options import ServiceOptions
from simulator.service.problems import answer, problem, told

BODY_LIMIT: Final = 2 * 1024 * 1024  # a scenario of 1 MiB, its line ends written as \\n in JSON
COOKIE: Final = "alertsim-session"
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_OPEN: Final = ("/", "/healthz", "/favicon.ico", "/api/v1/session")
_OPEN_UNDER: Final = "/page/"
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_HEADERS: Final = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def session_of(token: SecretStr) -> str:
    """What a browser keeps instead of the token: good for this token alone, and not the token."""
    return hmac.new(token.get_secret_value().encode(), b"alertsim session", "sha256").hexdigest()


def is_token(given: str, token: SecretStr) -> bool:
    """Whether it is the token, in a time that tells nothing."""
    digests = (hashlib.sha256(text.encode()) for text in (given, token.get_secret_value()))
    return hmac.compare_digest(*(digest.digest() for digest in digests))


def is_over_tls(request: HTTPConnection) -> bool:
    """Whether the browser asked over TLS, here or at a proxy in front that says so.

    Whoever claims it without TLS harms itself alone: its browser keeps the cookie to itself.
    """
    headers = request.headers
    forwarded = headers.get("forwarded", "").partition(",")[0].replace('"', "").lower()
    said = headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    pairs = [part.strip() for part in forwarded.split(";")]
    return request.url.scheme == "https" or said == "https" or "proto=https" in pairs


class Doors:
    """The middleware.

    Args:
        app: what lies behind.
        options: how the service is set up.
    """

    def __init__(self, app: ASGIApp, options: ServiceOptions) -> None:
        self._app = app
        self._token = options.token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        dressed = _dressed(send)
        refused = (
            self._foreign(scope, headers) or self._stranger(scope, headers) or _too_large(headers)
        )
        if refused is not None:
            status, kind, detail, remedy, more = refused
            response = answer(problem(status, kind, detail, remedy=remedy), more)
            await response(scope, receive, dressed)
            return
        await self._limited(scope, receive, dressed)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        read, begun = 0, False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > BODY_LIMIT:
                # Of all errors, what reads a body hands this one on as it is.
                raise HTTPException(413, _LARGE.detail, _CLOSE)
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except Exception as error:
            # Here and not further out, where the server would print a traceback of its own.
            found = told(error, scope["path"])
            if begun:
                raise
            await answer(found)(scope, receive, send)

    def _foreign(self, scope: Scope, headers: Headers) -> "Refusal | None":
        host = headers.get("host", "")
        name = _name(host)
        # With a token nothing is to be had by rebinding a name: no page of others' knows it.
        if self._token is None and not is_loopback(name):
            return (
                421,
                "host",
                "this service answers under the names of this host alone",
                "ask http://127.0.0.1 or http://localhost; for others start it with a token",
                {},
            )
        if scope["method"] in _SAFE:
            return None
        origin = headers.get("origin")
        same = origin is None or origin.partition("://")[2] == host
        if not same or headers.get("sec-fetch-site") in {"cross-site", "same-site"}:
            return (
                403,
                "origin",
                "a page of another site asked for this",
                "use the page of the service itself, or a client that is no browser",
                {},
            )
        return None

    def _stranger(self, scope: Scope, headers: Headers) -> "Refusal | None":
        path = scope["path"]
        if self._token is None or path in _OPEN or path.startswith(_OPEN_UNDER):
            return None
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and is_token(given.strip(), self._token):
            return None
        if hmac.compare_digest(_cookie(headers).encode(), session_of(self._token).encode()):
            return None
        return (
            401,
            "token",
            "the token is missing or wrong",
            "send Authorization: Bearer TOKEN, or sign in on the page",
            {"www-authenticate": 'Bearer realm="alertsim"'},
        )


Refusal = tuple[int, str, str, str, dict[str, str]]
_CLOSE: Final = {"connection": "close"}
_LARGE: Final = problem(
    413,
    "too-large",
    f"a body has at most {BODY_LIMIT} bytes here",
    remedy="a scenario has at most 1 MiB",
)


def _too_large(headers: Headers) -> Refusal | None:
    length = headers.get("content-length", "0")
    if length.isascii() and length.isdecimal() and int(length[:18]) <= BODY_LIMIT:
        return None
    return _LARGE.status, "too-large", _LARGE.detail, _LARGE.remedy, _CLOSE


def _name(host: str) -> str:
    """The host of a Host header, without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _cookie(headers: Headers) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _dressed(send: Send) -> Send:
    """Answers with the headers that every one of them has, unless it brings its own."""

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, text in _missing(headers):
                headers[name] = text
        await send(message)

    return dressed


def _missing(headers: MutableHeaders) -> Iterable[tuple[str, str]]:
    return [(name, text) for name, text in _HEADERS.items() if name not in headers]
