"""The registry as a state machine: no socket, a manual clock."""

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.clock import ManualClock
from simulator.delivery import registry as registry_module
from simulator.delivery.receipt_rows import MAX_PENDING
from simulator.delivery.registry import ForeignClient, ForeignRegistry, shipped_drift_ppm
from simulator.measure.plan import Session
from simulator.measure.receipts import UNKNOWN, ConnectionChange, ReceiptFlag
from tests.unit.delivery.registry_bench import ALERT_ID, HERE, TRIP, USER, Bench, rows


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    assert all(isinstance(reason, str) for reason in made.registry.examples)


def test_a_retained_status_registers_its_client_once(bench: Bench) -> None:
    status: dict[str, Any] = {
        "filters": [{"filter": "alertsim/v1/alerts/miyagi/+", "qos": 2}],
        "session": "persistent",
        "clock": "elsewhere",
    }
    bench.online(**status)
    bench.online(**status)

    assert bench.registered == [
        ForeignClient(
            client="siren",
            filters=(("alertsim/v1/alerts/miyagi/+", 2),),
            session=Session.PERSISTENT,
            clock="elsewhere",
            joined_ns=1_000_000,
        )
    ]
    assert bench.registry.online == 1
    assert bench.registry.clients == tuple(bench.registered)
    changes = [(e.subscriber, e.change) for e in bench.registry.take_connections()]
    assert changes == [(100, ConnectionChange.CONNECTED), (100, ConnectionChange.SUBSCRIBED)]
    assert bench.registry.take_connections() == ()


@pytest.mark.parametrize("farewell", [b'{"state":"offline"}', b""])
def test_offline_or_a_cleared_status_closes_the_connection(bench: Bench, farewell: bytes) -> None:
    bench.online()
    bench.registry.take_connections()
    bench.clock.advance(5)
    bench.receipt()
    bench.clock.advance(5)
    bench.hear("status/siren", farewell)
    bench.hear("status/siren", farewell)

    (closed,) = bench.registry.take_connections()
    assert (closed.change, closed.at_ns) == (ConnectionChange.CLOSED, 1_000_010)
    assert closed.last_alive_ns == 1_000_005
    assert bench.registry.online == 0
    assert len(bench.registry.clients) == 1


def test_the_old_status_of_a_client_that_is_gone_registers_nobody(bench: Bench) -> None:
    bench.hear("status/siren", b'{"state":"offline"}', retain=True)

    assert bench.registered == []
    assert bench.registry.take_connections() == ()


def test_a_client_that_returns_to_a_persistent_session_says_so_in_its_rows(bench: Bench) -> None:
    bench.online(session="persistent")
    bench.hear("status/siren", {"state": "offline"})
    bench.online(session="persistent")
    bench.registry.note_sent(7, 999_000)
    bench.receipt()

    connected = bench.registry.take_connections()[-2]
    assert (connected.change, connected.session_present) == (ConnectionChange.CONNECTED, True)
    ((*_, flags),) = rows(bench.registry.take_receipts())
    assert flags == TRIP | ReceiptFlag.SESSION
    assert len(bench.registered) == 1


def test_other_filters_make_another_subscriber(bench: Bench) -> None:
    bench.online()
    bench.online(filters=[{"filter": "#", "qos": 0}])
    bench.registry.note_sent(7, 999_000)
    bench.receipt()

    assert [client.filters for client in bench.registered] == [(), (("#", 0),)]
    events = [(e.subscriber, e.change) for e in bench.registry.take_connections()]
    assert events[2:4] == [(100, ConnectionChange.CLOSED), (101, ConnectionChange.CONNECTED)]
    assert rows(bench.registry.take_receipts())[0][0] == 101


def test_stamps_of_our_own_clock_are_taken_as_they_are(bench: Bench) -> None:
    bench.online(clock=HERE)
    bench.registry.note_sent(7, 998_000)
    bench.receipt(received_ns="999000", handled_ns="999500", clock=HERE, dup=True)
    bench.receipt(received_ns="999700", clock=HERE, retain=True)

    assert rows(bench.registry.take_receipts()) == [
        (100, 7, 999_000, 0, 999_500, USER | ReceiptFlag.DUP),
        (100, 7, 999_700, 0, 999_700, USER | ReceiptFlag.RETAIN | ReceiptFlag.STATE),
    ]
    assert bench.registry.receipts == 2


def test_a_stamp_after_its_own_receipt_is_not_believed(bench: Bench) -> None:
    bench.online(clock=HERE)
    bench.registry.note_sent(7, 999_000)
    bench.receipt(received_ns="999500", handled_ns="1000001", clock=HERE)

    assert rows(bench.registry.take_receipts()) == [(100, 7, 1_000_000, 1000, 1_000_000, TRIP)]
    assert bench.registry.refused == {"impossible stamp": 1}


def test_without_a_clock_the_row_is_a_round_trip_back_to_the_sending(bench: Bench) -> None:
    bench.online()
    bench.receipt(received_ns="5", handled_ns="6")
    bench.receipt()
    assert rows(bench.registry.take_receipts()) == []  # the publisher's stamp is on its way

    bench.registry.note_sent(7, 999_200)
    bench.registry.note_sent(7, 123)  # the first stamp of an alert stands
    assert rows(bench.registry.take_receipts()) == [(100, 7, 1_000_000, 800, 1_000_000, TRIP)] * 2


@pytest.mark.parametrize("sent_first", [True, False])
def test_a_stamp_before_the_sending_is_not_believed(bench: Bench, *, sent_first: bool) -> None:
    bench.online(clock=HERE)
    if sent_first:
        bench.registry.note_sent(7, 999_200)
    bench.receipt(received_ns="999199", handled_ns="999900", clock=HERE)
    bench.receipt(received_ns="999200", handled_ns="999900", clock=HERE)
    if not sent_first:
        assert rows(bench.registry.take_receipts()) == []
        bench.registry.note_sent(7, 999_200)

    assert rows(bench.registry.take_receipts()) == [
        (100, 7, 1_000_000, 800, 1_000_000, TRIP),
        (100, 7, 999_200, 0, 999_900, USER),
    ]
    assert bench.registry.refused == {"impossible stamp": 1}


@pytest.mark.parametrize("clock", [HERE, "far", None])
def test_a_receipt_before_its_alert_was_sent_is_invented(bench: Bench, clock: str | None) -> None:
    bench.online(clock=clock)
    bench.receipt(received_ns="999000", clock=clock)
    bench.clock.advance(3_600_000_000_000)
    assert rows(bench.registry.take_receipts()) == []
    bench.registry.note_sent(7, bench.clock.monotonic_ns())

    assert rows(bench.registry.take_receipts()) == []
    assert rows(bench.registry.settle()) == []
    assert bench.registry.refused == {"receipt before its alert was sent": 1}


def test_stamps_of_a_clock_that_nobody_named_are_not_compared(bench: Bench) -> None:
    bench.online()
    bench.registry.note_sent(7, 999_200)
    bench.receipt(received_ns="999500")
    bench.receipt(clock=HERE)

    assert rows(bench.registry.take_receipts()) == [(100, 7, 1_000_000, 800, 1_000_000, TRIP)] * 2


def test_without_the_publishers_stamp_a_receipt_is_kept_until_the_run_settles(
    bench: Bench,
) -> None:
    bench.online(clock=HERE)
    bench.receipt()
    bench.receipt(received_ns="999000", clock=HERE)
    bench.clock.advance(2_000_000_000)
    assert rows(bench.registry.take_receipts()) == []

    # Somebody of our own received it, so it was sent; nobody can say when.
    assert rows(bench.registry.settle({7})) == [(100, 7, 1_000_000, 0, 1_000_000, TRIP)] * 2
    assert bench.registry.refused == {}


def test_an_unknown_identifier_is_a_foreign_row(bench: Bench) -> None:
    bench.online(clock=HERE)
    bench.receipt(identifier="other-run-miyagi-1", received_ns="5", clock=HERE)

    flags = TRIP | ReceiptFlag.FOREIGN
    assert rows(bench.registry.take_receipts()) == [(100, UNKNOWN, 1_000_000, 0, 1_000_000, flags)]


@pytest.mark.parametrize("clock", [HERE, "far", None])
def test_a_receipt_of_an_alert_that_nobody_saw_sent_is_refused(
    bench: Bench, clock: str | None
) -> None:
    bench.online(clock=clock)
    bench.receipt(received_ns="100005", clock=clock)
    bench.receipt()
    assert rows(bench.registry.take_receipts()) == []

    assert rows(bench.registry.settle({8})) == []
    assert bench.registry.refused == {"receipt of an alert not known to be sent": 2}


def test_what_strangers_send_is_counted_and_harmless(bench: Bench) -> None:
    bench.online()
    for payload in (b"", b"{", b"\xff", b"[" * 8000, b"9" * 100_000, b'{"id":null}', b"null"):
        bench.hear("receipts/siren", payload)
    for payload in (b"{", b'{"state":"on"}', b"x" * 100_000):
        bench.hear("status/siren", payload)
    bench.hear("clock/siren/request", b"{}")
    bench.hear("clock/siren/request", {"n": 1, "t1_ns": "1"}, retain=True)
    bench.hear("clock/siren/response", {"n": 1})
    bench.hear("receipts/siren/more", b"{}")
    bench.hear("receipts/siren", {"id": ALERT_ID}, retain=True)
    bench.hear("receipts/nobody", {"id": ALERT_ID})

    assert bench.registry.refused == {
        "malformed receipt": 7,
        "malformed status": 3,
        "malformed clock request": 1,
        "retained clock request": 1,
        "foreign topic": 2,
        "retained receipt": 1,
        "receipt of an unregistered client": 1,
    }
    assert bench.registry.examples["malformed receipt"].startswith("alertsim/v1/receipts/siren: ")
    assert max(map(len, bench.registry.examples.values())) <= 300
    assert bench.registry.online == 1
    assert rows(bench.registry.settle()) == []


def test_clients_and_their_clocks_are_bounded(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_module, "MAX_CLIENTS", 2)
    for name in ("a", "b", "c"):
        bench.online(name)
    for domain in range(6):
        bench.receipt("a", received_ns="5", clock=f"far/{domain}")
        bench.receipt("a", received_ns="5", clock="far/0")

    assert bench.registry.online == 2
    assert bench.registry.refused == {
        "clients beyond the limit": 1,
        "clock domains beyond the limit": 2,
    }
    assert len(rows(bench.registry.settle({7}))) == 12


def test_receipts_are_bounded(bench: Bench) -> None:
    bench.online()
    bench.registry._rows._rows.extend([(0, 0, 0, 0, 0, 0)] * (MAX_PENDING - 1))
    bench.receipt()
    bench.receipt()

    assert bench.registry.receipts == 1
    assert bench.registry.refused == {"receipts beyond the limit": 1}


def test_the_shipped_drift_covers_two_clocks_slewed_apart() -> None:
    assert shipped_drift_ppm() == 1000
    ForeignRegistry(
        root="alertsim", domain=HERE, identifiers={}, register=lambda _: 0, clock=ManualClock()
    )
