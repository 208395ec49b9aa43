"""What a connection is told, where it stands, and why it ended.

Rule of the module: records and names only.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.wire.codec import MAX_PACKET_BYTES
from simulator.delivery.wire.packets import Will

READ_BYTES: Final = 256 * 1024


class State(Enum):
    """Where a connection stands."""

    IDLE = 0
    CONNECTING = 1
    CONNACK = 2
    SUBACK = 3
    UP = 4
    CLOSED = 5


class Cause(Enum):
    """Why a connection is closed."""

    NONE = ""
    UNREACHABLE = "unreachable"  # no TCP connection
    CHANNEL = "no channel"  # TLS or WebSocket failed
    REFUSED = "refused"  # the broker said no to CONNECT or SUBSCRIBE
    LOST = "lost"  # the broker closed, or the connection broke
    VIOLATION = "violation"  # the broker sent what is not MQTT
    TIMEOUT = "timeout"  # no handshake, or no sign of life
    ORDERLY = "orderly"  # we closed


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionOrder:
    """What to connect as.

    Attributes:
        endpoint: where, which protocol, which credentials.
        client: MQTT client id.
        filters: (topic filter, QoS) pairs to subscribe to once connected.
        clean: clean session (3.1.1) or clean start without expiry (5).
        keep_alive_s: MQTT keep alive, wall seconds; a ping goes out at half of it.
        session_expiry_s: how long a broker keeps a persistent MQTT 5 session, wall seconds.
        will: last will, if any.
        kernel_stamps: ask the kernel for receive stamps.
        message_expiry_s: MQTT 5 message expiry of what is published, wall seconds; 0: none. Only
            for brokers on which messages may carry properties.
    """

    endpoint: BrokerEndpoint
    client: str
    filters: tuple[tuple[str, int], ...] = ()
    clean: bool = True
    keep_alive_s: int = 60
    session_expiry_s: int = 3600
    will: Will | None = None
    kernel_stamps: bool = False
    message_expiry_s: int = 0


class ReadBuffer:
    """The receive buffer that all connections of one loop share.

    Room for the beginning of the largest packet, kept from earlier reads, and one more read.
    """

    def __init__(self) -> None:
        self.data = bytearray(MAX_PACKET_BYTES + READ_BYTES)
        self.view = memoryview(self.data)
