"""What to do about a connection that failed before anything was sent.

Rule of the module: pure; a cause and a reason go in, one sentence comes out. It names options and
addresses as the user writes them.
"""

from typing import Final

from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.handshake import INSTEAD, SPEAKS_HTTP, SPEAKS_TLS, TOO_SMALL
from simulator.delivery.wire.order import Cause

_CREDENTIALS: Final = ("authori", "user name", "username", "password", "identifier")
_GIVE: Final = (
    "ALERTSIM_USERNAME and ALERTSIM_PASSWORD, or --username and --password-file, or "
    "mqtt://user:password@host"
)
_VERSION: Final = "protocol version"
_ELSE: Final = {
    SPEAKS_TLS: "write mqtts:// (or wss://) instead of mqtt://",
    SPEAKS_HTTP: "write ws:// instead of mqtt://, wss:// instead of mqtts://",
}
_BY_CAUSE: Final = {
    Cause.UNREACHABLE: "is the broker running, and is this its address and port?",
    Cause.VIOLATION: "this is not an MQTT broker, or not on this port",
}
_UNKNOWN: Final = "is this an MQTT broker, and does it allow this client?"


def remedy(endpoint: BrokerEndpoint, cause: Cause, reason: str, own: str = "") -> str:
    """One sentence for the user.

    Args:
        endpoint: where it was tried.
        cause: why the connection closed.
        reason: the same in words.
        own: the connection's own remedy, if it has one.
    """
    if own:
        return own
    if cause is Cause.REFUSED:
        return _refused(endpoint, reason)
    return _ELSE.get(reason) or _BY_CAUSE.get(cause, _UNKNOWN)


def _refused(endpoint: BrokerEndpoint, reason: str) -> str:
    if _VERSION in reason:
        asked = endpoint.protocol
        other = "3.1.1" if asked == "5" else "5"
        return f"write ?protocol={other} behind its address: it does not speak MQTT {asked}"
    if any(word in reason.lower() for word in _CREDENTIALS):
        return f"give a user and password that the broker knows: {_GIVE}"
    if reason.startswith(TOO_SMALL):
        return "raise the broker's maximum packet size (mosquitto: max_packet_size)"
    if reason.startswith(INSTEAD):
        return _closed(endpoint)
    return f"does it want a user and password ({_GIVE})?"


def _closed(endpoint: BrokerEndpoint) -> str:
    """It hung up on CONNECT, without a word."""
    asked = [
        f"a user and password ({_GIVE})",
        "another MQTT version (?protocol=3.1.1, ?protocol=5)",
    ]
    if endpoint.tls is None:
        asked.append("TLS (mqtts:// or wss://)")
    else:
        word = "a" if endpoint.tls.cert is None else "another"
        asked.insert(0, f"{word} client certificate (--cert and --key)")
    return f"does it want {', '.join(asked[:-1])} or {asked[-1]}?"
