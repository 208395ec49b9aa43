"""``latency.hlog``: latencies as an HdrHistogram log, one tag per population.

Rule of the module: histograms hold values of at least zero; negatives and values beyond the range
are counted beside them in comment lines, never dropped silently. The format is the public one
(HdrHistogram log format 1.2 and its optional ``Tag=`` field), readable by every HdrHistogram tool.

Format: https://github.com/HdrHistogram/HdrHistogram, HistogramLogWriter.
"""

import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader, HistogramLogWriter

from simulator.errors import OutputError
from simulator.report.manifest import write_atomically
from simulator.units import NS_PER_H, NS_PER_MS, NS_PER_S

LOWEST_NS: Final = 1
HIGHEST_NS: Final = 24 * NS_PER_H
FIGURES: Final = 3
INTERVAL_NS: Final = NS_PER_S

_TAG: Final = re.compile(r"[A-Za-z0-9_-]+")
_BESIDE: Final = re.compile(r"#\[Beside: Tag=(\S+), negative (\d+), beyond range (\d+)\]")


class TaggedLogWriter(HistogramLogWriter):  # type: ignore[misc]  # hdrh carries no types
    """The library's log writer, which writes no tags, with tags and a working start time."""

    def output_tagged_histogram(
        self, tag: str, histogram: HdrHistogram, start_s: float, end_s: float
    ) -> None:
        """Write one interval line, ``Tag=…`` first.

        Args:
            tag: one word of letters, digits, dashes and underscores.
            histogram: latencies in nanoseconds; the interval's maximum is printed in ms.
            start_s: start of the interval, wall seconds from the base time.
            end_s: end of the interval.

        Raises:
            ValueError: if the tag is not one word: a comma or a space would shift the fields.
        """
        if not _TAG.fullmatch(tag):
            raise ValueError(f"{tag!r} is not a one-word tag")
        self.log.write(
            f"Tag={tag},{start_s:.3f},{end_s - start_s:.3f},"
            f"{histogram.get_max_value() / NS_PER_MS:.3f},{histogram.encode().decode('ascii')}\n"
        )

    def output_start_time(self, start_time_msec: float) -> None:
        """Write the start time as seconds since the Unix epoch and as a date in UTC."""
        start_s = start_time_msec / 1000
        date = datetime.fromtimestamp(start_s, UTC).isoformat(" ", "milliseconds")
        self.log.write(f"#[StartTime: {start_s:.3f} (seconds since epoch), {date}]\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedLatencies:
    """Latencies of one population.

    Attributes:
        tag: one word: ``live``, ``retained`` or ``queued``.
        intended_ns: intended send time of each, monotonic ns; decides the interval it falls into.
        latency_ns: received minus intended, wall ns; may be negative.
    """

    tag: str
    intended_ns: npt.NDArray[np.int64]
    latency_ns: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationHistogram:
    """What a log says about one population, its intervals added up.

    Attributes:
        tag: one word.
        histogram: all values of at least zero.
        negatives: values below zero, counted beside the histogram.
        beyond: values above the histogram's range of 24 h, counted beside it.
        intervals: how many interval lines it was written in.
    """

    tag: str
    histogram: HdrHistogram
    negatives: int
    beyond: int
    intervals: int


def new_histogram() -> HdrHistogram:
    """An empty histogram from 1 ns to 24 h, three significant figures."""
    return HdrHistogram(LOWEST_NS, HIGHEST_NS, FIGURES)


def fill(histogram: HdrHistogram, values_ns: npt.NDArray[np.int64]) -> None:
    """Add values within the range; equal ones (to 1 in 2,048) in one call.

    Raises:
        ValueError: if the histogram refuses a value, which it otherwise does silently.
    """
    # Values that share a bucket are rounded down to the bucket's lowest value first, so that the
    # slow calls into the histogram are few; the bucket they fall into is the same.
    exponent = np.frexp(values_ns.astype(np.float64))[1].astype(np.int64)
    shift = np.maximum(exponent - 11, 0)
    for value, count in zip(
        *np.unique((values_ns >> shift) << shift, return_counts=True), strict=True
    ):
        if not histogram.record_value(int(value), int(count)):
            raise ValueError(f"{value} ns is outside the histogram's range")


def write_latency_log(
    path: Path, populations: Iterable[TaggedLatencies], *, start_ns: int, start_unix_ns: int
) -> None:
    """Write ``latency.hlog``: an interval line per population and second with anything in it.

    Args:
        path: the file to replace.
        populations: the latencies, a population each; empty ones are counted too.
        start_ns: monotonic ns of the start of the run.
        start_unix_ns: Unix ns at the same instant.

    Raises:
        OutputError: if the file cannot be written.
    """
    text = io.StringIO()
    writer = TaggedLogWriter(text)
    writer.output_log_format_version()
    writer.output_comment("[Values are nanoseconds; interval maxima are printed in milliseconds]")
    # Whole milliseconds, as the start time is printed: a base time before it by a fraction would
    # put the first interval before the start, and the format's own tools leave such intervals out.
    start_ms = start_unix_ns // NS_PER_MS
    writer.output_start_time(start_ms)
    writer.output_base_time(start_ms)
    lines: list[tuple[int, str, HdrHistogram]] = []
    for population in populations:
        values = population.latency_ns
        negative, beyond = values < 0, values > HIGHEST_NS
        writer.output_comment(
            f"[Beside: Tag={population.tag}, negative {int(negative.sum())}, "
            f"beyond range {int(beyond.sum())}]"
        )
        kept = ~(negative | beyond)
        intervals = (population.intended_ns[kept] - start_ns) // INTERVAL_NS
        for interval in np.unique(intervals):
            histogram = new_histogram()
            fill(histogram, values[kept][intervals == interval])
            # The reader knows no negative start: what was intended before the start counts to it.
            lines.append((max(int(interval), 0), population.tag, histogram))
    writer.output_legend()
    for interval, tag, histogram in sorted(lines, key=lambda line: line[:2]):
        start_s = interval * INTERVAL_NS / NS_PER_S
        writer.output_tagged_histogram(tag, histogram, start_s, start_s + INTERVAL_NS / NS_PER_S)
    write_atomically(path, text.getvalue().encode("ascii"))


def read_latency_log(path: Path) -> dict[str, PopulationHistogram]:
    """Read ``latency.hlog`` with the library's own reader, intervals added up by tag.

    Raises:
        OutputError: if the file cannot be read or an interval of it is damaged.
    """
    try:
        beside = {
            match[1]: (int(match[2]), int(match[3]))
            for match in _BESIDE.finditer(path.read_text(encoding="ascii"))
        }
        sums = _add_up(path)
    except OSError as error:
        raise OutputError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except Exception as error:  # zlib, base64, struct and ctypes errors alike: it is damaged
        raise OutputError(
            f"not a whole HdrHistogram log: {error}",
            where=str(path),
            remedy="restore the file from where the run was copied from, or run again",
        ) from error
    return {
        tag: PopulationHistogram(
            tag=tag,
            histogram=sums.get(tag, (new_histogram(), 0))[0],
            negatives=beside.get(tag, (0, 0))[0],
            beyond=beside.get(tag, (0, 0))[1],
            intervals=sums.get(tag, (None, 0))[1],
        )
        for tag in dict.fromkeys([*beside, *sums])
    }


def _add_up(path: Path) -> Mapping[str, tuple[Any, int]]:
    sums: dict[str, tuple[Any, int]] = {}
    reader = HistogramLogReader(str(path), new_histogram())
    try:
        while (interval := reader.get_next_interval_histogram()) is not None:
            total, count = sums.get(interval.get_tag() or "", (new_histogram(), 0))
            total.add(interval)
            sums[interval.get_tag() or ""] = (total, count + 1)
    finally:
        reader.close()
    return sums
