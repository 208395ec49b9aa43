"""The columns say what they are; that rows have just these is seen wherever rows are made."""

from simulator.measure.row_columns import COLUMN_NAMES, COLUMNS
from simulator.measure.segments import Segment

UNITS = {"text", "count", "number", "bits", "ns, clock", "ns"}


def test_every_column_has_a_unit_and_a_meaning() -> None:
    assert len(set(COLUMN_NAMES)) == len(COLUMN_NAMES)
    for column in COLUMNS:
        assert column.unit in UNITS
        assert column.meaning.endswith(".")


def test_nanoseconds_are_named_so() -> None:
    assert {c.name for c in COLUMNS if c.name.endswith("_ns")} == {
        c.name for c in COLUMNS if c.unit.startswith("ns")
    }


def test_every_segment_has_a_column() -> None:
    assert {f"{segment.replace('-', '_')}_ns" for segment in Segment} <= set(COLUMN_NAMES)
