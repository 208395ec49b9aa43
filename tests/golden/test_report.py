"""The terminal report of a made-up run, kept, and its figures recounted another way.

Regenerate after an intended change, and read the difference before committing it:
``python tests/golden/regenerate_report.py``.
"""

import json
import re
from pathlib import Path

import polars as pl
import pytest

from simulator.report.source import read_source
from simulator.report.text import text_report
from tests.unit.report.made_run import Wanted, make_run

GOLDEN = Path(__file__).with_name("report.txt")
WANTED = Wanted(trouble=True, foreign="paho-1")


def without_path(text: str, path: Path) -> str:
    """The report without the one line that depends on where it was made."""
    return text.replace(str(path), "RUNDIR")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("golden"), WANTED)


def test_the_report_is_the_one_that_was_kept(run: Path) -> None:
    made = without_path(text_report(read_source(run)), run)
    assert made == GOLDEN.read_text(encoding="utf-8")


def test_the_kept_ledger_is_what_the_rows_add_up_to() -> None:
    """The same counts, from the made-up receipts' own rule instead of the ledger."""
    text = GOLDEN.read_text(encoding="utf-8")
    rows = re.findall(r"^  (\w[\w ]*?|= \w+) +(\d+)  ", text, flags=re.MULTILINE)
    shown = {name: int(count) for name, count in rows}
    owed = 903  # 300 receivers and one guest in Miyagi, three messages each
    lost = len([index for index in range(owed) if index % 90 == 17])
    late = len([index for index in range(owed) if index % 150 == 31 and index % 90 != 17])
    again = len([index for index in range(owed) if index % 120 == 53 and index % 90 != 17])
    expected = {
        "delivered": owed - lost - late,
        "late": late,
        "lost": lost,
        "= expected": owed,
        "first copies": owed - lost,
        "duplicates": again,
        "unexpected": 2,  # one astray to a control, one malformed
        "= receipts": owed - lost + again + 2,
    }
    assert expected == {name: shown[name] for name in expected}
    nothing = {"queued", "expired", "missed offline", "undetermined", "not sent"}
    assert {shown[name] for name in nothing} == {0}


def test_the_kept_quantiles_are_those_of_the_rows(run: Path) -> None:
    """Nearest-rank quantiles, computed by another library from the table of deliveries."""
    text = GOLDEN.read_text(encoding="utf-8")
    (line,) = re.findall(r"^  live +delivery .*$", text, flags=re.MULTILINE)
    cells = re.split(r"  +", line.strip())
    rows = pl.read_parquet(run / "deliveries.parquet")
    latency = rows.filter(pl.col("population") == "live")["delivery_ns"].drop_nulls().sort()
    assert int(cells[2]) == len(latency)
    rank = {p: latency[-(-len(latency) * p // 100) - 1] / 1e6 for p in (50, 90)}
    assert cells[6:8] == [f"{rank[50]:.3g} ms", f"{rank[90]:.3g} ms"]


def test_the_summary_says_the_same_as_the_text(run: Path) -> None:
    total = json.loads((run / "summary.json").read_text(encoding="utf-8"))["ledger"]["total"]
    text = GOLDEN.read_text(encoding="utf-8")
    for word in ("delivered", "late", "lost", "duplicates", "unexpected"):
        assert re.search(rf"^  {word} +{total[word]} ", text, flags=re.MULTILINE), word
