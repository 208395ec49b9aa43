"""When a connection pings, and when it has waited long enough.

Rule of the module: pure; times come in as arguments. All of it is wall time.
"""

from enum import Enum
from typing import Final

from simulator.units import NS_PER_S

HANDSHAKE_NS: Final = 30 * NS_PER_S
NEVER: Final = 1 << 62


class Act(Enum):
    """What is due."""

    NOTHING = 0
    PING = 1
    GIVE_UP = 2


class KeepAlive:
    """Deadlines of one connection (MQTT 3.1.1 and 5, section 3.1.2.10).

    A ping goes out at every half of the keep alive; if nothing has come for a whole one after
    a ping, the broker is given up.

    Args:
        keep_alive_s: wall seconds; 0: no pings.
    """

    def __init__(self, keep_alive_s: int) -> None:
        self._interval_ns = keep_alive_s * NS_PER_S // 2
        self._deadline_ns = NEVER
        self._next_ping_ns = NEVER
        self._waiting = False
        self._up = False

    @property
    def next_ns(self) -> int:
        """When something is due next, monotonic ns; NEVER if nothing is."""
        return min(self._deadline_ns, self._next_ping_ns)

    def opening(self, now_ns: int) -> None:
        """The handshake begins."""
        self._up = self._waiting = False
        self._next_ping_ns = NEVER
        self._deadline_ns = now_ns + HANDSHAKE_NS

    def impose(self, keep_alive_s: int) -> None:
        """The broker wants another keep alive (MQTT 5, section 3.2.2.3.14)."""
        self._interval_ns = keep_alive_s * NS_PER_S // 2

    def up(self, now_ns: int) -> None:
        """The handshake is done."""
        self._up = True
        self._deadline_ns = NEVER
        self._next_ping_ns = now_ns + self._interval_ns if self._interval_ns else NEVER

    def answered(self) -> None:
        """The broker has answered a ping."""
        self._waiting = False
        if self._up:
            self._deadline_ns = NEVER

    def act(self, now_ns: int, last_alive_ns: int) -> Act:
        """What to do now.

        Args:
            now_ns: monotonic ns.
            last_alive_ns: when the broker was last heard: one that is busy sending to us is alive
                without answering a ping.
        """
        if now_ns >= self._deadline_ns:
            heard_until_ns = last_alive_ns + 2 * self._interval_ns
            if not self._up or now_ns >= heard_until_ns:
                return Act.GIVE_UP
            self._deadline_ns = heard_until_ns
        if now_ns < self._next_ping_ns:
            return Act.NOTHING
        self._next_ping_ns = now_ns + self._interval_ns
        if not self._waiting:
            self._waiting = True
            self._deadline_ns = now_ns + 2 * self._interval_ns
        return Act.PING
