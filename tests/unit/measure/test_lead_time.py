from typing import Any

from simulator.measure.lead_time import first_warnings, lead_time_rows
from simulator.measure.measured import Measured
from simulator.model.timeline import AlertEvent

S, MS = 1_000_000_000, 1_000_000
MINUTE = 60 * S


def test_the_founding_case_was_warned_two_minutes_after_the_arrival_believed(kit: Any) -> None:
    # Launch 07:39, issued 07:50, arrival believed at 07:48; over Japan nothing arrived.
    rows = lead_time_rows(kit.measured([10, 20, 40]), precision_ns=MINUTE)

    predicted, true = rows
    assert (predicted.kind, predicted.prefecture, predicted.event) == (
        "predicted",
        "miyagi",
        "launch",
    )
    assert predicted.model_term_ns == -120 * S
    assert (predicted.latency_min_ns, predicted.latency_median_ns, predicted.latency_max_ns) == (
        10 * MS,
        20 * MS,
        40 * MS,
    )
    assert predicted.lead_max_ns == -120 * S - 10 * MS
    assert predicted.lead_median_ns == -120 * S - 20 * MS
    assert predicted.lead_min_ns == -120 * S - 40 * MS
    assert predicted.precision_ns == MINUTE
    assert (predicted.n, predicted.alerts, predicted.bursts) == (3, 1, 1)
    assert (true.kind, true.applicable, true.reason) == ("true", False, "nothing arrived")
    assert (true.model_term_ns, true.lead_min_ns) == (None, None)
    assert true.latency_max_ns == 40 * MS, "the measured term stands by itself"


def test_against_the_true_arrival_where_something_arrived(kit: Any) -> None:
    measured = kit.measured([500], true_arrival_ns=720 * S, believed_arrival_ns=None)

    predicted, true = lead_time_rows(measured, precision_ns=0)

    assert (predicted.applicable, predicted.reason) == (False, "no arrival was predicted at issue")
    assert (true.applicable, true.reason) == (True, "")
    assert true.lead_min_ns == 60 * S - 500 * MS


def test_only_the_first_warning_of_a_launch_counts_in_all_its_playings(kit: Any) -> None:
    first = kit.alert(0)
    shelter = kit.alert(1, at_s=1, event=AlertEvent.TAKE_SHELTER)
    passage = kit.alert(2, at_s=2, event=AlertEvent.PASSAGE)
    second = kit.alert(3, at_s=3, launch="second")
    again = kit.alert(4, at_s=10, planned=first.planned, repetition=1)
    ledger = kit.ledger([first, shelter, passage, second, again], [kit.sub(0)])
    kit.send(ledger, *range(5))
    ledger.receipts(
        kit.batch(*(kit.row(0, n, at * S + MS) for n, at in enumerate((0, 1, 2, 3, 10))))
    )
    measured = Measured(kit.close(ledger))

    rows = lead_time_rows(measured, precision_ns=0)

    assert [(row.kind, row.launch, row.n) for row in rows] == [
        ("predicted", "first", 2),
        ("predicted", "second", 1),
        ("true", "first", 2),
        ("true", "second", 1),
    ]
    assert [warned.alert.number for warned in first_warnings(measured, "true")] == [0, 3]


def test_a_message_without_a_warning_has_no_lead_time(kit: Any) -> None:
    assert lead_time_rows(kit.measured([1], event=AlertEvent.TEST), precision_ns=0) == ()


def test_without_a_delivery_the_model_term_stands_alone(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0)])
    kit.send(ledger, 0)
    row = lead_time_rows(Measured(kit.close(ledger)), precision_ns=0)[0]

    assert (row.applicable, row.reason, row.n) == (True, "no delivery was measured", 0)
    assert row.model_term_ns == -120 * S
    assert (row.lead_min_ns, row.lead_median_ns, row.latency_max_ns) == (None, None, None)


def test_a_round_trip_or_a_retained_copy_is_no_measured_term(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0)], [kit.sub(0), kit.sub(1)])
    kit.send(ledger, 0)
    ledger.receipts(
        kit.batch(
            kit.row(0, 0, S, flags=kit.Flag.ROUND_TRIP), kit.row(1, 0, S, flags=kit.Flag.RETAIN)
        )
    )

    assert lead_time_rows(Measured(kit.close(ledger)), precision_ns=0)[0].n == 0
