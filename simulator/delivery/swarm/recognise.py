"""Which alert a message is, and a memory of frames whose answer is known.

Rule of the module: pure. Every distinct frame is decoded once; afterwards it is recognised by
comparing its bytes, all of them, so that a changed byte is decoded afresh. The packet id is no part
of a frame's identity, and a frame with DUP set is always decoded.

A message is *altered* if its identifier is ours and its bytes are not those that this worker saw
first under that identifier on that kind of topic. The worker has no other copy to compare with: if
the altered one comes first, it is the genuine one that is reported as altered. Either way one
message is reported as unexpected, so that a run cannot pass unnoticed.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from simulator.delivery.messages import SwarmOrder
from simulator.delivery.wire.codec import Buffer
from simulator.delivery.wire.packets import Publish
from simulator.measure.receipts import UNKNOWN, ReceiptFlag

MAX_FRAMES: Final = 4096
MAX_BYTES: Final = 64 * 1024 * 1024
DUP_BIT: Final = 0x08
_LONGER_THAN_ANY: Final = 1 << 40
_QOS_FLAGS: Final = (0, int(ReceiptFlag.QOS_1), int(ReceiptFlag.QOS_2))


class Recogniser:
    """Judges decoded messages.

    Args:
        order: the run's identifiers and topics.
        identify: CloudEvents id or CAP identifier of a payload, None if it has none.
    """

    def __init__(self, order: SwarmOrder, identify: Callable[[bytes], str | None]) -> None:
        self._identifiers = order.identifiers
        self._topics = order.topics
        self._state_topics = order.state_topics
        self._any_state_topic = frozenset(order.state_topics)
        self._identify = identify
        self._first: dict[tuple[int, bool], bytes] = {}

    def judge(self, message: Publish) -> tuple[int, int]:
        """Number of the alert, UNKNOWN if it is none of ours, and ReceiptFlag bits."""
        flags = _QOS_FLAGS[message.qos]
        if message.retain:
            flags |= ReceiptFlag.RETAIN
        if message.dup:
            flags |= ReceiptFlag.DUP
        state = message.topic in self._any_state_topic
        if state:
            flags |= ReceiptFlag.STATE
        if state and not message.payload:
            return UNKNOWN, int(flags | ReceiptFlag.CLEARED)
        identifier = self._identifier(message.payload)
        if identifier is None:
            return UNKNOWN, int(flags | ReceiptFlag.MALFORMED)
        alert = self._identifiers.get(identifier, UNKNOWN)
        if alert == UNKNOWN or not self._genuine(alert, message, state=state):
            return UNKNOWN, int(flags | ReceiptFlag.FOREIGN)
        return alert, int(flags)

    def _identifier(self, payload: bytes) -> str | None:
        try:
            return self._identify(payload)
        except Exception:  # noqa: BLE001 - whatever the reader trips over, it is not our payload
            return None

    def _genuine(self, alert: int, message: Publish, *, state: bool) -> bool:
        topics = self._state_topics if state else self._topics
        if topics[alert] != message.topic:
            return False
        digest = hashlib.blake2b(message.payload, digest_size=16).digest()
        return self._first.setdefault((alert, state), digest) == digest


class KnownFrame:
    """One PUBLISH whose verdict is known, as the bytes around its packet id.

    Attributes:
        head: fixed header and topic with its length; the whole frame at QoS 0.
        tail: everything after the packet id; empty at QoS 0.
        tail_at: where the tail begins; ``tail_at - 2`` is the packet id above QoS 0.
        size: length of the whole frame.
        qos: 0 to 2.
        alert: its alert's number, or UNKNOWN.
        flags: ReceiptFlag bits of every copy.
        key: of its bucket, see ``FrameMemory``.
        following: the frame that came after it last time, a guess.
    """

    __slots__ = ("alert", "flags", "following", "head", "key", "qos", "size", "tail", "tail_at")

    def __init__(self, raw: bytes, key: int, message: Publish, verdict: tuple[int, int]) -> None:
        topic_bytes = len(message.topic.encode())
        fixed = 2  # first byte and at least one of length
        while raw[fixed - 1] & 0x80:
            fixed += 1
        head_bytes = fixed + 2 + topic_bytes
        self.head = raw[:head_bytes] if message.qos else raw
        self.tail_at = head_bytes + 2 if message.qos else len(raw)
        self.tail = raw[self.tail_at :]
        self.size = len(raw)
        self.qos = message.qos
        self.alert, self.flags = verdict
        self.key = key
        self.following = self


def _nothing() -> KnownFrame:
    """A frame that no buffer can hold: the guess before there is one."""
    frame = KnownFrame(b"\0\0", 0, Publish(topic="", payload=b""), (UNKNOWN, 0))
    frame.size = _LONGER_THAN_ANY
    return frame


class FrameMemory:
    """Known frames of one MQTT version, bounded in number and bytes; the oldest goes first.

    Attributes:
        guess: the frame that the last block began with: the next block may begin with it too.
    """

    def __init__(self, *, max_frames: int = MAX_FRAMES, max_bytes: int = MAX_BYTES) -> None:
        self.guess = _nothing()
        self._buckets: dict[int, list[KnownFrame]] = {}
        self._order: dict[KnownFrame, None] = {}
        self._bytes = 0
        self._max_frames = max_frames
        self._max_bytes = max_bytes

    def __len__(self) -> int:
        return len(self._order)

    def find(self, buffer: bytearray, start: int, stop: int) -> KnownFrame | None:
        """The known frame that equals ``buffer[start:stop]`` but for the packet id."""
        for known in self._buckets.get((stop - start) << 8 | buffer[start], ()):
            if buffer.startswith(known.head, start) and buffer.startswith(
                known.tail, start + known.tail_at
            ):
                return known
        return None

    def learn(
        self, buffer: Buffer, start: int, stop: int, message: Publish, verdict: tuple[int, int]
    ) -> KnownFrame | None:
        """Remember a decoded frame; None if it is a DUP copy or larger than the memory."""
        size = stop - start
        if buffer[start] & DUP_BIT or size > self._max_bytes:
            return None
        while self._order and (
            len(self._order) >= self._max_frames or self._bytes + size > self._max_bytes
        ):
            self._forget(next(iter(self._order)))
        key = size << 8 | buffer[start]
        known = KnownFrame(bytes(buffer[start:stop]), key, message, verdict)
        self._buckets.setdefault(key, []).append(known)
        self._order[known] = None
        self._bytes += size
        return known

    def _forget(self, known: KnownFrame) -> None:
        del self._order[known]
        self._bytes -= known.size
        known.following = known  # or a chain of forgotten frames would live on
        bucket = self._buckets[known.key]
        bucket.remove(known)
        if not bucket:
            del self._buckets[known.key]
