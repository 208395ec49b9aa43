"""The ledger of subscribers that join, leave and return by plan."""

from typing import Any

import pytest

from simulator.measure.groups import group_summaries
from simulator.measure.measured import Measured
from simulator.measure.observations import Scene, observe
from simulator.measure.order import order_of
from simulator.measure.plan import Absence, Conduct, PlannedGroup, Session
from simulator.model.timeline import AlertEvent
from simulator.thresholds import parse_thresholds

S, MS = 1_000_000_000, 1_000_000
TEST = AlertEvent.TEST


@pytest.fixture
def story(kit: Any) -> Any:
    """Three messages of one topic at 0, 10 and 20 s; who leaves at 12 s and is back at 18 s."""

    def make(*seen: int, persistent: bool = False, late_after_s: float = 5) -> Any:
        alerts = [kit.alert(n, at_s=10 * n, event=TEST, in_force=False) for n in range(3)]
        session = Session.PERSISTENT if persistent else Session.CLEAN
        ledger = kit.ledger(
            alerts, [kit.sub(0, session=session)], late_after_ns=round(late_after_s * S)
        )
        for change, at_s, more in (
            ("CONNECTED", -2, {}),
            ("SUBSCRIBED", -1, {}),
            ("OFFLINE", 12, {}),
            ("CONNECTED", 18, {"session_present": persistent}),
            ("SUBSCRIBED", 19, {}),
        ):
            ledger.connection(kit.change(0, kit.Change[change], at_s, **more))
        kit.send(ledger, 0, 1, 2)
        ledger.receipts(kit.batch(*(kit.row(0, n, n * 10 * S + MS) for n in seen)))
        return ledger

    return make


def outcomes(account: Any) -> list[tuple[str, str]]:
    return [
        (str(outcome), str(cause))
        for columns in account.rows()
        for outcome, cause in zip(columns["outcome"], columns["cause"], strict=True)
    ]


def test_unseen_shortly_before_leaving_is_no_loss_but_a_message_passed_over_is(
    kit: Any, story: Any
) -> None:
    assert outcomes(kit.close(story(0, 2)))[1] == ("missed-offline", "leaving")
    # In time is longer now: the first message too was sent before the leaving, and the second,
    # of the same topic, came all the same.
    assert outcomes(kit.close(story(1, 2, late_after_s=15)))[0] == ("lost", "no-receipt")
    assert outcomes(kit.close(story(2, late_after_s=15)))[0] == ("missed-offline", "leaving")


def test_a_shared_subscription_whose_only_member_leaves_misses_it(kit: Any) -> None:
    alerts = [kit.alert(n, at_s=10 * n, event=TEST, in_force=False) for n in range(2)]
    only = kit.sub(0, group="crew", filters=(("$share/x/alertsim/v1/alerts/miyagi/+", 1),))
    ledger = kit.ledger(alerts, [only], late_after_ns=5 * S)
    for change, at_s in (("CONNECTED", -2), ("SUBSCRIBED", -1), ("OFFLINE", 12)):
        ledger.connection(kit.change(0, kit.Change[change], at_s))
    kit.send(ledger, 0, 1)
    account = kit.close(ledger)
    assert outcomes(account) == [("lost", "no-receipt"), ("missed-offline", "leaving")]
    (columns,) = account.rows()
    assert columns["subscriber"] == [None, None]
    assert list(columns["group"]) == ["crew", "crew"]


def test_nobody_waits_for_what_cannot_come_any_more(kit: Any, story: Any) -> None:
    ledger = story(0, 2)
    assert ledger.waiting() == 1
    ledger.forgo(kit.T0 + 30 * S)
    assert ledger.waiting() == 0
    kept = story(0, 2, persistent=True)
    kept.forgo(kit.T0 + 30 * S)
    assert kept.waiting() == 1
    alone = story(0, 1)
    alone.forgo(kit.T0 + 30 * S)
    assert alone.waiting() == 1


def test_a_group_says_what_it_was_owed_and_what_became_of_it(kit: Any) -> None:
    conduct = Conduct(absences=(Absence(leaves_ns=5 * S, returns_ns=15 * S),))
    join = Conduct(joins_ns=5 * S)
    state = "alertsim/v1/state/miyagi"
    subscribers = [
        kit.sub(0, group="away", session=Session.PERSISTENT, conduct=conduct),
        kit.sub(
            1,
            group="late",
            conduct=join,
            joins_ns=kit.T0 + 5 * S,
            filters=(("alertsim/v1/alerts/miyagi/+", 1), (state, 1)),
        ),
        kit.sub(2, group="gone", conduct=conduct),
        kit.sub(3),
        kit.sub(4, group="crew", filters=(("$share/x/alertsim/v1/alerts/miyagi/+", 1),)),
        kit.sub(5, group="crew", filters=(("$share/x/alertsim/v1/alerts/miyagi/+", 1),)),
        kit.sub(6, "tokyo", group="late", conduct=join, joins_ns=kit.T0 + 5 * S),
    ]
    ledger = kit.ledger([kit.alert(n, at_s=10 * n) for n in range(2)], subscribers)
    for number in (0, 2):
        for change, at_s in (("CONNECTED", -2), ("SUBSCRIBED", -1), ("OFFLINE", 5)):
            ledger.connection(kit.change(number, kit.Change[change], at_s))
    for number, back_s in ((0, 15), (1, 5)):
        present = number == 0
        ledger.connection(
            kit.change(number, kit.Change.CONNECTED, back_s + 0.1, session_present=present)
        )
        ledger.connection(kit.change(number, kit.Change.SUBSCRIBED, back_s + 0.2))
    kit.send(ledger, 0, 1)
    flags = kit.Flag.STATE | kit.Flag.RETAIN
    ledger.receipts(
        kit.batch(
            kit.row(0, 0),
            kit.row(0, 1, 15 * S + 300 * MS, uncertainty_ns=7),
            kit.row(1, 0, 5 * S + 300 * MS, flags=flags, uncertainty_ns=9),
            kit.row(1, 1, 10 * S + MS),
            kit.row(2, 0),
            kit.row(3, 0),
            kit.row(3, 1, 10 * S + MS),
            kit.row(5, 0),
            kit.row(4, 1, 10 * S + MS),
            kit.row(4, 1, 10 * S + 2 * MS),
            kit.row(1, -1, 10 * S, flags=kit.Flag.MALFORMED),
        )
    )
    names = ("away", "late", "gone", "crew", "controls")
    planned = [PlannedGroup(name=name, kind="k", members=1, why="w") for name in names]
    found = {one.name: one for one in group_summaries(Measured(kit.close(ledger)), planned)}
    assert list(found) == list(names)
    away, late, gone, crew = (found[name] for name in names[:4])
    assert (away.counts.expected, away.counts.delivered, away.counts.queued) == (2, 1, 1)
    assert [figure.population for figure in away.figures] == ["live", "queued"]
    queued = away.figures[1]
    assert (queued.n, queued.min_ns, queued.uncertainty_max_ns) == (1, 5 * S + 300 * MS, 7)
    assert (queued.p99_ns, queued.handling_max_ns) == (None, 100)
    assert away.absences is not None
    assert (away.absences.left, away.absences.resumed, away.absences.returned) == (1, 1, 1)
    assert away.absences.back_max_ns == 200 * MS
    assert away.states is None
    assert (late.counts.expected, late.counts.delivered, late.counts.unexpected) == (1, 1, 1)
    retained = late.figures[1]
    assert (retained.population, retained.n, retained.min_ns) == ("retained", 1, 5 * S + 300 * MS)
    assert (retained.uncertainty_max_ns, retained.handling_max_ns) == (9, None)
    assert late.states is not None
    assert (late.states.joined, late.states.due, late.states.seen) == (1, 1, 1)
    assert late.absences is not None
    assert (late.absences.returns_due, late.absences.returned) == (2, 1)
    assert gone.absences is not None
    assert (gone.absences.returned, gone.absences.back_median_ns) == (0, None)
    assert gone.absences.most_connects_per_s == 0
    assert (gone.counts.missed_offline, gone.counts.delivered) == (1, 1)
    assert (crew.counts.expected, crew.counts.delivered, crew.counts.duplicates) == (2, 2, 1)
    assert (crew.absences, crew.states) == (None, None)
    assert (found["controls"].counts.expected, found["controls"].figures) == (0, ())


def test_a_storm_is_counted_by_its_densest_second(kit: Any) -> None:
    conduct = Conduct(absences=(Absence(leaves_ns=S, returns_ns=2 * S),))
    subscribers = [kit.sub(n, group="storm", conduct=conduct) for n in range(5)]
    ledger = kit.ledger([kit.alert(0)], subscribers)
    for number, at_s in enumerate((2.0, 2.5, 2.9, 3.3, 4.0)):
        ledger.connection(kit.change(number, kit.Change.CONNECTED, at_s))
    measured = Measured(kit.close(ledger))
    group = PlannedGroup(name="storm", kind="flapping", members=5, why="")
    (found,) = group_summaries(measured, [group])
    assert found.absences is not None
    assert found.absences.most_connects_per_s == 3
    assert (found.absences.returns_due, found.absences.returned) == (5, 0)


def test_a_state_that_was_cleared_is_owed_to_nobody(kit: Any) -> None:
    state = "alertsim/v1/state/miyagi"
    late = kit.sub(
        0,
        group="late",
        joins_ns=kit.T0 + 15 * S,
        conduct=Conduct(joins_ns=15 * S),
        filters=((state, 1),),
    )
    alerts = [kit.alert(0), kit.alert(1, at_s=10, in_force=False), kit.alert(2, at_s=20)]
    ledger = kit.ledger(alerts, [late])
    kit.send(ledger, 0, 1, 2)
    ledger.connection(kit.change(0, kit.Change.CONNECTED, 15))
    group = PlannedGroup(name="late", kind="late", members=1, why="")
    (found,) = group_summaries(Measured(kit.close(ledger)), [group])
    assert found.states is not None
    assert (found.states.joined, found.states.due, found.states.seen) == (1, 0, 0)


def test_without_alerts_there_is_nothing_to_be_late_for(kit: Any) -> None:
    member = kit.sub(0, group="g", conduct=Conduct(absences=(Absence(leaves_ns=1, returns_ns=2),)))
    group = PlannedGroup(name="g", kind="offline", members=1, why="")
    (found,) = group_summaries(Measured(kit.close(kit.ledger([], [member]))), [group])
    assert found.absences is None


def test_a_threshold_may_speak_of_one_group(kit: Any) -> None:
    state = "alertsim/v1/state/miyagi"
    subscribers = [
        kit.sub(0, group="near"),
        kit.sub(1, group="far", filters=(("alertsim/v1/alerts/miyagi/+", 1), (state, 1))),
    ]
    ledger = kit.ledger([kit.alert(0), kit.alert(1, at_s=10)], subscribers)
    kit.send(ledger, 0, 1)
    flags = kit.Flag.STATE | kit.Flag.RETAIN
    ledger.receipts(
        kit.batch(
            kit.row(0, 0, 5 * MS),
            kit.row(0, 1, 10 * S + 5 * MS),
            kit.row(1, 0, 80 * MS),
            kit.row(1, 0, 90 * MS, flags=flags),
        )
    )
    measured = Measured(kit.close(ledger))
    scene = Scene(measured=measured, order=order_of(measured.account.evidence), precision_ns=0)

    def value(key: str, expression: str) -> object:
        (threshold,) = parse_thresholds({key: expression})
        return observe(threshold, scene).value

    assert value("delivery_latency{group=near}", "max<1s") == 5 * MS
    assert value("delivery_latency{group=far}", "max<1s") == 80 * MS
    assert [value(f"lost{{group={name}}}", "count==0") for name in ("near", "far")] == [0, 1]
    assert value("alert_age{group=far}", "max<1s") == 90 * MS
    assert value("alert_age{group=near}", "count==0") == 0
