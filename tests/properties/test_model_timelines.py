"""What holds for every timeline, whatever is launched, believed and true."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.model import Timeline, simulate
from simulator.model.timeline import AlertEvent, EventKind, MsgType, PlannedAlert
from simulator.scenario import Scenario
from simulator.units import parse_duration

PREFECTURES = ("akita", "miyagi", "niigata", "yamagata")
NAMES = (
    "satellite radar assessment decision issue reassessment confirmation discovery correction "
    "all_clear"
)
STAGES = NAMES.split()
ENDS = {"passage", "fell-in-sea", "not-coming", "not-falling"}


def _minutes(low: int, high: int) -> st.SearchStrategy[str]:
    return st.integers(low, high).map(lambda minutes: f"{minutes}min")


AREAS = st.lists(st.sampled_from(PREFECTURES), min_size=1, max_size=3, unique=True)


@st.composite
def _launch(draw: st.DrawFn, name: str) -> dict[str, Any]:
    start = draw(st.integers(0, 40))
    after = st.integers(start, start + 60).map(lambda minutes: f"{minutes}min")
    launch: dict[str, Any] = {"id": name, "at": f"{start}min"}
    launch["threat"] = draw(st.sampled_from(["high", "medium", "low"]))
    if draw(st.booleans()):
        outcome = draw(st.sampled_from(["passed", "vanished", "fell-on-land", "false-alarm"]))
        launch["truth"] = {"outcome": outcome, "at": draw(after)}
    if draw(st.integers(0, 5)):
        believed = draw(st.sampled_from([None, "fell-on-land", *sorted(ENDS)]))
        launch["belief"] = {"prefectures": draw(AREAS), "arrival": draw(after), "outcome": believed}
        if draw(st.booleans()):
            launch["belief"]["escalation"] = {"prefectures": draw(AREAS)}
    return launch


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A small salvo with test messages in between."""
    launches = [draw(_launch(name)) for name in "abc"[: draw(st.integers(1, 3))]]
    chain: dict[str, Any] = {"teams": draw(st.integers(1, 2))}
    for stage in STAGES:
        chain[stage] = {
            "law": "triangular",
            "low": "0s",
            "mode": draw(_minutes(0, 30)),
            "high": "30min",
        }
    drill = {"id": "d", "at": draw(_minutes(-5, 90)), "prefectures": ["miyagi", "akita"]}
    return Scenario.model_validate(
        {
            "schema": "1.0",
            "id": "x",
            "title": "X",
            "epoch": "2026-01-15T10:00:00+09:00",
            "fictional": True,
            "chain": chain,
            "launches": launches,
            "tests": [drill | {"count": 3, "every": "7min"}],
        }
    )


SEEDS = st.integers(0, 2**64)


@settings(max_examples=50)
@given(scenarios(), SEEDS)
def test_the_same_seed_gives_the_same_digest(scenario: Scenario, seed: int) -> None:
    timeline = simulate(scenario, seed)
    again = Scenario.model_validate(scenario.resolved())
    assert simulate(again, seed).digest == timeline.digest
    assert Timeline.from_jsonl(timeline.to_jsonl()) == timeline


@given(scenarios(), SEEDS)
def test_nothing_happens_before_its_cause(scenario: Scenario, seed: int) -> None:
    timeline = simulate(scenario, seed)
    for position, event in enumerate(timeline.events):
        assert event.number == position
        if position:
            assert timeline.events[position - 1].at_ns <= event.at_ns
        if event.started_ns is not None:
            assert event.started_ns <= event.at_ns
        if event.cause is None:
            assert event.kind in {EventKind.TRUTH, EventKind.MARK}
        else:
            assert event.cause < event.number
            cause = timeline.events[event.cause]
            begun = event.at_ns if event.started_ns is None else event.started_ns
            # Sensing spans both sensors and is over when the slower one, its cause, is.
            assert cause.at_ns <= (event.at_ns if event.name == "sensing" else begun)
            assert cause.launch == event.launch


@given(scenarios(), SEEDS)
def test_alerts_are_numbered_referenced_and_in_order(scenario: Scenario, seed: int) -> None:
    timeline = simulate(scenario, seed)
    sequences: dict[str, int] = {}
    for position, alert in enumerate(timeline.alerts):
        assert alert.number == position
        sequences[alert.prefecture] = sequences.get(alert.prefecture, 0) + 1
        assert alert.sequence == sequences[alert.prefecture]
        event = timeline.events[alert.event_number]
        assert (event.at_ns, event.name, event.prefecture, event.cause, event.launch) == (
            alert.at_ns,
            alert.event,
            alert.prefecture,
            alert.cause,
            alert.launch,
        )
        for reference in alert.references:
            assert reference < alert.number
            assert timeline.alerts[reference].prefecture == alert.prefecture
        for before, after in zip(alert.stages, alert.stages[1:], strict=False):
            assert before.ended_ns <= after.started_ns
        if alert.stages:
            assert alert.stages[-1].ended_ns == alert.at_ns
    assert len([e for e in timeline.events if e.kind is EventKind.ALERT]) == len(timeline.alerts)


def _in_force_after(alert: PlannedAlert, warned: dict[str, str], timeline: Timeline) -> bool:
    """Replays the life cycle from the outside: which launches' warnings stand in a prefecture."""
    if alert.launch is None:
        return bool(warned)
    match alert.event:
        case AlertEvent.LAUNCH | AlertEvent.TAKE_SHELTER:
            warned[alert.launch] = "open"
        case AlertEvent.INTERCEPTED | AlertEvent.FELL_ON_LAND:
            assert alert.launch in warned
        case AlertEvent.CORRECTION if alert.msg_type is MsgType.UPDATE:
            pass
        case _:
            # An ending message ends all warnings: it is sent only when no other launch threatens.
            for reference in alert.references:
                assert timeline.alerts[reference].prefecture == alert.prefecture
            warned.clear()
    return bool(warned) or (alert.msg_type is MsgType.UPDATE and alert.event == "correction")


@given(scenarios(), SEEDS)
def test_no_warning_is_lifted_early_and_every_warning_ends(scenario: Scenario, seed: int) -> None:
    timeline = simulate(scenario, seed)
    warned: dict[str, dict[str, str]] = {name: {} for name in PREFECTURES}
    last: dict[str, PlannedAlert] = {}
    for alert in timeline.alerts:
        assert alert.in_force == _in_force_after(alert, warned[alert.prefecture], timeline)
        last[alert.prefecture] = alert
    assert not any(alert.in_force for alert in last.values())


@given(scenarios(), SEEDS)
def test_message_types_are_those_of_the_contract(scenario: Scenario, seed: int) -> None:
    for alert in simulate(scenario, seed).alerts:
        match str(alert.event):
            case "launch" | "test":
                assert (alert.msg_type, alert.references) == (MsgType.ALERT, ())
            case "take-shelter":
                assert (alert.msg_type is MsgType.UPDATE) == bool(alert.references)
            case "correction":
                assert (alert.msg_type is MsgType.UPDATE) == alert.in_force
                assert alert.references
                assert alert.reason
            case "all-clear":
                assert (alert.msg_type, alert.in_force) == (MsgType.CANCEL, False)
                assert alert.references
            case event:
                assert alert.msg_type is MsgType.UPDATE
                assert alert.references
                assert alert.in_force == (event not in ENDS)
        assert alert.in_force or alert.event not in {"launch", "take-shelter"}


def _busy(spans: list[tuple[int, int]], at_ns: int) -> int:
    """How many teams work just after an instant."""
    return sum(begun <= at_ns < done for begun, done in spans)


@given(scenarios(), SEEDS)
def test_a_launch_waits_only_while_every_team_is_at_another(scenario: Scenario, seed: int) -> None:
    """Nothing else keeps a team from it: follow-ups are interrupted for it."""
    assert scenario.chain.teams is not None
    teams = scenario.chain.teams.count
    worked: list[tuple[int, int]] = []
    waited: list[tuple[int, int]] = []
    for event in simulate(scenario, seed).events:
        if event.name not in {"assessment", "reassessment"}:
            continue
        assert event.started_ns is not None
        wait = re.match(r"Waited (.*) for a free team", event.note)
        begun = event.started_ns + (parse_duration(wait[1]) if wait else 0)
        worked.append((begun, event.at_ns))
        waited.append((event.started_ns, begun))
    instants = sorted({instant for span in worked + waited for instant in span})
    for instant in instants:
        assert _busy(worked, instant) <= teams
        if _busy(waited, instant):
            assert _busy(worked, instant) == teams
