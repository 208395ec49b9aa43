"""A timeline for the terminal: what ``alertsim simulate`` prints.

Rule of the module: pure text from the plan alone, light to import; messages of one instant to
several prefectures stand on one line.
"""

from datetime import datetime

from simulator.model.timeline import EventKind, PlannedAlert, Timeline, TimelineEvent
from simulator.report import words
from simulator.report.layout import Table, table_text
from simulator.units import format_clock


def timeline_text(timeline: Timeline) -> str:
    """The events of a timeline in order, then its digest."""
    rows: dict[tuple[int, str, str], list[str]] = {}
    notes: dict[tuple[int, str, str], str] = {}
    alerts = {alert.event_number: alert for alert in timeline.alerts}
    for event in timeline.events:
        alert = alerts.get(event.number)
        key = (event.at_ns, event.kind.value, _what(event, alert, timeline.epoch))
        rows.setdefault(key, [])
        if event.prefecture:
            rows[key].append(words.prefecture(event.prefecture))
        notes.setdefault(key, _note(event))
    zone = timeline.epoch.strftime("%z")
    table = Table(
        caption=f"{timeline.title} ({timeline.epoch:%Y-%m-%d}, UTC{zone[:3]}:{zone[3:]})",
        head=("time", "kind", "what", "where", ""),
        rows=tuple(
            (
                format_clock(timeline.epoch, key[0]),
                key[1],
                key[2],
                words.listed(dict.fromkeys(places)),
                notes[key],
            )
            for key, places in rows.items()
        ),
    )
    facts = (
        f"{words.plural(len(timeline.alerts), 'message')} to "
        f"{words.plural(len(timeline.prefectures), 'prefecture')}; "
        f"scenario {timeline.scenario}, seed {timeline.seed}\n"
        f"digest {timeline.digest}"
    )
    text = "\n".join(part for part in (table_text(table), facts) if part)
    return words.plain_minus(text)


def _what(event: TimelineEvent, alert: PlannedAlert | None, epoch: datetime) -> str:
    if alert is not None:
        channel = f", {alert.historical_channel}" if alert.historical_channel else ""
        return f"{alert.event} ({alert.msg_type}{channel})"
    name = words.happening(event.name)
    if event.kind is EventKind.STAGE and event.started_ns is not None:
        return f"{name}, after {words.span(event.at_ns - event.started_ns)}"
    if event.name == "not-warned" and event.note:
        return f"{name}: {event.note[0].lower()}{event.note[1:].rstrip('.')}"
    if event.name.startswith("predicted-") and event.about_ns is not None:
        return f"{name} for {format_clock(epoch, event.about_ns)}"
    return name


def _note(event: TimelineEvent) -> str:
    return "assumption" if event.assumption else ""
