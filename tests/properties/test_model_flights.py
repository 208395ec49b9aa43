"""What holds for every flight, wherever it goes and whatever becomes of it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.model import Timeline, simulate
from simulator.model.timeline import EventKind
from simulator.scenario import Scenario

STAGES = (
    "relay",
    "forming",
    "assessment",
    "second_look",
    "decision",
    "issue",
    "confirmation",
    "cancellation",
    "discovery",
    "correction",
    "all_clear",
)
POLICIES = ("blocks", "prefectures", "prefectures-and-neighbours")
SEEDS = st.integers(0, 2**64)


@st.composite
def flights(draw: st.DrawFn) -> dict[str, Any]:
    """A flight roughly toward Japan that may end early or be lost."""
    reach = draw(st.integers(700, 4500))
    flight: dict[str, Any] = {
        "site": draw(st.sampled_from(["sunan", "mupyong-ri", "sohae"])),
        "azimuth_deg": draw(st.integers(60, 180)),
        "range_km": reach,
        "apogee_km": draw(st.integers(300, 2500)),
        "kind": draw(st.sampled_from(["ballistic", "space-launch"])),
    }
    match draw(st.integers(0, 3)):
        case 1:
            flight["falls_short_km"] = reach // 2
        case 2:
            flight["lost"] = f"{draw(st.integers(60, 400))}s"
        case 3:
            flight["breaks_up"] = f"{draw(st.integers(30, 400))}s"
        case _:
            pass
    return flight


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A scenario of one launch with a flight, as plain data."""
    chain: dict[str, Any] = {
        "teams": 1,
        "policy": draw(st.sampled_from(POLICIES)),
        "certainty": draw(st.sampled_from(["some", "near"])),
        "on_loss": draw(st.sampled_from(["extrapolates", "notices"])),
        "announced": {},
    }
    for stage in STAGES:
        high = draw(st.integers(1, 300))
        chain[stage] = {"law": "uniform", "low": "0s", "high": f"{high}s"}
    launch = {"id": "a", "at": "0s", "flight": draw(flights()), "announced": draw(st.booleans())}
    return {
        "schema": "1.0",
        "id": "x",
        "title": "X",
        "epoch": "2026-01-15T10:00:00+09:00",
        "fictional": True,
        "chain": chain,
        "launches": [launch],
    }


@settings(max_examples=25, deadline=None)
@given(documents(), SEEDS)
def test_no_alert_comes_before_its_cause_and_every_warning_ends(
    document: dict[str, Any], seed: int
) -> None:
    scenario = Scenario.model_validate(document)
    timeline = simulate(scenario, seed)
    assert simulate(Scenario.model_validate(scenario.resolved()), seed).digest == timeline.digest
    assert Timeline.from_jsonl(timeline.to_jsonl()) == timeline
    for event in timeline.events:
        if event.cause is None:
            assert event.kind is EventKind.TRUTH
        else:
            assert timeline.events[event.cause].at_ns <= event.at_ns
    last = {alert.prefecture: alert for alert in timeline.alerts}
    assert not any(alert.in_force for alert in last.values())
    marks = [event for event in timeline.events if event.name == "not-warned"]
    assert bool(marks) == (not timeline.alerts)
    for alert in timeline.alerts:
        assert alert.at_ns > 0
        if alert.believed_arrival_ns is not None:
            assert alert.believed_arrival_ns % 10**6 == 0


def _sent(timeline: Timeline) -> list[tuple[str, str]]:
    return [(str(alert.event), alert.prefecture) for alert in timeline.alerts]


@settings(max_examples=25, deadline=None)
@given(documents(), SEEDS, st.sampled_from(STAGES), st.integers(0, 300))
def test_a_faster_stage_never_issues_later(
    document: dict[str, Any], seed: int, stage: str, high_s: int
) -> None:
    """Under common random numbers: only the one stage is quicker, every draw is the same."""
    slow = simulate(Scenario.model_validate(document), seed)
    faster = document | {"chain": dict(document["chain"])}
    most = min(high_s, int(document["chain"][stage]["high"].removesuffix("s")))
    faster["chain"][stage] = {"law": "uniform", "low": "0s", "high": f"{most}s"}
    fast = simulate(Scenario.model_validate(faster), seed)
    if slow.alerts:
        # A radar that forms a track sooner may see what none saw for long enough.
        assert _sent(fast) == _sent(slow)
    for before, after in zip(fast.alerts, slow.alerts, strict=False):
        assert before.at_ns <= after.at_ns
