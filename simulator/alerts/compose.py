"""From a planned alert to the message on the wire: pure, with the time as an argument.

Rule of the module: everything a message says follows from the plan, the run's context and the two
instants given. Users' texts (title, reason, names) are made to fit, so that a message can always be
composed and never exceeds 8 KiB; what does not fit is left out and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final, Literal

from simulator.alerts.alert import (
    MAX_PAYLOAD_BYTES,
    MAX_REFERENCES,
    MAX_STAGES,
    AlertMessage,
)
from simulator.alerts.cap_xml import encode_xml
from simulator.alerts.cloudevents import encode_json
from simulator.alerts.marks import NOTE_MARK, clean
from simulator.alerts.parts import ExerciseStatus, Reference, Simulation
from simulator.alerts.texts import cap_content, cap_settings, variant, wordings
from simulator.errors import InternalError
from simulator.model.timeline import PlannedAlert, StagePassed
from simulator.units import JST, NS_PER_US, cap_time, wall_datetime
from simulator.world.geography import prefecture

PayloadFormat = Literal["json", "cap-xml"]
FORMATS: Final = ("json", "cap-xml")
CAP_CLOCKS: Final = ("wall", "scenario")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExerciseContext:
    """What every message of a run shares.

    Attributes:
        run: run id, for example ``20261122t142400-3f9a``; lowercase letters, digits and dashes.
        scenario: scenario id.
        title: scenario title.
        seed: seed of the replication.
        epoch: ISO 8601 of scenario time zero, with offset.
        root: topic root, ``alertsim`` by default.
        payload_format: ``json`` (CloudEvents with CAP in data) or ``cap-xml``.
        cap_clock: ``wall`` or ``scenario``: which clock fills sent, effective and expires.
        status: ``Exercise`` or ``Test``.
        expires_after_ns: wall validity of a message.
        clock_domain: domain of intended_ns and composed_ns.
        start_scenario_ns: scenario time of the first alert (t_first).
        start_wall_ns: monotonic ns at which the first alert is intended.
        start_unix_ns: Unix ns at the same instant.
        speed: scenario seconds per wall second.
    """

    run: str
    scenario: str
    title: str
    seed: int
    epoch: str
    root: str = "alertsim"
    payload_format: str = "json"
    cap_clock: str = "wall"
    status: str = "Exercise"
    expires_after_ns: int = 3_600_000_000_000
    clock_domain: str = ""
    start_scenario_ns: int = 0
    start_wall_ns: int = 0
    start_unix_ns: int = 0
    speed: float = 1.0


def compose(
    *,
    planned: PlannedAlert,
    identifier: str,
    sequence: int,
    repetition: int,
    references: Sequence[tuple[str, str]],
    intended_ns: int,
    composed_ns: int,
    context: ExerciseContext,
) -> AlertMessage:
    """Build the message of one planned alert.

    Args:
        planned: the alert, from the timeline.
        identifier: ``{run}-{prefecture}-{sequence}``.
        sequence: position among the messages to this prefecture in the run, from 1.
        repetition: which playing of the timeline, from 0.
        references: (identifier, sent) of the earlier messages it updates or cancels, in order;
            ``sent`` from ``sent_for``. The last six are kept.
        intended_ns: planned instant, monotonic ns.
        composed_ns: now, monotonic ns.
        context: what the run's messages share.

    Raises:
        ValueError: if the identifier or the context cannot stand in an exercise message.
    """
    content = cap_content(variant(planned.event, in_force=planned.in_force))
    settings = cap_settings()
    place = prefecture(planned.prefecture)
    moment = _cap_moment(context, planned, intended_ns)
    codes = [settings["event_code"]]
    if content.code is not None:
        codes.append({"valueName": settings["catalogue_value_name"], "value": content.code})
    reason = clean(planned.reason, 240)
    japanese, english = wordings(
        variant(planned.event, in_force=planned.in_force),
        (place.name_ja, place.name_en),
        _time_of_day(context, planned.stated_ns),
        reason,
    )
    return AlertMessage(
        identifier=identifier,
        time=_utc(_wall_ns(context, intended_ns)),
        sent=cap_time(moment),
        onset=_onset(planned, moment) if content.response == "Shelter" else None,
        expires=cap_time(moment + _delta(context.expires_after_ns)),
        status=ExerciseStatus(context.status),
        msg_type=planned.msg_type,
        note=_note(context),
        references=tuple(
            Reference(identifier=earlier, sent=sent)
            for earlier, sent in references[-MAX_REFERENCES:]
        ),
        categories=tuple(settings["categories"]),
        response=content.response,
        urgency=content.urgency,
        severity=content.severity,
        certainty=content.certainty,
        event_codes=tuple((code["valueName"], code["value"]) for code in codes),
        geocodes=((settings["geocode_value_name"], place.code),),
        japanese=japanese,
        english=english,
        simulation=Simulation(
            run=context.run,
            scenario=context.scenario,
            epoch=context.epoch,
            seed=context.seed,
            replication=repetition,
            prefecture=planned.prefecture,
            event=planned.event,
            sequence=sequence,
            launch=_optional(planned.launch),
            cause=planned.cause,
            at_ns=planned.at_ns,
            intended_ns=intended_ns,
            composed_ns=composed_ns,
            clock=clean(context.clock_domain, 96) or "unknown",
            speed=float(context.speed),
            believed_arrival_ns=planned.believed_arrival_ns,
            stated_ns=planned.stated_ns,
            historical_channel=_optional(planned.historical_channel),
            reason=reason or None,
            stages=tuple(map(_stage, planned.stages[-MAX_STAGES:])),
            stages_omitted=max(0, len(planned.stages) - MAX_STAGES),
        ),
    )


def encode(message: AlertMessage, payload_format: str) -> bytes:
    """The message as bytes.

    Args:
        message: what to encode.
        payload_format: ``json`` (CloudEvents) or ``cap-xml``.

    Raises:
        ValueError: if the message could not stand in an exercise, or the format is unknown.
        InternalError: if it exceeds 8 KiB, which no composed message does.
    """
    match payload_format:
        case "json":
            payload = encode_json(message)
        case "cap-xml":
            payload = encode_xml(message)
        case _:
            raise ValueError(f"{payload_format!r} is not a payload format: {', '.join(FORMATS)}")
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise InternalError(f"a message of {len(payload)} bytes exceeds {MAX_PAYLOAD_BYTES}")
    return payload


def sent_for(context: ExerciseContext, planned: PlannedAlert, intended_ns: int) -> str:
    """CAP ``sent`` of a planned alert, also of one sent earlier or not yet.

    Args:
        context: what the run's messages share.
        planned: the alert.
        intended_ns: its planned instant, monotonic ns.
    """
    return cap_time(_cap_moment(context, planned, intended_ns))


def _wall_ns(context: ExerciseContext, intended_ns: int) -> int:
    return context.start_unix_ns + (intended_ns - context.start_wall_ns)


def _cap_moment(context: ExerciseContext, planned: PlannedAlert, intended_ns: int) -> datetime:
    match context.cap_clock:
        case "wall":
            return wall_datetime(_wall_ns(context, intended_ns), JST)
        case "scenario":
            return _epoch(context.epoch) + _delta(planned.at_ns)
        case _:
            raise ValueError(f"{context.cap_clock!r} is not a CAP clock: {', '.join(CAP_CLOCKS)}")


@lru_cache(maxsize=16)
def _epoch(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _delta(duration_ns: int) -> timedelta:
    return timedelta(microseconds=duration_ns // NS_PER_US)


def _utc(unix_ns: int) -> str:
    return wall_datetime(unix_ns).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _onset(planned: PlannedAlert, moment: datetime) -> str | None:
    """Believed arrival on the CAP clock: one scenario second counts as one second at any speed."""
    if planned.believed_arrival_ns is None:
        return None
    return cap_time(moment + _delta(planned.believed_arrival_ns - planned.at_ns))


def _time_of_day(context: ExerciseContext, stated_ns: int | None) -> tuple[int, int] | None:
    if stated_ns is None:
        return None
    stated = _epoch(context.epoch) + _delta(stated_ns)
    return stated.hour, stated.minute


def _note(context: ExerciseContext) -> str:
    title = clean(context.title, 120) or context.scenario
    return f"{NOTE_MARK}: {title} ({context.run})"


def _optional(text: str | None) -> str | None:
    return None if text is None else clean(text, 40) or None


def _stage(stage: StagePassed) -> StagePassed:
    name = clean(stage.name, 32) or "stage"
    return stage if name == stage.name else replace(stage, name=name)
