"""Every pair has one outcome, whatever happens: sends, copies, connections in any order."""

from collections import Counter, defaultdict
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.measure.account import Account, Tally
from simulator.measure.ledger import Ledger
from simulator.measure.order import order_of
from simulator.measure.plan import (
    PlannedSubscriber,
    ScheduledAlert,
    Session,
    SubscriberKind,
    filter_matches,
)
from simulator.measure.receipts import (
    NO_TIME,
    UNKNOWN,
    ConnectionChange,
    ConnectionEvent,
    ReceiptBatch,
    ReceiptFlag,
)
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert


def effective_qos(subscriber: PlannedSubscriber, topic: str, published: int) -> int | None:
    """By the standard's words and one pair at a time: the lower of published and best granted."""
    granted = [qos for pattern, qos in subscriber.filters if filter_matches(pattern, topic)]
    return min(published, max(granted)) if granted else None


PREFECTURES = ("miyagi", "niigata")
EVENTS = (AlertEvent.LAUNCH, AlertEvent.PASSAGE)
FILTERS = (
    "r/v1/alerts/miyagi/+",
    "r/v1/alerts/niigata/launch",
    "r/v1/alerts/#",
    "r/v1/state/+",
    "r/#",
    "$share/g/r/v1/alerts/miyagi/+",
    "$share/h/r/v1/alerts/+/launch",
)
LATE_NS = 1_000
EXPIRY_NS = 300
CLOSED_NS = 10_000

times = st.one_of(st.integers(0, 2_500), st.just(NO_TIME), st.integers(-5, CLOSED_NS + 5))
Plan = tuple[list[ScheduledAlert], list[PlannedSubscriber]]
Row = tuple[int, int, int, int, int, int]


def alert(number: int, prefecture: str, event: AlertEvent, qos: int, at_ns: int) -> ScheduledAlert:
    return ScheduledAlert(
        number=number,
        planned=PlannedAlert(
            number=number,
            event_number=number,
            at_ns=at_ns,
            launch="l",
            prefecture=prefecture,
            event=event,
            msg_type=MsgType.ALERT,
            sequence=1,
            in_force=True,
            cause=0,
        ),
        repetition=0,
        sequence=1,
        identifier=f"{number}",
        references=(),
        topic=f"r/v1/alerts/{prefecture}/{event.value}",
        state_topic=f"r/v1/state/{prefecture}",
        qos=qos,
        burst=number,
        intended_ns=at_ns,
    )


def first(pair: tuple[str, int]) -> str:
    return pair[0]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    qos = st.integers(0, 2)
    asked = st.tuples(st.sampled_from(FILTERS), qos)
    instants = sorted(draw(st.lists(st.integers(0, 2_000), max_size=6)))
    alerts = [
        alert(n, draw(st.sampled_from(PREFECTURES)), draw(st.sampled_from(EVENTS)), draw(qos), at)
        for n, at in enumerate(instants)
    ]
    subscribers = [
        PlannedSubscriber(
            number=number,
            client=f"c{number}",
            kind=draw(st.sampled_from(SubscriberKind)),
            prefecture="",
            filters=tuple(draw(st.lists(asked, max_size=3, unique_by=first))),
            session=draw(st.sampled_from(Session)),
            joins_ns=draw(st.one_of(st.none(), st.integers(0, 2_000))),
        )
        for number in range(draw(st.integers(0, 5)))
    ]
    return alerts, subscribers


@st.composite
def histories(draw: st.DrawFn) -> tuple[Plan, list[Any]]:
    alerts, subscribers = plan = draw(plans())
    numbers = st.integers(-1, len(alerts))
    who = st.integers(-1, len(subscribers))
    flags = st.lists(st.sampled_from(list(ReceiptFlag)), max_size=2).map(
        lambda chosen: sum({int(flag) for flag in chosen})
    )
    rows = st.tuples(who, numbers, times, st.integers(0, 50), times, flags)
    happenings: list[st.SearchStrategy[Any]] = [st.lists(rows, max_size=8)]
    if alerts:
        happenings.append(st.tuples(st.integers(0, len(alerts) - 1), times))
    if subscribers:
        happenings.append(
            st.builds(
                ConnectionEvent,
                subscriber=st.integers(0, len(subscribers) - 1),
                change=st.sampled_from(ConnectionChange),
                at_ns=st.integers(0, CLOSED_NS),
                last_alive_ns=times,
                session_present=st.booleans(),
            )
        )
    return plan, draw(st.lists(st.one_of(happenings), max_size=25))


def feed(plan: Plan, happenings: list[Any]) -> Ledger:
    alerts, subscribers = plan
    half = len(subscribers) // 2
    ledger = Ledger(alerts, subscribers[:half], late_after_ns=LATE_NS, expiry_ns=EXPIRY_NS)
    for subscriber in subscribers[half:]:
        ledger.add_subscriber(subscriber)
    for what in happenings:
        if isinstance(what, ConnectionEvent):
            ledger.connection(what)
        elif isinstance(what, list):
            ledger.receipts(ReceiptBatch.from_rows(what))
        else:
            ledger.sent(what[0], what[1], what[1])
    return ledger


def close(plan: Plan, happenings: list[Any], drained_ns: int | None) -> Account:
    ledger = feed(plan, happenings)
    if drained_ns is not None:
        ledger.drain_ended(drained_ns)
    return ledger.close(CLOSED_NS)


@settings(max_examples=120, deadline=None)
@given(histories(), st.one_of(st.none(), st.integers(0, CLOSED_NS)))
def test_outcomes_add_up_to_what_was_expected_whatever_happens(
    history: tuple[Plan, list[Any]], drained_ns: int | None
) -> None:
    account = close(*history, drained_ns)  # raises if one of the equations does not hold
    total = account.total()

    assert total.balanced
    for parts in (
        account.by_prefecture(),
        account.by_event(),
        account.by_kind(),
        account.by_qos(),
    ):
        assert all(tally.balanced for tally in parts.values())
        assert sum(tally.expected for tally in parts.values()) == total.expected
        assert sum(tally.received for tally in parts.values()) == total.received
        assert sum(tally.duplicates for tally in parts.values()) == total.duplicates
    rows = list(account.rows(chunk=3))
    words = Counter(word for columns in rows for word in columns["outcome"])
    assert words["unexpected"] == total.unexpected
    assert sum(words.values()) == total.expected + total.unexpected
    assert words["missed-offline"] == total.missed_offline
    order = order_of(account.evidence)
    assert 0 <= order.reordered <= total.received
    assert 0 <= order.gaps <= total.expected - total.received


@settings(max_examples=120, deadline=None)
@given(histories())
def test_receipts_are_sorted_as_one_by_one_reading_would(
    history: tuple[Plan, list[Any]],
) -> None:
    """An independent ledger of dictionaries and loops, one receipt at a time."""
    (alerts, subscribers), happenings = history
    account = close((alerts, subscribers), happenings, CLOSED_NS)
    counted, first = naive(alerts, subscribers, happenings)

    total = account.total()
    state = account.counted.state
    assert {
        "expected": total.expected,
        "received": total.received,
        "receipts": total.receipts,
        "duplicates": total.duplicates,
        **account.unexpected_causes(),
        "states": state.live + state.retained,
        "cleared": state.cleared,
    } == {name: counted[name] for name in (*KEYS,)}
    assert sorted(first) == sorted(
        stamp
        for columns in account.rows()
        for stamp, word in zip(columns["received_ns"], columns["outcome"], strict=True)
        if word in {"delivered", "late", "queued"} and stamp is not None
    )


KEYS = (
    "expected",
    "received",
    "receipts",
    "duplicates",
    "wrong-area",
    "foreign",
    "malformed",
    "states",
    "cleared",
)


def naive(
    alerts: list[ScheduledAlert], subscribers: list[PlannedSubscriber], happenings: list[Any]
) -> tuple[Counter[str], list[int]]:
    owed: set[tuple[int | str, int]] = set()
    for subscriber in subscribers:
        for text, _ in subscriber.filters:
            holder: int | str = text if text.startswith("$share/") else subscriber.number
            owed |= {
                (holder, a.number)
                for a in alerts
                if filter_matches(text, a.topic)
                and (subscriber.joins_ns is None or a.intended_ns >= subscriber.joins_ns)
            }
    counted: Counter[str] = Counter()
    seen: set[tuple[int | str, int]] = set()
    first: list[int] = []
    for row in (row for what in happenings if isinstance(what, list) for row in what):
        word, holder_and_alert = naive_row(alerts, subscribers, seen, row)
        counted[word] += 1
        if holder_and_alert is not None:
            seen.add(holder_and_alert)
            if row[2] != NO_TIME:
                first.append(row[2])
    counted["expected"] = len(owed | seen)
    beside = {"states", "cleared", "beside"}
    counted["receipts"] = sum(
        count for word, count in counted.items() if word not in beside | {"expected"}
    )
    return counted, first


def naive_row(
    alerts: list[ScheduledAlert],
    subscribers: list[PlannedSubscriber],
    seen: set[tuple[int | str, int]],
    row: Row,
) -> tuple[str, tuple[int | str, int] | None]:
    number, alert_number, bits = row[0], row[1], row[5]
    flags = ReceiptFlag(bits)
    known = 0 <= number < len(subscribers) and UNKNOWN < alert_number < len(alerts)
    known = known and not flags & (ReceiptFlag.MALFORMED | ReceiptFlag.FOREIGN)
    word, pair = "foreign", None
    if flags & ReceiptFlag.CLEARED:
        word = "cleared"
    elif flags & ReceiptFlag.STATE:
        asked = known and asks_for(subscribers[number], alerts[alert_number].state_topic)
        word = "states" if asked else "beside"
    elif flags & ReceiptFlag.MALFORMED:
        word = "malformed"
    elif known:
        word, pair = naive_copy(subscribers[number], alerts[alert_number], seen)
    return word, pair


def naive_copy(
    subscriber: PlannedSubscriber, planned: ScheduledAlert, seen: set[tuple[int | str, int]]
) -> tuple[str, tuple[int | str, int] | None]:
    matching = [text for text, _ in subscriber.filters if filter_matches(text, planned.topic)]
    shared = list(dict.fromkeys(text for text in matching if text.startswith("$share/")))
    own = any(not text.startswith("$share/") for text in matching)
    holders: list[int | str] = [*([subscriber.number] if own else []), *shared]
    for holder in holders:
        if (holder, planned.number) not in seen:
            return "received", (holder, planned.number)
    if holders:
        return "duplicates", None
    foreign = subscriber.kind is SubscriberKind.FOREIGN
    return (
        "states" if foreign and asks_for(subscriber, planned.state_topic) else "wrong-area"
    ), None


def asks_for(subscriber: PlannedSubscriber, topic: str) -> bool:
    return any(filter_matches(text, topic) for text, _ in subscriber.filters)


@settings(max_examples=50, deadline=None)
@given(histories())
def test_the_size_of_batches_changes_nothing(history: tuple[Plan, list[Any]]) -> None:
    plan, happenings = history
    one_by_one: list[Any] = []
    for what in happenings:
        one_by_one += [[row] for row in what] if isinstance(what, list) else [what]

    whole, single = close(plan, happenings, None), close(plan, one_by_one, None)

    assert whole.total() == single.total()
    assert whole.duplicate_causes() == single.duplicate_causes()
    assert whole.outcome.tolist() == single.outcome.tolist()


@settings(max_examples=50, deadline=None)
@given(histories())
def test_parts_written_during_the_run_hold_every_first_copy_once(
    history: tuple[Plan, list[Any]],
) -> None:
    (alerts, subscribers), happenings = history
    ledger = Ledger(alerts, subscribers, late_after_ns=LATE_NS)
    drained: Counter[str] = Counter()
    for what in happenings:
        if isinstance(what, list):
            ledger.receipts(ReceiptBatch.from_rows(what))
            for columns in ledger.drain_rows(chunk=2):
                drained.update(columns["outcome"].tolist())
    total = ledger.close(CLOSED_NS).total()

    assert drained["unexpected"] == total.unexpected
    assert drained.total() == total.received + total.unexpected


@settings(max_examples=50, deadline=None)
@given(plans())
def test_the_qos_of_every_row_is_the_effective_one(plan: Plan) -> None:
    alerts, subscribers = plan
    subscribers = [
        PlannedSubscriber(
            number=s.number,
            client=s.client,
            kind=s.kind,
            prefecture="",
            filters=tuple(f for f in s.filters if not f[0].startswith("$share/")),
        )
        for s in subscribers
    ]
    account = close((alerts, subscribers), [], None)
    found: dict[tuple[int, int], int] = defaultdict(int)
    for columns in account.rows():
        keys = zip(columns["subscriber"], columns["alert"], columns["qos"], strict=True)
        found.update({(int(s), int(a)): int(q) for s, a, q in keys})

    wanted = {
        (s.number, a.number): qos
        for s in subscribers
        for a in alerts
        if (qos := effective_qos(s, a.topic, a.qos)) is not None
    }
    assert found == wanted
    assert account.total() == Tally(expected=len(wanted), not_sent=len(wanted))
