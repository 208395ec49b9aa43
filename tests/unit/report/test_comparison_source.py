import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from simulator.errors import OutputError
from simulator.experiment import designs
from simulator.experiment.axes import parse_axes, parse_setting
from simulator.experiment.plan import make_plan
from simulator.experiment.variants import read_base
from simulator.report.comparison_source import read_side
from simulator.run.experiments import ExperimentOrder, play_experiment


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("experiments") / "whole"
    base = read_base("hokkaido-2022-10-04").set_to([parse_setting("chain.issue=5s")])
    design = designs.grid(parse_axes(["chain.decision=60s,2min"]))
    play_experiment(ExperimentOrder(plan=make_plan(base, design, 3, 12), workers=1, out=path))
    return path


def test_a_point_of_a_sweep_is_read_with_what_is_set(whole: Path) -> None:
    known = read_side(whole, 1, 2)
    assert known.summary.name.endswith("whole#2")
    assert known.summary.settings == {"chain.issue": "5s", "chain.decision": "2min"}
    assert (known.summary.scenario, known.summary.seed) == ("hokkaido-2022-10-04", 3)
    assert known.side.replications == known.summary.n == 12
    table = pl.read_parquet(whole / "replications.parquet").filter(pl.col("point") == 2)
    assert known.side.rows.column("alert_ns").tolist() == table["alert_ns"].to_list()
    assert "alert_ns" in known.side.figures
    assert "point" not in known.side.figures
    assert read_side(whole, 0).summary.settings == {"chain.issue": "5s"}


def _described(path: Path, **changes: object) -> None:
    where = path / "experiment.json"
    where.write_text(json.dumps(json.loads(where.read_text()) | changes))


def _shortened(path: Path) -> None:
    where = path / "replications.parquet"
    pl.read_parquet(where).filter(pl.col("replication") != 3).write_parquet(where)


def _cut(path: Path) -> None:
    where = path / "replications.parquet"
    where.write_bytes(where.read_bytes()[:-100])


def _running(path: Path) -> None:
    (path / "replications.parquet").unlink()
    _described(path, state="running", replications=0)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_shortened, "11 replications of point 0 are there, and 12 should be"),
        (_cut, "cannot be read"),
        (lambda path: (path / "replications.parquet").unlink(), "table of replications is missing"),
        (
            lambda path: _described(path, seed=None),
            "not the description of an experiment: TypeError",
        ),
        (lambda path: _described(path, scenario=[]), "not the description of an experiment"),
        (lambda path: _described(path, schema_version="9.0"), "unknown schema version"),
        (_running, "still being played, or was killed"),
        (lambda path: _described(path, replications=0), "no replication"),
        (lambda path: _described(path, design={"size": -1}), "has points 0 to -1"),
    ],
)
def test_what_is_damaged_or_unfinished_is_named(
    whole: Path, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    for file in whole.glob("*.*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    harm(tmp_path)
    with pytest.raises(OutputError) as error:
        read_side(tmp_path, 0)
    assert said in str(error.value)
    assert str(tmp_path) in error.value.where


def test_an_interrupted_experiment_counts_with_what_every_point_has(
    whole: Path, tmp_path: Path
) -> None:
    table = pl.read_parquet(whole / "replications.parquet")
    (tmp_path / "experiment.json").write_bytes((whole / "experiment.json").read_bytes())
    _described(tmp_path, state="interrupted", replications=5)
    (tmp_path / "replications").mkdir()
    for number in range(7):
        part = table.filter(pl.col("replication") == number)
        part.write_parquet(tmp_path / "replications" / f"part-{number:06d}.parquet")
    known = read_side(tmp_path, 0)
    assert known.side.replications == 5
    assert known.summary.state == "interrupted"
    first = table.filter(pl.col("point") == 0)["alert_ns"].to_list()
    assert known.side.rows.column("alert_ns").tolist() == first[:5]
