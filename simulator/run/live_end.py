"""What the last live event says of a run: the report's own sentences and figures.

Rule of the module: from the summary alone, so that a page and the report say the same.
"""

from typing import Any

from simulator.measure.summary import Summary
from simulator.report.language import catalogue
from simulator.report.sentences import main_row, passed, warned


def told_of(summary: Summary | None) -> dict[str, Any]:
    """Fields of ``end`` that need a summary; empty or null without one."""
    if summary is None:
        return {"sentence": "", "sentence_ja": "", "ledger": None}
    who = warned(summary)
    verdict = passed(summary).sentences
    in_time = (_whole(who.headline), *who.sentences)
    return {
        "sentence": " ".join(verdict),
        "sentence_ja": _japanese(verdict),
        "warned": " ".join(in_time),
        "warned_ja": _japanese(in_time),
        "ledger": summary.ledger.total.model_dump(mode="json"),
        "latency": _latency(summary),
    }


def _whole(text: str) -> str:
    return f"{text}." if text else text


def _japanese(sentences: tuple[str, ...]) -> str:
    known = catalogue("ja")
    return "".join(_said(known.say(text.removesuffix(".")), known.say(text)) for text in sentences)


def _said(bare: str, whole: str) -> str:
    """Sentences are known with their full stop, headlines without."""
    text = whole if any(ord(each) > ord("\N{HIRAGANA LETTER SMALL A}") for each in whole) else bare
    return text if text.endswith(("。", ".")) else f"{text}。"


def _latency(summary: Summary) -> dict[str, Any] | None:
    row = main_row(summary, "delivery")
    if row is None or not row.n:
        return None
    known = {quantile.percent: quantile.value_ns for quantile in row.quantiles}
    figures = {f"p{percent}_ns": known.get(float(percent)) for percent in (50, 90, 99)}
    figures["max_ns"] = row.max_ns
    return {"n": row.n} | {
        name: None if value is None else str(value) for name, value in figures.items()
    }
