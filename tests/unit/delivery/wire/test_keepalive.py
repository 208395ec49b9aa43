"""Pings at half the keep alive; silence is given up; a busy broker is not."""

import pytest

from simulator.delivery.wire.keepalive import HANDSHAKE_NS, NEVER, Act, KeepAlive
from simulator.units import NS_PER_S


def at(keep_alive: KeepAlive, second: float, heard: float = 0) -> Act:
    return keep_alive.act(round(second * NS_PER_S), round(heard * NS_PER_S))


@pytest.fixture
def ten() -> KeepAlive:
    made = KeepAlive(10)
    made.opening(0)
    made.up(0)
    return made


def test_before_it_opens_nothing_is_due() -> None:
    assert KeepAlive(10).next_ns == NEVER


def test_the_handshake_has_a_deadline_that_nothing_extends() -> None:
    keep_alive = KeepAlive(3600)
    keep_alive.opening(7)
    keep_alive.answered()
    assert keep_alive.next_ns == 7 + HANDSHAKE_NS
    assert keep_alive.act(6 + HANDSHAKE_NS, 6 + HANDSHAKE_NS) is Act.NOTHING
    assert keep_alive.act(7 + HANDSHAKE_NS, 7 + HANDSHAKE_NS) is Act.GIVE_UP


def test_answered_pings_go_on_for_ever(ten: KeepAlive) -> None:
    for second in range(5, 500, 5):
        assert ten.next_ns == second * NS_PER_S
        assert at(ten, second - 1) is Act.NOTHING
        assert at(ten, second) is Act.PING
        ten.answered()


def test_silence_is_given_up_one_keep_alive_after_the_first_ping(ten: KeepAlive) -> None:
    acts = [at(ten, second) for second in (5, 10, 14.9, 15)]
    assert acts == [Act.PING, Act.PING, Act.NOTHING, Act.GIVE_UP]


def test_bytes_count_as_life_but_only_for_so_long(ten: KeepAlive) -> None:
    assert at(ten, 5) is Act.PING
    assert at(ten, 15, heard=14) is Act.PING
    assert at(ten, 23, heard=14) is Act.PING
    assert at(ten, 24, heard=14) is Act.GIVE_UP


def test_the_broker_may_impose_another(ten: KeepAlive) -> None:
    ten.impose(2)
    ten.up(0)
    assert ten.next_ns == NS_PER_S


def test_zero_means_no_pings() -> None:
    keep_alive = KeepAlive(0)
    keep_alive.opening(0)
    keep_alive.up(0)
    assert keep_alive.next_ns == NEVER
    assert at(keep_alive, 10**6) is Act.NOTHING


def test_a_new_connection_owes_nothing_to_the_old(ten: KeepAlive) -> None:
    at(ten, 5)
    ten.opening(6 * NS_PER_S)
    ten.up(6 * NS_PER_S)
    assert at(ten, 11, heard=6) is Act.PING
    assert at(ten, 20, heard=6) is Act.PING
    assert at(ten, 21, heard=6) is Act.GIVE_UP
