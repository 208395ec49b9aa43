from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any

import pytest

from simulator.errors import InternalError
from simulator.model import script, simulate
from simulator.model.engine import play_once
from simulator.model.script import Script, script_of
from simulator.randomness import Streams
from simulator.scenario import Scenario, load_scenario, scenario_names


def test_a_scenario_is_worked_out_once() -> None:
    scenario = load_scenario("tohoku-2022-11-03")
    first = script_of(scenario)
    assert script_of(scenario) is first
    launch = first.launches[0]
    assert launch.steps["issue", ""] is launch.steps["issue", ""]
    assert launch.steps["issue", "passage"].stream == f"launch/{launch.id}/passage/issue"
    modelled = script_of(load_scenario("tohoku-2022-11-03-modelled")).launches[0]
    assert modelled.steps["second_look", ""].shown == "second-look"
    assert script_of(load_scenario("tohoku-2022-11-03")) is not first


def test_the_scripts_of_the_last_scenarios_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "_KEPT", 2)
    script._scripts.clear()
    scenarios = [load_scenario("drill-minimal") for _ in range(3)]
    scripts = [script_of(scenario) for scenario in scenarios]
    assert len(script._scripts) == 2
    assert script_of(scenarios[2]) is scripts[2]
    assert script_of(scenarios[0]) is not scripts[0]


def test_two_scenarios_are_never_taken_for_one_another(build: Callable[..., Scenario]) -> None:
    launch = {"id": "one", "at": "10:00", "belief": {"prefectures": ["miyagi"]}}
    one, other = build(launch), build(launch | {"at": "10:30"})
    alerts = [simulate(scenario, 1).alerts[0].at_ns for scenario in (one, other, one)]
    assert alerts[0] == alerts[2] < alerts[1]


def test_a_stage_without_a_law_is_a_defect_of_the_checks(build: Callable[..., Scenario]) -> None:
    scenario = build({"id": "one", "at": "10:00", "belief": {"prefectures": ["miyagi"]}})
    bare = scenario.model_copy(
        update={"chain": scenario.chain.model_copy(update={"decision": None})}
    )
    with pytest.raises(InternalError, match="decision has no law"):
        Script(bare).launches[0].steps["decision", ""]


class _Noting(Streams):
    """Remembers which streams were asked for."""

    __slots__ = ("asked",)

    def __init__(self, seed: int, replication: int) -> None:
        super().__init__(seed, replication)
        self.asked: list[str] = []

    def first(self, name: str) -> float:
        self.asked.append(name)
        return super().first(name)

    def firsts(self, names: Iterable[str]) -> list[float]:
        return [self.first(name) for name in names]


@pytest.mark.parametrize("name", scenario_names())
def test_the_usual_stages_are_those_that_a_launch_passes(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = load_scenario(name)
    usual = [step.stream for step in script_of(scenario).usual]
    assert len(set(usual)) == len(usual)
    ahead = [_Noting(1, number) for number in range(3)]
    played = [play_once(scenario, streams) for streams in ahead]
    assert all(streams.asked[: len(usual)] == usual for streams in ahead)
    # Drawn when its stage begins, each is the same; few are drawn ahead and then not needed.
    monkeypatch.setattr(script_of(scenario), "usual", ())
    monkeypatch.setattr(script_of(scenario), "usual_streams", ())
    late = [_Noting(1, number) for number in range(3)]
    assert [play_once(scenario, streams) for streams in late] == played
    needed = [len(streams.asked) for streams in late]
    assert sum(needed) <= sum(len(streams.asked) for streams in ahead) <= sum(needed) * 1.5
    unforeseen = {stream for streams in late for stream in streams.asked} - set(usual)
    assert {stream.rpartition("/")[2] for stream in unforeseen} <= {"phase"}


def test_rows_say_what_the_timeline_says() -> None:
    for name in ("tohoku-2022-11-03-modelled", "salvo", "drill-minimal"):
        scenario = load_scenario(name)
        played, timeline = play_once(scenario, Streams(3, 5)), simulate(scenario, 3, 5)
        pairs: list[tuple[Any, Any]] = [
            *zip(played.events, timeline.events, strict=True),
            *zip(played.alerts, timeline.alerts, strict=True),
        ]
        for row, record in pairs:
            names = [field.name for field in fields(record)]
            assert names == list(row._fields)
            assert all(
                getattr(row, name) == getattr(record, name) for name in names if name != "stages"
            )
        for alert, planned in zip(played.alerts, timeline.alerts, strict=True):
            assert [stage[:-1] for stage in alert.stages] == [
                (stage.name, stage.started_ns, stage.ended_ns, stage.assumption)
                for stage in planned.stages
            ]
            assert [timeline.events[stage.number].name for stage in alert.stages] == [
                stage.name for stage in planned.stages
            ]
