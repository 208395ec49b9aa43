"""WebSocket as a layer, on ``wsproto``: MQTT in binary messages (MQTT 3.1.1 and 5, section 6).

Rule of the module: no extension is offered, so that nothing is compressed; text messages end the
connection, as the standard demands; pings are answered here and never seen above.
"""

from typing import Final

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from simulator.delivery.wire.channel import ChannelError, Edges

SUBPROTOCOL: Final = "mqtt"
DEFAULT_PATH: Final = "/mqtt"
_HEADER_BYTES: Final = 2  # and 2 or 8 more where the length does not fit
_LENGTHS: Final = {126: 2, 127: 8}
_MASKED: Final = 0x80
_CONTROL: Final = 0x08
_NOT_FOUND: Final = 404
_UNAUTHORISED: Final = frozenset({401, 403})


class WebSocketLayer:
    """The client's side of one WebSocket.

    Args:
        host: host and port as the request names them.
        path: path of the MQTT endpoint, with its slash.
    """

    name = "WebSocket"

    def __init__(self, host: str, path: str) -> None:
        self.opened = False
        self.ended = False
        self._host = host
        self._path = path
        self._connection = WSConnection(ConnectionType.CLIENT)
        self._output = bytearray()
        self._edges = Edges(_frame, _HEADER_BYTES)

    @property
    def whole(self) -> bool:
        """Whether the last block ended with a frame of data."""
        return self._edges.whole

    def start(self) -> None:
        """Ask for the upgrade."""
        self._say(Request(host=self._host, target=self._path, subprotocols=[SUBPROTOCOL]))

    def receive(self, view: memoryview, count: int) -> int:
        """Unpack the binary messages."""
        got = 0
        if self.opened:
            self._edges.follow(view[:count])
        try:
            if count:
                self._connection.receive_data(bytes(view[:count]))
            for event in self._connection.events():
                if isinstance(event, BytesMessage):
                    size = len(event.data)
                    view[got : got + size] = event.data
                    got += size
                else:
                    self._obey(event)
        except (RemoteProtocolError, LocalProtocolError, ChannelError) as error:
            if not got:
                raise self._broken(error) from None
            self.ended = True  # what came before it counts
        return got

    def _obey(self, event: Event) -> None:
        match event:
            case AcceptConnection():
                self.opened = True
            case RejectConnection():
                raise _rejected(event.status_code, self._path)
            case Ping():
                self._say(event.response())
            case CloseConnection():
                self._say(event.response())  # the broker closes the connection after it
                self.ended = True
            case TextMessage():
                raise ChannelError("a text message came, where MQTT has binary ones")
            case _:
                pass  # a pong, or the body of a refusal

    def _broken(self, what: Exception) -> ChannelError:
        if isinstance(what, ChannelError):
            return what
        if self.opened:
            return ChannelError(f"not WebSocket any more: {what}")
        return ChannelError(
            f"the answer is not WebSocket: {what}",
            "does this port speak MQTT over WebSocket? mqtt:// is plain MQTT, wss:// WebSocket "
            "over TLS",
        )

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Pack into one binary message."""
        if data:
            self._say(BytesMessage(data=bytes(data)))

    def _say(self, event: Event) -> None:
        try:
            self._output += self._connection.send(event)
        except LocalProtocolError as error:
            raise ChannelError(f"the WebSocket is closed: {error}") from None

    def output(self) -> bytes:
        """Frames for the broker."""
        data = bytes(self._output)
        self._output.clear()
        return data

    def close(self) -> None:
        """Say Close, without waiting for the broker's."""
        if self.opened and not self.ended:
            self._say(CloseConnection(code=1000))


def _frame(head: bytearray) -> tuple[int, int, bool]:
    """RFC 6455, section 5.2, as a server writes it."""
    length = head[1] & ~_MASKED
    longer = _LENGTHS.get(length, 0)
    needed = _HEADER_BYTES + longer + (4 if head[1] & _MASKED else 0)
    if longer and len(head) >= _HEADER_BYTES + longer:
        length = int.from_bytes(head[_HEADER_BYTES : _HEADER_BYTES + longer])
    return needed, length, not head[0] & _CONTROL


def _rejected(status: int, path: str) -> ChannelError:
    said = f"the WebSocket was refused with HTTP status {status}"
    if status == _NOT_FOUND:
        return ChannelError(f"{said}: there is no {path}", "give its path: ws://host/path")
    if status in _UNAUTHORISED:
        return ChannelError(
            said, "the web server in front of the broker does not admit this client"
        )
    return ChannelError(said, f"is {path} the path of the broker's MQTT endpoint?")
