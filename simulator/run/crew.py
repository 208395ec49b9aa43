"""The run's child processes on its event loop: messages in, orders out, deaths noticed.

Rule of the module: it moves messages and notices ends; what a message means is the books' business.
A child that ends without saying so is a failure, with its last words in it.
"""

import asyncio
from collections.abc import Callable

from simulator.delivery.children import Child
from simulator.delivery.messages import Ended, Failed, Stop
from simulator.errors import BrokerLostError, BrokerUnreachableError, InternalError
from simulator.run.watch import Watch
from simulator.units import NS_PER_S

_FAILURES = {
    "unreachable": BrokerUnreachableError,
    "refused": BrokerUnreachableError,
    "lost": BrokerLostError,
}
_KILL_MARGIN_NS = 200_000_000


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
        self._children: list[Child] = []
        self._gone: set[str] = set()
        self._all_gone = asyncio.Event()
        self._stopping = False

    def add(self, child: Child) -> None:
        """Listen to a started child."""
        self._children.append(child)
        self._loop.add_reader(child.fileno(), self._read, child)

    @property
    def children(self) -> tuple[Child, ...]:
        """All children, in order of start."""
        return tuple(self._children)

    @property
    def workers(self) -> tuple[Child, ...]:
        """The swarm workers."""
        return tuple(child for child in self._children if child.name.startswith("worker-"))

    def named(self, name: str) -> Child:
        """The child of this name."""
        return next(child for child in self._children if child.name == name)

    def _read(self, child: Child) -> None:
        try:
            while child.poll():
                self._take(child, child.recv())
        except EOFError:
            self._lost(child)
        self._watch.ring()

    def _take(self, child: Child, message: object) -> None:
        if isinstance(message, Failed):
            kind = _FAILURES.get(message.reason, InternalError)
            self._watch.fail(kind(message.detail))
        elif isinstance(message, Ended):
            self._digest(child.name, message)
            self._mark_gone(child)
        else:
            self._digest(child.name, message)

    def _lost(self, child: Child) -> None:
        self._loop.remove_reader(child.fileno())
        if child.name not in self._gone and not self._stopping:
            words = child.said()
            self._watch.fail(
                InternalError(
                    f"the {child.name} process {child.ended() or 'closed its pipe'}"
                    + (f":\n{words}" if words else "")
                )
            )
        self._mark_gone(child)

    def _mark_gone(self, child: Child) -> None:
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

    def _drain(self, child: Child) -> None:
        """Read what is left in the pipe: an ended child's last receipts count."""
        try:
            while child.poll():
                self._take(child, child.recv())
        except EOFError:
            pass
