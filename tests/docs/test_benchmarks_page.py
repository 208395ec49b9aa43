"""The document of the benchmarks shows what was measured at full size, and names what was not."""

import json
from pathlib import Path
from typing import Any

from benchmarks.document import ORDER, at_full_size, document


def result(name: str, *, small: bool) -> dict[str, Any]:
    return {
        "name": name,
        "title": f"Title of {name}",
        "how": "Somehow.",
        "targets": [],
        "tables": [],
        "notes": [],
        "small": small,
        "seconds": 60,
        "disturbance": {"others": 0.0, "steal": 0.0},
        "machine": {"processors": "2"},
    }


def test_tiny_and_absent_measurements_are_named_and_not_shown(tmp_path: Path) -> None:
    tiny, absent, *full = ORDER
    for name in (tiny, *full):
        text = json.dumps(result(name, small=name == tiny))
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")

    results, missing = at_full_size(tmp_path)
    page = document(results, missing)

    assert [each["name"] for each in results] == full
    assert missing == (tiny, absent)
    assert f"Not measured at full size, so not below: {tiny}, {absent}." in page
    assert f"Title of {tiny}" not in page
    assert all(f"Title of {name}" in page for name in full)


def test_a_complete_document_says_nothing_of_missing_ones() -> None:
    assert "Not measured" not in document([result(name, small=False) for name in ORDER])
