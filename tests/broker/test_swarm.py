"""What a swarm worker, a real child process, reports of what it receives from real brokers."""

import sys
from collections import Counter

import pytest

from simulator.delivery.brokers.base import Broker
from simulator.delivery.messages import (
    Ended,
    Health,
    ProbeSeen,
    Progress,
    Ready,
)
from simulator.measure.receipts import (
    UNKNOWN,
    ConnectionChange,
)
from simulator.units import NS_PER_S
from tests.broker.swarm_kit import (
    CLOCK,
    FLAG,
    PROBE,
    STAMP,
    MakePlay,
    Start,
    both,
    order_for,
    paho,
    payloads,
    send,
    subscriber,
)


@pytest.mark.parametrize("publisher", ["3.1.1", "5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_everybody_receives_each_alert_of_the_prefecture_once(
    broker: Broker, make_play: MakePlay, start: Start, qos: int, publisher: str
) -> None:
    play = make_play()
    places = ("miyagi", "yamagata", "niigata", "hokkaido")
    people = tuple(
        subscriber(
            number,
            places[number % 4],
            filters=((f"alertsim/v1/alerts/{places[number % 4]}/+", qos),),
            protocol=("3.1.1", "5")[number // 4 % 2],
        )
        for number in range(32)
    )
    swarm = start(order_for(both(broker), play, *people)).ready()
    before_ns = CLOCK.monotonic_ns()
    with paho(broker.endpoint(publisher)) as client:
        for alert, data in zip(play.schedule, payloads(play), strict=True):
            send(client, alert.topic, data, qos=qos)
    expected = Counter(
        (person.number, alert.number)
        for person in people
        for alert in play.schedule
        if alert.planned.prefecture == person.prefecture
    )
    assert len(expected) == 48
    swarm.until(lambda: len(swarm.rows) >= len(expected))
    swarm.stop()
    assert swarm.pairs() == expected
    assert {FLAG(row[5]) & ~STAMP for row in swarm.rows} == {(FLAG(0), FLAG.QOS_1, FLAG.QOS_2)[qos]}
    for _, _, received_ns, uncertainty_ns, handled_ns, _ in swarm.rows:
        assert before_ns - uncertainty_ns <= received_ns <= handled_ns
        assert uncertainty_ns >= 0
    if sys.platform == "linux":
        assert not any(row[5] & STAMP for row in swarm.rows)


def test_without_kernel_stamps_every_row_says_so(
    embedded: Broker, make_play: MakePlay, start: Start
) -> None:
    play = make_play()
    swarm = start(order_for(both(embedded), play, subscriber(0), kernel_stamps=False)).ready()
    with paho(embedded.endpoint("3.1.1")) as client:
        send(client, play.schedule[0].topic, payloads(play)[0])
    swarm.until(lambda: bool(swarm.rows))
    swarm.stop()
    assert [row[5] & STAMP for row in swarm.rows] == [STAMP]
    health = [message for message in swarm.said if isinstance(message, Health)][-1]
    assert health.stamps_missing == health.reads > 0


def test_thousands_of_messages_in_few_reads(
    broker: Broker, make_play: MakePlay, start: Start
) -> None:
    play = make_play()
    people = tuple(subscriber(number, protocol=("3.1.1", "5")[number % 2]) for number in range(10))
    swarm = start(order_for(both(broker), play, *people)).ready()
    with paho(broker.endpoint("3.1.1")) as client:
        data = payloads(play)[0]
        sent = [client.publish(play.schedule[0].topic, data, qos=1) for _ in range(500)]
        sent[-1].wait_for_publish(30)
    swarm.until(lambda: len(swarm.rows) >= 5000)
    swarm.stop()
    assert swarm.pairs() == {(number, 0): 500 for number in range(10)}
    health = [message for message in swarm.said if isinstance(message, Health)][-1]
    assert health.messages == 5000
    assert health.name == "worker-0"
    assert health.cpu_ns > 0


# --- readiness ---


def test_the_way_to_ready_is_told_and_probes_come_back_once(
    broker: Broker, make_play: MakePlay, start: Start
) -> None:
    people = [subscriber(n, protocol=("3.1.1", "5")[n % 2]) for n in range(6)]
    swarm = start(order_for(both(broker), make_play(), *people, probe_topic=PROBE)).ready()
    assert swarm.said[-1] == Ready(connections=8)  # a probe for each version
    assert [m for m in swarm.said if isinstance(m, Progress)][-1] == Progress(
        connected=8, subscribed=8, total=8
    )
    assert all(
        swarm.changes(n) == [ConnectionChange.CONNECTED, ConnectionChange.SUBSCRIBED]
        for n in range(6)
    )
    with paho(broker.endpoint("5")) as client:
        for number in range(3):
            send(client, PROBE, b"probe-%d" % number)
    swarm.until(lambda: sum(isinstance(m, ProbeSeen) for m in swarm.said) >= 3)
    swarm.stop()
    probes = [m.payload for m in swarm.said if isinstance(m, ProbeSeen)]
    assert probes == [b"probe-0", b"probe-1", b"probe-2"]
    assert not swarm.rows
    assert isinstance(swarm.said[-1], Ended)
    assert swarm.child.ended() == "ended with exit code 0"


def test_who_joins_later_is_connected_later(
    embedded: Broker, make_play: MakePlay, start: Start
) -> None:
    joins_ns = CLOCK.monotonic_ns() + 2 * NS_PER_S
    people = (subscriber(0), subscriber(1, joins_ns=joins_ns))
    swarm = start(order_for(both(embedded), make_play(), *people)).ready()
    assert Ready(connections=1) in swarm.said  # who joins later is not waited for
    swarm.until(lambda: len(swarm.changes(1)) == 2)
    assert min(event.at_ns for event in swarm.events if event.subscriber == 1) >= joins_ns


# --- what is not an alert of ours ---


def test_foreign_malformed_altered_and_state_messages_are_told_apart(
    broker: Broker, make_play: MakePlay, start: Start
) -> None:
    play = make_play()
    topic, state = play.schedule[0].topic, play.schedule[0].state_topic
    genuine, niigata = payloads(play)[0], payloads(play)[2]
    other_run = payloads(make_play("other"))[0]
    person = subscriber(0, filters=(("alertsim/v1/alerts/miyagi/+", 1), (state, 1)))
    swarm = start(order_for(both(broker), play, person)).ready()
    messages: list[tuple[str, bytes, tuple[int, FLAG]]] = [
        (topic, genuine, (0, FLAG(0))),
        (topic, b"hello", (UNKNOWN, FLAG.MALFORMED)),
        (topic, b"\x00\xff" * 40, (UNKNOWN, FLAG.MALFORMED)),
        (topic, b"", (UNKNOWN, FLAG.MALFORMED)),
        (topic, genuine[:-1], (UNKNOWN, FLAG.MALFORMED)),
        (topic, genuine.replace(b"Exercise", b"Actual"), (UNKNOWN, FLAG.MALFORMED)),
        (topic, other_run, (UNKNOWN, FLAG.FOREIGN)),
        (topic, niigata, (UNKNOWN, FLAG.FOREIGN)),
        ("alertsim/v1/alerts/miyagi/passage", genuine, (UNKNOWN, FLAG.FOREIGN)),
        (topic, genuine + b" ", (UNKNOWN, FLAG.FOREIGN)),
        (topic, genuine, (0, FLAG(0))),
        (state, genuine, (0, FLAG.STATE)),
        (state, b"", (UNKNOWN, FLAG.STATE | FLAG.CLEARED)),
    ]
    with paho(broker.endpoint("3.1.1")) as client:
        for place, data, _ in messages:
            send(client, place, data)
    swarm.until(lambda: len(swarm.rows) >= len(messages))
    swarm.stop()
    assert swarm.seen() == [expected for _, _, expected in messages]


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_stored_state_carries_retain_and_a_live_one_does_not(
    broker: Broker, make_play: MakePlay, start: Start, protocol: str
) -> None:
    play = make_play()
    state, data = play.schedule[0].state_topic, payloads(play)[0]
    person = subscriber(0, filters=((state, 1),), protocol=protocol)
    with paho(broker.endpoint("3.1.1")) as client:
        send(client, state, data, retain=True)
        swarm = start(order_for(both(broker), play, person)).ready()
        swarm.until(lambda: len(swarm.rows) == 1)
        send(client, state, data, retain=True)
        send(client, state, b"", retain=True)
        swarm.until(lambda: len(swarm.rows) == 3)
    assert swarm.seen() == [
        (0, FLAG.STATE | FLAG.RETAIN),
        (0, FLAG.STATE),
        (UNKNOWN, FLAG.STATE | FLAG.CLEARED),
    ]
