"""The history of runs and a comparison with a baseline in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from simulator.report.writing import regenerate
from simulator.run.baselines import Baseline, compare_with, gates_of, keep_comparison
from simulator.run.histories import HistoryOrder, make_history
from simulator.thresholds.gates import parse_gate
from tests.browser.test_report_for_everybody import faults
from tests.browser.test_report_page import DESKTOP, PHONE, opened
from tests.unit.report.made_run import Wanted, make_run
from tests.unit.report.test_history import scaled_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of twelve runs of which the last six take twice as long."""
    parent = tmp_path_factory.mktemp("history")
    source = make_run(parent / "source", Wanted(repeat=12))
    (parent / "runs" / "no run").mkdir(parents=True)
    for number in range(12):
        scaled_run(source, parent / "runs", number, (1 + number // 6) * (1 + number % 3 / 100))
    page = parent / "history.html"
    make_history(
        HistoryOrder(
            directories=[parent / "runs"],
            gates=[parse_gate("lost > 0")],
            page=page,
            command=("alertsim", "history", "runs"),
        )
    )
    return page


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run with losses, compared with one without."""
    parent = tmp_path_factory.mktemp("compared")
    baseline = make_run(parent / "a", Wanted(repeat=12))
    run = make_run(parent / "b", Wanted(repeat=12, trouble=True))
    judged = compare_with(Baseline(path=baseline, gates=gates_of(["lost > +0"], "a")), run)
    assert judged.comparison is not None
    keep_comparison(run, judged.comparison)
    return regenerate(run).page


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_history_draws_fits_and_fetches_nothing(
    browser: Browser, history: Path, size: tuple[int, int]
) -> None:
    with opened(browser, history, size) as (page, complaints):
        assert page.locator(".picture .main-svg").count() > 0
        drawn = page.locator("figure:has(.main-svg)").count()
        assert drawn == page.locator("figure").count() == 4  # three quantiles and lost
        assert page.locator("#findings li").first.inner_text().startswith("tohoku-2022-11-03")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator("body").inner_text().count("EXERCISE") >= 1
    assert complaints.found == []


def test_the_comparison_with_a_baseline_stands_in_the_report(
    browser: Browser, compared: Path
) -> None:
    with opened(browser, compared, PHONE) as (page, complaints):
        section = page.locator("#baseline")
        assert section.locator(".chip.fail").count() >= 1
        assert "lost > +0 holds of B" in section.inner_text()
        assert page.locator('nav a[href="#baseline"]').count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert complaints.found == []


@pytest.mark.npm
def test_axe_finds_no_fault_in_either(
    browser: Browser, history: Path, compared: Path, npm_modules: Path
) -> None:
    axe = (npm_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    for path, scheme in ((history, "light"), (compared, "dark")):
        with opened(browser, path, DESKTOP, scheme) as (page, _):
            assert faults(page, axe) == []
