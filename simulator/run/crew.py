"""The run's child processes on its event loop: messages in, orders out, deaths noticed.

Rule of the module: it moves messages and notices ends; what a message means is the exercise's
business. A child that ends without saying so is a failure with its exit status in it.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from simulator.delivery.children import Child
from simulator.delivery.messages import Ended, Failed, Stop
from simulator.errors import BrokerLostError, BrokerUnreachableError, InternalError
from simulator.run.watch import Watch

Handler = Callable[[Child, Any], None]

_FAILURES = {
    "unreachable": BrokerUnreachableError,
    "refused": BrokerUnreachableError,
    "lost": BrokerLostError,
}


class Crew:
    """Publisher and swarm workers of one run.

    Args:
        watch: where failures are reported.
        handler: called with every message but Failed and Ended.
    """

    def __init__(self, watch: Watch, handler: Handler) -> None:
        self._watch = watch
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._children: list[Child] = []
        self._ended: set[Child] = set()
        self._stopping = False

    def add(self, child: Child) -> None:
        """Listen to a started child."""
        self._children.append(child)
        self._loop.add_reader(child.fileno(), self._readable, child)

    @property
    def children(self) -> tuple[Child, ...]:
        """All children, in order of start."""
        return tuple(self._children)

    def _readable(self, child: Child) -> None:
        try:
            while child.poll():
                self._digest(child, child.recv())
        except (EOFError, OSError):
            self._gone(child)
        self._watch.ring()

    def _digest(self, child: Child, message: object) -> None:
        if isinstance(message, Failed):
            kind = _FAILURES.get(message.reason, InternalError)
            self._watch.fail(kind(message.detail))
        elif isinstance(message, Ended):
            self._ended.add(child)
        else:
            self._handler(child, message)

    def _gone(self, child: Child) -> None:
        self._loop.remove_reader(child.fileno())
        if child not in self._ended and not self._stopping:
            self._watch.fail(
                InternalError(f"the {child.name} process ended unexpectedly ({child.status()})")
            )
        self._ended.add(child)

    @property
    def workers(self) -> tuple[Child, ...]:
        """The swarm workers."""
        return tuple(child for child in self._children if child.name.startswith("worker-"))

    def named(self, name: str) -> Child:
        """The child of this name."""
        return next(child for child in self._children if child.name == name)

    async def stop(self, grace_ns: int) -> None:
        """Ask all children to end in order and wait; whoever is not done in time is killed.

        Args:
            grace_ns: how long the orderly end may take, wall ns.
        """
        self._stopping = True
        children = self.children
        for child in children:
            child.send(Stop(grace_ns=grace_ns))
        bell = Watch()  # the run's own watch may have failed already: that must not cut this short
        waiting = self._loop.create_task(self._all_ended(children, bell))
        try:
            async with asyncio.timeout(grace_ns / 1e9 + 0.2):
                await waiting
        except TimeoutError:
            pass
        for child in children:
            self._drain(child)
            child.stop(grace_ns=0)

    async def _all_ended(self, children: tuple[Child, ...], bell: Watch) -> None:
        while not all(child in self._ended for child in children):
            await bell.pause(5_000_000)

    def _drain(self, child: Child) -> None:
        """Read what is left in the pipe: an ended child's last receipts count."""
        try:
            while child.poll():
                self._digest(child, child.recv())
        except (EOFError, OSError):
            pass
        self._loop.remove_reader(child.fileno())
