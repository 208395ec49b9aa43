"""What a machine has room for, and what is said where it has not."""

import errno
import os
from collections.abc import Callable

import pytest

from simulator.delivery.room import (
    SPARE_DESCRIPTORS,
    SPARE_PORTS,
    Limits,
    check_descriptors,
    hint,
    local_addresses,
)
from simulator.errors import ConfigurationError

LIMITS = Limits(descriptors=1_000 + SPARE_DESCRIPTORS, ports=5_000 + SPARE_PORTS)
HERE = ("127.0.0.1", 1883)


def _error(check: Callable[[], object]) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        check()
    return caught.value


def test_a_swarm_that_fits_is_let_through() -> None:
    check_descriptors([1_000], LIMITS, own_broker=True)
    check_descriptors([1_000, 1_000], LIMITS, own_broker=False)
    check_descriptors([], LIMITS, own_broker=True)
    unlimited = Limits(descriptors=None, ports=1)
    check_descriptors([10**9], unlimited, own_broker=True)


def test_a_worker_that_may_not_open_so_many_is_told_how_many_workers_may() -> None:
    error = _error(lambda: check_descriptors([1_001, 1_000], LIMITS, own_broker=False))
    assert error.field == "--swarm-workers"
    assert "about 1000 connections" in error.message
    assert "2 for 2001 connections" in str(error)
    assert "--swarm-workers 3;" in error.remedy
    assert "ulimit -Hn 1257" in error.remedy


def test_no_number_of_workers_helps_where_nothing_may_be_opened() -> None:
    tight = Limits(descriptors=100, ports=1)
    error = _error(lambda: check_descriptors([1], tight, own_broker=False))
    assert "--swarm-workers" not in error.remedy


def test_a_broker_of_ours_is_under_the_same_limit() -> None:
    error = _error(lambda: check_descriptors([600, 600], LIMITS, own_broker=True))
    assert error.field == "--subscribers"
    assert "ulimit -Hn 1456" in error.remedy
    assert "--broker URL" in error.remedy


@pytest.mark.parametrize(
    ("towards", "expected"),
    [
        ({}, ()),
        ({HERE: 5_000}, ()),
        ({HERE: 5_001}, ("127.0.0.1", "127.0.0.2")),
        ({HERE: 9_000, ("127.0.0.1", 1884): 15_000}, ("127.0.0.1", "127.0.0.2", "127.0.0.3")),
        ({("192.0.2.1", 1883): 5_000}, ()),
    ],
)
def test_loopback_is_reached_from_as_many_addresses_as_needed(
    towards: dict[tuple[str, int], int], expected: tuple[str, ...]
) -> None:
    assert local_addresses(towards, LIMITS) == expected


@pytest.mark.parametrize("host", ["192.0.2.1", "broker.example", "::1"])
def test_ports_that_run_out_towards_another_host_are_an_error(host: str) -> None:
    error = _error(lambda: local_addresses({(host, 1883): 5_001}, LIMITS))
    assert error.value == "5001 connections to it, controls included"
    assert "ip_local_port_range" in error.remedy


def test_more_loopback_addresses_than_are_sensible_are_an_error() -> None:
    none = Limits(descriptors=None, ports=SPARE_PORTS)
    assert "ip_local_port_range" in _error(lambda: local_addresses({HERE: 1}, none)).remedy


def test_a_refused_connection_comes_with_a_remedy() -> None:
    assert "hard limit" in hint(os.strerror(errno.EMFILE))
    assert "fs.file-max" in hint(os.strerror(errno.ENFILE))
    assert "ip_local_port_range" in hint(os.strerror(errno.EADDRNOTAVAIL))
    assert hint("Connection refused") == ""
