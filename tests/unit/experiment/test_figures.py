from copy import deepcopy

from simulator.experiment.figures import (
    LAUNCHES,
    WARNS,
    Replication,
    Value,
    column_order,
    figures_of,
    is_whole,
    launch_times,
)
from simulator.experiment.variants import Base, Setting, read_base
from simulator.model import simulate
from simulator.model.engine import play_once
from simulator.model.timeline import AlertEvent
from simulator.randomness import Streams
from simulator.scenario import load_scenario
from simulator.units import NS_PER_MIN, NS_PER_S


def test_the_founding_case_in_figures() -> None:
    scenario = load_scenario("tohoku-2022-11-03")
    found = figures_of(simulate(scenario, 1), ["icbm"])
    assert found["alert_ns"] == 11 * NS_PER_MIN
    stages = {name: value for name, value in found.items() if name.startswith("stage_")}
    assert sum(value or 0 for value in stages.values()) == 11 * NS_PER_MIN
    assert found["predicted_lead_time_ns"] == found["predicted_lead_time_niigata_ns"]
    assert found["predicted_lead_time_ns"] == -120 * NS_PER_S
    assert found["lead_time_ns"] is None
    assert found["closing_ns"] == found["in_force_ns"] == 10 * NS_PER_MIN
    assert found["correction_ns"] == 84 * NS_PER_MIN
    assert found["all_clear_ns"] is None
    assert found["issue_yamagata_ns"] == 11 * NS_PER_MIN
    assert (found["prefectures_count"], found["messages_count"]) == (3, 9)


def test_stages_add_up_to_the_alert_in_every_regime() -> None:
    for name in ("tohoku-2022-11-03-modelled", "hokkaido-2017-08-29", "hokkaido-2023-04-13"):
        scenario = load_scenario(name)
        launches = [launch.id for launch in scenario.launches]
        for replication in range(20):
            found = figures_of(simulate(scenario, 3, replication), launches)
            stages = [value or 0 for key, value in found.items() if key.startswith("stage_")]
            assert sum(stages) == found["alert_ns"]


def test_further_launches_have_columns_of_their_own() -> None:
    scenario = load_scenario("salvo")
    launches = [launch.id for launch in scenario.launches]
    timeline = simulate(scenario, 1)
    found = figures_of(timeline, launches)
    times = launch_times(timeline)
    for launch in launches:
        warned = [alert.at_ns for alert in timeline.alerts if alert.launch == launch]
        prefix = "" if launch == launches[0] else f"{launch}."
        expected = min(warned) - times[launch] if warned else None
        assert found[f"{prefix}alert_ns"] == expected


def test_several_launches_have_figures_of_all_of_them() -> None:
    scenario = load_scenario("salvo")
    launches = [launch.id for launch in scenario.launches]
    for replication in range(4):
        timeline = simulate(scenario, 1, replication)
        found = figures_of(timeline, launches)
        assert found == figures_of(play_once(scenario, Streams(1, replication)), launches)
        times = launch_times(timeline)
        first: dict[str | None, int] = {}
        for alert in timeline.alerts:
            if alert.event in WARNS:
                first.setdefault(alert.launch, alert.at_ns)
        assert found["last_alert_ns"] == max(first.values()) - times[launches[0]]
        assert found["unwarned_launches_count"] == len(launches) - len(first)
        predicted = [
            value for name, value in found.items() if name.endswith("predicted_lead_time_ns")
        ]
        assert found["least_predicted_lead_time_ns"] == min(
            value for value in predicted if value is not None
        )
    alone = figures_of(simulate(load_scenario("tohoku-2022-11-03"), 1), ["icbm"])
    assert not set(LAUNCHES) & set(alone)


def test_the_longest_wait_for_a_team_is_told() -> None:
    def waited(teams: int) -> Value:
        settings = [
            Setting(path="chain.teams", value=teams),
            Setting(path="chain.assessment", value="2min"),
        ]
        scenario = read_base("salvo").scenario(settings)
        timeline = simulate(scenario, 1)
        found = figures_of(timeline, [launch.id for launch in scenario.launches])
        spans = [
            event.at_ns - (event.started_ns or 0)
            for event in timeline.events
            if event.name == "assessment"
        ]
        assert found["team_waiting_ns"] == max(spans) - 2 * NS_PER_MIN
        return found["team_waiting_ns"]

    assert waited(8) == 0
    alone = waited(1)
    assert alone is not None
    assert alone > 2 * NS_PER_MIN


def test_of_launches_that_nobody_is_warned_of_there_is_no_last_alert() -> None:
    found = figures_of(simulate(load_scenario("drill-minimal"), 1), ["one", "two"])
    assert found["last_alert_ns"] is None
    assert found["team_waiting_ns"] is None
    assert found["unwarned_launches_count"] == 2


def test_what_did_not_happen_is_none_not_zero() -> None:
    found = figures_of(simulate(load_scenario("drill-minimal"), 1), [])
    assert found == {
        "in_force_ns": None,
        "prefectures_count": 0,
        "messages_count": 2,
        "withheld_count": 0,
    }
    unwarned = figures_of(simulate(load_scenario("drill-minimal"), 1), ["nobody"])
    assert unwarned["alert_ns"] is None


def test_a_mistake_passes_for_a_launch() -> None:
    scenario = load_scenario("hawaii-2018")
    found = figures_of(simulate(scenario, 1), [scenario.launches[0].id])
    assert found["correction_ns"] == 38 * NS_PER_MIN


def test_a_correction_is_timed_from_the_last_message_to_those_who_are_corrected() -> None:
    timeline = simulate(load_scenario("hokkaido-2022-10-04"), 1)
    found = figures_of(timeline, [timeline.alerts[0].launch or ""])
    to_tokyo = [alert for alert in timeline.alerts if alert.prefecture == "tokyo"]
    correction = next(one for one in to_tokyo if one.event is AlertEvent.CORRECTION)
    before = max(one.at_ns for one in to_tokyo if one.at_ns < correction.at_ns)
    elsewhere = max(one.at_ns for one in timeline.alerts if one.at_ns < correction.at_ns)
    assert found["correction_ns"] == correction.at_ns - before
    assert (
        correction.at_ns - elsewhere < 4 * NS_PER_MIN < 19 * NS_PER_MIN < correction.at_ns - before
    )


def test_rows_and_their_order() -> None:
    row = Replication(point=2, number=5, figures={"alert_ns": 1}).row()
    assert row == {"point": 2, "replication": 5, "alert_ns": 1}
    shuffled = [
        "second.alert_ns",
        "issue_akita_ns",
        "stage_decision_ns",
        "messages_count",
        "stage_second-look_ns",
        "alert_ns",
        "stage_assessment_ns",
        "replication",
        "point",
    ]
    assert column_order(shuffled) == [
        "point",
        "replication",
        "alert_ns",
        "stage_assessment_ns",
        "stage_second-look_ns",
        "stage_decision_ns",
        "messages_count",
        "issue_akita_ns",
        "second.alert_ns",
    ]


def test_units_tell_the_type() -> None:
    assert [is_whole(name) for name in ("point", "a_ns", "a_count", "a_people")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_later_call_to_take_shelter_is_timed_from_the_launch(base: Base) -> None:
    document = deepcopy(base.document)
    document["chain"]["reassessment"] = {"law": "constant", "value": "90s"}
    document["launches"][0]["belief"]["escalation"] = {"prefectures": ["miyagi"]}
    scenario = Base(name="made", document=document).scenario()
    found = figures_of(simulate(scenario, 1), ["one"])
    # The second look takes 90 s, issuing its message 30 s.
    assert found["shelter_ns"] == (found["alert_ns"] or 0) + 2 * 60 * NS_PER_S
