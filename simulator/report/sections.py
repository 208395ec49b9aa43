"""The sections of ``report.html``, in the order in which a report is read.

Rule of the module: text, tables and pictures are put together here and computed elsewhere. Every
picture has a caption and a table that says the same, for those who cannot see it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.measure.summary import Summary
from simulator.model.timeline import Timeline
from simulator.report import (
    chain_picture,
    group_tables,
    life_picture,
    plots,
    quality_tables,
    tables,
    words,
)
from simulator.report.drawing import Picture
from simulator.report.layout import Table
from simulator.report.markup import Child, Markup, table, tag
from simulator.report.provenance import files_table, provenance_facts
from simulator.report.source import Partial, ReportSource

MOST_TABLE_ROWS = 300
MOST_OPEN_ROWS = 30
_SENTENCE = 60  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section.

    Attributes:
        anchor: its id in the page.
        title: its heading.
        parts: what stands in it.
    """

    anchor: str
    title: str
    parts: tuple[Markup | None, ...]

    def markup(self) -> Markup:
        """The section as HTML."""
        return tag(
            "section",
            tag("h2", self.title, id=f"{self.anchor}-title"),
            self.parts,
            id=self.anchor,
            aria_labelledby=f"{self.anchor}-title",
        )


def all_sections(source: ReportSource) -> list[Section]:
    """Every section that the run has something to say in, in the order of the report."""
    if source.summary is None:
        return [_so_far(source), _played(source.timeline), _provenance(source)]
    summary = source.summary
    return [
        _verdict(summary),
        _ledger(summary),
        _timeline(source.timeline, summary),
        _latency(summary),
        _lead(summary),
        _losses(summary),
        _quality(summary),
        _provenance(source),
    ]


# --- the sections ----------------------------------------------------------------------------


def _verdict(summary: Summary) -> Section:
    verdict = summary.verdict
    chip = _chip(verdict.outcome)
    parts = [
        tag("p", chip, f" {verdict.reason}"),
        tag("p", verdict.overlap.note, class_="note") if verdict.overlap else None,
        data(tables.thresholds(summary.thresholds), {5: _chip}),
    ]
    return Section(anchor="verdict", title="Verdict and thresholds", parts=tuple(parts))


def _chip(word: str) -> Markup:
    return tag("span", word, class_=f"chip {word}")


def _ledger(summary: Summary) -> Section:
    ledger = summary.ledger
    parts = [
        tag(
            "p",
            "Expected is every alert times every planned receiver whose filter matches. Each "
            "expected delivery has exactly one outcome, and each copy received is exactly one "
            "thing; both sums are checked at the end of every run.",
        ),
        figure(
            "ledger-picture",
            "What became of every expected delivery, by prefecture of the alert.",
            plots.ledger(ledger.by_prefecture),
        ),
        data(tables.expected(ledger.total), total=True),
        data(tables.receipts(ledger.total), total=True),
        data(tables.groups("By prefecture", "prefecture", ledger.by_prefecture, places=True)),
        data(group_tables.owed(summary)),
        data(group_tables.counts(summary)),
        data(group_tables.figures(summary)),
        data(group_tables.absences(summary)),
        data(quality_tables.foreign_clients(summary)),
        details(
            "By event, receiver, QoS and population",
            data(tables.groups("By event", "event", ledger.by_event)),
            data(tables.groups("By kind of receiver", "receiver", ledger.by_kind)),
            data(tables.groups("By effective QoS", "QoS", ledger.by_qos)),
            data(tables.groups("By population of the receipt", "population", ledger.by_population)),
            data(quality_tables.states(summary)),
        ),
    ]
    return Section(anchor="ledger", title="The ledger", parts=tuple(parts))


def _timeline(timeline: Timeline, summary: Summary) -> Section:
    parts = [
        *_timeline_figures(timeline),
        folded(tables.messages(summary)),
        folded(tables.happenings(summary)),
        details("Simulated stages", data(tables.stages(summary))),
    ]
    return Section(anchor="timeline", title="Timeline per prefecture", parts=tuple(parts))


def _timeline_figures(timeline: Timeline) -> list[Markup | None]:
    return [
        figure(
            "chain-picture",
            "From launch to warning: the simulated stages of the chain. Hatched bars are "
            "assumptions, not published figures.",
            chain_picture.chain(timeline),
        ),
        figure(
            "life-picture",
            "The life of the alert: what the flight did, what the chain believed, what each "
            "prefecture was told, and how long a warning stood.",
            life_picture.life_cycle(timeline),
        ),
    ]


def _latency(summary: Summary) -> Section:
    notes = summary.publisher.notes
    whole = [row for row in summary.latency if tables.is_whole(row)]
    narrowed = [row for row in summary.latency if not tables.is_whole(row)]
    parts = [
        tag(
            "p",
            "From the planned instant to the receiver: sending (planned instant to the publisher's "
            "socket), transit (to the receiver's socket, through the broker) and handling (until "
            "the message was matched to its alert). Wall time, never scaled by the speed. Means "
            "add up exactly; quantiles do not.",
        ),
        data(tables.latency(whole, "Latency by population and segment", more=notes)),
        figure(
            "percentile-picture",
            "Live deliveries by percentile. A curve ends where its n no longer supports it.",
            plots.percentiles(summary.curves),
        ),
        figure(
            "over-time-picture",
            "Live delivery latency over the run.",
            plots.over_time(summary.over_time),
        ),
        details("95 % intervals, by resampling bursts", data(tables.intervals(whole))),
        details(
            "By prefecture, event and QoS",
            data(tables.latency(narrowed, "Latency, narrowed", where=True)),
        ),
    ]
    return Section(anchor="latency", title="Latency by segment", parts=tuple(parts))


def _lead(summary: Summary) -> Section:
    parts = [
        tag(
            "p",
            "How long before the arrival the warning reached the receivers. Negative: it came "
            "after. Predicted counts to the arrival that the chain believed in when it issued the "
            "warning, true to what really arrived; one wall second of delivery counts as one "
            "scenario second.",
        ),
        figure(
            "lead-picture",
            "Lead time per prefecture; the lines show the precision of the published times.",
            plots.lead_times(summary.lead_times),
        ),
        data(tables.lead_times(summary.lead_times)),
    ]
    return Section(anchor="lead-time", title="Lead time", parts=tuple(parts))


def _losses(summary: Summary) -> Section:
    total = summary.ledger.total
    sentence = (
        f"Lost {total.lost:,}, duplicates {total.duplicates:,}, unexpected {total.unexpected:,}, "
        f"out of order {summary.order.reordered:,}."
    )
    parts = [
        tag("p", sentence),
        data(quality_tables.causes(summary)),
        data(quality_tables.examples(summary)),
        data(quality_tables.order(summary)),
    ]
    return Section(anchor="losses", title="Loss, duplicates, order", parts=tuple(parts))


def _quality(summary: Summary) -> Section:
    instrument = summary.instrument
    if instrument.bottleneck:
        sentence = f"The instrument was the bottleneck: {words.listed(instrument.reasons)}."
    else:
        sentence = "The instrument was not the bottleneck."
    broker = summary.broker
    named = " ".join(part for part in (broker.kind, broker.name, broker.version) if part)
    parts = [
        tag("p", f"{sentence} {quality_tables.limits(summary)}".strip()),
        data(quality_tables.stamps(summary)),
        data(quality_tables.processes(summary)),
        data(quality_tables.machine(summary)),
        data(quality_tables.overflows(summary)),
        data(quality_tables.refused(summary)),
        data(quality_tables.publisher(summary)),
        data(quality_tables.foreign_clocks(summary)),
        tag("h3", "The broker"),
        facts({"broker": named, **broker.addresses, **broker.settings}),
        tag("ul", [tag("li", note) for note in broker.notes]) if broker.notes else None,
    ]
    return Section(anchor="quality", title="Clock and instrument quality", parts=tuple(parts))


def _provenance(source: ReportSource) -> Section:
    command, known = provenance_facts(source)
    scenario = json.dumps(source.manifest.scenario, indent=2, ensure_ascii=False)
    parts = [
        tag("p", "This command repeats the run:"),
        tag("pre", tag("code", command)),
        facts(known),
        data(files_table(source.path)),
        details("The scenario as resolved", tag("pre", tag("code", scenario)))
        if source.manifest.scenario
        else None,
    ]
    return Section(anchor="provenance", title="Provenance", parts=tuple(parts))


def _so_far(source: ReportSource) -> Section:
    partial = source.partial
    rows = partial.rows if partial else 0
    sentence = (
        f"{words.plural(rows, 'row')} of deliveries had been written when the run ended. They are "
        "not a ledger: what was owed and not seen is not among them."
    )
    counted = Table(
        caption="Rows written so far",
        head=("outcome", "rows"),
        rows=tuple((k, f"{v:,}") for k, v in (partial.outcomes if partial else {}).items()),
        numeric=frozenset({1}),
    )
    return Section(
        anchor="verdict",
        title="What was measured so far",
        parts=(tag("p", sentence), data(counted), *(_latency_so_far(partial) if partial else ())),
    )


def _latency_so_far(partial: Partial) -> tuple[Markup | None, ...]:
    if not partial.latency:
        return ()
    return (
        tag("h3", "Latency of what had arrived"),
        figure(
            "percentiles-so-far",
            "Latency percentiles of the rows written before the end.",
            plots.percentiles(partial.curves),
        ),
        data(tables.latency(partial.latency, "Segments of what had arrived (wall)")),
    )


def _played(timeline: Timeline) -> Section:
    return Section(
        anchor="timeline",
        title="Timeline per prefecture, as planned",
        parts=tuple(_timeline_figures(timeline)),
    )


# --- the pieces ------------------------------------------------------------------------------


def data(
    content: Table,
    cells: Mapping[int, Callable[[str], Child]] | None = None,
    *,
    total: bool = False,
) -> Markup | None:
    """A table as HTML; None if it has no rows.

    Args:
        content: the table.
        cells: how to write the cells of some columns.
        total: True if the last row is a sum.
    """
    if not content.rows:
        return None
    written = cells or {}
    shown: list[list[Child]] = [
        [written[i](cell) if i in written else cell for i, cell in enumerate(row)]
        for row in content.rows[:MOST_TABLE_ROWS]
    ]
    notes = list(content.notes)
    left = len(content.rows) - MOST_TABLE_ROWS
    if left > 0:
        notes.append(f"{left:,} further rows stand in summary.json.")
    kinds = [("total", total), ("wordy", _wordy(content))]
    return tag(
        "div",
        table(
            content.caption,
            content.head,
            shown,
            numeric=content.numeric,
            class_=" ".join(kind for kind, given in kinds if given) or None,
        ),
        [tag("p", note, class_="note") for note in notes],
    )


def _wordy(content: Table) -> bool:
    """Whether its last column holds sentences, which a narrow screen must give some room."""
    last = len(content.head) - 1
    return last not in content.numeric and any(len(row[last]) > _SENTENCE for row in content.rows)


def folded(content: Table) -> Markup | None:
    """A table, folded away under its caption if it is long."""
    if len(content.rows) <= MOST_OPEN_ROWS:
        return data(content)
    return details(f"{content.caption} ({len(content.rows):,} rows)", data(content))


def details(label: str, *parts: Markup | None) -> Markup | None:
    """Something folded away; None if there is nothing in it."""
    if not any(parts):
        return None
    return tag("details", tag("summary", label), parts)


def facts(known: Mapping[str, str]) -> Markup:
    """A list of names and values."""
    return tag("dl", [(tag("dt", key), tag("dd", value)) for key, value in known.items() if value])


def figure(anchor: str, caption: str, picture: Picture | None) -> Markup | None:
    """A picture with its caption and its data; None if there is nothing to draw."""
    if picture is None:
        return None
    content = json.dumps(picture, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    # Inside a script element only "<" can end the element: it is written as an escape of JSON.
    safe = Markup(content.replace("<", "\\u003c"))
    height = picture["layout"]["height"]
    return tag(
        "figure",
        tag("figcaption", caption),
        tag(
            "div",
            tag("noscript", "The picture needs scripts; the tables say the same."),
            class_="picture",
            data_figure=anchor,
            role="img",
            aria_label=caption,
            style=f"min-height:{height}px",
        ),
        tag("script", safe, type="application/json", id=anchor),
    )
