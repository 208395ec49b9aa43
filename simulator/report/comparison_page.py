"""``report.html`` of a comparison: one self-contained page, in the frame of the run's report.

Rule of the module: as :mod:`simulator.report.html`.
"""

import shlex
from collections.abc import Sequence

from simulator.experiment.comparison import ComparisonSummary
from simulator.experiment.contrast import Side
from simulator.experiment.town_leads import TownLeads
from simulator.report import comparison_pictures as pictures
from simulator.report import comparison_tables as tables
from simulator.report import pieces, town_map, words
from simulator.report.comparison_run_picture import CAPTION, latencies
from simulator.report.comparison_words import effect, letter, plain_text, title_of
from simulator.report.html import contents, framed
from simulator.report.markup import Markup, tag
from simulator.report.pieces import Section

_NOTICE = (
    "This is the report of a comparison of simulations. Every launch, message and figure in it was "
    "simulated; none of them was, or stands for, a real warning."
)
_CARDS = 3


def comparison_page(
    summary: ComparisonSummary,
    sides: Sequence[Side],
    command: Sequence[str],
    leads: Sequence[TownLeads | None] = (),
) -> str:
    """The whole page.

    Args:
        summary: what came of the comparison.
        sides: what was compared, with its rows.
        command: arguments that repeat it.
        leads: lead times of the municipalities of each side, None where nobody has one.
    """
    every = _sections(summary, sides, command)
    every.insert(-2, _places(leads))
    picture, shown = pieces.lifted(every)
    title = " against ".join(dict.fromkeys(side.title for side in reversed(summary.sides)))
    return framed(
        title,
        _alarm(summary),
        tag(
            "header",
            tag("h1", title),
            tag("p", _meta(summary), class_="meta"),
            _first_screen(summary),
            picture,
            contents(shown),
        ),
        tag("main", [section.markup() for section in shown]),
        tag("footer", tag("p", _NOTICE)),
    )


def _meta(summary: ComparisonSummary) -> str:
    names = [f"{letter(side.number)} {side.name}" for side in summary.sides]
    fewest = min(side.n for side in summary.sides)
    counted = "burst" if summary.of == "runs" else "replication"
    return " · ".join([*names, words.plural(fewest, counted)])


def _alarm(summary: ComparisonSummary) -> Markup | None:
    if summary.verdict != "not-judged":
        return None
    return tag(
        "div",
        tag("strong", "INCOMPLETE COMPARISON"),
        "It was ended before all replications were played; the figures are those of the first "
        "ones, and no condition was judged.",
        class_="alarm",
        role="alert",
    )


def _first_screen(summary: ComparisonSummary) -> Markup:
    """The effects that matter most, before anything has to be scrolled to."""
    cards = []
    for metric in [one for one in summary.metrics if one.headline][:_CARDS]:
        lines = [f"{letter(found.side)} {effect(metric, found)}." for found in metric.differences]
        values = [f"{letter(one.side)} {plain_text(metric, one.value)}" for one in metric.values]
        cards.append(
            tag(
                "div",
                tag("h2", title_of(metric)),
                tag("p", effect(metric, metric.differences[0]), class_="headline"),
                tag("p", f"{', '.join(values)}."),
                [tag("p", line) for line in lines[1:]],
                class_="answer",
            )
        )
    if summary.gates:
        cards.insert(
            0,
            tag(
                "div",
                tag("h2", "Did it pass?"),
                tag("p", words.VERDICTS[summary.verdict], class_="headline"),
                tag("p", summary.reason),
                tag("p", f"{words.plural(len(summary.gates), 'condition')}, see below."),
                class_=f"answer {summary.verdict}",
            ),
        )
    return tag("div", cards, class_="first")


def _differences(summary: ComparisonSummary, side: int) -> list[Markup | None]:
    """The figures one looks at first, the others folded away."""
    return [
        pieces.data(tables.differences(summary, side, which="headline")),
        pieces.details(
            "Segments and outcomes" if summary.of == "runs" else "Stages, prefectures and channels",
            pieces.data(tables.differences(summary, side, which="rest")),
        ),
    ]


def _chip(word: str) -> Markup:
    return tag("span", word, class_=f"chip {word}")


def _places(leads: Sequence[TownLeads | None]) -> Section:
    parts = tuple(
        pieces.figure(
            f"town-map-{letter(number).lower()}",
            f"{letter(number)}: mean lead time of every municipality, how long before the arrival "
            "half of those who are warned there have been. The larger a mark, the more people live "
            "there.",
            town_map.town_map(one),
        )
        for number, one in enumerate(leads)
    )
    return Section(anchor="places", title="Where the warning is in time", parts=parts)


def _sections(
    summary: ComparisonSummary, sides: Sequence[Side], command: Sequence[str]
) -> list[Section]:
    return [
        Section(
            anchor="findings",
            title="What it comes to",
            parts=(
                tag("ul", [tag("li", one) for one in (*summary.findings, *summary.unlike)]),
                pieces.data(tables.sides(summary)),
            ),
        ),
        Section(
            anchor="conditions",
            title="Conditions",
            parts=(pieces.data(tables.gates(summary), {1: _chip}),),
        ),
        Section(
            anchor="trade-off",
            title="What lead time costs",
            parts=(
                pieces.figure(
                    "trade-off-picture",
                    "Lead time against people alerted who need not have been: large marks are "
                    "means with their 95 % intervals, small ones single replications. Up and to "
                    "the left is better. The farthest few replications lie outside.",
                    pictures.trade_off(summary, sides),
                ),
                pieces.data(tables.trade_off(summary)),
            ),
        ),
        Section(
            anchor="differences",
            title="Every difference",
            parts=(
                pieces.figure("latencies", CAPTION, latencies(summary)),
                *(
                    part
                    for side in summary.sides[1:]
                    for part in _differences(summary, side.number)
                ),
            ),
        ),
        Section(
            anchor="people",
            title="Who is warned by when",
            parts=(
                pieces.figure(
                    "warned-by",
                    "People warned by time after the launch: means, and where most replications "
                    "lie.",
                    pictures.warned_by(summary),
                ),
            ),
        ),
        Section(
            anchor="minutes",
            title="Where the minutes go",
            parts=(
                pieces.figure(
                    "stages",
                    "From launch to first alert by stage: means over all replications, stages that "
                    "were skipped counting as nothing.",
                    pictures.minutes(summary),
                ),
            ),
        ),
        Section(
            anchor="provenance",
            title="Provenance",
            parts=(
                tag("p", "This command repeats the comparison:"),
                tag("pre", tag("code", shlex.join(command))),
                pieces.facts(
                    {
                        f"{letter(side.number)}": f"{side.source} {side.name}, scenario "
                        f"{side.scenario}, seed {side.seed}, alertsim {side.version}, {side.state}"
                        for side in summary.sides
                    }
                ),
            ),
        ),
    ]
