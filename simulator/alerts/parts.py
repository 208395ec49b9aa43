"""The parts of an alert message: plain records, checked when the whole is (see ``alert``).

Rule of the module: frozen, slotted, keyword-only, no behaviour.
"""

from dataclasses import dataclass
from enum import Enum
from typing import final

from simulator.model.timeline import AlertEvent, StagePassed


class ExerciseStatus(Enum):
    """CAP status: the two values of it that exist here."""

    EXERCISE = "Exercise"
    TEST = "Test"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An earlier message that this one updates or cancels.

    Attributes:
        identifier: its CAP identifier.
        sent: its ``sent``, character for character.
    """

    identifier: str
    sent: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What the message says in one language; every text begins with the mark of an exercise.

    Attributes:
        event: kind of event, for people.
        headline: one short line, with the place.
        description: what is believed to have happened.
        instruction: what to do; None where nothing is recommended.
        place: name of the prefecture; a name, so it carries no mark.
        origin: where the wording comes from: ``official``, ``reported-time``, ``own-time``,
            ``translation`` or ``own`` (explained in ``config/alert_texts.json``).
    """

    event: str
    headline: str
    description: str
    instruction: str | None
    place: str
    origin: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """Everything in a message that a real alert would not carry.

    Times ending in ``at_ns``, ``arrival_ns``, ``stated_ns`` and those of stages are scenario time;
    ``intended_ns`` and ``composed_ns`` are wall time on the monotonic clock of ``clock``.

    Attributes:
        run: run id.
        scenario: scenario id.
        epoch: ISO 8601 of scenario time zero.
        seed: seed of the replication.
        replication: which playing of the timeline it belongs to, from 0.
        prefecture: slug.
        event: what the message says.
        sequence: position among the messages to this prefecture in this run, from 1.
        launch: id of the launch; None for a test message.
        cause: number of the timeline event that caused it.
        at_ns: planned issue, scenario time.
        intended_ns: planned issue on the wall.
        composed_ns: when the message was built.
        clock: clock domain of the two.
        speed: scenario seconds per wall second.
        believed_arrival_ns: arrival that the chain believed in at issue; None if none.
        stated_ns: the time of day quoted in the text; None if none.
        historical_channel: how the message travelled in history if not by J-ALERT; None else.
        reason: why it was sent, for corrections and all-clears; None if not given.
        stages: simulated stages passed; the last ones if there were too many.
        stages_omitted: how many earlier stages were left out for size.
    """

    run: str
    scenario: str
    epoch: str
    seed: int
    replication: int
    prefecture: str
    event: AlertEvent
    sequence: int
    launch: str | None = None
    cause: int
    at_ns: int
    intended_ns: int
    composed_ns: int
    clock: str
    speed: float
    believed_arrival_ns: int | None = None
    stated_ns: int | None = None
    historical_channel: str | None = None
    reason: str | None = None
    stages: tuple[StagePassed, ...] = ()
    stages_omitted: int = 0
