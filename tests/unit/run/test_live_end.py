"""The last live event tells the report's own sentences and figures, in both languages."""

from pathlib import Path

from simulator.measure.summary import Summary
from simulator.report.sentences import answers, main_row
from simulator.report.source import read_source
from simulator.run.live_end import told_of
from simulator.run.live_schema import LIVE_EVENT
from tests.unit.report.made_run import Wanted, make_run


def _summary(folder: Path, wanted: Wanted) -> Summary:
    found = read_source(make_run(folder, wanted)).summary
    assert found is not None
    return found


def test_a_passed_run_ends_with_the_sentences_and_figures_of_its_report(tmp_path: Path) -> None:
    summary = _summary(tmp_path, Wanted())
    told = told_of(summary)
    assert "900 of 900 expected deliveries arrived (100 %)." in told["sentence"]
    assert "届くべき配信 900 件のうち 900 件が届いた" in told["sentence_ja"]
    _, who, _ = answers(summary)
    assert told["warned"] == " ".join((f"{who.headline}.", *who.sentences))
    assert "In Miyagi, Yamagata and Niigata the warning came 2 min after" in told["warned"]
    assert told["warned_ja"].count("。") == 3
    assert "宮城" in told["warned_ja"]
    assert not any(word in told["warned_ja"] for word in ("None", "Miyagi", "warning"))
    assert (told["ledger"]["expected"], told["ledger"]["delivered"]) == (900, 900)

    row = main_row(summary, "delivery")
    assert row is not None
    exact = {quantile.percent: quantile.value_ns for quantile in row.quantiles}
    assert told["latency"] == {
        "n": 900,
        "p50_ns": str(exact[50.0]),
        "p90_ns": str(exact[90.0]),
        "p99_ns": None,  # ten times too few for one in a hundred
        "max_ns": str(row.max_ns),
    }


def test_a_failed_run_says_what_was_lost(tmp_path: Path) -> None:
    told = told_of(_summary(tmp_path, Wanted(trouble=True)))
    assert told["ledger"]["lost"] == 10
    assert "6 late and 10 lost." in told["sentence"]
    assert "欠落 10 件" in told["sentence_ja"]
    assert "遅着 6 件" in told["sentence_ja"]


def test_what_is_told_is_what_the_schema_promises(tmp_path: Path) -> None:
    head = {"type": "end", "n": 9, "at_unix_ns": "1", "exit_code": 0, "outcome": "pass"}
    head |= {"reason": "passed", "directory": None, "report": None}
    for summary in (_summary(tmp_path, Wanted()), None):
        LIVE_EVENT.validate_python(head | told_of(summary))


def test_without_a_summary_nothing_is_claimed() -> None:
    assert told_of(None) == {"sentence": "", "sentence_ja": "", "ledger": None}
