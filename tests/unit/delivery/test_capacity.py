import json
from dataclasses import replace

import pytest

from simulator import resources
from simulator.delivery.brokers.embedded import _SETTINGS
from simulator.delivery.capacity import Load, load_of, predict, subscribers_within
from simulator.delivery.placement import place
from simulator.delivery.room import SPARE_DESCRIPTORS, SPARE_PORTS, Limits

MEMORY = 1 << 40
PACES = {"embedded": 970_000, "mosquitto": 240_000, "amqtt": 14_500, "external": None}
ROOMY = Limits(descriptors=None, ports=28_000 + SPARE_PORTS)
LOAD = Load(swarm_bytes=8_000, kernel_bytes=2_000)


def test_the_tightest_limit_comes_first_with_its_remedy() -> None:
    found = predict(ROOMY, MEMORY, LOAD)

    assert (found.tightest.name, found.most) == ("local ports", 28_000)
    assert "ip_local_port_range" in found.tightest.remedy
    assert [limit.most for limit in found.limits] == sorted(limit.most for limit in found.limits)
    assert {limit.name for limit in found.limits} == {
        "open files of the swarm",
        "open files of the broker",
        "local ports",
        "memory",
    }


def test_workers_share_the_files_but_a_broker_here_has_only_its_own() -> None:
    machine = replace(ROOMY, descriptors=1_000)
    apart = replace(LOAD, workers=3, broker_here=False)

    assert predict(machine, MEMORY, apart).most == 3 * (1_000 - SPARE_DESCRIPTORS)
    here = predict(machine, MEMORY, replace(apart, broker_here=True))
    assert here.tightest.name == "open files of the broker"
    assert here.most == 1_000 - SPARE_DESCRIPTORS


def test_a_port_reaches_every_listener_once_from_every_address() -> None:
    assert predict(ROOMY, MEMORY, replace(LOAD, listeners=2)).most == 56_000
    assert predict(ROOMY, MEMORY, replace(LOAD, listeners=2, addresses=3)).most == 168_000


def test_memory_is_shared_between_swarm_system_and_broker() -> None:
    load = replace(LOAD, broker_bytes=10_000, broker_base_bytes=400_000)
    found = predict(ROOMY, 1_000_000, load)

    assert (found.tightest.name, found.most) == ("memory", 20)
    assert predict(ROOMY, 10, load).most == 0


def test_a_brokers_own_setting_counts() -> None:
    found = predict(ROOMY, MEMORY, replace(LOAD, broker_most=20_000))

    assert (found.tightest.name, found.most) == ("settings of the broker", 20_000)


def test_a_slow_broker_carries_no_more_than_it_serves_in_time() -> None:
    found = predict(ROOMY, MEMORY, replace(LOAD, broker_in_time=14_500))
    assert (found.tightest.name, found.most) == ("pace of the broker", 14_500)

    costs = json.loads(resources.config_text("capacity.json"))
    paces = {kind: load_of(kind, costs, workers=1).broker_in_time for kind in PACES}
    assert paces == PACES
    assert predict(ROOMY, MEMORY, load_of("amqtt", costs, workers=1)).most == PACES["amqtt"]


def test_tls_takes_more_of_the_swarms_memory() -> None:
    costs = json.loads(resources.config_text("capacity.json"))
    plain, tls = (load_of("external", costs, workers=1, tls=each) for each in (False, True))
    assert tls.swarm_bytes - plain.swarm_bytes == costs["tls_bytes"]["value"]
    assert tls == replace(plain, swarm_bytes=tls.swarm_bytes)


@pytest.mark.parametrize("kind", ["embedded", "mosquitto", "amqtt"])
def test_the_brokers_that_we_start_have_costs(kind: str) -> None:
    costs = json.loads(resources.config_text("capacity.json"))
    load = load_of(kind, costs, workers=2)

    assert load.broker_bytes == costs["brokers"][kind]["bytes"]
    assert load.broker_here
    assert load.addresses == 200
    elsewhere = load_of("external", costs, workers=2)
    assert (elsewhere.broker_bytes, elsewhere.broker_here, elsewhere.addresses) == (0, False, 1)


def test_the_embedded_brokers_limit_is_the_one_that_we_write() -> None:
    costs = json.loads(resources.config_text("capacity.json"))
    assert load_of("embedded", costs, workers=1).broker_most == _SETTINGS["max_connections"]


@pytest.mark.parametrize("connections", [0, 10, 11, 44, 209, 210, 211, 314, 315, 10_500])
def test_subscribers_leave_room_for_their_controls(connections: int) -> None:
    most = subscribers_within(connections)

    def needed(subscribers: int) -> int:
        return len(place(subscribers, ["miyagi"], {"miyagi": 1, "mie": 1}, run="r", root="a"))

    assert needed(most) <= connections < needed(most + 1)
