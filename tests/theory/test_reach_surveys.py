"""The survey table of docs/model/reach.md says what the model says now."""

from pathlib import Path

import pytest

from simulator.reach.surveys import Survey, compare, surveys

DOCUMENT = (Path(__file__).parents[2] / "docs/model/reach.md").read_text(encoding="utf-8")
ROWS = {
    cells[0]: cells[1:]
    for line in DOCUMENT.splitlines()
    if len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 6
}


@pytest.mark.parametrize("survey", surveys(), ids=lambda survey: survey.id)
def test_the_document_says_what_the_model_says(survey: Survey) -> None:
    found = compare(survey, replications=30)
    asked, _, modelled, span, possible = ROWS[survey.id]
    assert asked == survey.asked
    assert float(modelled) == pytest.approx(100 * found.modelled, abs=0.6)
    low, high = (float(end) for end in span.split(" to "))
    assert [low, high] == pytest.approx(sorted((100 * found.least, 100 * found.most)), abs=0.6)
    assert possible.strip("*") == ("yes" if found.explained else "no")
