from fractions import Fraction
from typing import Any

import pytest

from simulator.measure.measured import Measured
from simulator.measure.observations import Scene, lateness_ns, observe
from simulator.measure.order import order_of
from simulator.measure.plan import Session
from simulator.model.timeline import AlertEvent
from simulator.thresholds import Observation, parse_thresholds

S, MS = 1_000_000_000, 1_000_000


def seen_by(scene: Scene, key: str, expression: str) -> Observation:
    (threshold,) = parse_thresholds({key: expression})
    return observe(threshold, scene)


def scene_of(measured: Measured, *, precision_ns: int = 0) -> Scene:
    return Scene(
        measured=measured,
        order=order_of(measured.account.evidence),
        precision_ns=precision_ns,
    )


def bounds(observation: Observation) -> tuple[Any, Any, Any]:
    return (observation.low, observation.value, observation.high)


@pytest.mark.parametrize(
    ("expression", "value_ms"),
    [("min<1s", 1), ("max<1s", 100), ("avg<1s", 50.5), ("med<1s", 50), ("p(90)<1s", 90)],
)
def test_a_latency_is_observed_with_the_error_of_its_stamps(
    kit: Any, expression: str, value_ms: float
) -> None:
    scene = scene_of(kit.measured(range(1, 101), uncertainty_ns=300))

    observed = seen_by(scene, "delivery_latency", expression)

    value = round(value_ms * MS)
    assert bounds(observed) == (value - 300, value, value)
    assert observed.samples == 100


@pytest.mark.parametrize(
    ("segment", "below", "value", "above"),
    [
        ("send", 0, 1_000, 0),
        ("transit", 300, 5 * MS - 1_000, 0),
        ("handling", 0, 100, 300),  # the earlier the true arrival, the longer the handling
        ("delivery", 300, 5 * MS, 0),
        ("end-to-end", 0, 5 * MS + 100, 0),
    ],
)
def test_each_segment_has_its_own_error(
    kit: Any, segment: str, below: int, value: int, above: int
) -> None:
    scene = scene_of(kit.measured([5], uncertainty_ns=300))

    observed = seen_by(scene, f"delivery_latency{{segment={segment}}}", "max<1s")

    assert bounds(observed) == (value - below, value, value + above)


def mixed(kit: Any) -> Scene:
    """Miyagi live at 10 ms, Niigata at 30 ms on QoS 0 and lost once; one queued, one retained."""
    alerts = [
        kit.alert(0),
        kit.alert(1, prefecture="niigata"),
        kit.alert(2, at_s=1, prefecture="niigata", event=AlertEvent.PASSAGE),
    ]
    control = kit.sub(3, prefecture="okinawa", kind=kit.Kind.CONTROL)
    subs = [
        kit.sub(0),
        kit.sub(1, prefecture="niigata", qos=0),
        kit.sub(2, session=Session.PERSISTENT),
        control,
        kit.sub(4, filters=(("alertsim/v1/state/+", 1),)),
    ]
    ledger = kit.ledger(alerts, subs)
    for number, late_ns in ((0, 1_000), (1, 3_000), (2, 5_000)):
        kit.send(ledger, number, late_ns=late_ns)
    ledger.connection(kit.change(2, kit.Change.OFFLINE, -1))
    ledger.connection(kit.change(2, kit.Change.CONNECTED, 2, session_present=True))
    ledger.receipts(
        kit.batch(
            kit.row(0, 0, 10 * MS),
            kit.row(0, 0, 11 * MS, flags=kit.Flag.DUP),
            kit.row(1, 1, 30 * MS),
            kit.row(2, 0, 3 * S),
            kit.row(3, 0, 10 * MS),
            kit.row(4, 0, 50 * S, flags=kit.Flag.STATE | kit.Flag.RETAIN),
        )
    )
    return scene_of(Measured(kit.close(ledger)), precision_ns=60 * S)


@pytest.mark.parametrize(
    ("key", "low_ns", "high_ns", "samples"),
    [
        ("delivery_latency", 10 * MS, 3 * S, 3),
        ("delivery_latency{population=live}", 10 * MS, 30 * MS, 2),
        ("delivery_latency{population=queued}", 3 * S, 3 * S, 1),
        ("delivery_latency{population=live,prefecture=miyagi}", 10 * MS, 10 * MS, 1),
        ("delivery_latency{event=launch,qos=0}", 30 * MS, 30 * MS, 1),
        ("alert_age", 50 * S, 50 * S, 1),
        ("send_lateness", 1_000, 5_000, 3),
        ("send_lateness{prefecture=niigata}", 3_000, 5_000, 2),
        ("send_lateness{event=passage}", 5_000, 5_000, 1),
    ],
)
def test_tags_select_the_samples(
    kit: Any, key: str, low_ns: int, high_ns: int, samples: int
) -> None:
    scene = mixed(kit)

    assert seen_by(scene, key, "min<1s").value == low_ns
    assert seen_by(scene, key, "max<1s").value == high_ns
    assert seen_by(scene, key, "count>=0").value == samples


@pytest.mark.parametrize(
    ("key", "count", "share"),
    [
        ("expected", 4, Fraction(1)),
        ("delivered", 2, Fraction(1, 2)),
        ("queued", 1, Fraction(1, 4)),
        ("lost", 1, Fraction(1, 4)),
        ("late", 0, Fraction(0)),
        ("lost{prefecture=niigata}", 1, Fraction(1, 2)),
        ("lost{prefecture=miyagi}", 0, Fraction(0)),
        ("lost{event=passage}", 1, Fraction(1)),
        ("lost{qos=0,kind=swarm}", 1, Fraction(1, 2)),
        ("duplicates", 1, Fraction(1, 5)),
        ("duplicates{cause=redelivery}", 1, Fraction(1, 5)),
        ("duplicates{cause=overlap}", 0, Fraction(0)),
        ("unexpected", 1, Fraction(1, 5)),
        ("unexpected{cause=wrong-area}", 1, Fraction(1, 5)),
        ("unexpected{cause=malformed}", 0, Fraction(0)),
        ("receipts", 5, Fraction(1)),
        ("qos_lowered", 2, Fraction(2, 3)),  # the rows of Miyagi say QoS 0, Niigata asked for it
        ("qos_lowered{prefecture=niigata}", 0, Fraction(0)),
        ("gaps", 0, Fraction(0)),
        ("reordered", 0, Fraction(0)),
    ],
)
def test_counts_and_shares_come_from_the_ledger(
    kit: Any, key: str, count: int, share: Fraction
) -> None:
    scene = mixed(kit)

    assert bounds(seen_by(scene, key, "count==0")) == (count, count, count)
    assert seen_by(scene, key, "rate<1").value == share


def test_a_share_of_nothing_and_a_latency_of_nobody_are_missing(kit: Any) -> None:
    scene = mixed(kit)

    assert seen_by(scene, "lost{kind=control}", "count==0").value == 0
    assert "share of nothing" in seen_by(scene, "lost{kind=control}", "rate<1").reason
    assert seen_by(scene, "delivery_latency{event=test}", "max<1s").reason == "nothing was measured"


def test_reordering_and_gaps_are_counted(kit: Any) -> None:
    alerts = [kit.alert(n, at_s=n) for n in range(4)]
    ledger = kit.ledger(alerts, [kit.sub(0)])
    kit.send(ledger, *range(4))
    ledger.receipts(kit.batch(kit.row(0, 3, 3 * S), kit.row(0, 0, 4 * S)))
    scene = scene_of(Measured(kit.close(ledger)))

    assert seen_by(scene, "reordered", "count==0").value == 1
    assert seen_by(scene, "gaps", "count==0").value == 2


def test_a_state_that_is_wrong_at_the_end_is_counted(kit: Any) -> None:
    alerts = [kit.alert(0), kit.alert(1, at_s=1, in_force=False)]
    ledger = kit.ledger(alerts, [kit.sub(0), kit.sub(1)])
    kit.send(ledger, 0, 1)
    ledger.receipts(kit.batch(kit.row(0, 0), kit.row(1, 0), kit.row(1, 1, S)))
    scene = scene_of(Measured(kit.close(ledger)))

    assert seen_by(scene, "stale", "count==0").value == 1
    assert seen_by(scene, "stale", "rate<0.1").value == Fraction(1, 2)


def test_lead_times_carry_the_precision_of_their_sources(kit: Any) -> None:
    observed = seen_by(mixed(kit), "predicted_lead_time{prefecture=niigata}", "min>0s")
    lead = -120 * S - 30 * MS

    assert bounds(observed) == (lead - 60 * S, lead, lead + 60 * S)
    assert observed.samples == 1
    assert seen_by(mixed(kit), "predicted_lead_time", "count>0").value == 3


def test_the_stamps_uncertainty_widens_a_lead_time_upwards(kit: Any) -> None:
    scene = scene_of(kit.measured([5], uncertainty_ns=300))
    lead = -120 * S - 5 * MS

    assert bounds(seen_by(scene, "predicted_lead_time", "min>0s")) == (lead, lead, lead + 300)


def test_where_nothing_arrived_or_nobody_was_warned_there_is_no_lead_time(kit: Any) -> None:
    scene = mixed(kit)

    assert "not applicable" in seen_by(scene, "lead_time", "min>0s").reason
    assert "nobody" in seen_by(scene, "lead_time{prefecture=okinawa}", "min>0s").reason


def test_lateness_is_one_sample_for_each_alert_sent(kit: Any) -> None:
    ledger = kit.ledger([kit.alert(0), kit.alert(1)], [])
    kit.send(ledger, 1, late_ns=77)

    assert lateness_ns(kit.close(ledger)).tolist() == [77]
