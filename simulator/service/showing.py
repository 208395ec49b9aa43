"""Runs as the service shows them: what is at hand, what is recorded, what stands on the disk.

Rule of the module: it changes nothing. Threads read the disk and copies; what is at hand is looked
at by the thread of the event loop alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from simulator.service.playing import Playing, info_of, laid_over, unplayed
from simulator.service.problems import ProblemError
from simulator.service.records import RunInfo, RunRecord
from simulator.service.store import Store, shown


class Showing:
    """What there is to see of the runs of one service.

    Args:
        store: where they are kept.
        records: of those that the service was asked for; kept up by whoever plays them.
        at_hand: those that wait, play, or ended lately.
        queue: those that wait, in their order.
    """

    def __init__(
        self,
        store: Store,
        records: Mapping[str, RunRecord],
        at_hand: Callable[[], Sequence[Playing]],
        queue: deque[Playing],
    ) -> None:
        self._store = store
        self._records = records
        self._at_hand = at_hand
        self._queue = queue

    async def everything(self) -> list[RunInfo]:
        """Every run, the newest first."""
        now = {each.run: self._now(each) for each in self._at_hand()}
        records = dict(self._records)

        def listed() -> list[RunInfo]:
            runs = {**self._store.kept(), **records}
            return [self._shown(run, now.get(run), records.get(run)) for run in runs]

        return sorted(await asyncio.to_thread(listed), key=_age, reverse=True)

    async def info(self, run: str) -> RunInfo:
        """One run.

        Raises:
            ProblemError: if there is none.
        """
        if run not in self._records and self._store.directory(run) is None:
            raise ProblemError(
                404, "no-such-run", "there is no such run", field="run", value=run,
                remedy="see /api/v1/runs",
            )  # fmt: skip
        at_hand = next((each for each in self._at_hand() if each.run == run), None)
        now = None if at_hand is None else self._now(at_hand)
        return await asyncio.to_thread(self._shown, run, now, self._records.get(run))

    def now(self, playing: Playing) -> RunInfo:
        """One that waits or plays."""
        return self._with_files(playing.info(waiting=self._waiting(playing)))

    def _now(self, playing: Playing) -> RunInfo | None:
        """The same, its files left out; None if it has ended: its directory says more."""
        if playing.record.state == "ended":
            return None
        return playing.info(waiting=self._waiting(playing))

    def _waiting(self, playing: Playing) -> int | None:
        if playing.called:
            return None
        return next((n for n, each in enumerate(self._queue) if each is playing), None)

    def _with_files(self, info: RunInfo) -> RunInfo:
        return info.model_copy(update={"files": self._store.files(info.run)})

    def _shown(self, run: str, now: RunInfo | None, record: RunRecord | None) -> RunInfo:
        """A run as it is at hand, or from its directory and its record. Reads the disk."""
        if now is not None:
            return self._with_files(now)
        kept = self._store.kept_of(run)
        if kept is None:
            if record is None:  # deleted meanwhile
                return RunInfo(run=run, state="unreadable", reason="it was deleted")
            return info_of(record, unplayed(record))
        found = shown(
            kept,
            self._store.files(run),
            writing=record is None and self._store.is_being_written(kept),
        )
        return found if record is None else laid_over(found, record)


def _age(info: RunInfo) -> tuple[float, str]:
    return (info.created.timestamp() if info.created else 0.0, info.run)
