import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from simulator.experiment import designs
from simulator.experiment.assumed import assumed_axes
from simulator.experiment.axes import parse_axes
from simulator.experiment.drive import MemoryRows, MemoryStore, drive
from simulator.experiment.executors import InlineExecutor
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import make_plan, one_point
from simulator.experiment.sensitivity import random_stages
from simulator.experiment.summarise import summarise
from simulator.experiment.summary import ExperimentSummary
from simulator.experiment.variants import read_base
from simulator.report import experiment_pictures as pictures
from simulator.report import experiment_tables as tables
from simulator.report import experiment_variant_pictures as variant_pictures
from simulator.report.experiment_findings import finding
from simulator.report.experiment_page import experiment_page
from simulator.report.experiment_text import experiment_text
from simulator.report.language import Catalogue, forms_of
from simulator.report.words import MINUS

_STAGES = ("chain.assessment", "chain.decision")
Made = tuple[ExperimentSummary, MemoryRows]


@lru_cache
def made_experiment(kind: str, replications: int = 220, name: str = "hokkaido-2022-10-04") -> Made:
    base = read_base(name)
    scenario = base.scenario()
    kinds: dict[str, Callable[[], designs.Design]] = {
        "single": one_point,
        "grid": lambda: designs.grid(
            parse_axes(["chain.decision=60s,120s", "chain.policy=prefectures,blocks"])
        ),
        "lhs": lambda: designs.latin_hypercube(parse_axes(["chain.decision=60s..120s"]), 4, 1),
        "tornado": lambda: designs.tornado(
            [axis for axis in assumed_axes(scenario) if axis.path in _STAGES]
        ),
        "sobol": lambda: designs.sobol(random_stages(scenario, 1)),
    }
    design = kinds[kind]()
    people = PeopleOrder() if kind in {"single", "grid"} and name != "salvo" else None
    plan, store = make_plan(base, design, 1, replications, people), MemoryStore()
    drive(plan, InlineExecutor(), store)
    rows = store.rows(plan, replications)
    summary = summarise(
        plan,
        rows,
        title="A <b>bold</b> title",
        scenario="made",
        version="1",
        replications=replications,
    )
    return summary, rows


def _pictures(page: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="([^"]+)">(.*?)</script>', page)
    return {name: json.loads(text) for name, text in found}


@pytest.mark.parametrize(
    ("kind", "replications", "expected"),
    [
        ("single", 220, {"warned-by", "stages", "by-time"}),
        ("grid", 20, {"trade-off", "variants-alert_ns", "warned-by", "stages"}),
        ("lhs", 20, {"variants-alert_ns", "stages"}),
        ("tornado", 20, {"tornado-alert_ns", "stages"}),
        ("sobol", 32, {"shares-alert_ns", "stages"}),
    ],
)
def test_a_page_is_whole_escaped_and_fetches_nothing(
    kind: str, replications: int, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary, rows = made_experiment(kind, replications)
    asked = Catalogue(forms_of("ja") | {"A <b>bold</b> title": "A", "made": "-"}, "ja")
    monkeypatch.setattr("simulator.report.html.catalogue", lambda _: asked)
    page = experiment_page(summary, rows, ["alertsim", "simulate", "a b"])
    assert expected <= set(_pictures(page))
    assert "A &lt;b&gt;bold&lt;/b&gt; title" in page
    assert "<b>bold" not in page
    assert "default-src &#x27;none&#x27;" in page
    assert "【訓練】 EXERCISE" in page
    assert "alertsim simulate 'a b'" in page or "&#x27;a b&#x27;" in page
    assert summary.rows_digest in page
    assert list(asked.unknown) == []
    # Beside the plotting library there is at most a megabyte of data.
    assert sum(len(json.dumps(one)) for one in _pictures(page).values()) < 1_000_000


def test_the_command_of_one_replication_stands_in_the_page() -> None:
    summary, rows = made_experiment("single")
    one = ["alertsim", "simulate", "my drill.yaml", "--seed", "1", "--replication", "0"]
    page = experiment_page(summary, rows, ["alertsim"], one=one)
    assert "&#x27;my drill.yaml&#x27; --seed 1 --replication 0" in page
    assert "comes back with its full timeline" not in experiment_page(summary, rows, ["alertsim"])


HANGS = r"Hangs most on chain\.\w+: \S+ s at its low end \(.+\), \+\S+ s at its high end \(.+\)\."


@pytest.mark.parametrize(
    ("kind", "column", "said"),
    [
        ("single", "alert_ns", r""),
        ("grid", "alert_ns", r"No variant is better than the scenario as it is by .*\."),
        ("grid", "closing_ns", r""),
        ("grid", "nothing_ns", r""),
        ("tornado", "alert_ns", HANGS),
        ("tornado", "nothing_ns", r"No assumption of the chain moves it\."),
        ("sobol", "alert_ns", r"Varies with the chance of \S+ \(\d+ %\).*\."),
        ("sobol", "nothing_ns", r"No stage's chance makes it vary\."),
    ],
)
def test_what_an_experiment_comes_to_is_said(kind: str, column: str, said: str) -> None:
    sizes = {"sobol": 256, "single": 220}
    summary, _ = made_experiment(kind, sizes.get(kind, 20))
    assert re.fullmatch(said, finding(summary, column)), finding(summary, column)
    if kind != "single":
        assert "What it comes to" in experiment_text(summary, None)


def test_the_low_end_is_told_before_the_high_end_whichever_is_more() -> None:
    summary, _ = made_experiment("tornado", 20)
    first = next(one for one in summary.swings if one.column == "alert_ns")
    ends = {
        "at_low": first.at_low.model_copy(update={"mean": 9e9}),
        "at_high": first.at_high.model_copy(update={"mean": -2e9}),
    }
    told = finding(
        summary.model_copy(update={"swings": (first.model_copy(update=ends),)}), "alert_ns"
    )
    assert told.index("+9.0 s at its low end") < told.index("2.0 s at its high end")


def test_the_best_variant_is_named_with_those_as_good() -> None:
    summary, _ = made_experiment("grid", 20)
    better = [
        point.model_copy(
            update={
                "differences": tuple(
                    one.model_copy(update={"mean": -5e9, "student": (-6e9, -4e9)})
                    for one in point.differences
                )
            }
        )
        for point in summary.points
    ]
    found = finding(summary.model_copy(update={"points": tuple(better)}), "alert_ns")
    assert found == (
        f"Best: {MINUS}5.0 s ± 1.0 s with variant 1, and 3 more "
        "(chain.decision=1min chain.policy=prefectures)."
    )


def test_a_variant_that_is_worse_beyond_chance_is_named_where_none_is_better() -> None:
    summary, _ = made_experiment("grid", 20)
    worse = [
        point.model_copy(
            update={
                "differences": tuple(
                    one.model_copy(update={"mean": mean, "student": (low, mean + mean - low)})
                    for one in point.differences
                )
            }
        )
        for point, (mean, low) in zip(
            summary.points, [(0, 0), (5e9, 4e9), (1e9, -1e9), (3e9, 2e9), (0, -1e9)], strict=True
        )
    ]
    found = finding(summary.model_copy(update={"points": tuple(worse)}), "alert_ns")
    assert found == (
        "No variant is better than the scenario as it is by more than chance. "
        "Worst: +5.0 s ± 1.0 s with variant 1 (chain.decision=1min chain.policy=prefectures)."
    )
    chance = [worse[0], *(worse[4].model_copy(update={"number": n}) for n in range(1, 5))]
    found = finding(summary.model_copy(update={"points": tuple(chance)}), "alert_ns")
    assert found == "No variant is better than the scenario as it is by more than chance."


def test_a_hypercube_is_scattered_over_numbers() -> None:
    summary, _ = made_experiment("lhs", 20)
    picture = variant_pictures.response(summary, "alert_ns", "chain.decision")
    assert picture is not None
    (trace,) = picture["data"]
    assert all(60 <= x <= 120 for x in trace["x"])
    assert "type" not in picture["layout"]["xaxis"]
    assert picture["layout"]["xaxis"]["title"]["text"] == "chain.decision, s"
    assert variant_pictures.numbers(["0.5x", "2", "1min 5s"]) == [0.5, 2.0, 65.0]
    assert variant_pictures.numbers(["1", "blocks"]) is None


@pytest.mark.parametrize("kind", ["single", "grid", "tornado", "sobol"])
def test_the_terminal_says_it_too(kind: str) -> None:
    summary, _ = made_experiment(kind, 32 if kind == "sobol" else 220 if kind == "single" else 20)
    text = experiment_text(summary, None)
    assert text.startswith("【訓練】 EXERCISE")
    assert {
        "single": "launch to first alert",
        "grid": "chain.policy",
        "tornado": "each assumption at the ends of its range",
        "sobol": "Sobol indices",
    }[kind] in text
    assert max(map(len, text.splitlines())) < 140


def test_stages_of_the_picture_add_up_to_the_alert() -> None:
    summary, rows = made_experiment("single")
    picture = pictures.stage_split(rows, 220)
    assert picture is not None
    groups = picture["data"][0]["y"]
    assert groups == ["all 220", "fastest tenth", "slowest tenth"]
    sums = [sum(trace["x"][place] for trace in picture["data"]) for place in range(3)]
    mean = next(one.mean for one in summary.points[0].figures if one.column == "alert_ns")
    assert sums[0] == pytest.approx(mean / 60e9, abs=0.01)
    assert sums[1] < sums[0] < sums[2]


def test_a_curve_ends_where_all_replications_are_and_never_falls() -> None:
    _, rows = made_experiment("single")
    picture = pictures.by_time(rows, 220)
    assert picture is not None
    lines = [trace for trace in picture["data"] if "name" in trace]
    for line in lines:
        assert line["y"] == sorted(line["y"])
        assert line["x"] == sorted(line["x"])
    assert lines[0]["y"][-1] == 1


def test_bands_hold_the_mean_curve() -> None:
    summary, _ = made_experiment("single")
    picture = pictures.warned_by(summary.points)
    assert picture is not None
    assert [trace["name"] for trace in picture["data"]] == [
        "90 % of replications",
        "50 % of replications",
        "mean, as it is",
    ]
    wide, _, mean = picture["data"]
    half_way = len(wide["x"]) // 2
    high, low = wide["y"][:half_way], wide["y"][half_way:][::-1]
    assert all(a >= b for a, b in zip(high, low, strict=True))
    assert low[-1] <= mean["y"][-1] <= high[-1]


def test_too_few_replications_draw_nothing_they_cannot_carry() -> None:
    summary, rows = made_experiment("single", 9)
    assert pictures.by_time(rows, 9) is None
    picture = pictures.warned_by(summary.points)
    assert picture is not None
    assert len(picture["data"]) == 1
    split = pictures.stage_split(rows, 9)
    assert split is not None
    assert split["data"][0]["y"] == ["all 9"]


def test_the_trade_off_has_a_mark_for_every_variant() -> None:
    summary, _ = made_experiment("grid", 20)
    picture = variant_pictures.trade_off(summary)
    assert picture is not None
    base, *curves = picture["data"]
    assert base["name"] == variant_pictures.AS_IT_IS
    assert [trace["name"] for trace in curves] == ["chain.policy=prefectures",
                                                   "chain.policy=blocks"]  # fmt: skip
    named = [number for trace in picture["data"] for number in trace["text"]]
    assert sorted(named) == [str(number) for number in range(summary.points_played)]
    assert all(trace["x"] == sorted(trace["x"]) for trace in curves)
    assert variant_pictures.trade_off(made_experiment("single")[0]) is None


def test_a_tornado_names_the_ends_and_leaves_out_what_cannot_be_seen() -> None:
    summary, _ = made_experiment("tornado", 20)
    picture = variant_pictures.tornado(summary, "alert_ns")
    assert picture is not None
    rows = picture["layout"]["yaxis"]["categoryarray"]
    assert all(
        re.fullmatch(r"<b>chain\.\w+</b><br>\S+ to \S+( · within chance)?", row) for row in rows
    )
    faint = summary.swings[-1].model_copy(
        update={
            "path": "chain.faint",
            "at_low": summary.swings[0].at_low.model_copy(update={"mean": 1.0}),
            "at_high": summary.swings[0].at_high.model_copy(update={"mean": 1.0}),
        }
    )
    more = summary.model_copy(update={"swings": (*summary.swings, faint)})
    again = variant_pictures.tornado(more, "alert_ns")
    assert again is not None
    assert again["layout"]["yaxis"]["categoryarray"] == rows


def test_what_may_be_chance_stands_pale_below_in_a_tornado() -> None:
    summary, _ = made_experiment("tornado", 20)
    of = [swing for swing in summary.swings if swing.column == "alert_ns"]
    doubtful = [
        of[0].model_copy(
            update={
                end: getattr(of[0], end).model_copy(update={"student": (-1e9, 1e9)})
                for end in ("at_low", "at_high")
            }
        )
    ]
    clear = [
        one.model_copy(
            update={
                "at_low": one.at_low.model_copy(update={"mean": -9e10, "student": (-1e11, -8e10)})
            }
        )
        for one in of[1:2]
    ]
    picture = variant_pictures.tornado(
        summary.model_copy(update={"swings": (*doubtful, *clear)}), "alert_ns"
    )
    assert picture is not None
    rows = picture["layout"]["yaxis"]["categoryarray"]
    assert [row.endswith("within chance") for row in rows] == [False, True]
    assert all(trace["marker"]["opacity"] == [1, 0.25] for trace in picture["data"])


def test_variants_in_words_are_not_joined_to_a_curve() -> None:
    summary, _ = made_experiment("grid", 20)
    base, *others = summary.points
    shown = [one for one in summary.points if one.settings]
    assert shown
    picture = variant_pictures.trade_off(summary)
    assert picture is not None
    assert any("lines" in trace["mode"] for trace in picture["data"])  # seconds have an order
    path = summary.varied[0]
    worded = tuple(
        point.model_copy(update={"settings": {**point.settings, path: "blocks"}})
        for point in others
    )
    picture = variant_pictures.trade_off(summary.model_copy(update={"points": (base, *worded)}))
    assert picture is not None
    assert not any("lines" in trace["mode"] for trace in picture["data"])


def test_a_grid_is_drawn_as_a_line_per_value_of_the_other_axes() -> None:
    summary, _ = made_experiment("grid", 20)
    picture = variant_pictures.response(summary, "alert_ns")
    assert picture is not None
    assert [trace["name"] for trace in picture["data"]] == [
        "chain.policy=prefectures",
        "chain.policy=blocks",
    ]
    assert picture["data"][0]["x"] == ["1min", "2min"]
    low, high = picture["layout"]["yaxis"]["range"]
    for trace in picture["data"]:
        for middle, reach in zip(trace["y"], trace["error_y"]["array"], strict=True):
            assert low < middle - reach <= middle + reach < high
    assert variant_pictures.response(made_experiment("single")[0], "alert_ns") is None
    assert variant_pictures.tornado(summary, "alert_ns") is None
    assert variant_pictures.shares(summary, "alert_ns") is None


def test_an_interrupted_experiment_says_so_first() -> None:
    summary, rows = made_experiment("single")
    cut = summary.model_copy(update={"state": "interrupted", "replications_asked": 1000})
    page = experiment_page(cut, rows, ["alertsim"])
    assert "INCOMPLETE EXPERIMENT" in page
    assert page.index("INCOMPLETE") < page.index("Where the minutes go")
    assert "INCOMPLETE: 220 of 1,000" in experiment_text(cut, None)
    stopped = summary.model_copy(update={"state": "stopped", "stop": "alert=1s"})
    assert "alert=1s is reached" in experiment_text(stopped, None)
    missed = summary.model_copy(update={"stop": "alert=1ms", "stop_reached": False})
    assert re.search(r"alert=1ms: not reached: ± \S+ s after 220 ", experiment_text(missed, None))
    assert "stopped early: alert=1s" in experiment_page(stopped, rows, ["alertsim"])


def test_an_experiment_without_replications_has_a_text() -> None:
    summary, _ = made_experiment("single")
    empty = summary.model_copy(update={"points": (), "replications": 0, "state": "interrupted"})
    assert "INCOMPLETE" in experiment_text(empty, None)


def test_repeated_figures_of_prefectures_are_shown_once() -> None:
    summary, _ = made_experiment("single")
    point = summary.points[0]
    everything = tables.figures(point, everything=True)
    shown = [row[0] for row in everything.rows]
    assert "launch to alert, Aomori" not in shown  # all prefectures are issued to at once
    assert "predicted lead time, Aomori" in shown
    short = tables.figures(point, everything=False)
    assert "predicted lead time, Aomori" not in [row[0] for row in short.rows]
    assert any("further figure" in note for note in short.notes)


def test_the_terminal_says_of_which_launch_a_figure_is() -> None:
    text = experiment_text(made_experiment("single", 12, "salvo")[0], None)
    assert "launch to first alert (first launch)" in text
    assert "first launch to the alert of the last" in text
