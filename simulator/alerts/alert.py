"""The alert message, and the one door to the wire: where the exercise promise is kept.

Rule of the module: a message has no field in which ``Actual`` could stand, and ``document`` is the
only way from a message to anything that is sent. It reads every value once, checks it, and lets
only the checked value through. ``Exercise`` and ``Test`` stand in it as literals, chosen by the
identity of an enumeration member, so that not even an altered member names another status. Python
lets a determined caller get around any constructor (pickle, ``object.__setattr__``, a subclass);
what such a caller makes is refused here and never becomes bytes.

CAP 1.2, section 3.2.1: an Exercise is "actionable only by designated exercise participants". That
is an audience with a known need, so the scope is Restricted, with the restriction in words: a relay
that overlooks the status still sees that this is not for the public. A receiver under test must be
told to accept exercises anyway; it is the same switch.
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Final, final

from simulator.alerts.checks import (
    check_count,
    check_decimal,
    check_fits,
    check_line,
    check_marked,
    check_maybe_decimal,
    check_maybe_line,
    check_one_of,
    check_sequence,
)
from simulator.alerts.marks import (
    AUDIENCE,
    ENGLISH_MARK,
    JAPANESE_MARK,
    NOTE_MARK,
    RESTRICTION,
    SCOPE,
    SENDER,
)
from simulator.alerts.parts import ExerciseStatus, Reference, Simulation, Wording
from simulator.model.timeline import AlertEvent, MsgType, StagePassed

PAYLOAD_VERSION: Final = "1.0"
MAX_PAYLOAD_BYTES: Final = 8192
MAX_REFERENCES: Final = 6
MAX_STAGES: Final = 10
STATUSES: Final = ("Exercise", "Test")
MSG_TYPES: Final = ("Alert", "Update", "Cancel")
ORIGIN: Final = "ALERTSIM:TEXT"

# CAP 1.2 section 3.2.2, in the order of the standard.
CATEGORIES: Final = (
    "Geo",
    "Met",
    "Safety",
    "Security",
    "Rescue",
    "Fire",
    "Health",
    "Env",
    "Transport",
    "Infra",
    "CBRNE",
    "Other",
)
RESPONSES: Final = ("Shelter", "AllClear", "None")
URGENCIES: Final = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES: Final = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES: Final = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")
ORIGINS: Final = ("official", "reported-time", "own-time", "translation", "own")

SENT_PATTERN: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2}"
TIME_PATTERN: Final = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"  # RFC 3339, UTC
)
SLUG_PATTERN: Final = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_SENT: Final = re.compile(SENT_PATTERN)
_TIME: Final = re.compile(TIME_PATTERN)
_SLUG: Final = re.compile(SLUG_PATTERN)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """One message to one prefecture, ready to be encoded.

    Attributes:
        identifier: CAP identifier and CloudEvents id, ``{run}-{prefecture}-{sequence}``.
        time: the planned instant on the wall, RFC 3339 in UTC with microseconds.
        sent: CAP sent and effective, by the clock the exercise asked for.
        onset: CAP onset, when the believed arrival begins; None if nothing is expected.
        expires: CAP expires.
        status: Exercise or Test.
        msg_type: Alert, Update or Cancel.
        note: names the exercise.
        references: earlier messages that it updates or cancels, in order.
        categories: CAP categories.
        response: CAP responseType.
        urgency: CAP urgency.
        severity: CAP severity.
        certainty: CAP certainty.
        event_codes: (valueName, value) pairs.
        geocodes: (valueName, value) pairs of the prefecture.
        japanese: the wording in Japanese.
        english: the wording in English.
        simulation: what a real alert would not carry.

    Raises:
        ValueError: if any of it could not stand in an exercise message.
    """

    identifier: str
    time: str
    sent: str
    onset: str | None = None
    expires: str
    status: ExerciseStatus = ExerciseStatus.EXERCISE
    msg_type: MsgType
    note: str
    references: tuple[Reference, ...] = ()
    categories: tuple[str, ...]
    response: str
    urgency: str
    severity: str
    certainty: str
    event_codes: tuple[tuple[str, str], ...]
    geocodes: tuple[tuple[str, str], ...]
    japanese: Wording
    english: Wording
    simulation: Simulation

    def __post_init__(self) -> None:
        document(self)


Document = dict[str, Any]


def document(message: AlertMessage) -> tuple[str, Document, Document]:
    """The message as plain dictionaries, in the order of the CAP schema.

    Args:
        message: what to encode; everything in it is checked, however it was made.

    Returns:
        (CloudEvents time, CAP elements, simulation block).

    Raises:
        ValueError: if anything in it could not stand in an exercise message.
    """
    if type(message) is not AlertMessage:
        raise ValueError(f"not an alert message but {type(message).__name__}")
    simulation = _simulation(message.simulation)
    identifier = check_fits(message.identifier, "identifier", _SLUG, 96)
    owner = "{run}-{prefecture}-{sequence}".format(**simulation)
    if identifier != owner:
        raise ValueError(f"identifier {identifier!r} is not {owner!r}")
    sent = check_fits(message.sent, "sent", _SENT, 25)
    references = check_sequence(message.references, "references", MAX_REFERENCES)
    cap: Document = {
        "identifier": identifier,
        "sender": SENDER,
        "sent": sent,
        "status": _status(message.status),
        "msgType": _msg_type(message.msg_type),
        "scope": SCOPE,
        "restriction": RESTRICTION,
        "note": check_marked(message.note, "note", NOTE_MARK, 240),
    }
    if references:
        cap["references"] = " ".join(map(_reference, references))
    shared = _shared(message, sent)
    area = {"geocode": _pairs(message.geocodes, "geocodes")}
    cap["info"] = [
        _info("ja-JP", JAPANESE_MARK, message.japanese, shared, area),
        _info("en-US", ENGLISH_MARK, message.english, shared, area),
    ]
    return check_fits(message.time, "time", _TIME, 27), cap, simulation


def _status(status: object) -> str:
    if status is ExerciseStatus.EXERCISE:
        return "Exercise"
    if status is ExerciseStatus.TEST:
        return "Test"
    raise ValueError("the status of a message is Exercise or Test, nothing else")


def _msg_type(msg_type: object) -> str:
    if msg_type is MsgType.ALERT:
        return "Alert"
    if msg_type is MsgType.UPDATE:
        return "Update"
    if msg_type is MsgType.CANCEL:
        return "Cancel"
    raise ValueError("msgType is Alert, Update or Cancel")


def _shared(message: AlertMessage, sent: str) -> Document:
    """The info elements that do not depend on the language."""
    shared: Document = {
        "category": [
            check_one_of(category, "category", CATEGORIES)
            for category in check_sequence(message.categories, "categories", 4, 1)
        ],
        "responseType": [check_one_of(message.response, "responseType", RESPONSES)],
        "urgency": check_one_of(message.urgency, "urgency", URGENCIES),
        "severity": check_one_of(message.severity, "severity", SEVERITIES),
        "certainty": check_one_of(message.certainty, "certainty", CERTAINTIES),
        "audience": AUDIENCE,
        "eventCode": _pairs(message.event_codes, "event_codes"),
        "effective": sent,
        "expires": check_fits(message.expires, "expires", _SENT, 25),
    }
    onset = message.onset
    if onset is not None:
        shared["onset"] = check_fits(onset, "onset", _SENT, 25)
    return shared


def _info(language: str, mark: str, wording: object, shared: Document, area: Document) -> Document:
    if type(wording) is not Wording:
        raise ValueError(f"the {language} wording is {type(wording).__name__}")
    info: Document = {
        "language": language,
        "category": shared["category"],
        "event": check_marked(wording.event, "event", mark, 80),
        "responseType": shared["responseType"],
        "urgency": shared["urgency"],
        "severity": shared["severity"],
        "certainty": shared["certainty"],
        "audience": shared["audience"],
        "eventCode": shared["eventCode"],
        "effective": shared["effective"],
    }
    if "onset" in shared:
        info["onset"] = shared["onset"]
    info["expires"] = shared["expires"]
    info["headline"] = check_marked(wording.headline, "headline", mark, 120)
    info["description"] = check_marked(wording.description, "description", mark, 600)
    instruction = wording.instruction
    if instruction is not None:
        info["instruction"] = check_marked(instruction, "instruction", mark, 240)
    info["parameter"] = [
        {"valueName": ORIGIN, "value": check_one_of(wording.origin, "origin", ORIGINS)}
    ]
    info["area"] = [{"areaDesc": check_line(wording.place, "areaDesc", 40), **area}]
    return info


def _simulation(simulation: object) -> Document:
    """The simulation block: integers that may exceed 53 bits as decimal text."""
    if type(simulation) is not Simulation:
        raise ValueError(f"the simulation block is {type(simulation).__name__}")
    speed = simulation.speed
    if type(speed) is not float or not math.isfinite(speed) or speed <= 0:
        raise ValueError(f"speed must be a positive number: {speed!r}")
    event = simulation.event
    if type(event) is not AlertEvent:
        raise ValueError(f"not an event: {event!r}")
    optional: Document = {
        "launch": check_maybe_line(simulation.launch, "launch", 40),
        "believed_arrival_ns": check_maybe_decimal(
            simulation.believed_arrival_ns, "believed_arrival"
        ),
        "stated_ns": check_maybe_decimal(simulation.stated_ns, "stated_ns"),
        "historical_channel": check_maybe_line(simulation.historical_channel, "channel", 40),
        "reason": check_maybe_line(simulation.reason, "reason", 240),
    }
    return {
        "version": PAYLOAD_VERSION,
        "run": check_fits(simulation.run, "run", _SLUG, 48),
        "scenario": check_fits(simulation.scenario, "scenario", _SLUG, 64),
        "epoch": check_line(simulation.epoch, "epoch", 40),
        "seed": check_decimal(simulation.seed, "seed"),
        "replication": check_count(simulation.replication, "replication"),
        "prefecture": check_fits(simulation.prefecture, "prefecture", _SLUG, 32),
        "event": AlertEvent(event).value,
        "sequence": check_count(simulation.sequence, "sequence"),
        "cause": check_count(simulation.cause, "cause"),
        "at_ns": check_decimal(simulation.at_ns, "at_ns"),
        "intended_ns": check_decimal(simulation.intended_ns, "intended_ns"),
        "composed_ns": check_decimal(simulation.composed_ns, "composed_ns"),
        "clock": check_line(simulation.clock, "clock", 96),
        "speed": speed,
        **{name: value for name, value in optional.items() if value is not None},
        "stages": [
            _stage(stage) for stage in check_sequence(simulation.stages, "stages", MAX_STAGES)
        ],
        "stages_omitted": check_count(simulation.stages_omitted, "stages_omitted"),
    }


def _stage(stage: object) -> Document:
    if type(stage) is not StagePassed or type(stage.assumption) is not bool:
        raise ValueError(f"not a stage: {stage!r}")
    return {
        "name": check_line(stage.name, "stage", 32),
        "started_ns": check_decimal(stage.started_ns, "started_ns"),
        "ended_ns": check_decimal(stage.ended_ns, "ended_ns"),
        "assumption": stage.assumption,
    }


def _reference(reference: object) -> str:
    """CAP 1.2 section 3.2.1, references: sender, identifier and sent, joined by commas."""
    if type(reference) is not Reference:
        raise ValueError(f"not a reference: {reference!r}")
    identifier = check_fits(reference.identifier, "reference", _SLUG, 96)
    return f"{SENDER},{identifier},{check_fits(reference.sent, 'reference sent', _SENT, 25)}"


def _pairs(pairs: object, what: str) -> list[Document]:
    return [_pair(pair, what) for pair in check_sequence(pairs, what, 4, 1)]


def _pair(pair: object, what: str) -> Document:
    if type(pair) is not tuple or len(pair) != 2:  # noqa: PLR2004 - a pair is two
        raise ValueError(f"{what}: not a pair: {pair!r}")
    return {"valueName": check_line(pair[0], what, 32), "value": check_line(pair[1], what, 32)}
