"""Where a faster stage never warns fewer people in a salvo, and where it can (Graham's anomalies).

Launches of one threat are served in the order in which they are seen. Then every start of work is a
rising function of every duration before it (Kiefer and Wolfowitz 1955), so quicker work, quicker
writing and more teams make no alert later. With priorities, or where quicker sensing changes the
order, that does not hold: work that is finished sooner lets a team begin something else just before
a higher threat is seen, and it is not interrupted (R. L. Graham, "Bounds on multiprocessing timing
anomalies", SIAM Journal on Applied Mathematics 17, 1969). How much that can cost is bounded.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from simulator.experiment.people import People, PeopleOrder
from simulator.experiment.plan import make_plan, one_point
from simulator.experiment.replications import Player
from simulator.experiment.variants import Base, Setting, read_base
from simulator.model import simulate
from simulator.randomness import Streams
from simulator.scenario import Scenario
from simulator.units import NS_PER_S

PREFECTURES = ("akita", "miyagi", "niigata", "yamagata", "fukushima", "aomori", "iwate")
SEEDS = range(40)


def _constant(seconds: float) -> dict[str, Any]:
    return {"law": "constant", "value": f"{round(seconds * 1000)}ms"}


def _lognormal(median_s: float) -> dict[str, Any]:
    median_ms = round(median_s * 1000)
    return {"law": "lognormal", "median": f"{median_ms}ms", "p95": f"{4 * median_ms}ms"}


def _salvo(
    launches: Mapping[int, str], *, teams: int = 1, last_s: float = 3600, **stages: Any
) -> Scenario:
    """Launches at some seconds, of some threats, each toward a prefecture of its own.

    All arrive after an hour, but the last of them so many seconds after its launch.
    """
    last = max(launches)
    chain = {
        "teams": teams,
        "satellite": _constant(0),
        "assessment": _constant(60),
        "decision": _constant(0),
        "issue": _constant(0),
        "reassessment": _lognormal(60),
        "confirmation": _lognormal(60),
        "all_clear": _constant(600),
    }
    return Scenario.model_validate({
        "schema": "1.0",
        "id": "salvo",
        "title": "Salvo",
        "epoch": "2026-03-10T14:00:00+09:00",
        "fictional": True,
        "chain": chain | stages,
        "launches": [
            {
                "id": f"l{number}",
                "at": f"{at_s}s",
                "threat": threat,
                "belief": {
                    "prefectures": [PREFECTURES[number]],
                    "arrival": f"{at_s + (last_s if at_s == last else 3600)}s",
                    "outcome": "passage",
                },
            }
            for number, (at_s, threat) in enumerate(launches.items())
        ],
    })  # fmt: skip


def _alerts_s(scenario: Scenario, seed: int = 0) -> dict[str, float]:
    """Scenario time of the first alert, by launch."""
    found: dict[str, float] = {}
    for alert in simulate(scenario, seed).alerts:
        if alert.launch is not None and alert.event == "launch":
            found.setdefault(alert.launch, alert.at_ns / NS_PER_S)
    return found


def _in_time(scenario: Scenario) -> float:
    figures = People(PeopleOrder()).figures(scenario, simulate(scenario, 0), Streams(0))
    return figures["warned_before_arrival_people"] or 0.0


ONE_THREAT = dict.fromkeys((0, 7, 9, 30, 31, 70, 95), "high")


@pytest.mark.parametrize("teams", [1, 2, 3])
@pytest.mark.parametrize(
    "faster",
    [
        {"assessment": _lognormal(25)},
        {"decision": _lognormal(5)},
        {"issue": _constant(1)},
        {"confirmation": _lognormal(5)},
        {"more": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_of_one_threat_no_alert_is_later_for_quicker_work(
    teams: int, faster: dict[str, Any]
) -> None:
    stages: dict[str, Any] = {
        "satellite": _lognormal(40),
        "assessment": _lognormal(40),
        "decision": _lognormal(20),
        "issue": _constant(10),
    }
    change = dict(faster)
    more = change.pop("more", 0)
    slow = _salvo(ONE_THREAT, teams=teams, **stages)
    fast = _salvo(ONE_THREAT, teams=teams + more, **(stages | change))
    sooner = 0
    for seed in SEEDS:
        before, after = _alerts_s(slow, seed), _alerts_s(fast, seed)
        assert before.keys() == after.keys()
        assert all(after[launch] <= before[launch] for launch in before)
        sooner += sum(after[launch] < before[launch] for launch in before)
    # Closing messages and corrections are interrupted for a launch: they cannot matter to it.
    assert (sooner == 0) is ("confirmation" in faster)


@pytest.mark.parametrize(
    "setting",
    [
        Setting(path="chain.assessment", value="10s"),
        Setting(path="chain.decision", value="5s"),
        Setting(path="chain.issue", value="1s"),
        Setting(path="chain.teams.count", value=6),
    ],
    ids=lambda setting: setting.path,
)
def test_of_one_threat_no_fewer_people_are_warned_in_time(setting: Setting) -> None:
    """The shipped salvo, end to end, without the flight that is lost and asks for a second look."""
    document = read_base("salvo").scenario().resolved()
    document["launches"] = [
        launch | {"threat": "high"} for launch in document["launches"] if launch["id"] != "lost"
    ]
    base = Base(name="salvo", document=document)
    plan = make_plan(base, one_point(), 1, 10, PeopleOrder())
    slow, fast = Player(plan), Player(replace(plan, base=base.set_to([setting])))
    gained = 0.0
    for number in range(10):
        before, after = (player.play(0, number).figures for player in (slow, fast))
        for name in ("warned_before_arrival_people", "warned_before_predicted_people"):
            gain = (after[name] or 0) - (before[name] or 0)
            assert gain >= -0.01
            gained += gain
    assert gained > 0


def test_with_priorities_quicker_work_can_warn_a_higher_threat_later() -> None:
    """Done 15 s sooner, the team takes the low threat up 5 s before the next high one is seen."""
    launches = {0: "high", 5: "low", 50: "high"}
    slow, fast = (_salvo(launches, last_s=80, assessment=_constant(work_s)) for work_s in (60, 45))
    assert _alerts_s(slow) == {"l0": 60, "l2": 120, "l1": 180}
    assert _alerts_s(fast) == {"l0": 45, "l1": 90, "l2": 135}
    assert _in_time(fast) < _in_time(slow)
    # Two teams would have none of it.
    slow, fast = (
        _salvo(launches, teams=2, last_s=80, assessment=_constant(work_s)) for work_s in (60, 45)
    )
    assert _alerts_s(fast)["l2"] < _alerts_s(slow)["l2"]
    assert _in_time(fast) > _in_time(slow)


def test_quicker_sensing_can_change_the_order_in_which_launches_are_seen() -> None:
    """Of one threat too: the later launch is now seen first, and the other waits for it."""
    launches = {0: "high", 5: "high"}
    slow, fast = (
        _salvo(launches, satellite=_lognormal(median), assessment=_constant(60))
        for median in (40, 4)
    )
    changes = [(_alerts_s(slow, seed), _alerts_s(fast, seed)) for seed in range(200)]
    later = [(before, after) for before, after in changes
             if any(after[launch] > before[launch] for launch in before)]  # fmt: skip
    assert later
    for before, after in later:
        assert min(before, key=before.__getitem__) != min(after, key=after.__getitem__)
        assert max(after.values()) <= max(before.values())


def test_a_higher_threat_waits_at_most_one_assessment_more_for_all_lower_ones() -> None:
    """The bound of the harm: work within a turn is not interrupted, but only once in the way."""
    mixed = {0: "high", 5: "low", 31: "medium", 50: "high", 52: "low", 71: "low", 90: "high"}
    high_only = {at_s: threat for at_s, threat in mixed.items() if threat == "high"}
    of_high = [f"l{number}" for number, threat in enumerate(mixed.values()) if threat == "high"]
    worst = 0.0
    for work_s in range(2, 120, 3):
        among = _alerts_s(_salvo(mixed, assessment=_constant(work_s)))
        alone = _alerts_s(_salvo(high_only, assessment=_constant(work_s)))
        for number, launch in enumerate(of_high):
            more = among[launch] - alone[f"l{number}"]
            assert 0 <= more <= work_s
            worst = max(worst, more / work_s)
    assert worst > 0.9
