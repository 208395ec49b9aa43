import json
from dataclasses import replace

import pytest

from simulator import resources
from simulator.delivery.capacity import (
    SPARE_DESCRIPTORS,
    Load,
    Machine,
    load_of,
    predict,
)

ROOMY = Machine(descriptors=None, ports=28_000, memory_bytes=1 << 40)
LOAD = Load(swarm_bytes=8_000, kernel_bytes=2_000)


def test_the_tightest_limit_comes_first_with_its_remedy() -> None:
    found = predict(ROOMY, LOAD)

    assert (found.tightest.name, found.most) == ("local ports", 28_000)
    assert "ip_local_port_range" in found.tightest.remedy
    assert [limit.most for limit in found.limits] == sorted(limit.most for limit in found.limits)
    assert {limit.name for limit in found.limits} == {
        "open files",
        "broker's open files",
        "local ports",
        "memory",
    }


def test_workers_share_the_files_but_a_broker_here_has_only_its_own() -> None:
    machine = replace(ROOMY, descriptors=1_000)
    apart = replace(LOAD, workers=3, broker_here=False)

    assert predict(machine, apart).most == 3 * (1_000 - SPARE_DESCRIPTORS)
    here = predict(machine, replace(apart, broker_here=True))
    assert (here.tightest.name, here.most) == ("broker's open files", 1_000 - SPARE_DESCRIPTORS)
    assert predict(replace(machine, descriptors=10), LOAD).most == 0


def test_a_port_reaches_every_listener_once() -> None:
    assert predict(ROOMY, replace(LOAD, listeners=2)).most == 56_000


def test_memory_is_shared_between_swarm_system_and_broker() -> None:
    machine = replace(ROOMY, memory_bytes=1_000_000)
    load = replace(LOAD, broker_bytes=10_000, broker_base_bytes=400_000)

    assert (predict(machine, load).tightest.name, predict(machine, load).most) == ("memory", 20)
    assert predict(replace(machine, memory_bytes=10), load).most == 0


def test_a_brokers_own_setting_counts() -> None:
    found = predict(ROOMY, replace(LOAD, broker_most=20_000))

    assert (found.tightest.name, found.most) == ("broker", 20_000)
    assert found.exceeded(20_000) is None
    assert found.exceeded(20_001) == found.tightest


@pytest.mark.parametrize("kind", ["embedded", "mosquitto", "amqtt"])
def test_the_brokers_that_we_start_have_costs(kind: str) -> None:
    costs = json.loads(resources.config_text("capacity.json"))
    load = load_of(kind, costs, workers=2, listeners=2, broker_most=5)

    assert load.broker_bytes == costs["brokers"][kind]["bytes"]
    assert load.broker_here
    elsewhere = load_of("external", costs, workers=2, listeners=1, broker_most=None)
    assert (elsewhere.broker_bytes, elsewhere.broker_here) == (0, False)
