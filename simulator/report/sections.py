"""The sections of ``report.html``, in the order in which a report is read.

Rule of the module: text, tables and pictures are put together here and computed elsewhere. Every
picture has a caption and a table that says the same, for those who cannot see it.
"""

import json
from datetime import datetime

from simulator.measure.summary import Summary
from simulator.model.timeline import Timeline
from simulator.report import (
    group_tables,
    heat_map,
    latency_tables,
    life_picture,
    people_tables,
    place_picture,
    plots,
    quality_tables,
    tables,
    words,
)
from simulator.report.baseline import TITLE, baseline_told
from simulator.report.layout import Table
from simulator.report.markup import Markup, tag
from simulator.report.people import PeopleWarned
from simulator.report.pieces import Section, data, details, facts, figure, folded
from simulator.report.provenance import files_table, provenance_facts
from simulator.report.source import Partial, ReportSource

_ORDER = (0, 5, 1, 2, 3, 4, 6)


def all_sections(source: ReportSource, people: PeopleWarned | None = None) -> list[Section]:
    """Every section that the run has something to say in, in the order of the report.

    Args:
        source: the run.
        people: warned, as modelled, where they are.
    """
    if source.summary is None:
        return [_so_far(source), _played(source.timeline), _provenance(source)]
    summary = source.summary
    every = [
        _verdict(summary),
        _ledger(summary),
        _timeline(source.timeline, summary),
        _latency(source, summary),
        _lead(summary, people),
        _losses(summary),
        _quality(summary),
        _baseline(source),
        _provenance(source),
    ]
    return [section for section in every if any(section.parts)]


# --- the sections ----------------------------------------------------------------------------


def _verdict(summary: Summary) -> Section:
    verdict = summary.verdict
    chip = _chip(verdict.outcome)
    parts = [
        tag("p", chip, f" {verdict.reason}"),
        tag("p", f"The command ended with exit code {verdict.exit_code}.", class_="note"),
        tag("p", verdict.overlap.note, class_="note") if verdict.overlap else None,
        # The verdict beside the metric: a telephone shows the first columns of a table.
        data(group_tables.narrow(tables.thresholds(summary.thresholds), _ORDER), {1: _chip}),
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
        data(quality_tables.examples(summary)),
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
        figure(
            "prefecture-picture",
            "Simulated stages and measured delivery of each prefecture's first warning, side by "
            "side and never added up: hatched is simulated, on a scale of minutes; solid was "
            "measured, on a scale of milliseconds.",
            place_picture.stages_and_segments(summary),
        ),
        _life(timeline),
        folded(tables.messages(summary)),
        folded(tables.happenings(summary)),
        details("Simulated stages", data(tables.stages(summary))),
    ]
    return Section(anchor="timeline", title="Timeline per prefecture", parts=tuple(parts))


def _life(timeline: Timeline) -> Markup | None:
    return figure(
        "life-picture",
        "The life of the alert, all of it simulated: what the flight did, what the chain believed, "
        "what each prefecture was told, and how long a warning stood.",
        life_picture.life_cycle(timeline),
    )


def _latency(source: ReportSource, summary: Summary) -> Section:
    notes = summary.publisher.notes
    whole = [row for row in summary.latency if latency_tables.is_whole(row)]
    narrowed = [row for row in summary.latency if not latency_tables.is_whole(row)]
    parts = [
        tag(
            "p",
            "From the planned instant to the receiver: sending (planned instant to the publisher's "
            "socket), transit (to the receiver's socket, through the broker) and handling (until "
            "the message was matched to its alert). Wall time, never scaled by the speed. Means "
            "add up exactly; quantiles do not.",
        ),
        data(latency_tables.latency(whole, "Latency by population and segment", more=notes)),
        figure(
            "percentile-picture",
            f"Live deliveries by percentile. A curve ends where its n no longer supports it. "
            f"{_banded(summary)}",
            plots.percentiles(summary.curves, whole),
        ),
        details("95 % intervals, by resampling bursts", data(latency_tables.intervals(whole))),
        figure(
            "heat-picture",
            "How many live deliveries took how long, over the run: the darker, the more.",
            heat_map.heat_map(source.heat),
        ),
        figure(
            "over-time-picture",
            "Live delivery latency over the run: median and range of each stretch.",
            plots.over_time(summary.over_time),
        ),
        details(
            "By prefecture, event and QoS",
            data(latency_tables.latency(narrowed, "Latency, narrowed", where=True)),
        ),
    ]
    return Section(anchor="latency", title="Latency by segment", parts=tuple(parts))


def _banded(summary: Summary) -> str:
    """What the band of the percentile picture is, or why there is none."""
    if plots.intervals_of(summary.latency, "live"):
        return (
            "The band is the 95 % interval of the delivery at p50, p90 and what else n supports, "
            "by resampling bursts."
        )
    rows = [
        row for row in summary.latency if row.segment == "delivery" and latency_tables.is_whole(row)
    ]
    bursts = max((row.bursts for row in rows if row.population == "live"), default=0)
    return (
        f"There is no confidence band: it needs at least 10 bursts, and there "
        f"{'was' if bursts == 1 else 'were'} {words.plural(bursts, 'burst')} (run with --repeat)."
    )


def _lead(summary: Summary, people: PeopleWarned | None) -> Section:
    epoch = datetime.fromisoformat(summary.run.epoch)
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
        data(tables.least_leads(summary.lead_times)),
        data(people_tables.places(people, epoch)) if people else None,
        data(people_tables.channels(people)) if people else None,
    ]
    title = "Lead time and people warned in time" if people else "Lead time"
    return Section(anchor="lead-time", title=title, parts=tuple(parts))


def _losses(summary: Summary) -> Section:
    total = summary.ledger.total
    sentence = (
        f"Lost {total.lost:,}, duplicates {total.duplicates:,}, unexpected {total.unexpected:,}, "
        f"out of order {summary.order.reordered:,}."
    )
    parts = [
        tag("p", sentence),
        data(quality_tables.causes(summary)),
        data(quality_tables.order(summary)),
    ]
    return Section(anchor="losses", title="Loss, duplicates, order", parts=tuple(parts))


def _quality(summary: Summary) -> Section:
    instrument = summary.instrument
    if instrument.bottleneck:
        sentence = f"The instrument was the bottleneck: {'; '.join(instrument.reasons)}."
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
        facts({"broker": named, **broker.addresses, **broker.settings}, spoken=[*broker.settings]),
        tag("ul", [tag("li", note) for note in broker.notes]) if broker.notes else None,
    ]
    return Section(anchor="quality", title="Clock and instrument quality", parts=tuple(parts))


def _baseline(source: ReportSource) -> Section:
    if source.baseline is None:
        return Section(anchor="baseline", title=TITLE, parts=())
    told = baseline_told(source.baseline)
    chip = _chip(source.baseline.verdict) if source.baseline.gates else None
    parts = [
        tag("p", chip, " " if chip else None, f"A is the baseline {told.name}, B this run."),
        tag("ul", [tag("li", sentence) for sentence in told.sentences]) if told.sentences else None,
        data(told.conditions),
        data(told.differences),
        details("All other figures", data(told.more)),
    ]
    return Section(anchor="baseline", title=TITLE, parts=tuple(parts))


def _provenance(source: ReportSource) -> Section:
    command, known = provenance_facts(source)
    scenario = json.dumps(source.manifest.scenario, indent=2, ensure_ascii=False)
    parts = [
        tag("p", "This command repeats the run:"),
        tag(
            "div",
            tag("pre", tag("code", command, id="command", tabindex="0")),
            tag(
                "button",
                "Copy",
                type="button",
                data_copy="command",
                data_done="Copied",
                data_selected="Selected: press Ctrl+C",
                aria_live="polite",
            ),
            class_="command",
        ),
        facts(known, spoken=("state", "speed")),
        data(files_table(source.path)),
        details("The scenario as resolved", tag("pre", tag("code", scenario)), printed=False)
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
        data(latency_tables.latency(partial.latency, "Segments of what had arrived (wall)")),
    )


def _played(timeline: Timeline) -> Section:
    return Section(
        anchor="timeline",
        title="Timeline per prefecture, as planned",
        parts=(_life(timeline),),
    )
