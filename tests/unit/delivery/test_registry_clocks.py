"""Clients on another clock: requests, evidence, offsets, one-way figures."""

import json
from collections.abc import Iterator

import pytest

from simulator.measure.foreign_clocks import describe_clock
from tests.unit.delivery.registry_bench import HERE, TRIP, USER, Bench, rows


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    assert all(isinstance(reason, str) for reason in made.registry.examples)


def test_another_clock_is_placed_with_its_uncertainty_when_the_run_settles(bench: Bench) -> None:
    # Their clock is 900,000 behind ours: 100,000 there is 1,000,000 here.
    bench.online(clock="far")
    bench.clock.advance(30)
    reply = bench.hear("clock/siren/request", {"n": 1, "t1_ns": "100010"})  # 20 on the way
    assert reply is not None
    assert json.loads(reply.payload) == {
        "n": 1,
        "t1_ns": "100010",
        "t2_ns": "1000030",
        "t3_ns": "1000030",
    }
    assert reply.topic == "alertsim/v1/clock/siren/response"
    assert bench.registry.offset("siren", 0, 10) is None
    bench.clock.advance(100)
    bench.hear("clock/siren/request", {"n": 2, "t1_ns": "100100", "t4_ns": "100040"})
    offset = bench.registry.offset("siren", 0, 10)
    assert offset is not None
    assert (offset.low_ns, offset.high_ns) == (900_000 - 10, 900_000 + 20)

    bench.clock.advance(1000)  # 1,001,130
    bench.registry.note_sent(7, 1_000_500)
    assert bench.registry.held == 0
    for _ in range(2):  # a duplicate is not a second delivery
        bench.receipt(received_ns="100800", handled_ns="100850", clock="far")
    bench.receipt(identifier="run-miyagi-2", received_ns="90000", clock="far")  # not owed yet
    assert rows(bench.registry.take_receipts()) == []
    assert bench.registry.held == 1

    first, *_ = rows(bench.registry.settle())
    assert first == (100, 7, 1_000_820, 30, 1_000_870, USER)
    assert bench.registry.held == 0
    assert rows(bench.registry.settle()) == []


def test_receipts_alone_tell_enough_about_a_clock(bench: Bench) -> None:
    bench.online(clock="far")
    bench.registry.note_sent(7, 1_000_000)
    bench.registry.note_sent(8, 1_002_000)
    bench.clock.advance(1000)
    bench.receipt(received_ns="100005", handled_ns="100010", clock="far")  # 5 there
    bench.clock.advance(1100)
    bench.receipt(
        identifier="run-miyagi-2", received_ns="102050", handled_ns="102090", clock="far"
    )  # 10 back

    first, second = rows(bench.registry.settle())
    assert first == (100, 7, 1_000_015, 15, 1_000_020, USER)
    assert second == (100, 8, 1_002_060, 15, 1_002_100, USER)


def test_a_stepped_clock_gives_round_trips(bench: Bench) -> None:
    bench.online(clock="far")
    bench.registry.note_sent(7, 1_000_000)
    bench.registry.note_sent(8, 1_002_000)
    bench.clock.advance(5000)
    bench.receipt(received_ns="100005", clock="far")
    bench.receipt(identifier="run-miyagi-2", received_ns="900000000", clock="far")

    assert [row[-1] for row in rows(bench.registry.settle())] == [TRIP, TRIP]
    assert bench.registry.refused == {"impossible stamp": 2}


@pytest.mark.parametrize(("limit_ns", "believed"), [(30, True), (29, False)])
def test_a_one_way_figure_with_too_wide_a_bound_is_refused(
    *, limit_ns: int, believed: bool
) -> None:
    bench = Bench(bound_limit_ns=limit_ns)
    bench.online(clock="far")
    bench.clock.advance(30)
    bench.hear("clock/siren/request", {"n": 1, "t1_ns": "100010"})
    bench.clock.advance(100)
    bench.hear("clock/siren/request", {"n": 2, "t1_ns": "100100", "t4_ns": "100040"})
    bench.clock.advance(1000)
    bench.registry.note_sent(7, 1_000_500)
    bench.receipt(received_ns="100800", handled_ns="100850", clock="far")

    ((*_, flags),) = rows(bench.registry.settle())
    assert (flags == USER) is believed
    (clock,) = bench.registry.clocks(0, 2_000_000)
    assert (clock.one_way, clock.beyond) == (int(believed), int(not believed))
    reason = "one-way figure: the clock's bound is too wide"
    assert bench.registry.refused == ({} if believed else {reason: 1})
    shown = describe_clock(clock, bound_limit_ns=limit_ns)
    assert shown.error_ns == 15
    if believed:
        assert (shown.offset_ns, shown.one_way, shown.reason) == (-900_005, 1, "")
    else:
        assert shown.offset_ns is None
        assert shown.reason.startswith("1 of 1 one-way figures refused: their bound is wider than")


def test_of_clients_without_evidence_or_on_our_clock_there_is_no_estimate(bench: Bench) -> None:
    bench.online("far", clock="far")
    bench.online("here", clock=HERE)
    bench.online("none")

    (clock,) = bench.registry.clocks(0, 10)
    assert (clock.client, clock.estimate) == ("far", None)
    shown = describe_clock(clock, bound_limit_ns=1)
    assert shown.offset_ns is None
    assert "round trips" in shown.reason


def test_only_the_response_just_before_is_paired_with_its_arrival(bench: Bench) -> None:
    bench.online(clock="far")
    bench.hear("clock/siren/request", {"n": 1, "t1_ns": "1"})
    bench.hear("clock/siren/request", {"n": 3, "t1_ns": "2", "t4_ns": "2"})
    assert bench.registry.offset("siren", 0, 10) is None


def test_of_a_repeated_request_the_first_answer_counts(bench: Bench) -> None:
    bench.online(clock="far")
    bench.hear("clock/siren/request", {"n": 1, "t1_ns": "0"})
    bench.clock.advance(1000)
    bench.hear("clock/siren/request", {"n": 1, "t1_ns": "0"})
    bench.hear("clock/siren/request", {"n": 2, "t1_ns": "1000", "t4_ns": "10"})

    offset = bench.registry.offset("siren", 0, 10)
    assert offset is not None
    assert offset.low_ns == 999_990


def test_clock_requests_of_anybody_are_answered(bench: Bench) -> None:
    assert bench.hear("clock/stranger/request", {"n": 1, "t1_ns": "1"}) is not None
    bench.online(clock=HERE)
    assert bench.hear("clock/siren/request", {"n": 1, "t1_ns": "1"}) is not None
    assert bench.registry.offset("siren", 0, 10) is None
    assert bench.registry.offset("stranger", 0, 10) is None
    bench.online()
    assert bench.hear("clock/siren/request", {"n": 1, "t1_ns": "1"}) is not None
    assert bench.registry.offset("siren", 0, 10) is None
