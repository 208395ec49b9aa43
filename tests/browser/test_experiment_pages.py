"""Pages of experiments and comparisons in a real browser: they draw, fit and fetch nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from simulator.experiment import designs
from simulator.experiment.axes import parse_axes
from simulator.experiment.people import PeopleOrder
from simulator.experiment.plan import make_plan, one_point
from simulator.experiment.variants import read_base
from simulator.run.comparisons import PlayOrder, compare_scenarios
from simulator.run.experiments import ExperimentOrder, play_experiment
from simulator.thresholds.gates import parse_gate
from tests.browser.test_report_page import DESKTOP, PHONE, opened

pytestmark = pytest.mark.browser
MODELLED, LATER = "tohoku-2022-11-03-modelled", "tohoku-2022-11-03-rules-2023"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Path of the page of a kind of experiment, each made once."""
    known: dict[str, Path] = {}

    def page(kind: str) -> Path:
        if kind not in known:
            out = tmp_path_factory.mktemp("experiments") / kind
            _make(kind, out)
            known[kind] = out / "report.html"
        return known[kind]

    return page


def _make(kind: str, out: Path) -> None:
    base = read_base(MODELLED)
    if kind == "compare":
        plans = [
            make_plan(read_base(name), one_point(), 1, 40, PeopleOrder())
            for name in (MODELLED, LATER)
        ]
        order = PlayOrder(plans=plans, workers=1, out=out, command=("alertsim", "compare"))
        compare_scenarios(order, [parse_gate("alert > 2x")])
        return
    kinds: dict[str, Callable[[], designs.Design]] = {
        "single": one_point,
        "grid": lambda: designs.grid(
            parse_axes(["chain.policy=blocks,prefectures", "chain.decision=30s,2min"])
        ),
        "lhs": lambda: designs.latin_hypercube(parse_axes(["chain.decision=30s..2min"]), 6, 1),
    }
    plan = make_plan(base, kinds[kind](), 1, 20, PeopleOrder())
    play_experiment(ExperimentOrder(plan=plan, workers=1, out=out, command=("alertsim",)))


@pytest.mark.parametrize(
    ("kind", "size", "pictures"),
    [
        ("single", PHONE, {"warned-by", "town-map", "stages"}),
        ("grid", DESKTOP, {"trade-off", "variants-alert_ns", "town-map"}),
        ("lhs", PHONE, {"variants-alert_ns", "trade-off"}),
        ("compare", DESKTOP, {"trade-off-picture", "warned-by", "town-map-a", "town-map-b"}),
        ("compare", PHONE, {"trade-off-picture", "stages"}),
    ],
)
def test_pages_of_experiments_draw_offline_without_a_complaint_and_fit(
    browser: Browser,
    made: Callable[[str], Path],
    kind: str,
    size: tuple[int, int],
    pictures: set[str],
) -> None:
    with opened(browser, made(kind), size) as (page, complaints):
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        places = page.query_selector_all("[data-figure]")
        assert pictures <= {place.get_attribute("data-figure") for place in places}
        for place in places:
            assert place.get_attribute("data-drawn") == "yes"
            assert place.query_selector("svg.main-svg") is not None
        assert complaints.found == []
