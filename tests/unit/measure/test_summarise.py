"""What a summary shows of a run."""

import json
from typing import Any

import jsonschema

from simulator.measure.instrument import InstrumentLog
from simulator.measure.plan import Session
from simulator.measure.summarise import Sending, Surroundings, summarise
from simulator.measure.summary import (
    ForeignClock,
    Summary,
    summary_json_schema,
)
from simulator.model.timeline import AlertEvent, EventKind, StagePassed, TimelineEvent
from tests.unit.measure.summarising import play, result_of, verdicts

S, MS = 1_000_000_000, 1_000_000


def test_a_clean_run_passes_its_defaults_and_round_trips_through_json(kit: Any) -> None:
    summary = play(kit, kit.row(0, 0, 3 * MS))

    assert verdicts(summary) == [
        ("lost", "pass"),
        ("unexpected", "pass"),
        ("delivery_latency", "pass"),
    ]
    assert (summary.verdict.outcome, summary.verdict.exit_code) == ("pass", 0)
    assert summary.verdict.reason == "all 3 thresholds are met"
    assert summary.completeness.state == "complete"
    assert summary.notice.startswith("EXERCISE")
    latency = result_of(summary, "delivery_latency")
    assert (latency.value, latency.unit, latency.scale, latency.default) == (
        3 * MS,
        "ns",
        "wall",
        True,
    )
    text = summary.model_dump_json()
    assert Summary.model_validate_json(text) == summary
    jsonschema.validate(json.loads(text), summary_json_schema())


def test_every_duration_of_the_schema_names_its_time_scale() -> None:
    schema = summary_json_schema()
    for name, model in schema["$defs"].items():
        for field, definition in model["properties"].items():
            assert definition.get("description"), f"{name}.{field}"
            if field.endswith("_ns") and field not in {"start_monotonic_ns", "start_unix_ns"}:
                text = definition["description"].lower()
                assert ("wall" in text) != ("scenario" in text) or "lead" in field, (
                    f"{name}.{field}"
                )


def test_a_loss_fails_the_run_and_is_shown(kit: Any) -> None:
    came = kit.row(0, 0, flags=kit.Flag.QOS_1)
    summary = play(kit, came, subs=[kit.sub(0), kit.sub(1)])

    assert (summary.verdict.outcome, summary.verdict.exit_code) == ("fail", 99)
    assert summary.verdict.reason.startswith("lost: count==0: 1")
    example, stale = summary.ledger.examples
    assert (example.outcome, example.cause, example.client) == ("lost", "no-receipt", "client-1")
    assert (stale.outcome, stale.client) == ("stale", "client-1")
    assert (summary.order.followed, summary.order.stale_unaware) == (2, 1)
    assert (example.identifier, example.latency_ns) == ("run-miyagi-1", None)
    assert summary.ledger.loss_causes == {"no-receipt": 1}
    assert summary.order.streams == 1


def test_examples_are_bounded_and_the_rest_is_a_number(kit: Any) -> None:
    subs = [kit.sub(number) for number in range(20)]
    strays = [kit.row(number, -1) for number in range(8)]
    late = kit.row(0, 0, 20 * S, flags=kit.Flag.QOS_1)
    summary = play(kit, late, *strays, subs=subs)

    words = [example.outcome for example in summary.ledger.examples]
    assert words == ["lost"] * 5 + ["late"] + ["unexpected"] * 5 + ["stale"] * 5
    assert summary.ledger.examples_left_out == 19 + 1 + 8 - 11, "stale ones are among the lost"
    assert summary.ledger.examples[5].latency_ns == 20 * S


def test_what_is_no_outcome_is_quoted_too(kit: Any) -> None:
    alerts = [kit.alert(n, at_s=n) for n in range(3)]
    flags = kit.Flag.QOS_1
    rows = [
        *(kit.row(0, n, n * S + MS, flags=flags) for n in (0, 2, 1)),
        kit.row(0, 2, 3 * S, flags=flags | kit.Flag.DUP),
        kit.row(0, 2, 3 * S, flags=flags),
        kit.row(1, 2, 2 * S + MS, flags=flags),
        kit.row(2, 0, MS, flags=flags),
        *(kit.row(2, n, 200 * S, flags=flags) for n in (1, 2)),
        kit.row(3, 0, MS, flags=flags),
    ]
    outside = kit.sub(3, "akita")
    summary = play(kit, *rows, subs=[kit.sub(0), kit.sub(1), kit.sub(2), outside], alerts=alerts)

    quoted = [(one.outcome, one.cause, one.client) for one in summary.ledger.examples]
    assert ("late", "after-drain", "client-2") in quoted
    assert ("unexpected", "wrong-area", "client-3") in quoted
    assert ("duplicate", "3 copies", "client-0") in quoted
    assert ("gap", "a later one came", "client-1") in quoted
    assert ("out-of-order", "a later one came first", "client-0") in quoted
    assert summary.ledger.late_causes == {"after-drain": 2}
    assert summary.ledger.total.duplicates == 2
    assert summary.ledger.duplicates_flagged == 1


def test_processes_of_the_instrument_are_shown(kit: Any) -> None:
    class Report:
        name = "worker-0"
        cpu_ns, lag_max_ns, reads, messages, rss_bytes = 0, 4, 2, 3, 5
        stamps_missing, clock_error_ns, clock_steps = 6, 7, 8
        clock_slewed_ns, clock_estimates, batch_max = 9, 10, 2

    log = InstrumentLog()
    log.observe(Report(), 0)
    summary = play(kit, kit.row(0, 0), surroundings=Surroundings(log=log, domain="here"))

    (process,) = summary.instrument.processes
    assert (process.name, process.loop_lag_max_ns, process.messages) == ("worker-0", 4, 3)
    assert (summary.clocks.missing_stamps, summary.clocks.conversion_error_ns) == (6, 7)
    assert (summary.clocks.steps, summary.clocks.domain) == (8, "here")
    assert (summary.clocks.slewed_ns, summary.clocks.estimates) == (9, 10)
    assert process.batch_max == 2


def test_the_timeline_shows_what_each_prefecture_was_told(kit: Any) -> None:
    stage = StagePassed(name="sensing", started_ns=0, ended_ns=180 * S, assumption=True)
    alert = kit.alert(0)
    played = [
        alert,
        kit.alert(1, at_s=1, prefecture="niigata", event=AlertEvent.CORRECTION, reason="belief"),
        kit.alert(2, at_s=9, planned=alert.planned, repetition=1),
    ]
    events = [
        TimelineEvent(number=0, at_ns=0, kind=EventKind.TRUTH, name="launch", sources=("nhk",)),
        TimelineEvent(number=1, at_ns=5, kind=EventKind.STAGE, name="sensing"),
        TimelineEvent(number=2, at_ns=3000 * S, kind=EventKind.MARK, name="press", note="said so"),
    ]
    summary = play(kit, kit.row(0, 0), kit.row(0, 2, 9 * S), alerts=played, events=events)
    miyagi, niigata = summary.timeline

    assert (miyagi.prefecture, len(miyagi.alerts)) == ("miyagi", 1)
    (told,) = miyagi.alerts
    assert (told.expected, told.received) == (2, 2), "all playings together"
    assert told.issue_clock == "07:50:00"
    assert told.believed_arrival_ns == 540 * S
    assert niigata.alerts[0].reason == "belief"
    assert (niigata.alerts[0].expected, niigata.alerts[0].stages) == (0, ())
    assert [(m.kind, m.name, m.at_clock) for m in summary.marks] == [
        ("truth", "launch", "07:39:00"),
        ("mark", "press", "08:29:00"),
    ]
    shown = play(kit, alerts=[kit.alert(0, stages=(stage,))]).timeline[0].alerts[0].stages[0]
    assert (shown.name, shown.ended_ns, shown.assumption) == ("sensing", 180 * S, True)


def test_the_publisher_and_the_stamps(kit: Any) -> None:
    flag = kit.Flag
    summary = play(
        kit,
        kit.row(0, 0, uncertainty_ns=50_000, flags=flag.USER_STAMP),
        kit.row(1, 0, uncertainty_ns=0),
        kit.row(2, 0, uncertainty_ns=10 * S, flags=flag.ROUND_TRIP),
        subs=[kit.sub(0), kit.sub(1), kit.sub(2)],
        sending=Sending(
            payload_format="cap-xml", payload_max_bytes=3_000, client="aiomqtt", notes=("weak",)
        ),
    )

    sender, clocks = summary.publisher, summary.clocks
    assert (sender.planned, sender.sent, sender.acknowledged, sender.qos) == (1, 1, 1, 1)
    assert (sender.payload_format, sender.payload_max_bytes) == ("cap-xml", 3_000)
    assert (sender.client, sender.notes) == ("aiomqtt", ("weak",))
    assert (sender.lateness_median_ns, sender.lateness_p99_ns, sender.lateness_max_ns) == (
        1_000,
        None,
        1_000,
    )
    assert (clocks.kernel_stamps, clocks.user_stamps, clocks.uncertain) == (1, 1, 1)
    assert (clocks.uncertainty_median_ns, clocks.uncertainty_max_ns) == (0, 50_000)


def test_a_large_schedule_has_a_lateness_p99(kit: Any) -> None:
    alerts = [kit.alert(number, at_s=number) for number in range(1000)]
    assert play(kit, alerts=alerts).publisher.lateness_p99_ns == 1_000


def test_foreign_clients_have_their_own_part_of_the_ledger(kit: Any) -> None:
    foreign = {"kind": kit.Kind.FOREIGN, "prefecture": ""}
    filters = (("alertsim/v1/alerts/miyagi/+", 1),)
    subs = [
        kit.sub(0),
        kit.sub(1, clock="here", filters=filters, **foreign),
        kit.sub(2, clock="there", filters=filters, session=Session.PERSISTENT, **foreign),
        kit.sub(3, clock="nowhere", filters=filters, **foreign),
    ]
    clocks = [
        ForeignClock(client="client-2", domain="there", offset_ns=5, error_ns=1, reason=""),
        ForeignClock(client="client-3", domain="nowhere", offset_ns=None, error_ns=None, reason=""),
    ]
    summary = play(
        kit,
        kit.row(1, 0),
        subs=subs,
        surroundings=Surroundings(domain="here", foreign_clocks=clocks),
    )

    assert [
        (c.client, c.clock, c.session, c.counts.delivered) for c in summary.foreign_clients
    ] == [
        ("client-1", "one host", "clean", 1),
        ("client-2", "estimated", "persistent", 0),
        ("client-3", "round trip only", "clean", 0),
    ]
    assert summary.clocks.foreign == tuple(clocks)


def test_a_run_without_alerts_or_thresholds_is_still_a_summary(kit: Any) -> None:
    ledger = kit.ledger([], [])
    summary = summarise(
        kit.close(ledger),
        kit.timeline([]),
        (),
        run=kit.facts(),
        broker=kit.broker(),
        provenance=kit.provenance(),
    )

    assert (summary.verdict.outcome, summary.verdict.reason) == ("pass", "no thresholds were set")
    assert (summary.publisher.qos, summary.publisher.lateness_max_ns) == (0, None)
    assert summary.clocks.uncertainty_max_ns is None
    assert summary.timeline == ()
