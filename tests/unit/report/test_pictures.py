"""Pictures are valid for the plotting library, say what the data say, and can fetch nothing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC
from typing import Any

import plotly.graph_objects as go
import pytest

from simulator.measure.summary import Summary
from simulator.model.timeline import EventKind, Timeline
from simulator.report import chain_picture, life_picture, plots
from simulator.report.drawing import MOST_ROWS, Picture, safe
from simulator.report.source import ReportSource
from simulator.units import NS_PER_MIN, NS_PER_S
from tests.unit.report.conftest import HOSTILE
from tests.unit.report.made_run import Wanted, timeline_of

SourceOf = Callable[[str], ReportSource]
HARMLESS = {"bar", "scatter"}


def summary(source_of: SourceOf, kind: str) -> Summary:
    found = source_of(kind).summary
    assert found is not None
    return found


def drawn(picture: Picture | None) -> Picture:
    assert picture is not None
    return picture


def painted(value: Any) -> Any:
    """A picture with each colour role replaced by some colour, as the page's script does."""
    if isinstance(value, dict):
        return {key: painted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [painted(inner) for inner in value]
    return "#123456" if isinstance(value, str) and value.startswith("@") else value


def roles(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from roles(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from roles(inner, key)
    elif isinstance(value, str) and value.startswith("@"):
        yield key, value


def all_pictures(source_of: SourceOf, kind: str) -> list[Picture]:
    of = summary(source_of, kind)
    timeline = source_of(kind).timeline
    return [
        drawn(picture)
        for picture in (
            chain_picture.chain(timeline),
            life_picture.life_cycle(timeline),
            plots.percentiles(of.curves),
            plots.over_time(of.over_time),
            plots.lead_times(of.lead_times),
            plots.ledger(of.ledger.by_prefecture),
        )
    ]


@pytest.mark.parametrize("kind", ["complete", "trouble", "repeated", "hostile"])
def test_the_plotting_library_knows_every_attribute(source_of: SourceOf, kind: str) -> None:
    for picture in all_pictures(source_of, kind):
        go.Figure(painted({"data": picture["data"], "layout": picture["layout"]}))
        go.Figure(painted({"data": [], "layout": picture["narrow"]}))


@pytest.mark.parametrize("kind", ["complete", "trouble"])
def test_no_trace_can_fetch_anything(source_of: SourceOf, kind: str) -> None:
    for picture in all_pictures(source_of, kind):
        assert {trace["type"] for trace in picture["data"]} <= HARMLESS
        assert "images" not in picture["layout"]
        assert "http" not in json.dumps(picture)


def test_every_colour_is_a_role_that_the_style_sheet_has(source_of: SourceOf) -> None:
    from importlib.resources import files  # noqa: PLC0415

    style = (files("simulator.report") / "assets" / "report.css").read_text(encoding="utf-8")
    found = {
        pair
        for kind in ("complete", "trouble")
        for picture in all_pictures(source_of, kind)
        for pair in roles(picture)
    }
    assert found
    for key, role in found:
        assert key.lower().endswith(("color", "colors")), f"{key} would not be painted"
        assert style.count(f"--{role[1:]}:") == 2, f"{role} needs a light and a dark colour"


# --- the chain -------------------------------------------------------------------------------


def bars(picture: Picture) -> dict[str, tuple[str, float]]:
    return {
        y: (base, x)
        for trace in picture["data"]
        for y, base, x in zip(trace["y"], trace["base"], trace["x"], strict=True)
    }


def test_the_eleven_minutes_stand_on_the_clock(source_of: SourceOf) -> None:
    picture = drawn(chain_picture.chain(source_of("complete").timeline))
    assert bars(picture) == {
        "satellite": ("2022-11-03 07:39:00.000", 180_000),
        "radar": ("2022-11-03 07:39:00.000", 240_000),
        "sensing": ("2022-11-03 07:39:00.000", 240_000),
        "assessment": ("2022-11-03 07:43:00.000", 180_000),
        "decision": ("2022-11-03 07:46:00.000", 210_000),
        "issue": ("2022-11-03 07:49:30.000", 30_000),
    }
    names = [shape["name"] for shape in picture["layout"]["shapes"]]
    assert names == ["launch 07:39", "predicted arrival 07:48", "first warning 07:50"]
    assert picture["layout"]["xaxis"]["title"]["text"] == "2022-11-03, JST"


def test_assumed_stages_are_named_and_hatched(source_of: SourceOf) -> None:
    timeline = source_of("complete").timeline
    (trace,) = drawn(chain_picture.chain(timeline))["data"]
    assert trace["name"] == "simulated stage, an assumption"
    assert trace["marker"]["pattern"]["shape"]
    published = replace(
        timeline, events=tuple(replace(event, assumption=False) for event in timeline.events)
    )
    (trace,) = drawn(chain_picture.chain(published))["data"]
    assert trace["name"] == "simulated stage"
    assert not trace["marker"]["pattern"]["shape"]


def test_several_launches_are_told_apart(source_of: SourceOf) -> None:
    one = source_of("complete").timeline
    two = replace(
        one,
        events=(*one.events, *(replace(e, launch="second") for e in one.events)),
        alerts=(*one.alerts, *(replace(a, launch="second") for a in one.alerts)),
    )
    picture = drawn(chain_picture.chain(two))
    assert picture["layout"]["yaxis"]["categoryarray"] == ["icbm", "second"]
    (trace,) = picture["data"]
    named = list(zip(trace["y"], trace["text"], strict=True))
    stages = ["sensing", "assessment", "decision", "issue"]
    assert sorted(named) == sorted((row, stage) for row in ("icbm", "second") for stage in stages)


def test_without_stages_there_is_no_chain(source_of: SourceOf) -> None:
    timeline = source_of("complete").timeline
    bare = replace(timeline, alerts=tuple(replace(a, stages=()) for a in timeline.alerts))
    assert chain_picture.chain(bare) is None


# --- the life of the alert -------------------------------------------------------------------


def named(picture: Picture) -> dict[str, dict[str, Any]]:
    return {trace["name"]: trace for trace in picture["data"]}


def test_truth_belief_and_messages_stand_in_their_rows(source_of: SourceOf) -> None:
    picture = life_picture.life_cycle(source_of("complete").timeline)
    assert picture["layout"]["yaxis"]["categoryarray"] == [
        "truth",
        "belief",
        "Miyagi",
        "Yamagata",
        "Niigata",
        "beside the chain",
    ]
    traces = named(picture)
    warnings = traces["warning issued"]
    assert warnings["y"] == ["Miyagi", "Yamagata", "Niigata"]
    assert set(warnings["x"]) == {"2022-11-03 07:50:00.000"}
    assert set(traces["follow-up issued"]["x"]) == {"2022-11-03 08:00:00.000"}
    corrections = traces["correction issued"]
    assert set(corrections["x"]) == {"2022-11-03 09:24:00.000"}
    assert all("em-net" in text for text in corrections["text"])
    assert set(traces["predicted arrival"]["x"]) == {"2022-11-03 07:48:00.000"}
    assert "true arrival" not in traces
    assert len({trace["marker"].get("symbol") for trace in traces.values()}) == len(traces)


def test_a_warning_is_in_force_until_it_is_ended(source_of: SourceOf) -> None:
    timeline = source_of("complete").timeline
    band = named(life_picture.life_cycle(timeline))["warning in force"]
    assert band["x"] == [10 * NS_PER_MIN / 1e6] * 3
    open_ended = replace(timeline, alerts=tuple(replace(a, in_force=True) for a in timeline.alerts))
    band = named(life_picture.life_cycle(open_ended))["warning in force"]
    assert min(band["x"]) > 94 * NS_PER_MIN / 1e6
    never = replace(timeline, alerts=tuple(replace(a, in_force=False) for a in timeline.alerts))
    assert "warning in force" not in named(life_picture.life_cycle(never))


def test_a_true_arrival_is_drawn(source_of: SourceOf) -> None:
    timeline = source_of("complete").timeline
    hit = replace(
        timeline,
        alerts=tuple(replace(a, true_arrival_ns=10 * NS_PER_MIN) for a in timeline.alerts),
    )
    arrivals = named(life_picture.life_cycle(hit))["true arrival"]
    assert arrivals["x"] == ["2022-11-03 07:49:00.000"] * 3


def test_labels_stand_where_a_row_has_room(source_of: SourceOf) -> None:
    labels = life_picture.life_cycle(source_of("complete").timeline)["layout"]["annotations"]
    written = {(label["y"], label["text"]) for label in labels}
    assert ("truth", "launch") in written
    assert ("belief", "predicted<br>passage") in written
    assert ("Niigata", "correction") in written


def test_a_narrow_page_has_markers_without_labels(source_of: SourceOf) -> None:
    assert life_picture.life_cycle(source_of("complete").timeline)["narrow"]["annotations"] == []


def test_many_prefectures_get_a_row_each_and_no_labels() -> None:
    timeline = timeline_of(Wanted())
    from simulator.world.geography import prefectures  # noqa: PLC0415

    alerts = tuple(
        replace(timeline.alerts[0], prefecture=entry.slug, number=n)
        for n, entry in enumerate(prefectures())
    )
    picture = life_picture.life_cycle(replace(timeline, alerts=alerts))
    assert len(picture["layout"]["yaxis"]["categoryarray"]) == 50
    assert picture["layout"]["height"] > 47 * 20
    assert picture["layout"]["annotations"] == []


def test_an_empty_timeline_can_be_drawn(source_of: SourceOf) -> None:
    empty = replace(source_of("complete").timeline, events=(), alerts=())
    picture = life_picture.life_cycle(empty)
    assert picture["data"] == []


def test_hostile_names_are_shown_as_they_are(source_of: SourceOf) -> None:
    timeline = source_of("complete").timeline
    events = tuple(
        replace(event, note=HOSTILE) if event.kind is EventKind.MARK else event
        for event in timeline.events
    )
    hostile: Timeline = replace(
        timeline,
        events=events,
        alerts=tuple(replace(a, prefecture="<b>x</b>") for a in timeline.alerts),
    )
    text = json.dumps(life_picture.life_cycle(hostile))
    assert "<script" not in text
    assert "<b>" not in text
    assert safe("<b>&") == "&lt;b&gt;&amp;"


def test_a_scenario_elsewhere_names_its_zone(source_of: SourceOf) -> None:
    timeline = source_of("complete").timeline
    elsewhere = replace(timeline, epoch=timeline.epoch.astimezone(UTC))
    picture = life_picture.life_cycle(elsewhere)
    assert picture["layout"]["xaxis"]["title"]["text"] == "2022-11-02, UTC+00:00"


# --- measured figures ------------------------------------------------------------------------


def test_a_percentile_curve_states_n_and_ends_where_n_no_longer_supports_it(
    source_of: SourceOf,
) -> None:
    for kind, n, allowed in (("complete", 900, 98.89), ("repeated", 10_800, 99.91)):
        of = summary(source_of, kind)
        picture = drawn(plots.percentiles(of.curves))
        assert [trace["name"] for trace in picture["data"]] == [
            f"{segment} (n = {n:,})" for segment in ("send", "transit", "handling", "delivery")
        ]
        for trace in picture["data"]:
            reached = 100 * (1 - 10 ** -trace["x"][-1])
            assert allowed - 2 < reached <= allowed + 0.01
            assert trace["x"] == sorted(trace["x"])
            assert trace["y"] == sorted(trace["y"])


def test_curves_without_support_are_not_drawn(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    few = tuple(curve.model_copy(update={"n": 5}) for curve in of.curves)
    assert plots.percentiles(few) is None
    assert plots.percentiles(of.curves, population="retained") is None


def test_latency_over_time_shows_median_and_range_of_every_stretch(source_of: SourceOf) -> None:
    of = summary(source_of, "repeated")
    (trace,) = drawn(plots.over_time(of.over_time))["data"]
    assert "n = 10,800" in trace["name"]
    for one, middle, up, down in zip(
        of.over_time,
        trace["y"],
        trace["error_y"]["array"],
        trace["error_y"]["arrayminus"],
        strict=True,
    ):
        assert (middle + up) * 1e6 == pytest.approx(one.max_ns)
        assert (middle - down) * 1e6 == pytest.approx(one.min_ns)
    assert plots.over_time(()) is None


def test_lead_times_are_signed_around_zero_with_their_precision(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    picture = drawn(plots.lead_times(of.lead_times))
    (trace,) = picture["data"]
    assert trace["y"] == ["Miyagi", "Yamagata", "Niigata"]
    assert [round(x) for x in trace["x"]] == [-120] * 3
    assert trace["error_x"]["array"] == [60] * 3
    assert set(trace["marker"]["color"]) == {"@loss"}
    low, high = picture["layout"]["xaxis"]["range"]
    assert low < -180
    assert high > 0
    assert all(label["xanchor"] == "left" for label in picture["layout"]["annotations"])


def test_early_warnings_stand_right_of_zero(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    row = next(row for row in of.lead_times if row.applicable)
    early = row.model_copy(update={"lead_median_ns": 90 * NS_PER_S})
    true = early.model_copy(update={"kind": "true", "lead_median_ns": -NS_PER_S})
    picture = drawn(plots.lead_times((early, true)))
    assert [trace["name"] for trace in picture["data"]] == [
        "to the predicted arrival",
        "to the true arrival",
    ]
    assert [trace["marker"]["color"] for trace in picture["data"]] == [["@gain"], ["@loss"]]
    assert picture["layout"]["annotations"] == []  # both sides of zero are taken
    (label,) = drawn(plots.lead_times((early,)))["layout"]["annotations"]
    assert (label["xanchor"], label["text"]) == ("right", "+90.0 s ± 60 s")


def test_the_shortest_lead_times_are_kept_when_there_are_many(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    row = next(row for row in of.lead_times if row.applicable)
    rows = [
        row.model_copy(update={"launch": f"l{n}", "lead_median_ns": (n - 50) * NS_PER_S})
        for n in range(100)
    ]
    (trace,) = drawn(plots.lead_times(rows))["data"]
    assert len(trace["x"]) == MOST_ROWS
    assert min(trace["x"]) == -50
    assert trace["y"][0] == "Miyagi · l0"


def test_without_an_arrival_there_is_no_lead_time_to_draw(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    assert plots.lead_times([row for row in of.lead_times if not row.applicable]) is None


def test_the_ledgers_bars_add_up_to_what_was_expected(source_of: SourceOf) -> None:
    of = summary(source_of, "trouble")
    picture = drawn(plots.ledger(of.ledger.by_prefecture))
    sums = dict.fromkeys(picture["data"][0]["y"], 0)
    for trace in picture["data"]:
        for row, count in zip(trace["y"], trace["x"], strict=True):
            sums[row] += count
    assert list(sums.values()) == [group.counts.expected for group in of.ledger.by_prefecture]
    assert [trace["name"] for trace in picture["data"]] == [
        f"delivered ({of.ledger.total.delivered})",
        f"late ({of.ledger.total.late})",
        f"lost ({of.ledger.total.lost})",
    ]
    assert plots.ledger(()) is None
