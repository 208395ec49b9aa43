import json

import pytest

from simulator.errors import InternalError
from simulator.world import figures

_TABLES = ["flight_law.json", "sensing.json", "warning_areas.json"]


@pytest.mark.parametrize("table", _TABLES)
def test_every_figure_has_a_source_and_assumptions_a_range(table: str) -> None:
    found = figures.figures(table)
    assert found
    for figure in found.values():
        assert figure.source
        assert figure.low <= figure.value <= figure.high
        assert not figure.assumption or figure.low < figure.high


def test_a_value_is_found_by_its_name() -> None:
    assert figures.value("sensing.json", "radar.earth_factor") == pytest.approx(4 / 3)


@pytest.mark.parametrize(
    "entry",
    [
        {"value": 1},
        {"value": 1, "range": [2, 3], "source": "a book"},
        {"value": 1, "assumption": True, "source": "a guess"},
    ],
)
def test_a_figure_that_breaks_the_rule_is_a_defect(
    entry: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = json.dumps({"figures": {"group": {"name": entry}}})
    monkeypatch.setattr(figures, "config_text", lambda _: table)
    with pytest.raises(InternalError, match=r"broken\.json: group\.name"):
        figures.figures.__wrapped__("broken.json")


def test_a_published_value_needs_no_range(monkeypatch: pytest.MonkeyPatch) -> None:
    table = json.dumps({"figures": {"group": {"name": {"value": 2, "source": "a book"}}}})
    monkeypatch.setattr(figures, "config_text", lambda _: table)
    figure = figures.figures.__wrapped__("sound.json")["group.name"]
    assert (figure.low, figure.value, figure.high, figure.assumption) == (2, 2, 2, False)
