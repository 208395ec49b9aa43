import json
import re
from functools import lru_cache
from typing import Any

import pytest

from simulator.experiment.comparison import ComparisonSummary, DifferenceSummary, MetricSummary
from simulator.experiment.contrast import Side
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import make_plan, one_point
from simulator.experiment.summary import QuantileSummary
from simulator.experiment.town_leads import town_leads
from simulator.experiment.variants import read_base
from simulator.report import comparison_pictures as pictures
from simulator.report import comparison_tables as tables
from simulator.report.comparison_page import comparison_page
from simulator.report.comparison_text import comparison_markdown, comparison_text
from simulator.report.comparison_words import effect, findings
from simulator.report.words import MINUS
from simulator.run.comparisons import PlayOrder, compare_scenarios
from simulator.thresholds.gates import parse_gate

_NAMES = ("tohoku-2022-11-03-modelled", "tohoku-2022-11-03-rules-2023")
_GATES = ("warned < 0.9x", "alert > 1min", "alert > +1s", "warned < 1000000")


@lru_cache
def _made(*, people: bool = True, cut: bool = False) -> tuple[ComparisonSummary, tuple[Side, ...]]:
    order = PeopleOrder() if people else None
    plans = [make_plan(read_base(name), one_point(), 1, 20, order) for name in _NAMES]
    asked = iter([False] * 3 + [True] * 100)
    compared = compare_scenarios(
        PlayOrder(plans=plans, workers=1, interrupted=lambda: cut and next(asked)),
        [parse_gate(text) for text in (_GATES if people else _GATES[1:3])],
    )
    return compared.summary, compared.sides


def _pictures(page: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="([^"]+)">(.*?)</script>', page)
    return {name: json.loads(text) for name, text in found if name != "other-language"}


def test_the_page_is_whole_escaped_and_says_what_it_costs() -> None:
    summary, sides = _made()
    first = summary.sides[0].model_copy(update={"title": "A <b>bold</b> title"})
    summary = summary.model_copy(update={"sides": (first, summary.sides[1])})
    leads = [town_leads(make_plan(read_base(_NAMES[1]), one_point(), 1, 5, PeopleOrder()), 5)]
    page = comparison_page(summary, sides, ["alertsim", "compare", "a b", "c"], [None, *leads])
    shown = {"trade-off-picture", "warned-by", "stages", "town-map-b"}
    assert set(_pictures(page)) == shown
    assert "<b>bold" not in page
    assert "A &lt;b&gt;bold&lt;/b&gt; title" in page
    assert "【訓練】 EXERCISE" in page
    assert "Each second of lead time gained by B costs" in page
    assert "&#x27;a b&#x27;" in page
    assert sum(len(json.dumps(one)) for one in _pictures(page).values()) < 1_000_000


def test_text_and_markdown_say_the_same() -> None:
    summary, _ = _made()
    text = comparison_text(summary, None)
    markdown = comparison_markdown(summary, ["alertsim", "compare", "a|b"])
    assert text.startswith("【訓練】 EXERCISE")
    assert "Verdict: FAILED" in text
    assert "**Verdict: FAILED**" in markdown
    assert "B against A: means over replications" in text
    assert re.search(r"wrong message to its correction.*never happens in B", text)
    for sentence in summary.findings:
        assert sentence.split(":")[0] in markdown
    assert max(map(len, text.splitlines())) < 160
    assert markdown.count("|---") or markdown.count("| ---")


def test_the_trade_off_is_on_the_means_and_shows_replications() -> None:
    summary, sides = _made()
    picture = pictures.trade_off(summary, sides)
    assert picture is not None
    clouds = picture["data"][:2]
    assert [len(trace["x"]) for trace in clouds] == [20, 20]
    line = picture["data"][2]
    lead = next(one for one in summary.metrics if one.metric == "predicted_lead_time_ns")
    assert line["y"] == [round((one.value or 0) / 1e9, 2) for one in lead.values]
    assert line["x"][0] < line["x"][1]
    rows = tables.trade_off(summary).rows
    assert [row[0] for row in rows] == ["A", "B"]
    assert rows[1][4].startswith("+")


def test_stages_add_up_to_the_alert_of_each_side() -> None:
    summary, _ = _made()
    picture = pictures.minutes(summary)
    assert picture is not None
    alert = next(one for one in summary.metrics if one.metric == "alert_ns")
    for side in (0, 1):
        total = sum(trace["x"][side] for trace in picture["data"])
        assert total == pytest.approx((alert.values[side].value or 0) / 60e9, abs=0.01)


def test_a_band_is_as_wide_as_the_replications_can_carry() -> None:
    summary, _ = _made()
    assert [trace["name"] for trace in (pictures.warned_by(summary) or {})["data"]] == [
        "A, mean",
        "B, mean",
    ]
    (first, *_) = summary.curves
    for ends, said in (((25.0, 75.0), "A, 50 % of"), ((5.0, 25.0, 75.0, 95.0), "A, 90 % of")):
        points = tuple(
            point.model_copy(
                update={
                    "quantiles": tuple(
                        QuantileSummary(percent=end, value=end, interval=(end, end)) for end in ends
                    )
                }
            )
            for point in first.points
        )
        curve = first.model_copy(update={"points": points})
        picture = pictures.warned_by(summary.model_copy(update={"curves": (curve,)}))
        assert picture is not None
        band = picture["data"][0]
        assert band["name"].startswith(said)
        assert max(band["y"]) == max(ends)


def test_without_people_there_is_nothing_to_trade() -> None:
    summary, sides = _made(people=False)
    assert pictures.trade_off(summary, sides) is None
    assert pictures.warned_by(summary) is None
    assert tables.trade_off(summary).rows == ()
    page = comparison_page(summary, sides, ["alertsim"])
    assert set(_pictures(page)) == {"stages"}
    assert not [one for one in summary.findings if "costs" in one]


def test_an_interrupted_comparison_says_so_and_judges_nothing() -> None:
    summary, sides = _made(cut=True)
    assert summary.verdict == "not-judged"
    assert summary.exit_code == 105
    assert {gate.verdict for gate in summary.gates} == {"not-judged"}
    assert "INCOMPLETE COMPARISON" in comparison_page(summary, sides, [])
    assert "INCOMPLETE: " in comparison_text(summary, None)


def _metric(name: str, unit: Any, **changes: Any) -> tuple[MetricSummary, DifferenceSummary]:
    known = {
        "side": 1, "n": 20, "paired": True, "value": -5.0, "interval": (-6.0, -4.0),
        "ratio": None, "ratio_interval": None, "effect": "different",
    }  # fmt: skip
    found = DifferenceSummary(**(known | changes))
    metric = MetricSummary(
        metric=name, aggregate="mean", unit=unit, scale="none", headline=True, values=(),
        differences=(found,),
    )  # fmt: skip
    return metric, found


@pytest.mark.parametrize(
    ("name", "unit", "changes", "said"),
    [
        ("alert_ns", "ns", {"value": -90e9}, "1 min 30 s earlier"),
        ("issue_miyagi_ns", "ns", {"value": 2e9}, "2 s later"),
        ("lead_time_ns", "ns", {"value": 2e9}, "2 s more"),
        ("icbm.lead_time_ns", "ns", {"value": -2e9}, "2 s less"),
        ("closing_ns", "ns", {"value": 60e9}, "1 min longer"),
        ("messages_count", "count", {"value": -1.0}, "1 fewer"),
        ("warned_people", "people", {"value": 1e6, "ratio": 1.25}, "1,000,000 more (+25 %)"),
        (
            "warned_people",
            "people",
            {"value": -1e6, "ratio": 0.5},
            f"1,000,000 fewer ({MINUS}50 %)",
        ),
        ("warned_people", "people", {"value": 1e6, "ratio": 2.66}, "1,000,000 more (2.7 times)"),
        ("warned_people", "people", {"value": 1e6, "ratio": 181.6}, "1,000,000 more (182 times)"),
        ("warned_people", "people", {"effect": "none"}, "no difference in any replication"),
        ("warned_people", "people", {"effect": "unclear"},
         "no difference is shown: the interval holds zero"),
        ("warned_people", "people", {"value": None, "reason": "it never happens in b"},
         "it never happens in b"),
        ("warned_people", "people", {"effect": "unknown", "reason": "too few", "ratio": 0.5},
         "5 fewer; too few"),
        ("warned_people", "people", {"effect": "unknown", "value": 0.0}, "no difference"),
    ],
)  # fmt: skip
def test_effects_are_said_in_the_words_of_the_field(
    name: str, unit: str, changes: dict[str, Any], said: str
) -> None:
    assert effect(*_metric(name, unit, **changes)) == said


@pytest.mark.parametrize(
    ("lead", "needless", "said"),
    [
        ((10e9, "better"), (5000.0, "worse"), "gained by B costs 500 people"),
        ((-10e9, "worse"), (-5000.0, "better"), "given up by B saves 500 people"),
        ((10e9, "better"), (-5000.0, "better"), "more lead time and fewer people"),
        ((-10e9, "worse"), (5000.0, "worse"), "less lead time and more people"),
        ((10e9, "unclear"), (5000.0, "worse"), None),
    ],
)
def test_the_price_of_lead_time_is_said_only_where_both_effects_are_known(
    lead: tuple[float, str], needless: tuple[float, str], said: str | None
) -> None:
    summary, _ = _made()
    metrics = tuple(
        _metric(name, unit, value=value, effect=word)[0]
        for name, unit, (value, word) in (
            ("predicted_lead_time_ns", "ns", lead),
            ("alerted_needlessly_people", "people", needless),
        )
    )
    found = findings(summary.model_copy(update={"metrics": metrics}))
    prices = [one for one in found if "lead time" in one and "against A" not in one]
    assert len(prices) == (said is not None)
    assert said is None or said in prices[0]
    later = summary.sides[1].model_copy(update={"epoch": "2023-11-03T07:39:00+09:00"})
    other = summary.model_copy(update={"metrics": metrics, "sides": (summary.sides[0], later)})
    assert not [one for one in findings(other) if one in prices]
    assert any("different events" in note for note in tables.sides(other).notes)
    assert not any("different events" in note for note in tables.sides(summary).notes)
    several = metrics[0].model_copy(update={"metric": "second.lead_time_ns", "headline": False})
    salvo = summary.model_copy(update={"metrics": (*summary.metrics, several)})
    assert "of the first launch" in tables.trade_off(salvo).notes[0]
    assert "of the first launch" not in tables.trade_off(summary).notes[0]
    few = _metric("predicted_lead_time_ns", "ns", value=5e9, effect="unknown")[0]
    assert findings(other.model_copy(update={"metrics": (few,)})) == (
        "B against A: too few replications to tell.",
    )
    nothing = findings(summary.model_copy(update={"metrics": ()}))
    assert nothing == ("B against A: no figure differs by more than chance.",)
