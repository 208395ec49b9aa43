"""docs/benchmarks.md from the results: pure, text in and text out.

Rule of the module: it says what was measured, whether a target was met or missed, and on what
machine; it computes nothing and leaves no missed target out.
"""

import json
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import RESULTS, target_cells

DOCUMENT: Final = Path(__file__).parent.parent / "docs" / "benchmarks.md"
ORDER: Final = ("startup", "pacing", "low_load", "swarm", "scale", "ledger", "reach", "experiment")

_HEAD: Final = """# Benchmarks

Made by `make bench`, which measures everything below anew and takes about {minutes} minutes; do not
edit. Each figure stands beside a floor or a peer measured in the same run, because single figures
move with the machine and its neighbours: trust the ratios. Every single run behind a median is in
`benchmarks/results/*.json` afterwards.
"""


def write() -> None:
    """Write the document from the results at hand.

    Raises:
        FileNotFoundError: if a benchmark has not been run.
    """
    results = [json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8")) for name in ORDER]
    DOCUMENT.write_text(document(results), encoding="utf-8")


def document(results: list[dict[str, Any]]) -> str:
    """The whole document."""
    minutes = max(1, round(sum(result["seconds"] for result in results) / 60))
    parts = [_HEAD.format(minutes=minutes), _machine(results), _targets(results)]
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
