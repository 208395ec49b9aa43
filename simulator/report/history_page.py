"""The page of a history: one self-contained file, in the frame of the run's report.

Rule of the module: as :mod:`simulator.report.html`.
"""

import shlex
from collections.abc import Sequence

from simulator.measure.history import HistorySummary, SeriesSummary
from simulator.report import pieces, words
from simulator.report.history_pictures import trend_picture
from simulator.report.history_text import conditions_table, skipped_table, trend_table
from simulator.report.history_words import series_name, trend_name, value_text
from simulator.report.html import contents, framed
from simulator.report.layout import Table
from simulator.report.markup import Markup, tag
from simulator.report.pieces import Section

_NOTICE = (
    "This is the history of exercises. Every message in them was simulated; none of them was, or "
    "stands for, a real warning."
)
_TITLE = "History of runs"
_MOST_RUNS = 200  # of a table; the pictures show all of them


def history_page(summary: HistorySummary, command: Sequence[str]) -> str:
    """The whole page.

    Args:
        summary: what came of it.
        command: arguments that repeat it.
    """
    sections = [section for section in _sections(summary, command) if any(section.parts)]
    runs = sum(len(series.runs) for series in summary.series)
    facts = [
        words.plural(runs, "run"),
        words.plural(len(summary.series), "series", "series"),
        f"{words.plural(len(summary.skipped), 'directory', 'directories')} left out",
    ]
    return framed(
        _TITLE,
        tag(
            "header",
            tag("h1", _TITLE),
            tag("p", " · ".join(facts), class_="meta"),
            _first_screen(summary),
            contents(sections),
        ),
        tag("main", [section.markup() for section in sections]),
        tag("footer", tag("p", _NOTICE)),
    )


def _first_screen(summary: HistorySummary) -> Markup:
    """The verdict, and the newest run of each of the first series."""
    cards = []
    if summary.conditions:
        cards.append(
            tag(
                "div",
                tag("h2", "Did the newest run pass?"),
                tag("p", words.VERDICTS[summary.verdict], class_="headline"),
                tag("p", summary.reason),
                class_=f"answer {summary.verdict}",
            )
        )
    for series in summary.series[: 3 - len(cards)]:
        trend = series.trends[-1] if len(series.trends) == 1 else series.trends[0]
        cards.append(
            tag(
                "div",
                tag("h2", series_name(series, summary.series)),
                tag("p", value_text(trend, trend.points[-1].value), class_="headline"),
                tag("p", f"{trend_name(trend)}, newest of {words.plural(len(series.runs), 'run')}"),
                class_="answer",
            )
        )
    return tag("div", cards, class_="first")


def _sections(summary: HistorySummary, command: Sequence[str]) -> list[Section]:
    return [
        Section(
            anchor="findings",
            title="What it comes to",
            parts=(
                tag("ul", [tag("li", one) for one in summary.findings]),
                pieces.data(conditions_table(summary), {0: _chip}),
            ),
        ),
        *(_series(number, series, summary) for number, series in enumerate(summary.series)),
        Section(
            anchor="left-out",
            title="Left out",
            parts=(pieces.data(skipped_table(summary)),),
        ),
        Section(
            anchor="provenance",
            title="Provenance",
            parts=(
                tag("p", "This command repeats the history:"),
                tag("pre", tag("code", shlex.join(command))),
            ),
        ),
    ]


def _series(number: int, series: SeriesSummary, summary: HistorySummary) -> Section:
    name = series_name(series, summary.series)
    pictures = [
        pieces.figure(
            f"trend-{number}-{place}",
            f"{trend_name(trend)} by run of {name}: marks are runs with their 95 % intervals, the "
            "line is the median since the last change, the band holds about 19 of 20 runs.",
            trend_picture(trend, series.runs),
        )
        for place, trend in enumerate(series.trends)
    ]
    return Section(
        anchor=f"series-{number}",
        title=name,
        parts=(
            pieces.data(trend_table(series, summary)),
            tag("ul", [tag("li", one) for one in series.unlike]) if series.unlike else None,
            *pictures,
            pieces.details(f"Every run ({len(series.runs):,})", pieces.data(_every_run(series))),
        ),
    )


def _every_run(series: SeriesSummary) -> Table:
    """The newest run first."""
    rows = []
    left = max(0, len(series.runs) - _MOST_RUNS)
    for number in reversed(range(left, len(series.runs))):
        run = series.runs[number]
        rows.append(
            (
                run.run,
                words.moment(run.started),
                *(value_text(trend, trend.points[number].value) for trend in series.trends),
                f"{run.bursts:,}",
                run.version,
                run.broker,
            )
        )
    figures = tuple(trend_name(trend) for trend in series.trends)
    return Table(
        caption="Runs, the newest first",
        head=("run", "started", *figures, "bursts", "alertsim", "broker"),
        rows=tuple(rows),
        numeric=frozenset(range(2, 3 + len(figures))),
        notes=(f"{words.plural(left, 'older run')} with --json.",) if left else (),
    )


def _chip(word: str) -> Markup:
    return tag("span", word, class_=f"chip {word}")
