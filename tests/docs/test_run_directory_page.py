"""The page on run directories lists what a run leaves behind: files, columns, fields."""

import json
import re
import subprocess
import sys
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "run-directory.md").read_text(encoding="utf-8")
ONLY_SOMETIMES = {"deliveries/part-NNNNN.parquet", "baseline.json"}


def _rows(heading: str) -> list[str]:
    """First cells of the first table under a heading."""
    part = PAGE.partition(heading)[2].partition("\n#")[0]
    return re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)


DRILL = ("run", "drill-minimal", "--speed", "600", "--subscribers", "10")


def test_a_run_leaves_what_the_page_lists(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "simulator", *DRILL, "--out", "runs", "--quiet"],
        cwd=tmp_path,
        check=True,
        timeout=100,
    )
    (run,) = (tmp_path / "runs").iterdir()
    assert {path.name for path in run.iterdir()} == set(_rows("# Run dir")) - ONLY_SOMETIMES
    assert list(pl.read_parquet_schema(run / "deliveries.parquet")) == _rows("## deliveries")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest) == _rows("## manifest")


def test_units_of_columns_are_their_types() -> None:
    units = re.findall(r"^\| `(\w+)` \| ([\w, ]+) \| (?:yes)? *\|", PAGE, re.MULTILINE)
    assert len(units) == len(_rows("## deliveries"))
    assert all(unit.startswith("ns") == name.endswith("_ns") for name, unit in units)
