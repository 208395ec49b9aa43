from pathlib import Path

import polars as pl
import pytest

from simulator.errors import ConfigurationError, OutputError
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import make_plan, one_point
from simulator.experiment.replications import Player
from simulator.experiment.variants import read_base
from simulator.reach import MeasuredDelivery
from simulator.run.app_channel import measured_app
from tests.unit.report.made_run import Wanted, make_run

NEVER = ("expired", "missed-offline", "lost")


def test_every_delivery_that_was_owed_counts(tmp_path: Path) -> None:
    path = make_run(tmp_path, Wanted(trouble=True))
    table = pl.read_parquet(path / "deliveries.parquet")
    never = table.filter(pl.col("outcome").is_in(NEVER)).height
    came = table.filter(pl.col("outcome").is_in(["delivered", "late", "queued"]))
    assert never > 0
    app = measured_app(path)
    assert len(app.delays_s) == came.height
    assert app.delivered == pytest.approx(came.height / (came.height + never))
    assert app.delays_s[-1] == pytest.approx(came["delivery_ns"].to_numpy().max() / 1e9)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not a run directory"):
        measured_app(tmp_path)
    path = make_run(tmp_path)
    nothing = pl.read_parquet(path / "deliveries.parquet").filter(pl.col("outcome") == "lost")
    nothing.write_parquet(path / "deliveries.parquet")
    with pytest.raises(ConfigurationError, match="no delivery to take delays from") as refused:
        measured_app(path)
    assert str(refused.value).startswith(f"{path}: --app-channel-from: ")


def test_a_slower_path_warns_fewer_people_in_time() -> None:
    def warned(delay_s: int) -> float:
        app = MeasuredDelivery.from_sample([delay_s * 10**9] * 10)
        plan = make_plan(read_base("hokkaido-2022-10-04"), one_point(), 1, 1, PeopleOrder(app=app))
        return float(Player(plan).play(0, 0).figures["warned_before_predicted_people"] or 0)

    assert warned(0) > warned(600)
