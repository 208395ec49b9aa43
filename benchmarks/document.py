"""docs/benchmarks.md from the results: pure, text in and text out.

Rule of the module: it says what was measured, whether a target was met or missed, and on what
machine; it computes nothing and leaves no missed target out. What was measured with tiny sizes, or
not at all, is no result: it is named as missing and not shown.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import RESULTS, BenchmarkError, target_cells

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "benchmarks.md"
ORDER: Final = (
    *("startup", "pacing", "low_load", "swarm", "scale", "ledger", "reach", "experiment"),
    "report",
    "service",
)

_HEAD: Final = """# Benchmarks

Made by `make bench`, which measures everything below anew and takes about {minutes} minutes; do not
edit. Each figure stands beside a floor or a peer measured in the same run, because single figures
move with the machine and its neighbours: trust the ratios. Every single run behind a median is in
`benchmarks/results/*.json` afterwards.
"""


def write() -> tuple[str, ...]:
    """Write the document from the results at hand.

    Returns:
        Benchmarks without a result at full size, which the document names as missing.

    Raises:
        BenchmarkError: if no benchmark has a result at full size; the document then stays.
    """
    results, missing = at_full_size(RESULTS)
    if not results:
        raise BenchmarkError("no benchmark was measured at full size: run make bench")
    DOCUMENT.write_text(document(results, missing), encoding="utf-8")
    return missing


def at_full_size(folder: Path) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Results measured at full size, in the order of the document, and the benchmarks without."""
    results: list[dict[str, Any]] = []
    missing: list[str] = []
    for name in ORDER:
        path = folder / f"{name}.json"
        result = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"small": True}
        if result["small"]:
            missing.append(name)
        else:
            results.append(result)
    return results, tuple(missing)


def document(results: list[dict[str, Any]], missing: Sequence[str] = ()) -> str:
    """The whole document.

    Args:
        results: at full size, at least one.
        missing: benchmarks without such a result.
    """
    minutes = max(1, round(sum(result["seconds"] for result in results) / 60))
    parts = [_HEAD.format(minutes=minutes)]
    if missing:
        parts.append(f"**Not measured at full size, so not below: {', '.join(missing)}.**\n")
    parts += [_machine(results), _targets(results)]
    parts += [_section(result) for result in results]
    return "\n".join(parts)


def _machine(results: list[dict[str, Any]]) -> str:
    lines = ["## The machine\n"]
    lines += [f"- {name}: {value}" for name, value in results[0]["machine"].items()]
    others = ", ".join(
        f"{result['name']} {result['disturbance']['others']:.0%}" for result in results
    )
    steal = max(result["disturbance"]["steal"] for result in results)
    lines.append(f"- processor time that other processes took meanwhile: {others}")
    lines.append(f"- processor time that other guests of the host took, at most: {steal:.0%}")
    return "\n".join(lines) + "\n"


def _targets(results: list[dict[str, Any]]) -> str:
    targets = [target for result in results for target in result["targets"]]
    rows = [target_cells(target) for target in targets]
    met = sum(target["met"] for target in targets)
    table = _table(("figure", "measured", "target", "verdict"), rows)
    return f"## Targets\n\n{met} of {len(targets)} met.\n\n{table}\n"


def _section(result: dict[str, Any]) -> str:
    lines = [f"## {result['title']}\n", f"{result['how']}\n"]
    for table in result["tables"]:
        lines += [f"{table['caption']}:\n", _table(table["columns"], table["rows"]), ""]
    lines += [f"- {note}" for note in result["notes"]]
    if result["notes"]:
        lines.append("")
    return "\n".join(lines)


def _table(columns: Any, rows: Any) -> str:  # noqa: ANN401 - lists or tuples of text
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)
