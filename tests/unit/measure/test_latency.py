from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from simulator.measure.latency import (
    HISTOGRAM_HIGHEST_NS,
    latency_curves,
    latency_over_time,
    latency_table,
)
from simulator.measure.measured import Measured
from simulator.measure.plan import Session
from simulator.measure.sampling import Resampler, nearest_rank
from simulator.measure.summary import LatencyRow

MS = 1_000_000


def table(measured: Measured) -> dict[tuple[Any, ...], LatencyRow]:
    rows = latency_table(measured, Resampler(1))
    return {
        (row.population, row.segment, row.prefecture or row.event or row.qos): row for row in rows
    }


def test_n_alerts_and_bursts_stand_beside_the_figures(kit: Any) -> None:
    row = table(kit.measured([1, 2, 3, 4], bursts=2))["live", "delivery", None]

    assert (row.n, row.alerts, row.bursts, row.negatives) == (4, 2, 2, 0)
    assert (row.min_ns, row.mean_ns, row.max_ns) == (MS, 2_500_000, 4 * MS)
    assert [q.value_ns for q in row.quantiles] == [None] * 4
    assert row.quantiles[2].reason == "n is 4, and this quantile needs 1000"
    assert (row.mean_low_ns, row.mean_high_ns) == (None, None)


def test_a_large_sample_has_quantiles_and_ten_bursts_an_interval(kit: Any) -> None:
    few = table(kit.measured(np.arange(1, 1001) / 10, bursts=9))["live", "delivery", None]
    many = table(kit.measured(np.arange(1, 1001) / 10, bursts=10))["live", "delivery", None]

    for row in (few, many):
        assert [q.value_ns for q in row.quantiles] == [50 * MS, 90 * MS, 99 * MS, None]
    assert [q.reason for q in few.quantiles][:3] == ["no interval under 10 bursts"] * 3
    assert few.quantiles[0].low_ns is None
    middle = many.quantiles[0]
    assert middle.low_ns is not None
    assert middle.high_ns is not None
    assert middle.low_ns < 50 * MS < middle.high_ns
    assert many.quantiles[3].low_ns is None, "no quantile, no interval"


def test_segments_add_up_row_by_row_in_their_means(kit: Any) -> None:
    rows = table(kit.measured([5, 7, 9]))
    send, transit, handling, delivery, whole = (
        rows["live", segment, None].mean_ns
        for segment in ("send", "transit", "handling", "delivery", "end-to-end")
    )
    assert None not in {send, transit, handling}
    assert send is not None
    assert transit is not None
    assert handling is not None
    assert send + transit == delivery
    assert send + transit + handling == whole


def test_negatives_are_counted_and_part_of_every_figure(kit: Any) -> None:
    row = table(kit.measured([-2, -1, 3]))["live", "delivery", None]

    assert (row.negatives, row.min_ns, row.mean_ns) == (2, -2 * MS, 0)


def test_what_a_histogram_cannot_hold_is_counted(kit: Any) -> None:
    beyond_ms = HISTOGRAM_HIGHEST_NS / MS + 1
    assert table(kit.measured([1, beyond_ms]))["live", "delivery", None].out_of_range == 1


def test_the_stamps_uncertainty_stands_only_where_a_receive_stamp_is_used(kit: Any) -> None:
    rows = table(kit.measured([5], uncertainty_ns=40))

    found = {
        segment: row.uncertainty_max_ns for (_, segment, part), row in rows.items() if not part
    }
    assert found == {"send": 0, "transit": 40, "handling": 40, "delivery": 40, "end-to-end": 0}


def test_live_delivery_is_shown_by_prefecture_event_and_by_qos_if_there_are_several(
    kit: Any,
) -> None:
    alerts = [kit.alert(0), kit.alert(1, prefecture="niigata")]
    for qos, expected in ((0, {0, 1}), (1, set())):
        ledger = kit.ledger(alerts, [kit.sub(0), kit.sub(1, prefecture="niigata", qos=qos)])
        kit.send(ledger, 0, 1)
        ledger.receipts(kit.batch(kit.row(0, 0, 10), kit.row(1, 1, 30)))
        rows = latency_table(Measured(kit.close(ledger)), Resampler(1))

        assert {row.prefecture: row.max_ns for row in rows if row.prefecture} == {
            "miyagi": 10,
            "niigata": 30,
        }
        assert {row.event: row.max_ns for row in rows if row.event} == {"launch": 30}
        assert {row.qos for row in rows if row.qos is not None} == expected


def test_a_prefecture_without_a_delivery_has_no_row(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0), kit.alert(1, prefecture="niigata")], [kit.sub(0)])
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 0, 10)))
    rows = latency_table(Measured(kit.close(ledger)), Resampler(1))

    assert {row.prefecture for row in rows} == {None, "miyagi"}


def test_queued_and_retained_are_tables_of_their_own(kit: Any) -> None:
    flag = kit.Flag
    filters = (("alertsim/v1/alerts/miyagi/+", 1), ("alertsim/v1/state/+", 1))
    subs = [
        kit.sub(0, filters=filters),
        kit.sub(1, session=Session.PERSISTENT),
        kit.sub(2, kind=kit.Kind.FOREIGN),
    ]
    ledger = kit.ledger([kit.alert(0)], subs)
    kit.send(ledger, 0)
    ledger.connection(kit.change(1, kit.Change.OFFLINE, -1))
    ledger.connection(kit.change(1, kit.Change.CONNECTED, 2, session_present=True))
    ledger.receipts(
        kit.batch(
            kit.row(0, 0, 20 * kit.S, flags=flag.RETAIN),  # an alert that a broker had retained
            kit.row(0, 0, 30 * kit.S, flags=flag.STATE | flag.RETAIN, uncertainty_ns=5),
            kit.row(0, 0, None, flags=flag.STATE | flag.RETAIN),
            kit.row(0, 0, 40 * kit.S, flags=flag.STATE | flag.RETAIN | flag.ROUND_TRIP),
            kit.row(1, 0, 3 * kit.S),
            kit.row(2, 0, 7 * kit.S, flags=flag.ROUND_TRIP, uncertainty_ns=6 * kit.S),
        )
    )
    measured = Measured(kit.close(ledger))
    rows = table(measured)

    assert rows["queued", "delivery", None].max_ns == 3 * kit.S
    age = rows["retained", "age", None]
    assert (age.n, age.min_ns, age.max_ns) == (2, 20 * kit.S, 30 * kit.S)
    assert age.uncertainty_max_ns == 5
    assert rows["live", "round-trip", None].max_ns == 7 * kit.S
    assert ("live", "delivery", None) not in rows, "a retained copy is no latency"
    assert len(measured.ages(prefecture="miyagi", event="launch", qos=0)) == 1
    assert len(measured.ages(qos=1)) == 1
    assert len(measured.ages(prefecture="niigata")) == 0
    assert len(measured.ages(event="passage")) == 0


def test_a_curve_goes_as_far_as_n_allows_and_ends_at_the_maximum(kit: Any) -> None:
    curves = {c.segment: c for c in latency_curves(kit.measured(np.arange(1, 1001) / 10))}
    curve = curves["delivery"]

    assert curve.n == 1000
    assert len(curve.points) <= 200
    percents = [point.percent for point in curve.points]
    assert percents == sorted(set(percents))
    assert percents[-2] <= 99 < percents[-1] == 100
    assert curve.points[-1].value_ns == 100 * MS
    ordered = np.arange(1, 1001) * MS // 10
    for point in curve.points:
        assert point.value_ns == nearest_rank(ordered, Fraction(point.percent))


def test_a_tiny_sample_has_only_its_maximum(kit: Any) -> None:
    curve = latency_curves(kit.measured([5]))[0]
    assert [point.percent for point in curve.points] == [100]


def test_the_run_over_time_keeps_every_delivery_in_one_bin(kit: Any) -> None:
    bins = latency_over_time(kit.measured(np.arange(600) % 7 + 1, bursts=300))

    assert len(bins) <= 120
    assert sum(part.n for part in bins) == 600
    assert all(a.end_ns <= b.start_ns for a, b in pairwise(bins))
    assert min(part.min_ns for part in bins) == MS
    assert max(part.max_ns for part in bins) == 7 * MS
    assert all(part.min_ns <= part.median_ns <= part.max_ns for part in bins)


def test_bins_of_one_instant_and_of_nothing(kit: Any) -> None:
    (only,) = latency_over_time(kit.measured([1, 2, 9]))
    assert (only.start_ns, only.n, only.median_ns) == (0, 3, 2 * MS)
    assert latency_over_time(Measured(kit.close(kit.ledger([kit.alert(0)], [])))) == ()


@pytest.mark.parametrize("empty", [True, False])
def test_without_deliveries_there_is_no_table(kit: Any, *, empty: bool) -> None:
    ledger = kit.ledger([] if empty else [kit.alert(0)], [kit.sub(0)])
    measured = Measured(kit.close(ledger))

    assert latency_table(measured, Resampler(1)) == ()
    assert latency_curves(measured) == ()
