from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from simulator.errors import OutputError
from simulator.experiment import designs
from simulator.experiment.axes import parse_axis
from simulator.experiment.drive import drive
from simulator.experiment.executors import InlineExecutor
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import Plan, make_plan, one_point
from simulator.experiment.replications import Player
from simulator.experiment.variants import read_base
from simulator.report import experiment_directory
from simulator.report.experiment_directory import ExperimentDirectory
from simulator.report.manifest import unwritable

FACTS = {"version": "1", "command": ["alertsim"]}
BASE = read_base("tohoku-2022-11-03-modelled")


def _plan(replications: int = 40, design: designs.Design | None = None, seed: int = 1) -> Plan:
    return make_plan(BASE, design or one_point(), seed, replications)


def _play(path: Path, plan: Plan) -> ExperimentDirectory:
    directory = ExperimentDirectory.open(path, plan, FACTS)
    driven = drive(directory.plan, InlineExecutor(), directory)
    directory.finish(directory.table(driven.replications), driven.replications)
    return directory


def _part(directory: ExperimentDirectory, number: int) -> None:
    directory.keep(Player(directory.plan).play_chunk(directory.plan.chunk(number)))


def test_one_row_per_replication_in_order(tmp_path: Path) -> None:
    directory = _play(tmp_path / "one", _plan())
    table = pl.read_parquet(directory.path / "replications.parquet")
    assert table["replication"].to_list() == list(range(40))
    assert table.columns[:3] == ["point", "replication", "alert_ns"]
    player = Player(directory.plan)
    for row in table.iter_rows(named=True):
        played = player.play(0, row["replication"]).figures
        assert {key: value for key, value in played.items() if value is not None} == {
            key: value
            for key, value in row.items()
            if value is not None and key not in {"point", "replication"}
        }
    assert sorted(path.name for path in directory.path.iterdir()) == [
        "experiment.json",
        "replications.parquet",
    ]


def test_varied_fields_stand_beside_their_rows(tmp_path: Path) -> None:
    axes = [parse_axis("chain.issue=30s,50s"), parse_axis("chain.teams.count=1,2")]
    directory = _play(tmp_path / "grid", _plan(3, designs.grid(axes)))
    table = pl.read_parquet(directory.path / "replications.parquet")
    assert table.height == 15
    assert table["vary:chain.issue"].to_list() == [None] * 3 + ["30s"] * 6 + ["50s"] * 6
    assert table["vary:chain.teams.count"].to_list()[3:9] == [1, 1, 1, 2, 2, 2]
    again = ExperimentDirectory.open(directory.path, directory.plan, FACTS)
    assert again.table(3).equals(table)


def test_an_interrupted_experiment_goes_on_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    whole = _play(tmp_path / "whole", _plan())
    begun = ExperimentDirectory.open(tmp_path / "begun", _plan(), FACTS)
    for number in (2, 0):
        _part(begun, number)
    begun.interrupt(16)
    again = ExperimentDirectory.open(tmp_path / "begun", _plan(), FACTS)
    assert again.finished() == {0, 2}
    _play(tmp_path / "begun", _plan())
    name = "replications.parquet"
    assert (begun.path / name).read_bytes() == (whole.path / name).read_bytes()


def test_more_replications_are_added_to_those_there(tmp_path: Path) -> None:
    _play(tmp_path / "grown", _plan(40))
    grown = ExperimentDirectory.open(tmp_path / "grown", _plan(100), FACTS)
    assert grown.played == 40
    whole_chunks = 40 // grown.plan.chunk_replications
    assert grown.finished() == frozenset(range(whole_chunks))
    chunk = grown.plan.chunk(0)
    assert grown.column(chunk, "replication") == list(range(chunk.replications))
    assert grown.column(chunk, "no_such_ns") == [None] * chunk.rows
    _play(tmp_path / "grown", _plan(100))
    _play(tmp_path / "whole", _plan(100))
    tables = [
        pl.read_parquet(tmp_path / one / "replications.parquet") for one in ("grown", "whole")
    ]
    assert tables[0].equals(tables[1])


def test_a_part_that_is_not_whole_is_played_again(tmp_path: Path) -> None:
    directory = ExperimentDirectory.open(tmp_path / "cut", _plan(), FACTS)
    for number in (0, 1):
        _part(directory, number)
    part = directory.path / "replications" / "part-000001.parquet"
    part.write_bytes(part.read_bytes()[:-40])
    assert directory.finished() == {0}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: replace(plan, seed=2), "another seed"),
        (lambda plan: replace(plan, base=read_base("tohoku-2022-11-03")), "another scenario"),
        (
            lambda plan: replace(plan, design=designs.grid([parse_axis("chain.issue=1s,2s")])),
            "another design",
        ),
        (lambda plan: replace(plan, people=PeopleOrder()), "another people"),
        (
            lambda plan: replace(
                plan, base=plan.base.set_to([parse_axis("chain.issue=1s").at_step(0)])
            ),
            "another settings",
        ),
    ],
)
def test_another_experiment_is_refused_and_left_alone(
    tmp_path: Path, change: Callable[[Plan], Plan], said: str
) -> None:
    _play(tmp_path / "one", _plan())
    before = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    with pytest.raises(OutputError, match=said):
        ExperimentDirectory.open(tmp_path / "one", change(_plan()), FACTS)
    assert {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()} == before


def test_another_version_or_fewer_replications_are_refused(tmp_path: Path) -> None:
    _play(tmp_path / "one", _plan())
    with pytest.raises(OutputError, match="version"):
        ExperimentDirectory.open(tmp_path / "one", _plan(), {"version": "2"})
    with pytest.raises(OutputError, match="already holds 40 replications"):
        ExperimentDirectory.open(tmp_path / "one", _plan(39), FACTS)


def test_something_else_in_the_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    for name in ("file", "full"):
        with pytest.raises(OutputError, match="something else"):
            ExperimentDirectory.open(tmp_path / name, _plan(), FACTS)
    with pytest.raises(OutputError):
        ExperimentDirectory.open(tmp_path / "file" / "below", _plan(), FACTS)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "experiment.json").write_text('{"schema_version": "9.0"}')
    with pytest.raises(OutputError, match="unknown schema version"):
        ExperimentDirectory.open(tmp_path / "odd", _plan(), FACTS)


def test_a_full_disk_keeps_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = ExperimentDirectory.open(tmp_path / "full", _plan(), FACTS)
    _part(directory, 0)

    def full(path: Path, _data: bytes) -> None:
        error = OSError(28, "No space left on device")
        raise unwritable(path, error) from error

    monkeypatch.setattr(experiment_directory, "write_atomically", full)
    with pytest.raises(OutputError, match="No space left") as caught:
        drive(directory.plan, InlineExecutor(), directory)
    assert "free some space" in caught.value.remedy
    monkeypatch.undo()
    assert ExperimentDirectory.open(tmp_path / "full", _plan(), FACTS).finished() == {0}


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    directory: Any = ExperimentDirectory.open(tmp_path / "odd", _plan(), FACTS)
    (directory.path / "replications" / "part-000000.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(OutputError, match="cannot be read"):
        directory.table(40)


def test_an_experiment_that_had_no_room_to_begin_begins_with_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _data: bytes) -> None:
        error = OSError(28, "No space left on device")
        raise unwritable(path, error) from error

    with monkeypatch.context() as patch:
        patch.setattr(experiment_directory, "write_atomically", full)
        with pytest.raises(OutputError, match="the same command goes on from what is kept"):
            ExperimentDirectory.open(tmp_path / "one", _plan(), FACTS)
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["replications"]
    assert ExperimentDirectory.open(tmp_path / "one", _plan(), FACTS).finished() == frozenset()
    (tmp_path / "other" / "replications").mkdir(parents=True)
    (tmp_path / "other" / "replications" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds something else"):
        ExperimentDirectory.open(tmp_path / "other", _plan(), FACTS)
