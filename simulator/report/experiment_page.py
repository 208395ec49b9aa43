"""``report.html`` of an experiment: one self-contained page, in the frame of the run's report.

Rule of the module: as :mod:`simulator.report.html`.
"""

import shlex
from collections.abc import Sequence

from simulator.experiment.summarise import Rows
from simulator.experiment.summary import ExperimentSummary
from simulator.experiment.town_leads import TownLeads
from simulator.report import experiment_pictures as pictures
from simulator.report import experiment_tables as tables
from simulator.report import experiment_variant_pictures as variant_pictures
from simulator.report import pieces, town_map, words
from simulator.report.experiment_findings import finding
from simulator.report.experiment_words import amount, half, named
from simulator.report.html import contents, framed
from simulator.report.markup import Markup, tag
from simulator.report.pieces import Section

_NOTICE = (
    "This is the report of an experiment. Every launch, message and figure in it was simulated; "
    "none of them was, or stands for, a real warning."
)
_MOST_AXES = 4
_MOST_RESPONSES = 6


def experiment_page(
    summary: ExperimentSummary,
    rows: Rows,
    command: Sequence[str],
    leads: TownLeads | None = None,
    one: Sequence[str] = (),
) -> str:
    """The whole page.

    Args:
        summary: what came of the experiment.
        rows: its table.
        command: arguments that repeat it.
        leads: lead times of the municipalities, None where nobody has one.
        one: arguments that play one replication of the scenario as it is.
    """
    picture, shown = pieces.lifted(_sections(summary, rows, (command, one), leads))
    return framed(
        summary.title,
        _alarm(summary),
        tag("header", _heading(summary), _first_screen(summary), picture, contents(shown)),
        tag("main", [section.markup() for section in shown]),
        tag("footer", tag("p", _NOTICE)),
    )


def _alarm(summary: ExperimentSummary) -> Markup | None:
    if summary.state != "interrupted":
        return None
    return tag(
        "div",
        tag("strong", "INCOMPLETE EXPERIMENT"),
        f"Only {summary.replications:,} of {summary.replications_asked:,} replications were "
        "played; the figures are those of the first ones.",
        class_="alarm",
        role="alert",
    )


def _heading(summary: ExperimentSummary) -> list[Markup]:
    facts = [
        f"scenario {summary.scenario}",
        f"seed {summary.seed}",
        words.plural(summary.replications, "replication"),
        words.plural(summary.points_played, "point") if summary.points_played > 1 else "",
        f"alertsim {summary.version}",
    ]
    return [
        tag("h1", summary.title),
        tag("p", " · ".join(fact for fact in facts if fact), class_="meta"),
    ]


def _first_screen(summary: ExperimentSummary) -> Markup:
    """The figures that matter most, before anything has to be scrolled to."""
    cards = []
    for column in tables.compared(summary)[:3]:
        figure = next(one for one in summary.points[0].figures if one.column == column)
        spread = {one.percent: amount(column, one.value) for one in figure.quantiles}
        middle = [spread[percent] for percent in (5.0, 95.0) if percent in spread]
        lines = [finding(summary, column)]
        headline = f"{amount(column, figure.mean)} (mean)"
        if 50.0 in spread:  # noqa: PLR2004
            headline = f"{spread[50.0]} (median)"
        sentence = f"On average {amount(column, figure.mean)} {half(column, figure.student)}."
        if len(middle) > 1:
            sentence += f" In nine of ten replications between {middle[0]} and {middle[1]}."
        cards.append(
            tag(
                "div",
                tag("h2", named(summary, column).capitalize()),
                tag("p", headline, class_="headline"),
                tag("p", sentence),
                [tag("p", line) for line in lines if line],
                class_="answer",
            )
        )
    return tag("div", cards, class_="first")


def _sections(
    summary: ExperimentSummary,
    rows: Rows,
    commands: tuple[Sequence[str], Sequence[str]],
    leads: TownLeads | None,
) -> list[Section]:
    return [
        _sensitivity(summary),
        _variants(summary),
        _people(summary),
        _places(leads),
        _minutes(summary, rows),
        _figures(summary),
        _provenance(summary, *commands),
    ]


def _sensitivity(summary: ExperimentSummary) -> Section:
    parts: list[Markup | None] = []
    for column in tables.compared(summary):
        parts += [
            pieces.figure(
                f"tornado-{column}",
                f"How far {named(summary, column)} moves when one assumption goes to either end of "
                "its range, all draws staying the same. What may be chance alone is pale and "
                "below.",
                variant_pictures.tornado(summary, column),
            ),
            pieces.details("The same as a table", pieces.data(tables.tornado(summary, column))),
            pieces.figure(
                f"shares-{column}",
                f"Which stage's chance makes {named(summary, column)} vary: share of the variance.",
                variant_pictures.shares(summary, column),
            ),
            pieces.details("The same as a table", pieces.data(tables.shares(summary, column))),
        ]
    return Section(anchor="sensitivity", title="What it hangs on", parts=tuple(parts))


def _variants(summary: ExperimentSummary) -> Section:
    if summary.points_played == 1 or summary.shares or summary.swings:
        return Section(anchor="variants", title="Variants", parts=())
    parts: list[Markup | None] = [
        tag(
            "p",
            "Every variant was played with the same random numbers, which takes much of the luck "
            "out of a difference between two of them. How much may be left, its interval says.",
        ),
        pieces.figure(
            "trade-off",
            "Lead time against people alerted who need not have been: means, marked with the "
            "number of the variant in the tables below. Up and to the left is better.",
            variant_pictures.trade_off(summary),
        ),
    ]
    paths = summary.varied[:_MOST_AXES] if summary.design == "lhs" else summary.varied[:1]
    for column in tables.compared(summary)[:_MOST_RESPONSES]:
        parts += [
            pieces.figure(
                f"variants-{column}" + (f"-{number}" if number else ""),
                f"How {named(summary, column)} changes along {path}, against the scenario as it "
                "is: mean of the differences in pairs, with its 95 % interval.",
                variant_pictures.response(summary, column, path),
            )
            for number, path in enumerate(paths)
        ]
        parts += [
            pieces.details(
                f"All variants: {named(summary, column)}",
                pieces.data(tables.variants(summary, column)),
            ),
        ]
    return Section(anchor="variants", title="Variants", parts=tuple(parts))


def _people(summary: ExperimentSummary) -> Section:
    compared = summary.design in {"single", "grid", "lhs"}
    picture = pictures.warned_by(summary.points[: 6 if compared else 1])
    caption = (
        "People warned by time after the launch: the mean, and where the middle half and nine "
        "tenths of the replications lie."
    )
    return Section(
        anchor="people",
        title="Who is warned by when",
        parts=(pieces.figure("warned-by", caption, picture),),
    )


def _places(leads: TownLeads | None) -> Section:
    parts = (
        pieces.figure(
            "town-map",
            "Mean lead time of every municipality in the scenario as it is: how long before the "
            "arrival half of those who are warned there have been. The larger a mark, the more "
            "people live there.",
            town_map.town_map(leads),
        ),
        pieces.data(town_map.extremes(leads)),
    )
    return Section(anchor="places", title="Where the warning is in time", parts=parts)


def _minutes(summary: ExperimentSummary, rows: Rows) -> Section:
    count = summary.replications
    parts = (
        pieces.figure(
            "stages",
            "Where the minutes from launch to first alert go: mean of all replications, and of "
            "the fastest and slowest tenth.",
            pictures.stage_split(rows, count),
        ),
        pieces.figure(
            "by-time",
            "Share of replications in which the message is out by then, after the launch, with "
            "its 95 % band.",
            pictures.by_time(rows, count),
        ),
    )
    return Section(anchor="minutes", title="Where the minutes go", parts=parts)


def _figures(summary: ExperimentSummary) -> Section:
    parts = tuple(
        pieces.data(tables.figures(point, everything=True)) for point in summary.points[:1]
    )
    return Section(anchor="figures", title="All figures", parts=parts)


def _provenance(summary: ExperimentSummary, command: Sequence[str], one: Sequence[str]) -> Section:
    state = f"stopped early: {summary.stop}" if summary.state == "stopped" else summary.state
    return Section(
        anchor="provenance",
        title="Provenance",
        parts=(
            pieces.facts(
                {
                    "State": state,
                    "Design": summary.design,
                    "Varied": ", ".join(summary.varied),
                    "Rows": f"SHA-256 {summary.rows_digest}",
                    "Table": "replications.parquet: one row per replication",
                }
            ),
            tag("p", "This command plays the same again:"),
            tag("pre", tag("code", shlex.join(command))),
            tag(
                "p",
                "Any one replication comes back with its full timeline by its number, here that of "
                "row 0; the settings of another variant are added with --set.",
            )
            if one
            else None,
            tag("pre", tag("code", shlex.join(one))) if one else None,
        ),
    )
