"""The service's broker: started once, watched, and started again when it dies.

Rule of the module: runs attach to it and never own it. A broker that dies ends the runs that play
(106, they notice by themselves); it comes back on the same ports where they are free, after waits
that double, and the reason is shown until it is back. One that is not ours is asked now and then
whether it lets us in, never by a request; while it does not, runs wait.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Final

import structlog
from pydantic import BaseModel, ConfigDict, Field

from simulator.clock import Clock
from simulator.delivery.backoff import Backoff
from simulator.delivery.brokers.access import access_of
from simulator.delivery.brokers.base import Broker
from simulator.delivery.brokers.choose import STARTED, choose_broker
from simulator.delivery.brokers.external import without_password
from simulator.delivery.brokers.started import StartedBroker
from simulator.delivery.preflight import check_admitted
from simulator.errors import AlertsimError, BrokerUnreachableError
from simulator.service.orders import DEFAULT_ROOT
from simulator.settings import RunSettings, load_settings
from simulator.units import NS_PER_S

_LOOK_S: Final = 2.0
_ASK_S: Final = 10.0
_ASK_AGAIN_S: Final = 3.0
_ANSWER_S: Final = 5.0
_BACKOFF: Final = Backoff(first_ns=NS_PER_S, longest_ns=60 * NS_PER_S, jitter=False)


class BrokerInfo(BaseModel):
    """The broker that runs publish to."""

    model_config = ConfigDict(frozen=True)

    kind: str = Field(description="Kind of broker.", examples=["embedded"])
    alive: bool = Field(
        description="Whether it is up; one given by its address is asked every 10 seconds."
    )
    reason: str = Field(default="", description="Why it is not up, or cannot be reached.")
    addresses: dict[str, str] = Field(
        description="URL by MQTT version.", examples=[{"3.1.1": "mqtt://127.0.0.1:18831"}]
    )
    websocket: str | None = Field(
        default=None,
        description="URL for browser clients (MQTT over WebSocket); null where it has none.",
    )
    restarts: int = Field(description="How often it was started again since the service started.")


class BrokerKeeper:
    """Keeps one broker up.

    Args:
        setting: as ``--broker`` takes it.
        clock: where time comes from.
        changed: called when it went down or came back.
    """

    def __init__(self, setting: str, clock: Clock, changed: Callable[[], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._settings: RunSettings = load_settings({"broker": setting})
        self._for_browsers = self._settings.broker in STARTED
        self._broker: Broker = self._chosen()
        self._task: asyncio.Task[None] | None = None
        self._ending = threading.Event()
        self._one_at_a_time = threading.Lock()  # a thread goes on when its task is cancelled
        self._down = "not started yet"
        self._addresses: dict[str, str] = {}
        self._restarts = 0
        self._log = structlog.get_logger()

    @property
    def is_ours(self) -> bool:
        """Whether the service starts and ends it."""
        return self._settings.broker in STARTED

    @property
    def down(self) -> str:
        """Why it is not up; empty while it is."""
        return self._down

    def _chosen(self) -> Broker:
        chosen = choose_broker(
            self._settings.broker,
            root=DEFAULT_ROOT,
            allow_hosts=self._settings.allow_hosts,
            clock=self._clock,
            access=access_of(self._settings),
        )
        if isinstance(chosen, StartedBroker) and self._for_browsers:
            chosen.offer_websocket()
        return chosen

    @property
    def for_runs(self) -> str:
        """What a run is given as ``--broker``; empty: see ``environment``."""
        return f"running:{os.getpid()}" if self.is_ours else ""

    @property
    def environment(self) -> dict[str, str]:
        """Variables for a run: an address may hold a password, and command lines are public."""
        return {} if self.is_ours else {"ALERTSIM_BROKER": self._settings.broker}

    async def start(self) -> None:
        """Bring it up and watch it.

        Raises:
            AlertsimError: if it does not come up.
        """
        try:
            await asyncio.to_thread(self._broker.start)
        except BrokerUnreachableError:
            # Some builds of a broker know no WebSocket, and then do not start at all.
            if not self._for_browsers:
                raise
            self._for_browsers = False
            self._broker = self._chosen()
            await asyncio.to_thread(self._broker.start)
        self._is_up()
        if not self.is_ours:
            await self._ask()
        watch = self._watch() if self.is_ours else self._keep_asking()
        self._task = asyncio.create_task(watch, name="broker-watch")

    async def stop(self) -> None:
        """End it, if it is ours."""
        self._ending.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await asyncio.to_thread(self._put_down)

    def info(self) -> BrokerInfo:
        """What there is to say of it."""
        kind = self._broker.kind
        return BrokerInfo(
            kind=kind,
            alive=not self._down,
            reason=self._down,
            addresses=self._addresses,
            websocket=self._websocket(),
            restarts=self._restarts,
        )

    def _websocket(self) -> str | None:
        if isinstance(self._broker, StartedBroker):
            return self._broker.websocket
        return next((url for url in self._addresses.values() if url.startswith("ws")), None)

    def _is_up(self) -> None:
        self._down = ""
        self._addresses = {
            version: without_password(url) for version, url in self._broker.addresses().items()
        }

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                why = self._broker.alive()
                if why is not None:
                    self._is_down(why)
                    await self._restart()
            except Exception as error:  # noqa: BLE001  # it is looked at again all the same
                self._log.error("broker cannot be looked at", reason=repr(error))

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(_ASK_AGAIN_S if self._down else _ASK_S)
            try:
                await self._ask()
            except Exception as error:  # noqa: BLE001  # the next time it is asked all the same
                self._log.error("broker cannot be asked", reason=repr(error))

    async def _ask(self) -> None:
        """Whether it lets us in, with either MQTT version that its address allows."""
        why = await asyncio.to_thread(self._refused)
        if self._ending.is_set():
            return
        if why and self._down:
            self._down = why.partition("\n")[0]
        elif why:
            self._is_down(why)
        elif self._down:
            self._is_up()
            self._log.warning("broker is back", addresses=self._addresses)
            self._changed()

    def _refused(self) -> str:
        """Why no run could connect; empty if one could. Blocks, until the end of the service."""
        why = ""
        try:
            if self._down:
                self._broker.start()  # another process of ours may listen elsewhere by now
        except AlertsimError as error:
            return str(error)
        versions = self._broker.protocols
        for version in versions:
            try:
                endpoint = self._broker.endpoint(version)
                check_admitted(endpoint, _ANSWER_S / len(versions), stop=self._ending)
            except (AlertsimError, OSError) as error:
                why = why or str(error)
            else:
                return ""
        return why

    def _is_down(self, why: str) -> None:
        self._down = why.partition("\n")[0]
        self._log.error("broker is down", reason=self._down)
        self._changed()

    def _bring_up(self) -> None:
        """Start it again, unless the service ends. Blocks."""
        with self._one_at_a_time:
            if not self._ending.is_set():
                self._broker.start()

    def _put_down(self) -> None:
        """End it, once nobody starts it any more. Blocks."""
        with self._one_at_a_time:
            self._broker.stop()

    async def _restart(self) -> None:
        failures = 0
        while self._down:
            await asyncio.to_thread(self._put_down)
            await asyncio.sleep(_BACKOFF.wait_ns(failures) / NS_PER_S)
            try:
                await asyncio.to_thread(self._bring_up)
            except AlertsimError as error:
                failures += 1
                self._down = str(error).partition("\n")[0]
                self._log.error("broker does not come back", reason=self._down, failures=failures)
            else:
                self._restarts += 1
                self._is_up()
                self._log.warning("broker is back", addresses=self._addresses)
                self._changed()
