"""The sender joined to a connection on a transport made of lists, with a clock set by hand."""

import json
import selectors
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Any

import pytest

from simulator.alerts.compose import ExerciseContext
from simulator.clock import ManualClock
from simulator.delivery.messages import Acknowledged, BrokerEndpoint, Play, Sent
from simulator.delivery.pacer import schedule
from simulator.delivery.sending import COMPOSE_COST_NS, LOOKAHEAD_NS, Composed, Sender
from simulator.delivery.wire.connection import Connection
from simulator.delivery.wire.order import ConnectionOrder, ReadBuffer
from simulator.delivery.wire.packets import PubAck, PubComp, PubRec
from simulator.delivery.wire.transport import Address
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, Timeline
from simulator.units import NS_PER_S

EPOCH = "2022-11-03T07:39:00+09:00"
START_NS = 100 * NS_PER_S
WRITE, READ = selectors.EVENT_WRITE, selectors.EVENT_READ


def drill(count: int, *, qos: int = 1, apart_ns: int = NS_PER_S) -> Play:
    """Alerts to one prefecture, each referring to the one before it."""
    alerts = tuple(
        PlannedAlert(
            number=number,
            event_number=number,
            at_ns=number * apart_ns,
            launch="one",
            prefecture="miyagi",
            event=AlertEvent.TAKE_SHELTER,
            msg_type=MsgType.UPDATE if number else MsgType.ALERT,
            sequence=number + 1,
            references=(number - 1,) if number else (),
            in_force=True,
            cause=0,
        )
        for number in range(count)
    )
    timeline = Timeline(
        scenario="drill",
        title="Drill",
        epoch=datetime.fromisoformat(EPOCH),
        seed=1,
        replication=0,
        version="test",
        events=(),
        alerts=alerts,
    )
    scheduled = schedule(
        timeline, run="r", root="alertsim", qos=qos, speed=Fraction(1), start_ns=START_NS
    )
    context = ExerciseContext(
        run="r", scenario="drill", title="Drill", seed=1, epoch=EPOCH, start_wall_ns=START_NS
    )
    return Play(schedule=scheduled, context=context)


class Bench:
    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.clock = ManualClock(monotonic=START_NS)
        self.buffer = ReadBuffer()
        self.reports: list[object] = []
        self.after: list[Composed] = []
        endpoint = BrokerEndpoint(host="h", port=1, protocol="3.1.1")
        self.connection = Connection(
            ConnectionOrder(endpoint=endpoint, client="c"), lambda _address, _order: transport
        )
        self.connection.open(Address(family=0, sockaddr=()), 0)
        self.connection.handle(WRITE, 0, self.buffer)
        transport.blocks.append((b"\x20\x02\x00\x00", 0))
        self.connection.handle(READ, 0, self.buffer)
        transport.writes.clear()
        self.sender = Sender(
            self.connection, drill(0).context, self.clock, self.reports.append, self.after.append
        )

    def play(self, play: Play) -> None:
        self.sender.play(play)

    def compose(self, count: int) -> None:
        for _ in range(count):
            self.sender.compose_next()

    def all_written(self) -> bool:
        return self.sender.all_written

    def sent(self) -> list[tuple[int, int]]:
        return [(each.alert, each.sent_ns) for each in self.reports if isinstance(each, Sent)]


@pytest.fixture
def bench(transport: Any) -> Bench:
    return Bench(transport)


def test_composing_begins_before_the_message_is_due(bench: Bench) -> None:
    bench.play(drill(2))

    assert bench.sender.compose_ns == START_NS - LOOKAHEAD_NS
    bench.compose(2)
    assert bench.sender.compose_ns is None


def test_a_burst_is_begun_earlier(bench: Bench) -> None:
    bench.play(drill(101, apart_ns=0))

    assert bench.sender.compose_ns == START_NS - LOOKAHEAD_NS - 100 * COMPOSE_COST_NS


def test_a_message_is_due_when_intended_and_once_composed(bench: Bench) -> None:
    bench.play(drill(2))

    assert bench.sender.due_ns is None
    bench.compose(1)
    assert bench.sender.due_ns == START_NS


def test_the_payload_states_when_it_was_composed_and_what_it_refers_to(bench: Bench) -> None:
    bench.play(drill(2))
    bench.compose(1)
    bench.clock.advance(77)
    bench.compose(1)
    bench.sender.send_one()
    bench.sender.send_one()

    first, second = (json.loads(each.payload)["data"] for each in bench.after)
    assert second["simulation"]["composed_ns"] == str(START_NS + 77)
    assert second["simulation"]["intended_ns"] == str(START_NS + NS_PER_S)
    assert f"{first['identifier']},{first['sent']}" in str(second["references"])
    assert [each.composed_ns for each in bench.after] == [START_NS, START_NS + 77]


def test_the_stamp_is_taken_before_the_write_and_the_bytes_are_the_message(bench: Bench) -> None:
    bench.play(drill(1))
    bench.compose(1)
    bench.clock.advance(5)
    bench.sender.send_one()

    (item,) = bench.after
    assert bench.transport.writes == [item.frame]
    assert bench.reports == [
        Sent(alert=0, composed_ns=START_NS, sent_ns=START_NS + 5, size_bytes=len(item.payload))
    ]
    assert bench.all_written()
    assert bench.sender.last_sent_ns == START_NS + 5


def test_a_message_that_the_kernel_does_not_take_is_stamped_when_it_does(bench: Bench) -> None:
    bench.play(drill(2))
    bench.compose(2)
    bench.transport.room = 0
    bench.sender.send_one()
    bench.sender.send_one()
    assert bench.sent() == []
    assert not bench.all_written()

    bench.clock.advance(1_000)
    bench.transport.room = 100  # the first bytes of the first message
    bench.connection.handle(WRITE, 0, bench.buffer)
    bench.sender.stamp(START_NS + 1_000)
    assert bench.sent() == [(0, START_NS + 1_000)]

    bench.transport.room = None
    bench.connection.handle(WRITE, 0, bench.buffer)
    bench.sender.stamp(START_NS + 2_000)
    assert bench.sent() == [(0, START_NS + 1_000), (1, START_NS + 2_000)]
    assert bench.all_written()
    assert b"".join(bench.transport.writes) == b"".join(each.frame for each in bench.after)


def test_no_message_waits_for_an_acknowledgement(bench: Bench) -> None:
    bench.play(drill(50, apart_ns=0))
    bench.compose(50)
    for _ in range(50):
        assert bench.sender.due_ns == START_NS
        bench.sender.send_one()

    assert bench.sender.waiting == bench.sender.unacknowledged == 50


def test_a_broker_s_receive_maximum_is_obeyed_and_moves_on_with_its_acknowledgements(
    bench: Bench,
) -> None:
    bench.connection.receive_max = 2
    bench.play(drill(3, apart_ns=0))
    bench.compose(3)
    bench.sender.send_one()
    bench.sender.send_one()

    assert bench.sender.due_ns is None
    assert not bench.all_written()
    bench.sender.received([PubAck(packet_id=bench.after[0].packet_id)], START_NS)
    assert bench.sender.due_ns == START_NS


def test_the_receive_maximum_does_not_hold_qos_0(bench: Bench) -> None:
    bench.connection.receive_max = 1
    bench.play(drill(3, qos=0, apart_ns=0))
    bench.compose(3)
    bench.sender.send_one()
    bench.sender.send_one()

    assert bench.sender.due_ns == START_NS
    assert bench.sender.waiting == 0


def test_what_the_kernel_does_not_take_is_bounded(bench: Bench) -> None:
    bench.transport.room = 0
    bench.play(drill(5_000, qos=0, apart_ns=0))
    written = 0
    while bench.sender.compose_ns is not None:
        bench.compose(1)
        if bench.sender.due_ns is None:
            break
        bench.sender.send_one()
        written += 1

    assert 1_000 < written < 5_000
    assert bench.connection.queued_bytes < 5 * 1024 * 1024


def test_composing_waits_where_packet_identifiers_run_out(bench: Bench) -> None:
    bench.play(drill(1))
    bench.connection.outgoing.update(range(1, 60_001))

    assert bench.sender.compose_ns is None
    bench.connection.outgoing.discard(1)
    assert bench.sender.compose_ns is not None


def test_acknowledgements_are_matched_at_qos_1(bench: Bench) -> None:
    bench.play(drill(2))
    bench.compose(2)
    bench.sender.send_one()
    bench.sender.send_one()
    first, second = (each.packet_id for each in bench.after)
    bench.sender.received([PubAck(packet_id=second), PubAck(packet_id=first)], 7)

    assert bench.reports[2:] == [Acknowledged(alert=1, at_ns=7), Acknowledged(alert=0, at_ns=7)]
    assert bench.sender.waiting == 0


def test_qos_2_is_acknowledged_when_complete(bench: Bench) -> None:
    bench.play(drill(1, qos=2))
    bench.compose(1)
    bench.sender.send_one()
    packet_id = bench.after[0].packet_id
    bench.sender.received([PubRec(packet_id=packet_id)], 7)
    assert bench.sender.waiting == 1

    bench.sender.received([PubComp(packet_id=packet_id)], 8)
    assert bench.reports[1:] == [Acknowledged(alert=0, at_ns=8)]
    assert bench.sender.waiting == 0


@pytest.mark.parametrize(("qos", "kind"), [(1, PubAck), (2, PubRec), (2, PubComp)])
def test_a_refused_message_stays_unacknowledged(
    bench: Bench, qos: int, kind: type[PubAck | PubRec | PubComp]
) -> None:
    bench.play(drill(1, qos=qos))
    bench.compose(1)
    bench.sender.send_one()
    bench.sender.received([kind(packet_id=bench.after[0].packet_id, code=0x87)], 7)

    assert bench.sender.waiting == 0
    assert bench.sender.unacknowledged == 1
    assert len(bench.reports) == 1


def test_a_probe_s_acknowledgement_is_nobody_s(bench: Bench) -> None:
    bench.sender.received([PubAck(packet_id=9)], 7)

    assert bench.reports == []


def test_what_is_dropped_stays_unsent_and_frees_its_packet_identifiers(bench: Bench) -> None:
    bench.play(drill(3))
    bench.compose(2)
    bench.sender.send_one()
    bench.sender.drop_rest()

    assert bench.sender.due_ns is None
    assert bench.sender.compose_ns is None
    assert bench.all_written()
    assert bench.connection.outgoing == {bench.after[0].packet_id}
    assert [number for number, _ in bench.sent()] == [0]


def test_cap_xml_is_composed_when_asked_for(bench: Bench) -> None:
    play = drill(1)
    bench.play(replace(play, context=replace(play.context, payload_format="cap-xml")))
    bench.compose(1)
    bench.sender.send_one()

    assert bench.after[0].payload.startswith(b"<?xml")
