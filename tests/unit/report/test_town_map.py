import json

import numpy as np

from simulator.experiment.town_leads import TownLeads
from simulator.report.town_map import extremes, town_map
from simulator.world.geography import municipalities


def _leads(seconds: dict[str, float], *, predicted: bool = False) -> TownLeads:
    known = np.array([seconds.get(town.code, np.nan) for town in municipalities()])
    return TownLeads(
        replications=7, seconds=known, warned=(~np.isnan(known)).astype(float), predicted=predicted
    )


SENDAI, ISHINOMAKI, NIIGATA = "04100", "04202", "15100"


def test_towns_are_marked_where_they_are_by_whether_they_are_warned_in_time() -> None:
    picture = town_map(_leads({SENDAI: 30.0, ISHINOMAKI: -20.0, NIIGATA: -5.0}))
    assert picture is not None
    named = {trace.get("name"): trace for trace in picture["data"]}
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
    assert [trace["name"] for trace in picture["data"][1:]] == ["not warned", "warned in time"]
    west, east = picture["layout"]["xaxis"]["range"]
    assert east - west >= 2
    bar = picture["layout"]["coloraxis"]
    assert bar["cmin"] < bar["cmax"]


def test_the_table_names_the_ends_once() -> None:
    towns = municipalities()[:12]
    many = extremes(_leads({town.code: float(n) for n, town in enumerate(towns)}))
    assert len(many.rows) == 10
    assert [row[3] for row in many.rows][:2] == ["+0.0 s", "+1.0 s"]
    assert many.rows[-1][3] == "+11.0 s"
    few = extremes(
        _leads({town.code: float(n) for n, town in enumerate(towns[:6])}, predicted=True)
    )
    assert len(few.rows) == 6
    assert "that was predicted" in few.notes[0]
    assert "7 replications" in few.notes[0]


def test_without_lead_times_there_is_nothing_to_draw() -> None:
    assert town_map(None) is None
    assert extremes(None).rows == ()
