"""Deliveries as the kernel saw them: tcpdump on the loopback interface, and a reader of its file.

Rule of the module: whole packets are captured, because a busy machine puts several messages into
one. A message is timed by the packet that holds its last byte. Stamps are the kernel's; how late
tcpdump itself reads them does not matter.
"""

import contextlib
import re
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks.harness import BenchmarkError

_NANOSECONDS: Final = 0xA1B23C4D
_ETHERNET: Final = 14
_PUBLISH: Final = 3
_CONNECT: Final = 0x10
_MQTT5: Final = 5
_HEAD_BYTES: Final = 200  # of a PUBLISH: its topic and the identifier of its message
_START_S: Final = 10.0
_BLOCK_S: Final = 1.5  # the kernel hands packets over in blocks, at most a second old
_IDENTIFIER: Final = re.compile(rb'"id":"([^"]+)"')
_LIVE: Final = b"/alerts/"


@dataclass(slots=True)
class Capture:
    """What a capture saw.

    Attributes:
        published_ns: by identifier, when the message reached the broker, CLOCK_REALTIME ns.
        delivered_ns: by (subscriber's port, identifier), when its last byte arrived there.
        clients: MQTT client id by port, of connections that were opened during the capture.
        dropped: packets that tcpdump reports as lost.
    """

    published_ns: dict[str, int] = field(default_factory=dict)
    delivered_ns: dict[tuple[int, str], int] = field(default_factory=dict)
    clients: dict[int, str] = field(default_factory=dict)
    dropped: int = 0

    def durations_ns(self) -> list[int]:
        """Of every delivery: its packet's time minus its message's."""
        return [
            at_ns - self.published_ns[identifier]
            for (_, identifier), at_ns in self.delivered_ns.items()
            if identifier in self.published_ns
        ]


@contextlib.contextmanager
def capturing(port: int, folder: Path) -> Iterator[Capture]:
    """Capture a broker's port; the yielded object is filled when the block is left.

    Raises:
        BenchmarkError: if tcpdump does not start: it needs to be installed, and the privilege.
    """
    file = folder / "loopback.pcap"
    header = "((tcp[12] & 0xf0) >> 2)"
    payload = f"ip[2:2] - ((ip[0] & 0xf) << 2) - {header} > 0"
    connect = f"({payload} and tcp[{header}] == {_CONNECT})"
    wanted = (
        f"tcp and ((src port {port} and {payload}) or "
        f"(dst port {port} and (greater 1000 or {connect})))"
    )
    command = ["tcpdump", "-i", "lo", "-n", "-B", "32768", "-Z", "root"]
    command += ["--time-stamp-precision=nano", "-w", str(file), wanted]
    said = folder / "tcpdump.txt"
    with said.open("wb") as stderr:
        try:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr)
        except OSError as error:
            raise BenchmarkError(f"tcpdump does not start: {error}") from error
        capture = Capture()
        try:
            _await(process, said)
            yield capture
            time.sleep(_BLOCK_S)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(_START_S)
    dropped = re.search(r"(\d+) packets dropped by kernel", said.read_text(encoding="utf-8"))
    capture.dropped = int(dropped[1]) if dropped else 0
    _read(file, port, capture)


def _await(process: "subprocess.Popen[bytes]", said: Path) -> None:
    deadline = time.monotonic() + _START_S
    while "listening on" not in said.read_text(encoding="utf-8"):
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchmarkError(f"tcpdump does not start: {said.read_text(encoding='utf-8')}")
        time.sleep(0.02)


@dataclass(slots=True)
class _Flow:
    """One direction of one connection.

    Attributes:
        seen_to: sequence number after the last byte seen; None before the first packet.
        frame_at: sequence number at which the next frame begins.
        rest: that frame's beginning, if it was too short to know the frame.
        identifier: the alert of the frame before that, if it has not ended yet.
    """

    seen_to: int | None = None
    frame_at: int = 0
    rest: bytes = b""
    identifier: str = ""


def _read(file: Path, port: int, capture: Capture) -> None:
    flows: dict[tuple[int, int], _Flow] = {}
    for at_ns, packet in _packets(file.read_bytes()):
        ip_bytes = (packet[_ETHERNET] & 0x0F) * 4
        (total,) = struct.unpack_from("!H", packet, _ETHERNET + 2)
        tcp = _ETHERNET + ip_bytes
        source, target, sequence = struct.unpack_from("!HHI", packet, tcp)
        tcp_bytes = (packet[tcp + 12] >> 4) * 4
        data = packet[tcp + tcp_bytes : _ETHERNET + total]
        flow = flows.setdefault((source, target), _Flow())
        if target == port and data[:1] == bytes([_CONNECT]):
            capture.clients[source] = _client(data)
        for identifier in _ended(flow, data, sequence):
            if target == port:
                capture.published_ns.setdefault(identifier, at_ns)
            else:
                capture.delivered_ns.setdefault((target, identifier), at_ns)


def _ended(flow: _Flow, data: bytes, sequence: int) -> Iterator[str]:
    """Identifiers of the alerts whose last byte is in this segment, in order."""
    stop = (sequence + len(data)) & 0xFFFFFFFF
    if flow.seen_to is None:
        flow.frame_at = sequence
    elif _after(stop, flow.seen_to) <= 0:
        return  # sent again
    flow.seen_to = stop
    position = _after(flow.frame_at, sequence)
    if flow.rest and position == -len(flow.rest):
        data, sequence = flow.rest + data, sequence - len(flow.rest)
        position = 0
    elif position < 0:  # the filter left out something small: this is a frame's beginning
        position, flow.identifier = 0, ""
    if position > len(data):
        return
    flow.rest = b""
    while position <= len(data):
        if flow.identifier:
            yield flow.identifier
        flow.identifier = ""
        size = _frame_bytes(data, position)
        if not size or len(data) - position < min(size, _HEAD_BYTES):
            flow.rest = data[position:]
            break
        flow.identifier = _alert(data[position : position + _HEAD_BYTES])
        position += size
    flow.frame_at = (sequence + position) & 0xFFFFFFFF


def _after(number: int, sequence: int) -> int:
    """How far a sequence number lies after another, which may be negative."""
    return ((number - sequence + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def _frame_bytes(data: bytes, position: int) -> int:
    """Length of the MQTT packet that begins here; 0 if its header is not whole."""
    length = 0
    for count, byte in enumerate(data[position + 1 : position + 5]):
        length |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return 2 + count + length
    return 0


def _client(data: bytes) -> str:
    """Client id of a CONNECT that stands in one segment (MQTT 3.1.1, 3.1; MQTT 5, 3.1)."""
    position = data.index(b"MQTT") + 4
    version = data[position]
    position += 4  # level, flags, keep alive
    if version == _MQTT5:
        position += 1 + data[position]  # properties: fewer than 128 bytes of them
    (length,) = struct.unpack_from("!H", data, position)
    return data[position + 2 : position + 2 + length].decode()


def _alert(head: bytes) -> str:
    """Identifier of a live alert's PUBLISH; empty for every other packet."""
    if head[0] >> 4 != _PUBLISH or _LIVE not in head:
        return ""
    found = _IDENTIFIER.search(head)
    return found[1].decode() if found else ""


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Time and captured bytes of each packet (pcap, nanoseconds, of this host's byte order)."""
    magic, *_ = struct.unpack_from("=IHHiIII", data)
    if magic != _NANOSECONDS:
        raise BenchmarkError(f"not a capture file with nanoseconds: {magic:#x}")
    position, end = 24, len(data)
    while position + 16 <= end:
        seconds, fraction, captured, _ = struct.unpack_from("=IIII", data, position)
        position += 16
        yield seconds * 1_000_000_000 + fraction, data[position : position + captured]
        position += captured
