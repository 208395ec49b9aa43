"""What the quality tables say of clocks, limits and names, and how long tables are shown."""

from collections.abc import Callable

import pytest

from simulator.measure.summary import ForeignClock, Summary
from simulator.report import pieces, quality_tables, words
from simulator.report.layout import Table
from simulator.report.source import ReportSource

SourceOf = Callable[[str], ReportSource]


@pytest.fixture
def summary(source_of: SourceOf) -> Summary:
    found = source_of("trouble").summary
    assert found is not None
    return found


def clock(**changes: object) -> ForeignClock:
    known: dict[str, object] = {
        "client": "far",
        "domain": "elsewhere",
        "offset_ns": -4_000_000,
        "error_ns": 1_000_000,
        "drift_low_ppm": -12.5,
        "drift_high_ppm": 40.0,
        "one_way": 17,
        "refused": 3,
        "reason": "",
    }
    return ForeignClock.model_validate(known | changes)


def shown(summary: Summary, *clocks: ForeignClock) -> Table:
    changed = summary.clocks.model_copy(update={"foreign": clocks})
    return quality_tables.foreign_clocks(summary.model_copy(update={"clocks": changed}))


def test_a_foreign_clock_has_its_bound_its_drift_and_what_was_refused(summary: Summary) -> None:
    table = shown(summary, clock())
    (row,) = table.rows
    offset, gain = f"{words.MINUS}4 ms", f"{words.MINUS}12.5 to +40"
    assert row == ("far", "elsewhere", offset, "1 ms", gain, "17", "3", words.DASH)
    assert "refused where the interval is wider" in table.notes[0]


@pytest.mark.parametrize("drift", [{"drift_low_ppm": None}, {"drift_high_ppm": 90_000.0}])
def test_a_rate_that_nothing_is_known_of_is_a_dash(
    summary: Summary, drift: dict[str, float | None]
) -> None:
    assert shown(summary, clock(**drift)).rows[0][4] == words.DASH


def test_without_such_clocks_there_is_nothing_to_say(summary: Summary) -> None:
    assert (shown(summary).rows, shown(summary).notes) == ((), ())


def test_limits_of_the_instrument_are_one_sentence(summary: Summary) -> None:
    of = summary.instrument.model_copy(update={"limits": {"loop_lag_ns": 25e7, "cpu_share": 0.9}})
    assert quality_tables.limits(summary.model_copy(update={"instrument": of})) == (
        "It counts as the bottleneck when one turn of a loop takes more than 250 ms, or a process "
        "uses more than 90 % of a processor."
    )
    of = summary.instrument.model_copy(update={"limits": {}})
    assert quality_tables.limits(summary.model_copy(update={"instrument": of})) == ""


def test_examples_leave_the_runs_id_out_and_say_so(summary: Summary) -> None:
    table = quality_tables.examples(summary)
    assert table.rows
    assert not any(summary.run.run in cell for row in table.rows for cell in row)
    assert summary.run.run in table.notes[-1]


def test_a_long_table_is_folded_under_its_caption() -> None:
    def table(rows: int) -> str:
        content = Table(caption="Things", head=("a",), rows=tuple(("x",) for _ in range(rows)))
        return str(pieces.folded(content))

    assert "<details>" not in table(pieces.MOST_OPEN_ROWS)
    assert "Things (31 rows)" in table(31)


def test_sentences_get_room_on_a_narrow_screen() -> None:
    def table(cell: str) -> str:
        return str(pieces.data(Table(caption="c", head=("a", "b"), rows=(("x", cell),))))

    assert 'class="wordy"' in table("word " * 20)
    assert "wordy" not in table("short")


def test_lowered_qos_stands_among_the_causes_and_beside_the_ledger(summary: Summary) -> None:
    ledger = summary.ledger.model_copy(update={"qos_lowered": 1_234})
    found = summary.model_copy(update={"ledger": ledger})
    assert ("lower QoS", "came below the QoS owed", "1,234") in quality_tables.causes(found).rows
    line = ("first copies that came below the QoS owed", "1,234")
    assert line in quality_tables.order(found).rows
    ledger = summary.ledger.model_copy(update={"qos_lowered": 0})
    found = summary.model_copy(update={"ledger": ledger})
    assert "lower QoS" not in {row[0] for row in quality_tables.causes(found).rows}
