"""From a document back to a message: what came off the wire, by whoever wrote it.

Rule of the module: strict. A document is accepted only if the message made from it encodes to the
very same document, so nothing unmarked, unknown or altered passes for one of ours.
"""

from typing import Any

from simulator.alerts.alert import AlertMessage, document
from simulator.alerts.checks import INTEGER
from simulator.alerts.parts import ExerciseStatus, Reference, Simulation, Wording
from simulator.model.timeline import AlertEvent, MsgType, StagePassed


def message_from(time: object, cap: object, simulation: object) -> AlertMessage:
    """The inverse of ``document``: strict, so what it accepts encodes to the same document.

    Raises:
        ValueError: if the document is not one that ``document`` could have made.
    """
    try:
        message = _rebuild(time, cap, simulation)
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not an alertsim message: {error!r:.120}") from error
    if document(message) != (time, cap, simulation):
        raise ValueError("not an alertsim message: it holds more, or other, than it may")
    return message


def _rebuild(time: Any, cap: Any, block: Any) -> AlertMessage:  # noqa: ANN401 - foreign input
    japanese, english = cap["info"]
    return AlertMessage(
        identifier=cap["identifier"],
        time=time,
        sent=cap["sent"],
        onset=japanese.get("onset"),
        expires=japanese["expires"],
        status=ExerciseStatus(cap["status"]),
        msg_type=MsgType(cap["msgType"]),
        note=cap["note"],
        references=tuple(
            Reference(identifier=identifier, sent=sent)
            for _, identifier, sent in (
                entry.split(",") for entry in cap.get("references", "").split()
            )
        ),
        categories=tuple(japanese["category"]),
        response=japanese["responseType"][0],
        urgency=japanese["urgency"],
        severity=japanese["severity"],
        certainty=japanese["certainty"],
        event_codes=_named(japanese["eventCode"]),
        geocodes=_named(japanese["area"][0]["geocode"]),
        japanese=_wording(japanese),
        english=_wording(english),
        simulation=_block(block),
    )


def _named(pairs: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401 - foreign input
    return tuple((pair["valueName"], pair["value"]) for pair in pairs)


def _wording(info: Any) -> Wording:  # noqa: ANN401 - foreign input
    return Wording(
        event=info["event"],
        headline=info["headline"],
        description=info["description"],
        instruction=info.get("instruction"),
        place=info["area"][0]["areaDesc"],
        origin=info["parameter"][0]["value"],
    )


def _block(block: Any) -> Simulation:  # noqa: ANN401 - foreign input
    return Simulation(
        run=block["run"],
        scenario=block["scenario"],
        epoch=block["epoch"],
        seed=_integer(block["seed"]),
        replication=block["replication"],
        prefecture=block["prefecture"],
        event=AlertEvent(block["event"]),
        sequence=block["sequence"],
        launch=block.get("launch"),
        cause=block["cause"],
        at_ns=_integer(block["at_ns"]),
        intended_ns=_integer(block["intended_ns"]),
        composed_ns=_integer(block["composed_ns"]),
        clock=block["clock"],
        speed=_number(block["speed"]),
        believed_arrival_ns=_maybe_integer(block.get("believed_arrival_ns")),
        stated_ns=_maybe_integer(block.get("stated_ns")),
        historical_channel=block.get("historical_channel"),
        reason=block.get("reason"),
        stages=tuple(
            StagePassed(
                name=stage["name"],
                started_ns=_integer(stage["started_ns"]),
                ended_ns=_integer(stage["ended_ns"]),
                assumption=stage["assumption"],
            )
            for stage in block["stages"]
        ),
        stages_omitted=block["stages_omitted"],
    )


def _integer(text: Any) -> int:  # noqa: ANN401 - foreign input
    if type(text) is not str or not INTEGER.fullmatch(text):
        raise ValueError(f"not a decimal integer: {text!r:.80}")
    return int(text)


def _number(value: Any) -> float:  # noqa: ANN401 - foreign input
    # JavaScript writes 600.0 as 600; True is no number here although Python thinks so.
    return float(value) if type(value) is int else value


def _maybe_integer(text: Any) -> int | None:  # noqa: ANN401 - foreign input
    return None if text is None else _integer(text)
