from pathlib import Path

import pytest

from simulator.errors import ConfigurationError, ScenarioError
from simulator.experiment.people import People, PeopleOrder
from simulator.experiment.variants import read_base
from simulator.model import simulate
from simulator.randomness import Streams
from simulator.run.checked import check_channels, load_checked
from simulator.scenario import load_scenario

_BASE = "extends: tohoku-2022-11-03\nid: mine\nchannels:\n"


def _written(folder: Path, channels: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(_BASE + channels, encoding="utf-8")
    return str(path)


def test_a_scenario_without_channels_of_its_own_is_as_it_is() -> None:
    assert load_checked("drill-minimal") == load_scenario("drill-minimal")


def test_channels_of_a_scenario_reach_its_people(tmp_path: Path) -> None:
    mine = load_checked(_written(tmp_path, "  phones:\n    held: {share: 0.82}\n"))
    usual = load_checked("tohoku-2022-11-03")
    assert simulate(mine, 1).alerts == simulate(usual, 1).alerts
    people = People(PeopleOrder())
    warned = [
        people.figures(scenario, simulate(scenario, 1), Streams(1))["warned_people"]
        for scenario in (mine, usual)
    ]
    assert warned[0] is not None
    assert warned[1] is not None
    assert warned[0] < warned[1]


def test_channels_that_cannot_be_are_refused_before_anything_is_played(tmp_path: Path) -> None:
    path = _written(tmp_path, "  phones:\n    held: {share: 1.2}\n")
    with pytest.raises(ScenarioError) as caught:
        load_checked(path)
    assert caught.value.field == "channels.phones.held.share"
    assert caught.value.where.endswith("mine.yaml:5")
    with pytest.raises(ConfigurationError, match="less than or equal to 1"):
        check_channels(load_scenario(path))
    with pytest.raises(ScenarioError) as caught_of_base:
        read_base(path)
    assert caught_of_base.value.field == "channels.phones.held.share"
    assert caught_of_base.value.where.endswith("mine.yaml:5")
