from collections.abc import Mapping
from typing import Any

import pytest

from simulator.measure.running import BUCKETS_NS
from simulator.service.metrics_fold import BOUNDS, Histogram, Totals
from simulator.units import NS_PER_MS

DELIVERY = ("delivery", "miyagi", "1", "launch")


def tally(*cells: tuple[int, int], sum_ns: int = 0) -> dict[str, Any]:
    buckets = [0] * BOUNDS
    for at, count in cells:
        buckets[at] = count
    return {"n": sum(buckets), "sum_ns": str(sum_ns), "buckets": buckets}


def group(segments: Mapping[str, object], **other: object) -> dict[str, Any]:
    return {"prefecture": "miyagi", "event": "launch", "qos": 1, "segments": segments, **other}


def progress(*groups: object, **counts: object) -> dict[str, Any]:
    return {"type": "progress", "groups": list(groups), **counts}


@pytest.fixture
def totals() -> Totals:
    totals = Totals()
    totals.began("a")
    return totals


def test_cumulative_figures_of_a_run_are_counted_once(totals: Totals) -> None:
    totals.event("a", progress(group({"delivery": tally((2, 3), sum_ns=30)})))
    totals.event("a", progress(group({"delivery": tally((2, 3), (4, 2), sum_ns=90)})))
    totals.event("a", progress(group({"delivery": tally((2, 3), (4, 2), sum_ns=90)})))
    assert sum(totals.latency[DELIVERY].cells) == 5
    assert totals.latency[DELIVERY].cells[4] == 2
    assert totals.latency[DELIVERY].sum_ns == 90
    assert not totals.latency[DELIVERY].signed


def test_two_runs_at_once_add_up(totals: Totals) -> None:
    totals.began("b")
    for run in ("a", "b", "a", "b"):
        seen = {"online": True}, {"online": False}
        totals.event(
            run,
            progress(
                group({"delivery": tally((1, 4), sum_ns=8)}),
                delivered=4,
                reconnects=2,
                clients=[*seen],
            ),
        )
    assert totals.latency[DELIVERY].cells[1] == 8
    assert (totals.receipts["first"], totals.reconnects) == (8, 4)
    assert (totals.active, totals.online) == (2, 2)
    totals.ended("a", "pass")
    assert (totals.active, totals.online) == (1, 1)


def test_the_same_run_again_after_its_end_counts_anew(totals: Totals) -> None:
    totals.event("a", progress(delivered=4))
    totals.ended("a", "pass")
    totals.event("a", progress(delivered=5))  # nobody plays: nothing is added
    totals.began("a")
    totals.event("a", progress(delivered=4))
    assert totals.receipts["first"] == 8


@pytest.mark.parametrize(
    "bad",
    [
        group({"delivery": tally((0, 1))}, prefecture='x",y="1'),
        group({"delivery": tally((0, 1))}, prefecture=["miyagi"]),
        group({"delivery": tally((0, 1))}, prefecture=None),
        group({"delivery": tally((0, 1))}, event="launch\n"),
        group({"delivery": tally((0, 1))}, event="x" * 10_000),
        group({"delivery": tally((0, 1))}, qos=3),
        group({"delivery": tally((0, 1))}, qos=True),
        group({"elsewhere": tally((0, 1))}),
        group({"delivery": 7}),
        group({"delivery": {"sum_ns": "1", "buckets": [1]}}),
        group({"delivery": {"sum_ns": "x", "buckets": [1] * BOUNDS}}),
        group({"delivery": {"sum_ns": "9" * 5000, "buckets": [1] * BOUNDS}}),
        group({"delivery": {"sum_ns": 1, "buckets": [1] * BOUNDS}}),
        group({"delivery": {"sum_ns": "1", "buckets": [-1] * BOUNDS}}),
        group({"delivery": {"sum_ns": "1", "buckets": [10**400] * BOUNDS}}),
        group({"delivery": {"sum_ns": "1", "buckets": [0.5] * BOUNDS}}),
        group({"delivery": {"sum_ns": "1", "buckets": "1" * BOUNDS}}),
        {"prefecture": "miyagi"},
        "text",
        None,
    ],
)
def test_what_fits_no_label_is_refused_and_counted(totals: Totals, bad: object) -> None:
    totals.event("a", progress(bad))
    assert totals.latency == {}
    assert totals.refused == 1


def test_a_figure_that_falls_is_refused(totals: Totals) -> None:
    totals.event("a", progress(group({"delivery": tally((2, 3))}), delivered=4, reconnects=1))
    totals.event("a", progress(group({"delivery": tally((2, 2))}), delivered=3, reconnects="2"))
    assert totals.latency[DELIVERY].cells[2] == 3
    assert (totals.receipts["first"], totals.reconnects, totals.refused) == (4, 1, 3)


def test_alerts_are_counted_with_the_publishers_delay(totals: Totals) -> None:
    for late_ns, place in (("700000", "miyagi"), ("20000000000", "miyagi"), ("1", "atlantis")):
        event = {"type": "sent", "prefecture": place, "event": "launch", "late_ns": late_ns}
        totals.event("a", event)
    totals.event("a", {"type": "sent", "prefecture": "miyagi", "event": "launch"})
    assert totals.sent == {("miyagi", "launch"): 3}
    assert totals.publish_delay.cells[1] == 1
    assert totals.publish_delay.cells[-1] == 1
    assert totals.refused == 2


def test_the_end_brings_the_ledger_and_what_progress_had_not_told(totals: Totals) -> None:
    totals.event("a", progress(delivered=5, duplicates=2))
    ledger = {
        "delivered": 6,
        "late": 1,
        "queued": 1,
        "expired": 0,
        "missed_offline": 3,
        "undetermined": 0,
        "lost": 2,
        "not_sent": 0,
        "duplicates": 1,
        "unexpected": 4,
    }
    totals.event("a", {"type": "end", "outcome": "fail", "ledger": ledger})
    assert totals.deliveries["missed-offline"] == 3
    assert sum(totals.deliveries.values()) == totals.expected == 13
    assert totals.receipts == {"first": 8, "duplicate": 2, "unexpected": 4}
    assert totals.runs == {"fail": 1}
    assert totals.active == 0


def test_an_end_is_counted_once_and_a_strange_one_as_an_error(totals: Totals) -> None:
    totals.event("a", {"type": "end", "outcome": "exploded", "ledger": None})
    totals.ended("a", "pass")
    totals.ended("never began", "pass")
    assert totals.runs == {"error": 1}


def test_a_ledger_with_holes_is_refused_where_it_has_them(totals: Totals) -> None:
    totals.event("a", {"type": "end", "outcome": "pass", "ledger": {"delivered": 2, "lost": "1"}})
    assert totals.expected == 2
    assert totals.refused == 7


def test_what_a_run_dropped_is_counted(totals: Totals) -> None:
    totals.event("a", {"type": "phase", "dropped": 3})
    totals.event("a", {"type": "phase", "dropped": "many"})
    assert totals.dropped == 3


def test_clients_that_are_no_list_change_nothing(totals: Totals) -> None:
    totals.event("a", progress(clients=[{"online": True}, {"online": "yes"}, 3]))
    totals.event("a", {"type": "progress", "clients": 3, "groups": 3})
    assert totals.online == 1


def test_a_sum_with_values_below_zero_is_marked() -> None:
    histogram = Histogram()
    histogram.put(-NS_PER_MS)
    assert histogram.signed
    assert histogram.cells[0] == 1
    histogram = Histogram()
    histogram.put(BUCKETS_NS[3])
    assert histogram.cells[3] == 1
    assert not histogram.signed
