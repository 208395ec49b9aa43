from typing import Any, cast

from simulator.delivery.swarm.probes import PROBES_KEPT, Probes
from simulator.delivery.swarm.subscriber import PROBE, Subscriber


def two() -> list[Subscriber]:
    nothing = cast("Any", None)
    return [Subscriber(PROBE, nothing, nothing) for _ in range(2)]


def test_a_probe_counts_once_it_has_come_over_every_version() -> None:
    one, other = two()
    probes = Probes([one, other])

    assert not probes.seen(one, b"a")
    assert not probes.seen(one, b"a")
    assert not probes.seen(other, b"b")
    assert probes.seen(other, b"a")
    assert not probes.seen(other, b"a")
    assert probes.seen(one, b"b")


def test_the_oldest_of_too_many_is_forgotten() -> None:
    one, other = two()
    probes = Probes([one, other])
    payloads = [b"%d" % number for number in range(PROBES_KEPT + 1)]
    for payload in payloads:
        probes.seen(one, payload)

    assert all(probes.seen(other, payload) for payload in payloads[1:])
    assert not probes.seen(other, payloads[0])
