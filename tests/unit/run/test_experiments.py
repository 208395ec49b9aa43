from pathlib import Path

import pytest

from simulator.errors import ConfigurationError
from simulator.experiment import designs
from simulator.experiment.axes import parse_axis
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import Plan, make_plan, one_point
from simulator.experiment.variants import read_base
from simulator.run.experiments import ExperimentOrder, play_experiment, stop_rule

BASE = read_base("tohoku-2022-11-03-modelled")


def _plan(replications: int, design: designs.Design | None = None) -> Plan:
    return make_plan(BASE, design or one_point(), 1, replications)


def test_memory_and_directory_give_the_same_summary(tmp_path: Path) -> None:
    grid = designs.grid([parse_axis("chain.issue=10s,20s")])
    plan = _plan(25, grid)
    there = play_experiment(ExperimentOrder(plan=plan, workers=1, out=tmp_path / "kept"))
    here = play_experiment(ExperimentOrder(plan=plan, workers=1))
    assert here.path is None
    assert there.path == tmp_path / "kept"
    assert here.summary == there.summary
    for name in ("experiment.json", "summary.json", "report.html", "replications.parquet"):
        assert (tmp_path / "kept" / name).stat().st_size > 0


def test_ended_before_anything_was_whole_it_leaves_something_to_go_on_from(
    tmp_path: Path,
) -> None:
    order = ExperimentOrder(
        plan=_plan(25), workers=1, out=tmp_path / "kept", interrupted=lambda: True
    )
    played = play_experiment(order)
    assert (played.summary.state, played.summary.replications) == ("interrupted", 0)
    again = play_experiment(ExperimentOrder(plan=_plan(25), workers=1, out=tmp_path / "kept"))
    assert (again.summary.state, again.summary.replications) == ("complete", 25)


def test_an_interrupted_experiment_reports_its_first_replications(tmp_path: Path) -> None:
    done: list[int] = []
    order = ExperimentOrder(
        plan=_plan(200),
        workers=1,
        out=tmp_path / "kept",
        progress=lambda count, _total: done.append(count),
        interrupted=lambda: done[-1] > 0,
    )
    summary = play_experiment(order).summary
    assert summary.state == "interrupted"
    assert summary.replications == done[-1] == _plan(200).chunk_replications
    assert "INCOMPLETE" in (tmp_path / "kept" / "report.html").read_text()
    assert not (tmp_path / "kept" / "replications.parquet").exists()


def test_a_wrong_variant_is_found_before_anything_is_written(tmp_path: Path) -> None:
    grid = designs.grid([parse_axis("chain.radar.low=1min,20min")])
    with pytest.raises(ConfigurationError, match=r"chain\.radar\.low=20min"):
        play_experiment(ExperimentOrder(plan=_plan(5, grid), out=tmp_path / "kept"))
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    ("text", "column"),
    [("alert=250ms", "alert_ns"), ("alert_ns=250ms", "alert_ns"), ("messages=2", "messages_count")],
)
def test_a_rule_names_a_figure_with_or_without_its_unit(text: str, column: str) -> None:
    assert stop_rule(text, _plan(100)).column == column


@pytest.mark.parametrize("people", [None, PeopleOrder()])
def test_a_rule_for_no_figure_says_which_there_are_but_not_every_instant(
    people: PeopleOrder | None,
) -> None:
    plan = make_plan(BASE, one_point(), 1, 2, people)
    with pytest.raises(ConfigurationError, match="no such figure") as caught:
        stop_rule("allert=1s", plan)
    remedy = caught.value.remedy
    assert remedy.startswith("did you mean alert? one of: alert, ")
    assert ("warned_by_0600s and its like" in remedy) is (people is not None)
    assert remedy.count("warned_by_") <= 1


def test_a_rule_is_met_when_the_interval_is_narrow_enough() -> None:
    rule = stop_rule("alert=1s", _plan(100))
    narrow, wide = [5 * 10**9] * 100, [0, 10**12] * 50
    assert rule.enough(narrow)
    assert not rule.enough(wide)
    assert not rule.enough([None] * 100)
    assert not rule.enough(narrow[:9])


def test_a_rule_is_for_one_point() -> None:
    grid = designs.grid([parse_axis("chain.issue=10s,20s")])
    with pytest.raises(ConfigurationError, match="same replications of every point"):
        stop_rule("alert=1s", _plan(10, grid))
