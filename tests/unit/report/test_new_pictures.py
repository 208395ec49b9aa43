"""The first picture, stages beside segments, the heat map and the band over bursts."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from simulator.model.timeline import EventKind
from simulator.report import latency_tables, place_picture, plots, tables
from simulator.report.first_picture import first_picture
from simulator.report.heat import latency_heat
from simulator.report.heat_map import heat_map
from simulator.report.people import warned_people
from simulator.report.source import ReportSource
from simulator.units import NS_PER_MS, NS_PER_S

SourceOf = Callable[[str], ReportSource]


def test_the_first_picture_has_people_above_the_chain_on_one_clock(source_of: SourceOf) -> None:
    source = source_of("complete")
    people = warned_people(source)
    picture = first_picture(source.timeline, people)
    assert people is not None
    assert picture is not None
    curve, total, *bars = picture["data"]
    assert curve["yaxis"] == total["yaxis"] == "y2"
    assert {bar["type"] for bar in bars} == {"bar"}
    assert curve["y"][0] == 0
    assert curve["y"][-1] >= 0.97 * people.warned
    assert curve["x"][-1] >= picture["layout"]["xaxis"]["range"][1]
    assert set(total["y"]) == {round(people.alerted)}
    assert picture["layout"]["yaxis"]["domain"][1] < picture["layout"]["yaxis2"]["domain"][0]
    names = [shape["name"] for shape in picture["layout"]["shapes"]]
    assert names == ["launch 07:39", "predicted arrival 07:48", "first warning 07:50"]


def test_the_first_picture_is_the_chain_alone_without_people(source_of: SourceOf) -> None:
    timeline = source_of("complete").timeline
    picture = first_picture(timeline, None)
    assert picture is not None
    assert all(trace["type"] == "bar" for trace in picture["data"])
    unstaged = replace(
        timeline, events=tuple(e for e in timeline.events if e.kind is not EventKind.STAGE)
    )
    assert first_picture(unstaged, None) is None


def test_simulated_stages_and_measured_delivery_have_axes_of_their_own(
    source_of: SourceOf,
) -> None:
    of = source_of("complete").summary
    assert of is not None
    picture = place_picture.stages_and_segments(of)
    assert picture is not None
    *stages, delivery = picture["data"]
    assert [trace["name"] for trace in stages] == [
        "simulated: sensing",
        "simulated: assessment",
        "simulated: decision",
        "simulated: issue",
    ]
    assert sum(trace["x"][0] for trace in stages) == 11
    assert all("xaxis" not in trace and trace["marker"]["pattern"] for trace in stages)
    assert delivery["xaxis"] == "x2"
    assert "pattern" not in delivery["marker"]
    assert delivery["y"] == ["Miyagi", "Yamagata", "Niigata"]
    none = of.model_copy(update={"timeline": ()})
    assert place_picture.stages_and_segments(none) is None


def test_every_live_delivery_is_in_one_cell_of_the_heat_map(source_of: SourceOf) -> None:
    heat = source_of("complete").heat
    assert heat is not None
    picture = heat_map(heat)
    assert picture is not None
    (trace,) = picture["data"]
    told = [int(cell.replace(",", "")) for row in trace["customdata"] for cell in row]
    assert sum(told) == heat.n == 900
    assert len(trace["y"]) == len(trace["z"]) + 1
    assert len(trace["x"]) == len(trace["z"][0]) + 1
    for row, counts in zip(trace["z"], trace["customdata"], strict=True):
        assert [cell is None for cell in row] == [count == "0" for count in counts]


def test_a_single_delivery_makes_a_heat_map_and_none_makes_none() -> None:
    one = pl.LazyFrame(
        {
            "population": ["live"],
            "prefecture": ["miyagi"],
            "intended_ns": [NS_PER_S],
            "delivery_ns": [NS_PER_MS],
        }
    )
    picture = heat_map(latency_heat(one))
    assert picture is not None
    assert picture["data"][0]["customdata"] == [["1"]]
    assert heat_map(None) is None


def test_the_band_stands_where_bursts_carry_it_and_its_absence_is_explained(
    source_of: SourceOf, page_of: Callable[[str], str]
) -> None:
    many, few = source_of("repeated").summary, source_of("complete").summary
    assert many is not None
    assert few is not None
    known = plots.intervals_of(many.latency, "live")
    assert [percent for percent, _, _ in known][:3] == [50.0, 90.0, 99.0]
    picture = plots.percentiles(
        many.curves, [r for r in many.latency if latency_tables.is_whole(r)]
    )
    assert picture is not None
    band = picture["data"][0]
    assert band["fill"] == "toself"
    assert len(band["x"]) == 2 * len(known)
    assert plots.intervals_of(few.latency, "live") == []
    assert "it needs at least 10 bursts, and there were 3 bursts" in page_of("complete")
    assert "There is no confidence band" not in page_of("repeated")


def test_of_several_launches_the_shortest_lead_time_is_shown(source_of: SourceOf) -> None:
    of = source_of("complete").summary
    assert of is not None
    row = next(row for row in of.lead_times if row.applicable)
    other = row.model_copy(update={"launch": "second", "lead_median_ns": -300 * NS_PER_S})
    table = tables.least_leads([row, other])
    assert table.rows == (("Miyagi", "predicted arrival", "\N{MINUS SIGN}300.0 s", "second"),)
    assert tables.least_leads([row]).rows == ()
