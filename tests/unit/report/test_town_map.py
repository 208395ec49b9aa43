import csv
import json
from dataclasses import replace

import numpy as np

from simulator.experiment.town_leads import TownLeads
from simulator.report.town_map import extremes, town_map
from simulator.report.town_table import town_table
from simulator.world.geography import municipalities


def _leads(seconds: dict[str, float], *, predicted: bool = False) -> TownLeads:
    known = np.array([seconds.get(town.code, np.nan) for town in municipalities()])
    there = (~np.isnan(known)).astype(float)
    return TownLeads(
        replications=7,
        seconds=known,
        warned=7 * there,
        people=1200 * there,
        in_time=800 * there,
        before_arrival=np.where(there > 0, 700.0, np.nan),
        before_predicted=np.where(there > 0, 800.0, np.nan),
        predicted=predicted,
    )


SENDAI, ISHINOMAKI, NIIGATA = "04100", "04202", "15100"


def test_towns_are_marked_where_they_are_by_whether_they_are_warned_in_time() -> None:
    picture = town_map(_leads({SENDAI: 30.0, ISHINOMAKI: -20.0, NIIGATA: -5.0}))
    assert picture is not None
    named = {trace["name"]: trace for trace in picture["data"] if None not in trace["x"]}
    in_time, late = named["warned in time"], named["warned too late"]
    assert in_time["marker"]["color"] == [30.0]
    assert in_time["marker"]["symbol"] != late["marker"]["symbol"]
    assert "Sendai" in in_time["text"][0]
    assert sorted(late["marker"]["color"]) == [-20.0, -5.0]
    sendai = next(town for town in municipalities() if town.code == SENDAI)
    assert (in_time["x"], in_time["y"]) == ([sendai.longitude], [sendai.latitude])
    assert in_time["marker"]["size"][0] > max(late["marker"]["size"]) / 2
    west, east = picture["layout"]["xaxis"]["range"]
    south, north = picture["layout"]["yaxis"]["range"]
    for trace in (in_time, late, named["not warned"]):
        assert all(west <= x <= east for x in trace["x"])
        assert all(south <= y <= north for y in trace["y"])
    assert {trace["type"] for trace in picture["data"]} == {"scatter"}
    assert len(json.dumps(picture)) < 300_000


def test_one_town_alone_is_shown_with_its_surroundings() -> None:
    picture = town_map(_leads({NIIGATA: 12.0}))
    assert picture is not None
    assert [trace["name"] for trace in picture["data"][1:]] == [
        "not warned",
        "warned in time",
        "warned in time",
    ]
    west, east = picture["layout"]["xaxis"]["range"]
    assert east - west >= 2
    bar = picture["layout"]["coloraxis"]
    assert bar["cmin"] < bar["cmax"]


def test_the_table_names_the_ends_once() -> None:
    towns = municipalities()[:12]
    many = extremes(_leads({town.code: float(n) for n, town in enumerate(towns)}))
    assert len(many.rows) == 10
    assert [row[5] for row in many.rows][:2] == ["+0.0 s", "+1.0 s"]
    assert many.rows[-1][5] == "+11.0 s"
    few = extremes(
        _leads({town.code: float(n) for n, town in enumerate(towns[:6])}, predicted=True)
    )
    assert len(few.rows) == 6
    assert "that was predicted" in few.notes[0]
    assert "7 replications" in few.notes[0]


def test_without_lead_times_there_is_nothing_to_draw() -> None:
    for nothing in (None, _leads({})):
        assert town_map(nothing) is None
        assert extremes(nothing).rows == ()


def test_people_warned_stand_beside_the_lead_time() -> None:
    leads = _leads({SENDAI: 30.0})
    (row,) = extremes(leads).rows
    assert row[3:] == ("1,200", "800", "+30.0 s")
    picture = town_map(leads)
    assert picture is not None
    shown, key = (trace for trace in picture["data"] if trace.get("name") == "warned in time")
    assert key["x"] == [None]
    assert "1,200 people warned, 800 before the arrival" in shown["customdata"][0]


def test_the_table_for_programs_has_every_municipality_that_was_warned() -> None:
    rows = list(csv.DictReader(town_table(_leads({SENDAI: 30.04, NIIGATA: -5.0})).splitlines()))
    assert [(row["code"], row["prefecture"], row["lead_time_s"]) for row in rows] == [
        (SENDAI, "miyagi", "30.0"),
        (NIIGATA, "niigata", "-5.0"),
    ]
    assert rows[0]["name_ja"] == "仙台市"
    counted = ("warned_people", "warned_before_arrival_people", "warned_before_predicted_people")
    assert [rows[0][name] for name in counted] == ["1200.0", "700.0", "800.0"]


def test_where_nothing_arrives_the_table_counts_people_alone() -> None:
    there = _leads({SENDAI: 30.0})
    never = np.full_like(there.seconds, np.nan)
    nothing = replace(there, seconds=never, before_arrival=never, before_predicted=never)
    (row,) = csv.DictReader(town_table(nothing).splitlines())
    assert row["warned_people"] == "1200.0"
    assert row["lead_time_s"] == row["warned_before_arrival_people"] == ""
    assert row["warned_before_predicted_people"] == ""
