"""Tables about loss, order, clocks, the instrument and the parties: the second half of a report.

Rule of the module: as :mod:`simulator.report.tables`.
"""

from collections.abc import Mapping
from typing import Final

from simulator.measure.summary import Example, ForeignClock, Summary
from simulator.report import words
from simulator.report.layout import Table
from simulator.units import NS_PER_S

_MEBIBYTE: Final = 1 << 20
_SILLY_PPM: Final = 1_000
_CLOCKS: Final = (
    "Offset: their clock minus ours, the middle of the interval that holds it. One-way figures are "
    "refused where the interval is wider than the limit; such deliveries are known up to their "
    "round trip."
)
_REFUSED: Final = "foreign: "  # how a run names refused reports among its overflows


def causes(summary: Summary) -> Table:
    """Why copies were lost, doubled or out of place, or came below their QoS."""
    ledger = summary.ledger
    rows = [
        (kind, cause, f"{count:,}")
        for kind, counted in (
            ("lost", ledger.loss_causes),
            ("late", ledger.late_causes),
            ("duplicate", ledger.duplicate_causes),
            ("duplicate", _by_flag(summary)),
            ("unexpected", ledger.unexpected_causes),
            ("lower QoS", {"came below the QoS owed": ledger.qos_lowered}),
        )
        for cause, count in sorted(counted.items())
        if count
    ]
    return Table(
        caption="Causes of loss, lateness, duplicates and unexpected copies",
        head=("what", "cause", "count"),
        rows=tuple(rows),
        numeric=frozenset({2}),
    )


def _by_flag(summary: Summary) -> dict[str, int]:
    """Duplicates with and without DUP, the flag of a sender that repeats itself."""
    flagged = summary.ledger.duplicates_flagged
    rest = summary.ledger.total.duplicates - flagged
    return {"(all causes) with the DUP flag": flagged, "(all causes) without the DUP flag": rest}


def order(summary: Summary) -> Table:
    """Sequence per subscriber and topic, and what stands beside the ledger."""
    figures = summary.order
    ledger = summary.ledger
    rows = (
        ("streams (subscriber and topic)", figures.streams),
        ("first copies that arrived after a later one", figures.reordered),
        ("missing messages with a later one received", figures.gaps),
        ("streams with such a gap", figures.gap_streams),
        ("subscribers and prefectures with something owed", figures.followed),
        ("left believing in an alert that was withdrawn", figures.stale_withdrawn),
        ("left not knowing of an alert in force", figures.stale_unaware),
        ("an older message came after the newest and says otherwise", figures.overtaken),
        ("deliveries to clients that registered only afterwards", ledger.early),
        ("deliveries without a usable time", ledger.untimed),
        ("first copies that came below the QoS owed", ledger.qos_lowered),
    )
    return Table(
        caption="Order, gaps and what is counted beside the ledger",
        head=("what", "count"),
        rows=tuple((what, f"{count:,}") for what, count in rows),
        numeric=frozenset({1}),
    )


def states(summary: Summary) -> Table:
    """Copies on retained-state topics, which are not in the equations."""
    state = summary.ledger.state
    rows = (
        ("state changes, received as published", state.live),
        ("retained copies, received on subscribing", state.retained),
        ("states cleared", state.cleared),
        ("states of other prefectures", state.wrong_area),
        ("not of this run, or altered", state.foreign),
        ("malformed", state.malformed),
    )
    return Table(
        caption="Copies on retained-state topics (not in the ledger)",
        head=("what", "count"),
        rows=tuple((what, f"{count:,}") for what, count in rows),
        numeric=frozenset({1}),
    )


def examples(summary: Summary) -> Table:
    """Single deliveries that did not go as they should."""
    left, prefix = summary.ledger.examples_left_out, f"{summary.run.run}-"
    notes = ["Planned: seconds after the run's first planned message (wall)."]
    notes += [f"{left:,} more stand in deliveries.parquet."] if left else []
    if any(one.client.startswith(prefix) for one in summary.ledger.examples):
        notes.append(f"Clients and alerts without the run's id, {summary.run.run}.")
    return Table(
        caption="Deliveries that did not go as they should",
        head=("outcome", "cause", "client", "alert", "prefecture", "event", "planned", "latency"),
        rows=tuple(
            (
                one.outcome,
                one.cause or words.DASH,
                one.client.removeprefix(prefix),
                one.identifier.removeprefix(prefix) or words.DASH,
                words.prefecture(one.prefecture) if one.prefecture else words.DASH,
                one.event or words.DASH,
                _planned(one, summary),
                words.measured(one.latency_ns),
            )
            for one in summary.ledger.examples
        ),
        numeric=frozenset({6, 7}),
        notes=tuple(notes),
    )


def _planned(one: Example, summary: Summary) -> str:
    """When the message was planned, counted from the first of the run; a dash if unknown."""
    if not one.intended_ns:
        return words.DASH
    since_ns = int(one.intended_ns) - int(summary.run.start_monotonic_ns)
    return f"{since_ns / NS_PER_S:.3f} s"


def stamps(summary: Summary) -> Table:
    """How good the stamps are."""
    clocks = summary.clocks
    rows = (
        ("receipts stamped by the kernel", f"{clocks.kernel_stamps:,}"),
        ("receipts stamped after the read, in user space", f"{clocks.user_stamps:,}"),
        ("reads without a kernel stamp", f"{clocks.missing_stamps:,}"),
        ("receipts with a stamp uncertain by 50 µs or more", f"{clocks.uncertain:,}"),
        ("stamp uncertainty, middle", words.measured(clocks.uncertainty_median_ns)),
        ("stamp uncertainty, largest", words.measured(clocks.uncertainty_max_ns)),
        (
            "error of the kernel clock's conversion, at most",
            words.measured(clocks.conversion_error_ns),
        ),
        ("conversions estimated anew", f"{clocks.estimates:,}"),
        ("steps of the wall clock seen", f"{clocks.steps:,}"),
        ("slews of the wall clock followed, added up", words.measured(clocks.slewed_ns)),
        ("clock domain", clocks.domain or words.DASH),
    )
    return Table(caption="Clock and stamp quality", head=("what", "figure"), rows=rows)


def foreign_clocks(summary: Summary) -> Table:
    """Clients whose clocks are not ours."""
    return Table(
        caption="Clocks of clients in other domains",
        head=(
            "client",
            "domain",
            "offset",
            "error at most",
            "gains (ppm)",
            "one-way",
            "refused",
            "note",
        ),
        rows=tuple(
            (
                one.client,
                one.domain,
                words.measured(one.offset_ns, signed=True),
                words.measured(one.error_ns),
                _gain(one),
                f"{one.one_way:,}",
                f"{one.refused:,}",
                one.reason or words.DASH,
            )
            for one in summary.clocks.foreign
        ),
        numeric=frozenset({2, 3, 4, 5, 6}),
        notes=(_CLOCKS,) if summary.clocks.foreign else (),
    )


def _gain(one: ForeignClock) -> str:
    """What a clock gains on ours in parts per million, as an interval."""
    if one.drift_low_ppm is None or one.drift_high_ppm is None:
        return words.DASH
    if max(abs(one.drift_low_ppm), abs(one.drift_high_ppm)) >= _SILLY_PPM:
        return words.DASH  # a run this short tells nothing about a rate
    ends = (
        f"{end:+.3g}".replace("-", words.MINUS) for end in (one.drift_low_ppm, one.drift_high_ppm)
    )
    return " to ".join(ends)


def processes(summary: Summary) -> Table:
    """Health of the instrument's own processes."""
    return Table(
        caption="The instrument's own processes",
        head=(
            "process",
            "CPU",
            "longest turn of its loop",
            "socket reads",
            "messages",
            "most in one read",
            "memory",
        ),
        rows=tuple(
            (
                one.name,
                f"{100 * one.cpu_share:.0f} %",
                words.measured(one.loop_lag_max_ns),
                f"{one.reads:,}",
                f"{one.messages:,}",
                f"{one.batch_max:,}" if one.batch_max else words.DASH,
                f"{one.rss_bytes / _MEBIBYTE:.0f} MiB",
            )
            for one in summary.instrument.processes
        ),
        numeric=frozenset({1, 2, 3, 4, 5, 6}),
    )


def limits(summary: Summary) -> str:
    """From when on the instrument counts as the bottleneck, one sentence."""
    of = summary.instrument.limits
    known = (
        ("loop_lag_ns", "one turn of a loop takes more than {}", words.measured),
        ("publisher_late_ns", "the publisher is more than {} late at p99", words.measured),
        ("cpu_share", "a process uses more than {} of a processor", _percent),
        ("steal_share", "the hypervisor gives more than {} of the processors to others", _percent),
    )
    told = [text.format(write(of[key])) for key, text, write in known if key in of]
    return f"It counts as the bottleneck when {', or '.join(told)}." if told else ""


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def machine(summary: Summary) -> Table:
    """What the machine did beside the instrument."""
    instrument = summary.instrument
    known = (
        ("CPU of the broker that alertsim started", instrument.broker_cpu_share),
        ("processor time that the hypervisor gave to others (steal)", instrument.steal_share),
    )
    return Table(
        caption="The machine",
        head=("what", "share"),
        rows=tuple(
            (what, words.DASH if share is None else f"{100 * share:.1f} %") for what, share in known
        ),
        numeric=frozenset({1}),
    )


def publisher(summary: Summary) -> Table:
    """The sending side."""
    one = summary.publisher
    rows = (
        ("client", one.client),
        ("alerts planned", f"{one.planned:,}"),
        ("alerts written to the socket", f"{one.sent:,}"),
        ("acknowledged by the broker (not deliveries)", f"{one.acknowledged:,}"),
        ("QoS", f"{one.qos}"),
        ("payload", f"{one.payload_format}, at most {one.payload_max_bytes:,} bytes"),
        ("sent after the planned instant, middle", words.measured(one.lateness_median_ns)),
        ("sent after the planned instant, p99", words.measured(one.lateness_p99_ns)),
        ("sent after the planned instant, largest", words.measured(one.lateness_max_ns)),
    )
    return Table(caption="The publisher", head=("what", "figure"), rows=rows, notes=one.notes)


def foreign_clients(summary: Summary) -> Table:
    """Clients that are not ours and their part of the ledger."""
    return Table(
        caption="Clients that are not ours",
        head=(
            "client",
            "filters",
            "session",
            "clock",
            "expected",
            "received",
            "lost",
            "duplicates",
        ),
        rows=tuple(
            (
                one.client,
                ", ".join(one.filters),
                one.session,
                one.clock,
                f"{one.counts.expected:,}",
                f"{one.counts.delivered + one.counts.late + one.counts.queued:,}",
                f"{one.counts.lost:,}",
                f"{one.counts.duplicates:,}",
            )
            for one in summary.foreign_clients
        ),
        numeric=frozenset({4, 5, 6, 7}),
    )


def overflows(summary: Summary) -> Table:
    """Everything bounded that overflowed."""
    return _counted(
        "Bounded queues and waits: how often each overflowed",
        {
            name: count
            for name, count in summary.instrument.overflows.items()
            if not name.startswith(_REFUSED)
        },
    )


def refused(summary: Summary) -> Table:
    """Reports of clients that are not ours which were not believed, by reason."""
    return _counted(
        "Reports of clients that are not ours that were refused",
        {
            name.removeprefix(_REFUSED): count
            for name, count in summary.instrument.overflows.items()
            if name.startswith(_REFUSED)
        },
    )


def _counted(caption: str, counts: Mapping[str, int]) -> Table:
    return Table(
        caption=caption,
        head=("what", "count"),
        rows=tuple((name, f"{count:,}") for name, count in sorted(counts.items())),
        numeric=frozenset({1}),
    )
