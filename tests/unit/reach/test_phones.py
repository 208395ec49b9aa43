from copy import deepcopy
from typing import Any

import numpy as np
import pytest

from simulator.randomness import Streams
from simulator.reach.channels import ChannelProfile
from simulator.reach.curves import grid_s
from simulator.reach.delays import MeasuredDelivery
from simulator.reach.loading import load_profile
from simulator.reach.phones import PhoneCurves
from simulator.units import NS_PER_S
from tests.unit.reach.small import EVERYBODY, NEAR, built, constant, network


def _profile(*networks: dict[str, Any], app: float | None = None) -> ChannelProfile:
    def change(document: dict[str, Any]) -> None:
        document["channels"]["cell-broadcast"] = {
            "stages": [{"id": "send", "delay": constant(4)}],
            "hears": EVERYBODY,
            "carriers": list(networks),
        }
        if app is not None:
            document["channels"]["app"] = {
                "stages": [{"id": "push", "delay": constant(2)}],
                "hears": EVERYBODY,
                "owners": {"share": app},
            }

    return built(change)


def _at(seconds: float) -> int:
    return int(np.searchsorted(grid_s(), seconds))


def test_networks_count_by_their_lines_and_are_late_by_their_offsets() -> None:
    phones = PhoneCurves(_profile(network("one", 0.6), network("two", 0.2, late=10)))
    left = phones.draw(Streams(1)).left[0]
    assert [left[_at(t)] for t in (3.75, 4, 13.75, 14)] == pytest.approx([1, 0.25, 0.25, 0])
    assert phones.carriers == ("one", "two")


def test_a_silent_network_reaches_nobody() -> None:
    curves = PhoneCurves(_profile(network("one", 0.75), network("two", 0.25, silent=1.0)))
    assert curves.draw(Streams(1)).left[0, -1] == pytest.approx(0.25)
    assert curves.draw(Streams(1), {"one"}).left[0, -1] == pytest.approx(1)
    state = PhoneCurves(_profile(network("one", 0.75), network("two", 0.25))).draw(Streams(1))
    assert state.left[0, -1] == pytest.approx(0)


def test_networks_are_silent_as_often_as_the_profile_says() -> None:
    curves = PhoneCurves(_profile(network("one", 1.0, silent=0.3)))
    silent = sum(curves.draw(Streams(2, n)).left[0, -1] > 0.5 for n in range(800))
    assert abs(silent - 240) < 4 * (800 * 0.3 * 0.7) ** 0.5


def test_only_owners_whose_phone_is_near_and_capable_are_reached() -> None:
    document = _profile(network("one")).model_dump(mode="json", by_alias=True, exclude_none=True)
    document["phones"] = {
        "held": {"share": 0.8},
        "capable": {"share": 0.5},
        "near": deepcopy(NEAR) | {"asleep": {"share": 0.25}},
    }
    left = PhoneCurves(ChannelProfile.model_validate(document)).draw(Streams(1)).left
    assert left[:, -1] == pytest.approx([1 - 0.8 * 0.25 * 0.5] + [1 - 0.8 * 0.5] * 5)


def test_the_app_is_first_with_those_who_have_it() -> None:
    state = PhoneCurves(_profile(network("one"), app=0.4)).draw(Streams(1))
    assert state.first.sum(axis=-1)[:, 0] == pytest.approx([0.6, 0.4])
    assert state.ever[:, 0] == pytest.approx([1.0, 0.4])
    assert state.left[0, _at(2)] == pytest.approx(0.6)


def test_the_phone_being_near_is_needed_by_both_channels() -> None:
    document = _profile(network("one"), app=1.0).model_dump(
        mode="json", by_alias=True, exclude_none=True
    )
    document["phones"]["near"] = {name: {"share": 0.5} for name in NEAR}
    state = PhoneCurves(ChannelProfile.model_validate(document)).draw(Streams(1))
    # Independent channels would leave a quarter.
    assert state.left[0, -1] == pytest.approx(0.5)


def test_a_measured_distribution_stands_for_the_stages_of_the_app() -> None:
    profile = _profile(network("one"), app=0.4)
    slow = MeasuredDelivery.from_sample([6 * NS_PER_S] * 3, lost=1)
    state = PhoneCurves(profile, slow).draw(Streams(1))
    assert state.ever[1, 0] == pytest.approx(0.3)
    assert state.first.sum(axis=-1)[:, 0] == pytest.approx([1.0, 0.0])
    quick = MeasuredDelivery.from_sample([NS_PER_S])
    state = PhoneCurves(profile, quick).draw(Streams(1))
    assert state.left[0, _at(1)] == pytest.approx(0.6)


def test_without_phone_channels_phones_reach_nobody() -> None:
    curves = PhoneCurves(load_profile("j-alert-2012"))
    state = curves.draw(Streams(1))
    assert np.all(state.left == 1)
    assert not state.first.any()
    assert not state.ever.any()
    assert curves.carriers == ()


def test_a_network_draws_the_same_whatever_others_there_are() -> None:
    late = {"law": "uniform", "low": "0s", "high": "60s"}
    one, two = (network(name) | {"offset": late} for name in ("one", "two"))
    alone = PhoneCurves(_profile(one)).draw(Streams(4)).left[0]
    both = PhoneCurves(_profile(two, one)).draw(Streams(4), {"two"}).left[0]
    assert 1 - both == pytest.approx(0.5 * (1 - alone))
