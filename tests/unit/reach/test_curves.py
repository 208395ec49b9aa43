from typing import Any

import numpy as np
import pytest

from simulator.reach.channels import Activity
from simulator.reach.curves import TownCurves, falls, grid_s, middles, noticed
from simulator.reach.delays import HORIZON_S, delay_table
from simulator.reach.equipment import Equipment
from simulator.reach.loading import load_profile
from tests.unit.reach.small import EVERYBODY, built, constant, town


def test_the_grid_rises_from_the_issue_to_the_horizon() -> None:
    times = grid_s()
    assert (times[0], times[-1]) == (0, HORIZON_S)
    steps = np.diff(times)
    assert set(steps) == {0.25, 0.5, 1, 5, 20}
    assert np.all(np.diff(steps) >= 0)


def test_between_the_times_of_the_grid_curves_are_nearly_straight() -> None:
    """The accuracy that docs/model/reach.md states: 0.001 of people at any time."""
    profile = load_profile("j-alert-2022")
    between = np.arange(0, HORIZON_S * 16) / 16
    for channel in profile.channels.all().values():
        for notice in profile.notices:
            table = delay_table(channel.stages, notice.delay)
            read = np.interp(between, grid_s(), table.at(grid_s()))
            assert np.abs(read - table.at(between)).max() < 1e-3


def test_what_falls_in_the_steps_is_what_is_missing_at_the_end() -> None:
    curve = np.asarray([0.9, 0.5, 0.5, 0.1])
    assert falls(curve) == pytest.approx([0.1, 0.4, 0, 0.4])
    assert middles(curve) == pytest.approx([0.95, 0.7, 0.5, 0.3])


def test_the_fall_of_a_product_is_shared_out_without_rest() -> None:
    generator = np.random.default_rng(3)
    one, other = (np.sort(generator.random((4, 50)), axis=-1)[:, ::-1] for _ in range(2))
    parts = falls(one) * middles(other) + falls(other) * middles(one)
    assert parts == pytest.approx(falls(one * other), abs=1e-15)


def test_only_those_who_hear_notice() -> None:
    hears = {"radio": {"share": 0.9, "notice": "now"}, "asleep": {"share": 0.2, "notice": "now"}}

    def change(document: dict[str, Any]) -> None:
        stages = [{"id": "cut-in", "delay": constant(5)}]
        document["channels"]["radio"] = {"hears": hears, "stages": stages}

    profile = built(change)
    radio = profile.channels.radio
    assert radio is not None
    found = noticed(profile, radio, radio.stages)
    before, after = np.searchsorted(grid_s(), (4.75, 5.0))
    assert not found[:, before].any()
    expected = {Activity.RADIO: 0.9, Activity.ASLEEP: 0.2}
    assert found[:, after].tolist() == [expected.get(activity, 0.0) for activity in Activity]
    assert not noticed(profile, None, ()).any()


def test_channels_of_a_town_share_its_starter_and_its_lag() -> None:
    def change(document: dict[str, Any]) -> None:
        document["municipal"] |= {
            "stages": [{"id": "line", "delay": constant(2)}],
            "mixed": {"share": {"share": 0.5}, "delay": constant(75)},
        }
        document["channels"]["loudspeaker"] = {
            "stages": [{"id": "siren", "delay": constant(14)}],
            "hears": EVERYBODY,
            "installed": {"elsewhere": {"share": 1.0}},
            "audible": [{"id": "all", "people_from": 0, "share": {"share": 0.5}}],
        }

    profile = built(change)
    equipment = Equipment.build(profile, (town(),))
    curves = TownCurves.build(profile, equipment)
    left = np.einsum("kc,cst->kst", curves.cases, curves.left)
    ever = np.einsum("kc,ncs->nks", curves.cases, curves.ever)
    for kind, description in enumerate(equipment.kinds):
        start = grid_s()[np.argmax(left[kind, 0] < 1)]
        if description.audible:
            assert start == 2 + 14 + (0, 75)[description.lag]
            assert left[kind, 0, -1] == 0.5
            assert ever[0, kind].tolist() == [0.5] * len(Activity)
        else:
            assert np.all(left[kind] == 1)


def test_people_of_a_town_are_a_mixture_of_four_cases() -> None:
    """Of all kinds of towns, against the product of the channels of that kind itself."""
    profile = load_profile("j-alert-2017")
    equipment = Equipment.build(profile, (town(),))
    curves = TownCurves.build(profile, equipment)
    channels = profile.channels
    assert channels.loudspeaker is not None
    assert channels.indoor_receiver is not None
    stages = profile.municipal.stages
    media = np.prod(
        [
            1 - noticed(profile, channel, channel.stages)
            for channel in (channels.television, channels.radio)
            if channel is not None
        ],
        axis=0,
    )
    assert curves.cases.sum(axis=1) == pytest.approx(1, abs=1e-15)
    for row, kind in zip(curves.cases, equipment.kinds, strict=True):
        lag = equipment.lags[kind.lag]
        loud = noticed(profile, channels.loudspeaker, stages + channels.loudspeaker.stages, lag)
        indoor = channels.indoor_receiver
        home = noticed(profile, indoor, stages + indoor.stages, lag)
        expected = (1 - kind.audible * loud) * (1 - kind.homes * home) * media
        assert np.abs(np.einsum("c,cst->st", row, curves.left) - expected).max() < 1e-12


def test_the_parts_of_the_channels_are_what_is_gone() -> None:
    profile = load_profile("j-alert-2017")
    equipment = Equipment.build(profile, (town(),))
    curves = TownCurves.build(profile, equipment)
    gone = curves.first.sum(axis=(0, -1))
    assert gone == pytest.approx(1 - curves.left[..., -1], abs=1e-12)
    assert np.all(curves.first >= 0)
    assert np.all(curves.first.sum(axis=-1) <= curves.ever + 1e-12)
