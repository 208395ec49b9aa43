"""Single losses in the log, not more than it can bear."""

from simulator.measure.plan import PlannedSubscriber, SubscriberKind
from simulator.measure.receipts import ConnectionChange, ConnectionEvent
from simulator.run.journal import Journal

SUBSCRIBERS = [
    PlannedSubscriber(
        number=number,
        client=f"run-{number}",
        kind=SubscriberKind.SWARM,
        prefecture="miyagi",
        filters=(),
    )
    for number in range(2)
]


class Lines:
    def __init__(self) -> None:
        self.written: list[tuple[str, dict[str, object]]] = []

    def info(self, event: str, /, **values: object) -> None:
        self.written.append((event, values))


def _note(journal: Journal, number: int, change: ConnectionChange, at_ms: int = 0) -> None:
    event = ConnectionEvent(
        subscriber=number, change=change, at_ns=at_ms * 1_000_000, reason="closed by the broker"
    )
    journal.note(event, SUBSCRIBERS)


def test_a_loss_and_the_return_are_written_and_the_first_connection_is_not() -> None:
    lines = Lines()
    journal = Journal(lines)
    for number in (0, 1):
        _note(journal, number, ConnectionChange.CONNECTED)
        _note(journal, number, ConnectionChange.SUBSCRIBED)
    assert lines.written == []
    _note(journal, 1, ConnectionChange.CLOSED, 100)
    _note(journal, 1, ConnectionChange.CONNECTED, 350)
    _note(journal, 1, ConnectionChange.SUBSCRIBED, 400)
    _note(journal, 0, ConnectionChange.OFFLINE, 500)
    _note(journal, 7, ConnectionChange.CLOSED, 500)
    journal.close()
    assert lines.written == [
        ("connection lost", {"client": "run-1", "reason": "closed by the broker"}),
        ("connection is back", {"client": "run-1", "away_ms": 300}),
        ("connection closed by plan", {"client": "run-0"}),
        ("connection lost", {"client": "7", "reason": "closed by the broker"}),
    ]


def test_a_storm_is_cut_and_counted() -> None:
    lines = Lines()
    journal = Journal(lines, bound=3)
    for at_ms in range(10):
        _note(journal, 0, ConnectionChange.OFFLINE, at_ms)
    _note(journal, 1, ConnectionChange.CLOSED)
    journal.close()
    assert [event for event, _ in lines.written[:4]] == [
        *["connection closed by plan"] * 3,
        "connection lost",
    ]
    assert len(lines.written) == 5
    assert lines.written[-1] == ("further connection changes were not logged", {"count": 7})
