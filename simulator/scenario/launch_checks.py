"""What the fields of a launch cannot know by themselves: order of times, flights, laws it needs.

Rule of the module: as in ``checks``, of which this is the part about one launch.
"""

from typing import Final

from simulator.errors import InputError
from simulator.scenario.chain import Chain, Moment
from simulator.scenario.rules import says_wrong, stays_in_force
from simulator.scenario.schema import Launch, Outcome, Scenario
from simulator.scenario.values import refuse

Path = tuple[int | str, ...]

_ARRIVES: Final = (Outcome.PASSED, Outcome.FELL_ON_LAND, Outcome.INTERCEPTED)
_WORLD_FIELDS: Final = {
    "launch": "site",
    "launch.latitude": "latitude_deg",
    "launch.longitude": "longitude_deg",
    "ends_at_s": "breaks_up",
    "ends_over_km": "falls_short_km",
    "lost_at_s": "lost",
}


def check_launch(scenario: Scenario, path: Path, launch: Launch) -> None:
    """Refuse a launch that contradicts itself or needs what the chain does not have.

    Raises:
        PydanticCustomError: for the first problem found.
    """
    _check_order(scenario, path, launch)
    _check_flight(scenario, path, launch)
    _check_faults(path, launch)
    _check_stages(scenario, launch)


def _check_order(scenario: Scenario, path: Path, launch: Launch) -> None:
    start = scenario.offset_ns(launch.at)
    truth, belief = launch.truth, launch.belief
    moments: list[tuple[Path, Moment | None]] = []
    if truth is not None:
        moments += [(("truth", "at"), truth.at), (("truth", "arrival"), truth.arrival)]
        if truth.arrival is not None and truth.outcome not in _ARRIVES:
            raise refuse(
                f"what {truth.outcome} does not arrive",
                "leave arrival out, or change the outcome",
                (*path, "truth", "arrival"),
            )
    if belief is not None:
        moments.append((("belief", "arrival"), belief.arrival))
        if belief.escalation is not None:
            moments.append((("belief", "escalation", "arrival"), belief.escalation.arrival))
        if belief.outcome == "passage" and belief.arrival is None and launch.flight is None:
            raise refuse(
                "a believed passage needs its time", "add arrival", (*path, "belief", "outcome")
            )
    for field, moment in moments:
        if moment is not None and scenario.offset_ns(moment) < start:
            raise refuse(
                "this lies before the launch",
                f"the launch is at {launch.at.time.text}",
                (*path, *field),
            )


def _check_flight(scenario: Scenario, path: Path, launch: Launch) -> None:
    facts = launch.flight
    if facts is None:
        if launch.belief is not None and launch.belief.prefectures is None:
            raise refuse(
                "nobody knows which prefectures are warned",
                "list prefectures, or add a flight that they follow from",
                (*path, "belief", "prefectures"),
            )
        return
    if launch.truth is not None and launch.truth.outcome is Outcome.FALSE_ALARM:
        raise refuse(
            "of a false alarm nothing flew",
            "leave flight out and list prefectures and arrival under belief; where something flew "
            "that was taken for more, leave truth out and give the flight its predicted",
            (*path, "truth", "outcome"),
        )
    from simulator.scenario import flights  # noqa: PLC0415  # replays do not need the world

    start = scenario.offset_ns(launch.at)
    ends = [
        None if at is None else scenario.offset_ns(at) - start
        for at in (facts.breaks_up, facts.lost)
    ]
    fields: tuple[str, ...] = ("flight",)
    try:
        flights.check_sensors(facts)
        flights.flown(facts, *ends)
        fields = ("flight", "predicted")
        flights.predicted(facts)
    except InputError as error:
        field = _WORLD_FIELDS.get(error.field, error.field)
        raise refuse(
            f"{error.message}: {error.value}" if error.value else error.message,
            error.remedy,
            (*path, *fields, field),
        ) from None
    if scenario.chain.policy is None and (
        launch.belief is None or launch.belief.prefectures is None
    ):
        raise refuse(
            "nobody knows which prefectures are warned",
            "add policy: prefectures, or chain: {profile: j-alert-2022} for a shipped set",
            ("chain", "policy"),
        )


def _check_faults(path: Path, launch: Launch) -> None:
    faults, belief = launch.faults, launch.belief
    if faults is None or not faults.by_mistake:
        return
    if belief is None or belief.prefectures is None:
        raise refuse(
            "nobody knows whom the mistaken alert warns",
            "list them under belief: {prefectures: [...]}",
            (*path, "faults", "by_mistake"),
        )
    if launch.truth is None or launch.truth.outcome is not Outcome.FALSE_ALARM:
        raise refuse(
            "an alert that is sent by mistake is a false alarm",
            "write truth: {outcome: false-alarm, at: ...}",
            (*path, "truth"),
        )


def _check_stages(scenario: Scenario, launch: Launch) -> None:
    if launch.belief is None and launch.flight is None:
        return
    for stage in (*_up_to_the_alert(scenario.chain, launch), *_after_it(scenario.chain, launch)):
        if getattr(scenario.chain, stage) is None:
            raise refuse(
                f"launch {launch.id} needs the stage {stage}, which has no law",
                "add it, or write chain: {profile: j-alert-2022} for a shipped set",
                ("chain", stage),
            )


def _up_to_the_alert(chain: Chain, launch: Launch) -> list[str]:
    """The stages that a launch passes until it is warned of."""
    if launch.faults is not None and launch.faults.by_mistake:
        return ["issue"]
    stages = ["teams", "assessment", "decision", "issue"]
    if launch.flight is not None:
        stages += ["relay", "forming"]
    elif chain.satellite is None and chain.radar is None:
        stages.append("satellite")
    return stages


def _after_it(chain: Chain, launch: Launch) -> list[str]:
    """The stages that may follow the alert."""
    belief, stages = launch.belief, []
    if launch.faults is not None and launch.faults.wrong_area is not None:
        stages += ["discovery", "correction"]
    if launch.flight is not None:
        # What closes the warning follows from the flight: it may be any of these.
        stages += ["confirmation", "discovery", "correction", "all_clear"]
        if chain.on_loss == "notices":
            stages.append("cancellation")
    if belief is None:
        return stages
    outcome = None if launch.truth is None else launch.truth.outcome
    if belief.escalation is not None:
        stages.append("reassessment")
    if belief.outcome is not None:
        stages.append("confirmation")
    if says_wrong(belief.outcome, outcome):
        stages += ["discovery", "correction"]
    if stays_in_force(belief.outcome, outcome):
        stages.append("all_clear")
    return stages
