import pickle
from dataclasses import replace
from typing import Any

import pytest

from simulator.errors import ConfigurationError, ScenarioError
from simulator.experiment import variants
from simulator.experiment.variants import NOTE, Base, Setting, read_base
from simulator.model import simulate
from simulator.scenario import Scenario, load_scenario


def _at(scenario: Scenario, *steps: str | int) -> Any:
    value: Any = scenario.resolved()
    for step in steps:
        value = value[step]
    return value


def test_nothing_set_is_the_scenario_itself() -> None:
    for name in ("tohoku-2022-11-03", "tohoku-2022-11-03-modelled"):
        assert read_base(name).scenario() == load_scenario(name)


def test_a_scenario_is_checked_once_and_travels_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    base = read_base("tohoku-2022-11-03-modelled")
    anew = replace(base, checked=None).scenario()
    monkeypatch.setattr(variants, "validate", None)
    sent = pickle.loads(pickle.dumps(base))  # noqa: S301  # as it travels to workers
    assert base.scenario() is base.checked
    assert sent == base
    assert sent.scenario() == anew
    assert simulate(sent.scenario(), 1, 3).digest == simulate(anew, 1, 3).digest
    with pytest.raises(TypeError):
        base.set_to([Setting(path="chain.decision", value="90s")]).scenario()


def test_a_stage_set_to_a_duration_takes_it_and_nothing_else_changes(base: Base) -> None:
    before, after = base.scenario(), base.scenario([Setting(path="chain.decision", value="90s")])
    decision = _at(after, "chain", "decision")
    assert (decision["law"], decision["value"], decision["note"]) == ("constant", "1min 30s", NOTE)
    without = {"decision"}
    assert before.chain.model_dump(exclude=without) == after.chain.model_dump(exclude=without)
    assert before.launches == after.launches


def test_what_was_set_says_that_it_is_assumed_over_what_it_was_varied_over() -> None:
    recorded = read_base("tohoku-2022-11-03")
    setting = Setting(path="chain.decision", value="90s", low="1min", high="8min")
    decision = _at(recorded.scenario([setting]), "chain", "decision")
    assert decision["assumption"] is True
    assert decision["range"] == ["1min", "8min"]
    count = _at(recorded.scenario([Setting(path="chain.teams.count", value=5)]), "chain", "teams")
    assert (count["count"], count["range"]) == (5, [1, 5])


def test_one_parameter_of_a_law(base: Base) -> None:
    decision = _at(
        base.scenario([Setting(path="chain.decision.median", value="2min")]), "chain", "decision"
    )
    assert (decision["law"], decision["median"], decision["p95"]) == ("lognormal", "2min", "4min")


def test_a_factor_stretches_the_whole_law(base: Base) -> None:
    half = Setting(path="chain.decision", value=0.5, factor=True)
    decision = _at(base.scenario([half]), "chain", "decision")
    assert (decision["median"], decision["p95"], decision["floor"]) == ("30s", "2min", "5s")
    assert half.text == "chain.decision=0.5x"
    twice = Setting(path="chain.radar.low", value=2.0, factor=True)
    assert _at(base.scenario([twice]), "chain", "radar", "low") == "4min"


def test_a_factor_on_a_recorded_stage_multiplies_what_was_recorded() -> None:
    twice = Setting(path="chain.correction", value=2.0, factor=True)
    correction = _at(read_base("tohoku-2022-11-03").scenario([twice]), "chain", "correction")
    assert (correction["law"], correction["value"]) == ("constant", "1h 48min")


def test_a_factor_on_a_number(base: Base) -> None:
    gamma = Setting(path="chain.profile", value="j-alert-2022")
    assert base.scenario([gamma]).chain.profile == "j-alert-2022"
    shaped = Base(
        name="made",
        document={
            **base.document,
            "chain": {
                **base.document["chain"],
                "decision": {"law": "gamma", "mean": "1min", "shape": 2},
            },
        },
    )
    more = shaped.scenario([Setting(path="chain.decision.shape", value=3.0, factor=True)])
    assert _at(more, "chain", "decision", "shape") == 6


def test_a_word_cannot_be_multiplied(base: Base) -> None:
    with pytest.raises(ConfigurationError, match="only laws, durations and numbers"):
        base.scenario([Setting(path="launches.one.threat", value=2.0, factor=True)])


def test_another_profile_replaces_the_stages() -> None:
    recorded = read_base("tohoku-2022-11-03")
    modelled = recorded.scenario([Setting(path="chain.profile", value="j-alert-2022")])
    assert modelled.chain == load_scenario("tohoku-2022-11-03-modelled").chain
    both = recorded.scenario(
        [
            Setting(path="chain.decision", value="1s"),
            Setting(path="chain.profile", value="j-alert-2022"),
        ]
    )
    assert _at(both, "chain", "decision", "value") == "1s"


def test_fields_of_a_launch(base: Base) -> None:
    after = base.scenario(
        [
            Setting(path="launches.one.threat", value="low"),
            Setting(path="launches.one.belief.arrival", value="10:10"),
        ]
    )
    (launch,) = after.launches
    assert launch.threat == "low"
    assert launch.belief is not None
    assert launch.belief.arrival is not None
    assert launch.belief.arrival.time.text == "10:10"


def test_what_is_fixed_stands_in_every_variant(base: Base) -> None:
    fixed = base.set_to([Setting(path="chain.issue", value="1s")])
    again = fixed.scenario([Setting(path="chain.decision", value="1s")])
    assert _at(again, "chain", "issue", "value") == "1s"
    assert _at(again, "chain", "decision", "value") == "1s"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("chain.decision", "-90s", "negative"),
        ("chain.decision.median", 5, "a duration needs a unit"),
        ("chain.profile", "j-alert-2922", "j-alert-2022"),
        ("chain.teams.count", 0, "chain.teams.count=0"),
        ("launches.one.belief.arrival", "-1h", "before the launch"),
        ("launches.one.threat", "huge", "high"),
    ],
)
def test_a_value_that_cannot_stand_there_is_refused(
    base: Base, path: str, value: str | int, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        base.scenario([Setting(path=path, value=value)])
    assert said in str(caught.value)
    assert f"{path}=" in caught.value.field


def test_reading_refuses_what_is_no_scenario() -> None:
    with pytest.raises(ScenarioError, match="unknown scenario"):
        read_base("tohoku-2022-11-04")


def test_the_ends_of_a_recorded_stage() -> None:
    sooner = Setting(path="chain.correction.ends", value="09:00")
    correction = _at(read_base("tohoku-2022-11-03").scenario([sooner]), "chain", "correction")
    assert (correction["law"], correction["starts"], correction["ends"]) == (
        "recorded",
        "08:30",
        "09:00",
    )
