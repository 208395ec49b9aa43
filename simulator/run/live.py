"""Live events: a run told as it happens, one JSON object a line, for a page, a script or a service.

Rule of the module: the run never waits for whoever reads. A thread of its own writes; what a slow
reader leaves behind is bounded, snapshots of progress are dropped first, and what was dropped is
counted in the next object. A reader that goes away changes nothing for the run.

Every object has ``type``, ``n`` (from 1, without gaps as written) and ``at_unix_ns``. Instants and
durations are nanoseconds as decimal text in fields that end in ``_ns``, because 64-bit integers do
not survive JavaScript.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

from simulator.alerts.texts import variant, wordings
from simulator.clock import Clock
from simulator.errors import AlertsimError, ExitCode
from simulator.measure.plan import ScheduledAlert
from simulator.measure.running import GroupTally, Running
from simulator.model.timeline import PlannedAlert, Timeline
from simulator.run.live_end import told_of
from simulator.run.live_people import people_of
from simulator.run.observer import Counts, Observer, View, Watched
from simulator.run.request import RunRequest, RunResult
from simulator.units import NS_PER_MS
from simulator.world.geography import prefecture

SCHEMA: Final = "1.0"
_EVERY_NS: Final = 250 * NS_PER_MS
_MOST_WAITING: Final = 4096
_PATIENCE_S: Final = 2.0

_OUTCOMES: Final = {
    ExitCode.PASS: "pass",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.THRESHOLD_FAILED: "fail",
    ExitCode.ABORTED: "aborted",
}

Event = dict[str, Any]


class EventWriter:
    """Writes objects to a stream from a thread of its own.

    Args:
        stream: text, opened for writing; closed at the end.
        clock: for ``at_unix_ns``.
    """

    def __init__(self, stream: TextIO, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock
        self._waiting: deque[Event] = deque()
        self._changed = threading.Condition()
        self._dropped = 0
        self._closing = False
        self._thread = threading.Thread(target=self._write_all, name="live-events", daemon=True)
        self._thread.start()

    def put(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Queue one object; returns at once."""
        event = {"type": kind, "at_unix_ns": str(self._clock.wall_ns()), **fields}
        with self._changed:
            if len(self._waiting) >= _MOST_WAITING:
                self._make_room()
            self._waiting.append(event)
            self._changed.notify()

    def _make_room(self) -> None:
        for event in self._waiting:
            if event["type"] == "progress":
                self._waiting.remove(event)
                break
        else:
            self._waiting.popleft()
        self._dropped += 1

    def close(self) -> None:
        """Write what is left, as long as the reader takes it in reasonable time."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(_PATIENCE_S)
        if not self._thread.is_alive():
            with suppress(OSError, ValueError):
                self._stream.close()

    def _write_all(self) -> None:
        number = 0
        while True:
            with self._changed:
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                event, dropped = self._waiting.popleft(), self._dropped
                self._dropped = 0
            number += 1
            shown = {"type": event.pop("type"), "n": number} | event
            if dropped:
                shown["dropped"] = dropped
            try:
                self._stream.write(json.dumps(shown, ensure_ascii=False, separators=(",", ":")))
                self._stream.write("\n")
                self._stream.flush()
            except (OSError, ValueError):
                return


class LiveEvents:
    """An observer that tells everything it hears, then tells the next one.

    Args:
        following: who else hears it.
        stream: where the objects go; closed by :meth:`close`.
        clock: where time comes from.
    """

    def __init__(self, following: Observer, stream: TextIO, clock: Clock) -> None:
        self._next = following
        self._clock = clock
        self._writer = EventWriter(stream, clock)
        self._counts = Counts()
        self._looked_ns: int | None = None
        self._looked_at: tuple[Counts, View] | None = None
        self._view: Callable[[], View] | None = None
        self._alerts = 0
        self._ended = False

    def phase(self, name: str, detail: str = "") -> None:
        """A ``phase`` object."""
        self._writer.put("phase", {"name": name, "detail": detail})
        self._next.phase(name, detail)

    def broker(self, addresses: dict[str, str]) -> None:
        """A ``broker`` object."""
        websocket = next((url for url in addresses.values() if url.startswith("ws")), None)
        self._writer.put("broker", {"addresses": addresses, "websocket": websocket})
        self._next.broker(addresses)

    def counts(self, counts: Counts) -> None:
        """Kept for the next ``progress``."""
        self._counts = counts
        self._next.counts(counts)

    def sent(self, alert: ScheduledAlert, sent_ns: int) -> None:
        """A ``sent`` object."""
        planned = alert.planned
        self._writer.put(
            "sent",
            {
                "alert": planned.number,
                "repetition": alert.repetition,
                "identifier": alert.identifier,
                "prefecture": planned.prefecture,
                "event": planned.event.value,
                "late_ns": str(sent_ns - alert.intended_ns),
            },
        )
        self._next.sent(alert, sent_ns)

    def directory(self, path: Path) -> None:
        """A ``directory`` object."""
        self._writer.put("directory", {"path": str(path)})
        self._next.directory(path)

    def planned(self, request: RunRequest, timeline: Timeline) -> None:
        """The ``plan`` object, the first of all."""
        self._alerts = len(timeline.alerts)
        self._writer.put("plan", _plan(request, timeline))
        self._next.planned(request, timeline)

    def begun(self, start_unix_ns: int, schedule: tuple[ScheduledAlert, ...]) -> None:
        """A ``begun`` object: from here on the exercise's clock runs."""
        again = schedule[self._alerts :][:1]
        planned = [alert.planned.at_ns for alert in schedule[: self._alerts]]
        period_ns = again[0].intended_ns - schedule[0].intended_ns if again else 0
        self._writer.put(
            "begun",
            {
                "start_unix_ns": str(start_unix_ns),
                "first_ns": str(planned[0] if planned else 0),
                "last_ns": str(planned[-1] if planned else 0),
                "repeat": 1 + (schedule[-1].repetition if schedule else 0),
                "period_ns": str(period_ns),
            },
        )
        self._next.begun(start_unix_ns, schedule)

    def look(self, view: Callable[[], View]) -> None:
        """A ``progress`` object, at most four times a second and only if something changed."""
        now_ns = self._clock.monotonic_ns()
        if self._looked_ns is None or now_ns - self._looked_ns >= _EVERY_NS:
            self._looked_ns = now_ns
            self._progress(view())
        self._view = view
        self._next.look(view)

    def _progress(self, seen: View) -> None:
        if (self._counts, seen) == self._looked_at:
            return
        self._looked_at = (self._counts, seen)
        counts = self._counts
        self._writer.put(
            "progress",
            {
                "subscribed": counts.subscribed,
                "subscribers": counts.subscribers,
                "sent": counts.sent,
                "alerts": counts.alerts,
                "delivered": counts.delivered,
                "owed": counts.owed,
                **_running(seen.running),
                "clients": [_client(client) for client in seen.clients],
                "reconnects": seen.reconnects,
            },
        )

    def ended(self, result: RunResult) -> None:
        """The last ``progress`` and the ``end`` object."""
        if self._view is not None:
            self._progress(self._view())
        self._end(
            {
                "exit_code": int(result.exit_code),
                "outcome": _OUTCOMES.get(result.exit_code, "error"),
                "reason": result.reason,
                "directory": None if result.directory is None else str(result.directory),
                "report": None if result.report is None else str(result.report),
                **told_of(result.summary),
            }
        )
        self._next.ended(result)

    def failed(self, error: BaseException) -> None:
        """The ``end`` object of a run that left nothing behind."""
        code = int(error.exit_code) if isinstance(error, AlertsimError) else 107
        self._end(
            {
                "exit_code": code,
                "outcome": "error",
                "reason": str(error) or type(error).__name__,
                "sentence": "",
                "directory": None,
                "report": None,
                "ledger": None,
            }
        )

    def _end(self, fields: Event) -> None:
        if not self._ended:
            self._ended = True
            self._writer.put("end", fields)

    def close(self) -> None:
        """Write what is left and close the stream."""
        self._writer.close()


def _plan(request: RunRequest, timeline: Timeline) -> Event:
    settings = request.settings
    alerts = timeline.alerts
    warnings = {alert.prefecture: alert for alert in reversed(alerts)}
    return {
        "schema": SCHEMA,
        "exercise": True,
        "run": request.run,
        "scenario": timeline.scenario,
        "title": timeline.title,
        "seed": settings.seed,
        "speed": float(settings.speed),
        "repeat": settings.repeat,
        "subscribers": settings.subscribers,
        "root": settings.root,
        "epoch": timeline.epoch.isoformat(),
        "first_ns": str(alerts[0].at_ns if alerts else 0),
        "last_ns": str(alerts[-1].at_ns if alerts else 0),
        "prefectures": [_place(warnings[slug]) for slug in timeline.prefectures],
        "events": [
            {
                "number": event.number,
                "at_ns": str(event.at_ns),
                "kind": event.kind.value,
                "name": event.name,
                "launch": event.launch,
                "prefecture": event.prefecture,
                "started_ns": _text(event.started_ns),
                "about_ns": _text(event.about_ns),
                "assumption": event.assumption,
                "note": event.told,
            }
            for event in timeline.events
        ],
        "alerts": [_alert(alert) for alert in alerts],
        "people": people_of(request.scenario, timeline, settings.seed),
    }


def _place(first: PlannedAlert) -> Event:
    place = prefecture(first.prefecture)
    return {
        "slug": place.slug,
        "code": place.code,
        "name_en": place.name_en,
        "name_ja": place.name_ja,
        "warned_ns": str(first.at_ns),
        "believed_arrival_ns": _text(first.believed_arrival_ns),
        "true_arrival_ns": _text(first.true_arrival_ns),
    }


def _alert(alert: PlannedAlert) -> Event:
    place = prefecture(alert.prefecture)
    japanese, english = wordings(
        variant(alert.event, in_force=alert.in_force), (place.name_ja, place.name_en), None, ""
    )
    return {
        "number": alert.number,
        "at_ns": str(alert.at_ns),
        "prefecture": alert.prefecture,
        "event": alert.event.value,
        "msg_type": alert.msg_type.value,
        "in_force": alert.in_force,
        "headline_en": english.headline,
        "headline_ja": japanese.headline,
    }


def _running(running: Running | None) -> Event:
    if running is None:
        return {
            "due": 0,
            "late": 0,
            "queued": 0,
            "duplicates": 0,
            "unexpected": 0,
            "latency": None,
            "groups": [],
        }
    quantiles = running.quantiles_ns
    latency = None
    if quantiles:
        latency = {
            "n": running.n,
            **{f"p{percent}_ns": str(value) for percent, value in quantiles.items()},
            "max_ns": _text(running.max_ns),
        }
    return {
        "due": running.due,
        "late": running.late,
        "queued": running.queued,
        "duplicates": running.duplicates,
        "unexpected": running.unexpected,
        "latency": latency,
        "groups": [_group(group) for group in running.groups],
    }


def _group(group: GroupTally) -> Event:
    return {
        "prefecture": group.prefecture,
        "event": group.event,
        "qos": group.qos,
        "segments": {
            name: {"n": tally.n, "sum_ns": str(tally.sum_ns), "buckets": list(tally.buckets)}
            for name, tally in group.segments.items()
        },
    }


def _client(client: Watched) -> Event:
    return {
        "client": client.client,
        "online": client.online,
        "received": client.received,
        "last_ns": _text(client.last_ns),
        "worst_ns": _text(client.worst_ns),
    }


def _text(value_ns: int | None) -> str | None:
    return None if value_ns is None else str(value_ns)
