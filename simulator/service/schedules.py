"""The keeper of schedules: starts runs when they are due, and says when it did not.

Rule of the module: one task looks at all schedules a few times a minute, and exactly when one is
due; the clock is looked at each time, never trusted to have moved as far as it slept. What is
decided is kept before the next decision, so that a restart neither loses nor doubles a run. Files
are written in threads, one at a time, each time with what is so by then.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import structlog

from simulator.clock import Clock
from simulator.errors import AlertsimError, ConfigurationError
from simulator.service.orders import RunOrder
from simulator.service.problems import ProblemError
from simulator.service.schedules_model import MOST, Schedule, ScheduleState
from simulator.service.schedules_store import Schedules, ScheduleStore
from simulator.service.schedules_times import Skip, Turn, next_due_ns, pause_ns, turn
from simulator.units import NS_PER_S

LOOP_NAME: Final = "loop"
_LONGEST_SLEEP_S: Final = 5.0
_LOOP_SLEEP_S: Final = 1.0


class Runs(Protocol):
    """What a schedule needs of whoever plays runs."""

    async def check(self, order: RunOrder) -> None:
        """Refuse an order that can never be played.

        Raises:
            AlertsimError: with the remedy.
        """
        ...

    async def start(self, order: RunOrder, schedule: str) -> str:
        """Start a run, or let it wait for a place; its id.

        Raises:
            AlertsimError: if it is refused.
        """
        ...

    def plays(self, run: str) -> bool:
        """Whether it plays or waits."""
        ...

    def failed(self, run: str) -> bool:
        """Whether it ended without having measured anything: bad input, no broker, a defect."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A schedule as it stands.

    Attributes:
        schedule: what it is.
        state: how it went.
        next_ns: when it is due next, wall ns since the Unix epoch; None for a loop.
        playing: whether its last run plays or waits.
        transient: whether it came from the command line and ends with the service.
    """

    schedule: Schedule
    state: ScheduleState
    next_ns: int | None
    playing: bool
    transient: bool


@dataclass(slots=True)
class Keeper:
    """All schedules of a service.

    Attributes:
        store: where they are kept.
        runs: who plays.
        clock: wall and monotonic time.
        skipped: told of every skip, for the metrics.
    """

    store: ScheduleStore
    runs: Runs
    clock: Clock
    skipped: Callable[[Skip], None] = lambda _skip: None
    _kept: Schedules = field(default_factory=dict)
    _transient: Schedules = field(default_factory=dict)
    _states: dict[str, ScheduleState] = field(default_factory=dict)
    _ready_ns: dict[str, int] = field(default_factory=dict)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _disk: asyncio.Lock = field(default_factory=asyncio.Lock)
    _writes: set[asyncio.Task[None]] = field(default_factory=set)

    def load(self, loops: tuple[Schedule, ...] = ()) -> None:
        """Read what is kept, once, before anything else.

        Args:
            loops: from the command line; they are not kept.

        Raises:
            ConfigurationError: if the file of schedules cannot be read; it stays as it is.
        """
        self._kept = self.store.read()
        self._states = self.store.read_states()
        for schedule in loops:
            if schedule.name in self._kept:
                raise ConfigurationError(
                    "a schedule of this name is kept already",
                    field="--loop",
                    value=schedule.name,
                    remedy="remove that one first, or start without --loop",
                )
            self._transient[schedule.name] = schedule
        now_ns = self.clock.wall_ns()
        for name in self._all():
            self._states.setdefault(name, ScheduleState(since_ns=now_ns, decided_ns=now_ns))

    def _all(self) -> Schedules:
        return {**self._kept, **self._transient}

    @property
    def count(self) -> int:
        """Schedules in force."""
        return len(self._all())

    def listed(self) -> list[Shown]:
        """All of them, those from the command line last."""
        return [self._shown(schedule) for schedule in self._all().values()]

    def get(self, name: str) -> Shown:
        """One of them.

        Raises:
            ProblemError: 404.
        """
        found = self._all().get(name)
        if found is None:
            raise ProblemError(
                404, "no-such-schedule", "there is no such schedule", field="name", value=name,
                remedy="see /api/v1/schedules",
            )  # fmt: skip
        return self._shown(found)

    def _shown(self, schedule: Schedule) -> Shown:
        state = self._states[schedule.name]
        return Shown(
            schedule=schedule,
            state=state,
            next_ns=next_due_ns(schedule, max(state.decided_ns, self.clock.wall_ns())),
            playing=self._playing(state),
            transient=schedule.name in self._transient,
        )

    def _playing(self, state: ScheduleState) -> bool:
        return state.last_run is not None and self.runs.plays(state.last_run)

    async def add(self, schedule: Schedule) -> Shown:
        """Keep one more.

        Raises:
            ProblemError: 409 if there is one of this name or there are too many.
            AlertsimError: if its run can never be played, or it cannot be kept.
        """
        await self.runs.check(schedule.run)

        def add(schedules: Schedules) -> None:
            if schedule.name in schedules or schedule.name in self._transient:
                raise ProblemError(
                    409, "schedule-exists", "there is a schedule of this name", field="name",
                    value=schedule.name, remedy="choose another name, or remove that one first",
                )  # fmt: skip
            if len(schedules) >= MOST:
                raise ProblemError(
                    409, "too-many-schedules", f"there are {MOST} schedules", remedy="remove some"
                )
            schedules[schedule.name] = schedule

        async with self._disk:
            self._take(await asyncio.to_thread(self.store.change, add))
            now_ns = self.clock.wall_ns()
            self._states[schedule.name] = ScheduleState(since_ns=now_ns, decided_ns=now_ns)
            shown = self._shown(schedule)
        await self._keep_states()
        self._changed.set()
        return shown

    async def remove(self, name: str) -> None:
        """Forget one; a run of it that plays goes on.

        Raises:
            ProblemError: 404.
            AlertsimError: if the change cannot be kept.
        """

        def drop(schedules: Schedules) -> None:
            schedules.pop(name, None)

        async with self._disk:
            self.get(name)
            if self._transient.pop(name, None) is None:
                self._take(await asyncio.to_thread(self.store.change, drop))
            self._states.pop(name, None)
            self._ready_ns.pop(name, None)
        await self._keep_states()

    def _take(self, schedules: Schedules) -> None:
        """What the file holds now, edits by hand included."""
        self._kept = schedules
        now_ns = self.clock.wall_ns()
        for name in schedules:
            self._states.setdefault(name, ScheduleState(since_ns=now_ns, decided_ns=now_ns))

    async def settle(self) -> None:
        """Once everything that was decided is done and written down."""
        while self._writes:
            await asyncio.gather(*self._writes, return_exceptions=True)

    async def _keep_states(self) -> None:
        await self._whole(self._write_states(), "schedules-states")

    async def _whole(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Wait for it; whoever is cut short meanwhile, it is done to its end."""
        task = asyncio.create_task(work, name=name)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        await asyncio.shield(task)

    async def _write_states(self) -> None:
        async with self._disk:
            kept = {name: self._states[name] for name in self._all()}
            try:
                await asyncio.to_thread(self.store.write_states, kept)
            except AlertsimError as error:
                structlog.get_logger().error("how schedules went cannot be kept", reason=str(error))

    async def run(self) -> None:
        """Keep them until cancelled."""
        while True:
            self._changed.clear()
            wait_s = self._wait_s() if await self.look() else _LONGEST_SLEEP_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def look(self) -> bool:
        """Look at each of them once; False if there was a defect with one."""
        return all([await self._looked(schedule) for schedule in [*self._all().values()]])

    def _wait_s(self) -> float | None:
        """How long nothing can be due; None: until something changes."""
        schedules = self._all().values()
        if not schedules:
            return None
        longest_s = _LOOP_SLEEP_S if any(each.loop for each in schedules) else _LONGEST_SLEEP_S
        now_ns = self.clock.wall_ns()
        due = [next_due_ns(each, self._states[each.name].decided_ns) for each in schedules]
        waits = [(at_ns - now_ns) / NS_PER_S for at_ns in due if at_ns is not None]
        return max(0.0, min([longest_s, *waits]))

    async def _looked(self, schedule: Schedule) -> bool:
        """Look at one; a defect with it is logged and keeps no other from its turn."""
        try:
            if schedule.name in self._states:  # else it was removed meanwhile
                await self._look(schedule)
        except Exception as error:  # noqa: BLE001
            reason = f"{type(error).__name__}: {error}"
            structlog.get_logger().error("schedule failed", schedule=schedule.name, reason=reason)
            return False
        return True

    async def _look(self, schedule: Schedule) -> None:
        state = self._states[schedule.name]
        playing = self._playing(state)
        if schedule.loop:
            if not playing and self._has_paused(schedule, state):
                await self._start(schedule)
            return
        now = turn(schedule, state, self.clock.wall_ns(), playing=playing)
        await self._decide(schedule.name, now)
        if now.start and schedule.name in self._states:  # else it was removed meanwhile
            await self._start(schedule)

    def _has_paused(self, schedule: Schedule, state: ScheduleState) -> bool:
        """Whether a loop has waited long enough since its last run was seen to end."""
        now_ns = self.clock.monotonic_ns()
        if schedule.name not in self._ready_ns:
            if state.last_run is None or state.started == 0:
                return True
            failed = self.runs.failed(state.last_run)
            state = state.model_copy(update={"failures": state.failures + 1 if failed else 0})
            self._states[schedule.name] = state
            self._ready_ns[schedule.name] = now_ns + pause_ns(schedule, state)
        return now_ns >= self._ready_ns[schedule.name]

    async def _decide(self, name: str, now: Turn) -> None:
        state = self._states[name]
        if now.decided_ns == state.decided_ns and not now.skips:
            return
        self._states[name] = state.model_copy(update={"decided_ns": now.decided_ns})
        for skip in now.skips:
            self._skip(name, skip)
        await self._keep_states()

    def _skip(self, name: str, skip: Skip) -> None:
        state = self._states[name]
        counts = {**state.skipped, skip.reason: state.skipped.get(skip.reason, 0) + skip.times}
        self._states[name] = state.model_copy(update={"skipped": counts, "last_skip": skip.why})
        self.skipped(skip)
        structlog.get_logger().warning(
            "a schedule did not start a run",
            schedule=name, reason=skip.reason, times=skip.times, why=skip.why,
        )  # fmt: skip

    async def _start(self, schedule: Schedule) -> None:
        """Start its run and note which: never the one without the other."""
        await self._whole(self._started(schedule), "schedule-start")

    async def _started(self, schedule: Schedule) -> None:
        name = schedule.name
        try:
            run = await self.runs.start(schedule.run, name)
        except (AlertsimError, ProblemError, OSError) as error:
            why = error.problem.detail if isinstance(error, ProblemError) else str(error)
            if name not in self._states:
                return  # it was removed meanwhile
            self._skip(name, Skip(reason="refused", times=1, why=why.partition("\n")[0]))
            state = self._states[name]
            state = state.model_copy(update={"failures": state.failures + 1})
            self._states[name] = state
            self._ready_ns[name] = self.clock.monotonic_ns() + pause_ns(schedule, state)
        else:
            if name not in self._states:
                return
            self._ready_ns.pop(name, None)
            state = self._states[name]
            started = {"started": state.started + 1, "last_run": run}
            self._states[name] = state.model_copy(update=started)
        await self._keep_states()
