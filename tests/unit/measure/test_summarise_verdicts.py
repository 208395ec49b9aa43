"""How a run is judged, and what outranks its thresholds."""

from typing import Any

import pytest

from simulator.errors import ExitCode
from simulator.measure.instrument import InstrumentLog, Limits
from simulator.measure.summarise import Ending, Sending, Surroundings, summarise
from simulator.thresholds import parse_thresholds, with_defaults
from tests.unit.measure.summarising import play, result_of

S, MS = 1_000_000_000, 1_000_000


def test_the_founding_case_passes_and_its_lead_time_is_a_finding(kit: Any) -> None:
    summary = play(kit, kit.row(0, 0, 3 * MS))
    judged = play(kit, kit.row(0, 0, 3 * MS), thresholds={"predicted_lead_time": "min>0s"})

    assert summary.verdict.exit_code == 0
    assert summary.lead_times[0].lead_min_ns == -120 * S - 3 * MS
    assert result_of(judged, "predicted_lead_time").scale == "scenario"
    assert judged.verdict.exit_code == 99


def test_too_few_samples_end_in_98(kit: Any) -> None:
    summary = play(kit, kit.row(0, 0), thresholds={"delivery_latency": "p(99)<1s"})

    assert (summary.verdict.outcome, summary.verdict.exit_code) == ("inconclusive", 98)
    assert "too few samples: 1 of the 1000" in summary.verdict.reason


def test_a_share_and_a_count_have_their_units(kit: Any) -> None:
    summary = play(kit, kit.row(0, 0), thresholds={"lost": "rate<1%", "receipts": "count==1"})

    assert result_of(summary, "lost").unit == "share"
    receipts = result_of(summary, "receipts")
    assert (receipts.unit, receipts.scale) == ("count", "none")
    assert summary.thresholds[0].bound == 0.01


@pytest.mark.parametrize(
    ("code", "outcome", "lost", "delivered"),
    [
        (ExitCode.ABORTED, "not-judged", "not-judged", "not-judged"),
        (ExitCode.INTERNAL, "not-judged", "not-judged", "not-judged"),
        (ExitCode.BROKER, "fail", "fail", "inconclusive"),
    ],
)
def test_an_early_end_outranks_the_thresholds(
    kit: Any, code: ExitCode, outcome: str, lost: str, delivered: str
) -> None:
    summary = play(
        kit,
        kit.row(0, 0),
        subs=[kit.sub(0), kit.sub(1)],
        ending=Ending(code=code, reason="it ended"),
    )

    assert summary.verdict.exit_code == int(code)
    assert summary.verdict.outcome == outcome
    assert summary.verdict.reason == "it ended"
    assert (summary.completeness.state, summary.completeness.reason) == ("incomplete", "it ended")
    assert result_of(summary, "lost").verdict == lost
    assert result_of(summary, "delivery_latency").verdict == delivered
    assert result_of(summary, "delivery_latency").value == MS, "what was measured is kept"


def test_an_overlapped_run_is_inconclusive_and_names_a_speed(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, at_s=1)]
    rows = [kit.row(0, 1, 2 * S), kit.row(0, 0, 2 * S)]

    fast = play(kit, *rows, alerts=alerts, speed=600.0, sending=Sending(gap_ns=0))

    assert fast.verdict.overlap is not None
    assert fast.verdict.overlap.highest_speed == 300
    latency = result_of(fast, "delivery_latency")
    assert (latency.verdict, "up to 300" in latency.reason) == ("inconclusive", True)
    assert fast.verdict.overlap.note not in latency.reason, "the report shows both"
    assert result_of(fast, "lost").verdict == "pass"
    assert fast.verdict.exit_code == 98
    assert play(kit, *rows, alerts=alerts).verdict.overlap is None


def test_where_no_speed_would_help_speed_excuses_nothing(kit: Any) -> None:
    # A second between two playings, all of it the fixed gap, and an arrival after 2 s.
    alerts = [kit.alert(0), kit.alert(1, at_s=1, repetition=1)]
    rows = [kit.row(0, 1, 2 * S), kit.row(0, 0, 2 * S)]
    strict = {"delivery_latency": "max<1s"}

    fast = play(
        kit, *rows, alerts=alerts, speed=600.0, sending=Sending(gap_ns=S), thresholds=strict
    )

    assert fast.verdict.overlap is not None
    assert fast.verdict.overlap.highest_speed is None
    assert (fast.verdict.outcome, fast.verdict.exit_code) == ("fail", 99)
    alive = play(kit, *rows, alerts=alerts, sending=Sending(gap_ns=S), thresholds=strict)
    assert alive.thresholds == fast.thresholds, "as at the speed of life"


def test_a_limited_instrument_turns_a_fail_into_an_open_question(kit: Any) -> None:
    limited = Surroundings(
        limits=Limits(publisher_late_ns=0), log=InstrumentLog(), overflows={"queue": 3, "other": 0}
    )
    summary = play(kit, kit.row(0, 0, 6 * S), surroundings=limited)

    assert summary.verdict.instrument_bottleneck
    assert summary.instrument.reasons
    assert summary.instrument.overflows == {"queue": 3}
    assert result_of(summary, "delivery_latency").verdict == "inconclusive"
    assert result_of(summary, "lost").verdict == "pass"
    assert (summary.verdict.outcome, summary.verdict.exit_code) == ("inconclusive", 98)


def test_a_play_to_nobody_passes_and_only_what_was_asked_for_stays_open(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [])
    kit.send(ledger, 0)
    account = kit.close(ledger)
    outcomes = []
    for given in ({}, {"delivery_latency{population=live}": "max<5s"}):
        summary = summarise(
            account,
            kit.timeline([kit.alert(0)]),
            with_defaults(parse_thresholds(given)),
            run=kit.facts(),
            broker=kit.broker(),
            provenance=kit.provenance(),
        )
        outcomes.append((len(summary.thresholds), summary.verdict.exit_code))
    assert outcomes == [(2, 0), (3, 98)]


@pytest.mark.parametrize(
    ("trip_s", "expression", "verdict", "code"),
    [
        (2, "max<5s", "pass", 0),  # the delivery can only have been shorter
        (6, "max<5s", "inconclusive", 98),  # it may have been quick, it may not
        (2, "max<=2s", "pass", 0),
        (2, "max>1s", "inconclusive", 98),  # nothing says that it took any time at all
        (2, "count==0", "pass", 0),  # a round trip is no figure of its own
    ],
)
def test_a_client_without_a_comparable_clock_is_judged_up_to_its_round_trip(
    kit: Any, trip_s: int, expression: str, verdict: str, code: int
) -> None:
    trip = kit.row(0, 0, trip_s * S, flags=int(kit.Flag.ROUND_TRIP))
    summary = play(
        kit,
        trip,
        alerts=[kit.alert(0)],
        thresholds={"delivery_latency{population=live}": expression},
    )

    result = result_of(summary, "delivery_latency")
    assert (result.verdict, summary.verdict.exit_code) == (verdict, code)
    if "count" not in expression:
        assert (result.value, result.low, result.high) == (None, 0, trip_s * S)
        assert "1 of 1 deliveries are known only up to their round trip" in result.reason
    assert {row.segment for row in summary.latency} == {"send", "round-trip"}


def test_a_round_trip_hides_no_figure_that_fails(kit: Any) -> None:
    subs = [kit.sub(0), kit.sub(1)]
    trip = kit.row(0, 0, 6 * S, flags=int(kit.Flag.ROUND_TRIP))

    slow = play(kit, trip, kit.row(1, 0, 7 * S, uncertainty_ns=9), subs=subs)
    quick = play(kit, trip, kit.row(1, 0, 3 * MS), subs=subs)

    failed, open_ = (result_of(each, "delivery_latency") for each in (slow, quick))
    assert (failed.verdict, failed.low, failed.high) == ("fail", 7 * S - 9, 7 * S)
    assert (open_.verdict, open_.low, open_.high, open_.samples) == (
        "inconclusive",
        3 * MS,
        6 * S,
        2,
    )
    assert (failed.value, open_.value) == (None, None)


def test_a_machine_that_was_taken_away_takes_a_fail_away(kit: Any) -> None:
    late = kit.row(0, 0, 7 * S)
    surroundings = Surroundings(steal_share=0.2, broker_cpu_share=1.5)
    stolen = play(kit, late, surroundings=surroundings)
    ours = play(kit, late)

    assert stolen.instrument.limits["steal_share"] == 0.05
    assert (stolen.instrument.steal_share, stolen.instrument.broker_cpu_share) == (0.2, 1.5)
    assert (stolen.instrument.bottleneck, ours.instrument.bottleneck) == (True, False)
    assert (stolen.verdict.outcome, ours.verdict.outcome) == ("inconclusive", "fail")
    assert (ours.instrument.steal_share, ours.instrument.broker_cpu_share) == (None, None)
