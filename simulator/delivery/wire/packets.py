"""MQTT control packets as a client sees them, the same for MQTT 3.1.1 and 5.

Rule of the module: frozen records with what both protocol versions have in common, and of MQTT 5
only what a client must obey. Packets that only a client sends are never records: the codec writes
them straight to bytes.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

FAILURE: Final = 0x80  # reason codes from here on are failures (MQTT 5 section 2.4)
MOST_UNACKNOWLEDGED: Final = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """What the broker publishes for a client that vanishes (MQTT 3.1.1 section 3.1.2.5).

    Attributes:
        topic: where to.
        payload: may be empty: an empty retained will clears the topic.
        qos: 0 to 2.
        retain: whether the will is retained.
    """

    topic: str
    payload: bytes = b""
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnAck:
    """The broker's answer to CONNECT.

    Attributes:
        session_present: whether the broker kept a session for this client id.
        code: 0 accepted, else the return code (3.1.1) or reason code (5).
        reason: the code in words.
        keep_alive_s: keep alive imposed by the broker (MQTT 5), None: ours stands.
        receive_max: unacknowledged QoS 1 and 2 messages the broker takes at a time.
        max_packet_bytes: largest packet the broker takes (MQTT 5), None: not said.
        stated: what else an MQTT 5 broker says of itself, by name, in words; empty for 3.1.1.
    """

    session_present: bool
    code: int
    reason: str
    keep_alive_s: int | None = None
    receive_max: int = MOST_UNACKNOWLEDGED
    max_packet_bytes: int | None = None
    stated: tuple[tuple[str, str], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """An application message.

    Attributes:
        topic: topic name, no wildcards.
        payload: its bytes, possibly none.
        qos: 0 to 2.
        retain: the RETAIN flag.
        dup: the DUP flag.
        packet_id: 1 to 65535; 0 at QoS 0, which has none.
    """

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PubAck:
    """QoS 1, the only acknowledgement; ``code`` from 128 is a refusal (MQTT 5)."""

    packet_id: int
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PubRec:
    """QoS 2, step 1: received; ``code`` from 128 is a refusal and ends the exchange (MQTT 5)."""

    packet_id: int
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PubRel:
    """QoS 2, step 2: the sender releases the packet id."""

    packet_id: int
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PubComp:
    """QoS 2, step 3: complete."""

    packet_id: int
    code: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SubAck:
    """The broker's answer to SUBSCRIBE: a granted QoS or a failure (from 128) per filter."""

    packet_id: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PingResp:
    """The broker lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """The broker says why it is about to close (MQTT 5 only)."""

    code: int
    reason: str


Packet: TypeAlias = (
    ConnAck | Publish | PubAck | PubRec | PubRel | PubComp | SubAck | PingResp | Disconnect
)
