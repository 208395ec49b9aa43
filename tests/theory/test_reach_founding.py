"""The table of the founding area in docs/model/reach.md says what the model says."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from simulator.randomness import Streams
from simulator.reach import ReachPlan, load_profile
from simulator.units import NS_PER_S
from simulator.world.geography import municipalities

AREA = ("miyagi", "yamagata", "niigata")
AFTER_S = (15, 30, 60, 120, 600)
LAUNCHES = {
    "Thursday 2022-11-03 07:39, holiday": "2022-11-03T07:39+09:00",
    "Friday 07:39": "2022-11-04T07:39+09:00",
    "Friday 15:00": "2022-11-04T15:00+09:00",
    "Friday 03:00": "2022-11-04T03:00+09:00",
}
DOCUMENT = (Path(__file__).parents[2] / "docs/model/reach.md").read_text(encoding="utf-8")
ROWS = {
    cells[0]: cells[1:]
    for line in DOCUMENT.splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 7
}


@pytest.mark.parametrize("launch", LAUNCHES)
def test_the_document_says_what_the_model_says(launch: str) -> None:
    towns = [town for town in municipalities() if town.prefecture in AREA]
    moment = datetime.fromisoformat(LAUNCHES[launch])
    plan = ReachPlan.build(load_profile("j-alert-2022"), towns, moment)
    people = sum(town.population for town in towns)
    warned = 100 / people * np.array([
        plan.replicate(
            issues_ns=dict.fromkeys(AREA, 0), arrivals_ns={}, streams=Streams(0, number)
        ).warned_by(np.array(AFTER_S) * NS_PER_S)
        for number in range(200)
    ])  # fmt: skip
    *means, band = ROWS[launch]
    assert [float(cell.removesuffix(" %")) for cell in means] == pytest.approx(
        warned.mean(axis=0).tolist(), abs=0.6
    )
    low, high = band.removesuffix(" %").split(" to ")
    assert [float(low), float(high)] == pytest.approx(
        np.quantile(warned[:, -1], [0.05, 0.95]).tolist(), abs=0.6
    )
