"""The histogram log is readable by the library's own reader, tag by tag, value by value."""

import re
from pathlib import Path

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from simulator.errors import OutputError
from simulator.report.hlog import (
    HIGHEST_NS,
    TaggedLatencies,
    TaggedLogWriter,
    fill,
    new_histogram,
    read_latency_log,
    write_latency_log,
)

SECOND = 1_000_000_000
START = 5 * SECOND
UNIX = 1_667_428_740 * SECOND


def latencies(tag: str, intended: list[int], values: list[int]) -> TaggedLatencies:
    return TaggedLatencies(
        tag=tag,
        intended_ns=np.array(intended, dtype=np.int64),
        latency_ns=np.array(values, dtype=np.int64),
    )


def write(path: Path, *populations: TaggedLatencies) -> Path:
    target = path / "latency.hlog"
    write_latency_log(target, populations, start_ns=START, start_unix_ns=UNIX)
    return target


def test_the_librarys_reader_finds_each_interval_with_its_tag_and_time(tmp_path: Path) -> None:
    target = write(
        tmp_path,
        latencies("live", [START, START + SECOND // 2, START + 3 * SECOND], [10, 20, 30]),
        latencies("queued", [START + 1], [40]),
    )
    reader = HistogramLogReader(str(target), new_histogram())
    found = []
    while (interval := reader.get_next_interval_histogram()) is not None:
        found.append(
            (
                interval.get_tag(),
                interval.get_total_count(),
                interval.get_start_time_stamp() - UNIX / 1e6,
                interval.get_end_time_stamp() - UNIX / 1e6,
            )
        )
    reader.close()
    assert found == [
        ("live", 2, 0.0, 1000.0),
        ("queued", 1, 0.0, 1000.0),
        ("live", 1, 3000.0, 4000.0),
    ]


def test_values_come_back_within_three_figures(tmp_path: Path) -> None:
    values = [1, 2047, 2048, 123_456_789, HIGHEST_NS]
    read = read_latency_log(write(tmp_path, latencies("live", [START] * 5, values)))["live"]
    found = [step.value_iterated_to for step in read.histogram.get_recorded_iterator()]
    assert found == pytest.approx(values, rel=1e-3)
    assert read.histogram.get_total_count() == 5


def test_negatives_and_what_lies_beyond_are_counted_beside(tmp_path: Path) -> None:
    values = [-1, -5, HIGHEST_NS + 1, 0, 7]
    read = read_latency_log(
        write(tmp_path, latencies("live", [START] * 5, values), latencies("retained", [], []))
    )
    assert (read["live"].negatives, read["live"].beyond) == (2, 1)
    assert read["live"].histogram.get_total_count() == 2
    assert read["retained"].histogram.get_total_count() == 0
    assert read["retained"].intervals == 0


def test_what_was_intended_before_the_start_is_kept(tmp_path: Path) -> None:
    read = read_latency_log(write(tmp_path, latencies("live", [START - SECOND], [9])))
    assert read["live"].histogram.get_total_count() == 1


def test_filling_in_bulk_equals_recording_one_by_one() -> None:
    values = np.unique(np.geomspace(1, HIGHEST_NS, 3000).astype(np.int64))
    one_by_one, in_bulk = new_histogram(), new_histogram()
    for value in values:
        one_by_one.record_value(int(value))
    fill(in_bulk, values)
    assert in_bulk.get_total_count() == len(values)
    assert in_bulk.equals(one_by_one)


def test_a_value_that_the_histogram_refuses_is_an_error() -> None:
    small = HdrHistogram(1, 1_000, 3)
    with pytest.raises(ValueError, match="outside the histogram's range"):
        fill(small, np.array([10_000_000], dtype=np.int64))


@pytest.mark.parametrize("tag", ["", "two words", "a,b", "発"])
def test_a_tag_is_one_word(tmp_path: Path, tag: str) -> None:
    with (tmp_path / "x").open("w") as file, pytest.raises(ValueError, match="one-word tag"):
        TaggedLogWriter(file).output_tagged_histogram(tag, new_histogram(), 0, 1)


def test_a_log_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read"):
        read_latency_log(tmp_path / "absent.hlog")
    target = write(tmp_path, latencies("live", [START], [10]))
    target.write_text(target.read_text()[:-9])
    with pytest.raises(OutputError, match="not a whole HdrHistogram log"):
        read_latency_log(target)


PUBLISHED = Path(__file__).parents[2] / "data" / "hdrhistogram"


def test_the_projects_own_log_reads_as_the_project_says() -> None:
    found = read_latency_log(PUBLISHED / "jHiccup-2.0.7S.logV2.hlog")[""]
    assert found.intervals == 62
    assert found.histogram.get_total_count() == 48_761
    assert found.histogram.get_max_value() == 1_796_210_687
    assert found.histogram.get_value_at_percentile(99.9) == 1_745_879_039


def test_the_projects_own_tagged_log_has_the_same_under_each_tag() -> None:
    found = read_latency_log(PUBLISHED / "tagged-Log.logV2.hlog")
    assert set(found) == {"", "A"}
    tagged, plain = found["A"].histogram, found[""].histogram
    assert tagged.get_total_count() + plain.get_total_count() == 32_290
    assert tagged.equals(plain)


def test_what_we_write_again_of_the_projects_log_is_the_same(tmp_path: Path) -> None:
    published = read_latency_log(PUBLISHED / "tagged-Log.logV2.hlog")["A"].histogram
    values = [
        item.value_iterated_to
        for item in published.get_recorded_iterator()
        for _ in range(item.count_at_value_iterated_to)
    ]
    again = read_latency_log(write(tmp_path, latencies("A", [START] * len(values), values)))["A"]
    assert again.histogram.get_total_count() == 16_145
    for percent in (50, 90, 99, 99.9, 100):
        ours = again.histogram.get_value_at_percentile(percent)
        assert published.values_are_equivalent(ours, published.get_value_at_percentile(percent))


@pytest.mark.parametrize("fraction_ns", [0, 1, 499_999, 500_001, 769_000, 999_999])
def test_no_interval_begins_before_the_start_of_the_log(tmp_path: Path, fraction_ns: int) -> None:
    """The Java tools count from the start time and leave out whatever lies before it."""
    target = tmp_path / "latency.hlog"
    unix_ns = UNIX + fraction_ns
    write_latency_log(
        target, [latencies("live", [START], [7])], start_ns=START, start_unix_ns=unix_ns
    )
    stated = dict(re.findall(r"#\[(StartTime|BaseTime): ([\d.]+)", target.read_text()))
    assert float(stated["BaseTime"]) + 0.0 >= float(stated["StartTime"])
