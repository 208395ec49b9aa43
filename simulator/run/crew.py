"""The run's child processes on its event loop: messages in, orders out, deaths noticed.

Rule of the module: it moves messages and notices ends; what a message means is the books' business.
A child that ends without saying so is a failure, with its last words in it.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from simulator.delivery.messages import ClockAsk, Ended, Failed, Stop
from simulator.delivery.remote import RemoteChild
from simulator.errors import (
    AbortedError,
    AlertsimError,
    BrokerLostError,
    BrokerUnreachableError,
    InternalError,
)
from simulator.run.watch import Watch
from simulator.units import NS_PER_S

_FAILURES = {
    "unreachable": BrokerUnreachableError,
    "refused": BrokerUnreachableError,
    "lost": BrokerLostError,
}
_KILL_MARGIN_NS = 200_000_000


class Member(Protocol):
    """A child process of the run, or a worker on another host; see delivery.children."""

    @property
    def name(self) -> str:
        """For people, for example ``worker-0``."""
        ...

    def fileno(self) -> int:
        """Descriptor to wait on."""
        ...

    def send(self, message: object) -> None:
        """Hand it a message."""
        ...

    def poll(self) -> bool:
        """Whether ``recv`` has something at once."""
        ...

    def recv(self) -> object:
        """The next message; EOFError at the end."""
        ...

    def ended(self) -> str | None:
        """How it ended, None while it runs."""
        ...

    def said(self) -> str:
        """Its last words."""
        ...

    def close(self, grace_ns: int = 0) -> None:
        """End it."""
        ...


class Crew:
    """Publisher and swarm workers of one run.

    Args:
        watch: where failures are reported.
        digest: called with every message but Failed, and the child's name.
    """

    def __init__(self, watch: Watch, digest: Callable[[str, object], None]) -> None:
        self._watch = watch
        self._digest = digest
        self._loop = asyncio.get_running_loop()
        self._children: list[Member] = []
        self._gone: set[str] = set()
        self._all_gone = asyncio.Event()
        self._stopping = False

    def add(self, child: Member) -> None:
        """Listen to a started child."""
        self._children.append(child)
        self._loop.add_reader(child.fileno(), self._read, child)

    @property
    def children(self) -> tuple[Member, ...]:
        """All children, in order of start."""
        return tuple(self._children)

    @property
    def workers(self) -> tuple[Member, ...]:
        """The swarm workers."""
        return tuple(child for child in self._children if child.name.startswith("worker-"))

    def named(self, name: str) -> Member:
        """The child of this name."""
        return next(child for child in self._children if child.name == name)

    def _read(self, child: Member) -> None:
        try:
            while child.poll():
                self._take(child, child.recv())
        except EOFError:
            self._lost(child)
        self._watch.ring()

    def _take(self, child: Member, message: object) -> None:
        if isinstance(message, Failed):
            kind = _FAILURES.get(message.reason, InternalError)
            self._watch.fail(kind(message.detail))
        elif isinstance(message, ClockAsk):
            pass  # answered where it was read, see delivery.remote
        elif isinstance(message, Ended):
            self._digest(child.name, message)
            self._mark_gone(child)
        else:
            self._digest(child.name, message)

    def _lost(self, child: Member) -> None:
        self._loop.remove_reader(child.fileno())
        if child.name not in self._gone and not self._stopping:
            self._watch.fail(_loss(child))
        self._mark_gone(child)

    def _mark_gone(self, child: Member) -> None:
        self._gone.add(child.name)
        if len(self._gone) == len(self._children):
            self._all_gone.set()

    async def stop(self, grace_ns: int) -> None:
        """Ask all children to end in order and wait; whoever is not done in time is killed.

        Args:
            grace_ns: how long the orderly end may take, wall ns.
        """
        self._stopping = True
        for child in self._children:
            child.send(Stop(grace_ns=grace_ns))
        if self._children:
            try:
                async with asyncio.timeout((grace_ns + _KILL_MARGIN_NS) / NS_PER_S):
                    await self._all_gone.wait()
            except TimeoutError:
                pass
        for child in self._children:
            self._loop.remove_reader(child.fileno())
            self._drain(child)
            await asyncio.to_thread(child.close, _KILL_MARGIN_NS)

    def _drain(self, child: Member) -> None:
        """Read what is left in the pipe: an ended child's last receipts count."""
        try:
            while child.poll():
                self._take(child, child.recv())
        except EOFError:
            pass


def _loss(child: Member) -> AlertsimError:
    """A child that is gone without a word is a defect of ours; a host that is gone is not."""
    if isinstance(child, RemoteChild):
        fate = child.ended() or "the connection to it was lost"
        return AbortedError(
            f"{child.name} on {child.host} is gone ({fate}), and with it what it had received and "
            "not handed over"
        )
    words = child.said()
    return InternalError(
        f"the {child.name} process {child.ended() or 'closed its pipe'}"
        + (f":\n{words}" if words else "")
    )
