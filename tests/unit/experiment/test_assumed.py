from typing import Any

import pytest

from simulator.errors import ConfigurationError
from simulator.experiment.assumed import EVERY, assumed_axes, channel_axes, named_axes
from simulator.experiment.assumptions import profile_with_changes, whole_document
from simulator.experiment.axes import Kind
from simulator.experiment.figures import figures_of
from simulator.experiment.paths import find_place, known_paths
from simulator.experiment.people import People, PeopleOrder
from simulator.experiment.variants import Base, Setting, read_base
from simulator.model import simulate
from simulator.randomness import Streams
from simulator.scenario import load_scenario

NAME = "tohoku-2022-11-03-modelled"


def _warned(base: Base, *settings: Setting) -> float:
    scenario = base.scenario(settings)
    found = People(PeopleOrder()).figures(scenario, simulate(scenario, 1), Streams(1, 0))
    people = found["warned_people"]
    assert people is not None
    return people


def test_sensors_corridor_and_channels_are_assumptions_of_a_flight() -> None:
    scenario = load_scenario(NAME)
    axes = {axis.path: axis for axis in assumed_axes(scenario)}
    assert axes["sensing.radar.range_km"].values == (1500, 3000)
    assert axes["sensing.satellite.looks"].values == (2, 5)
    assert axes["area.half_width_km"].values == (15, 38)
    channels = {axis.path: axis for axis in channel_axes(scenario, None)}
    assert channels["channels.phones.near.asleep"].values == (0.65, 0.9)
    assert channels["channels.indoor-receiver.coverage"].kind is Kind.NUMBER
    assert channels["channels.cell-broadcast.stages.radio-cells.delay"].values == (0.5, 1.625)
    assert "channels.municipal.failure" not in channels
    assert len({**axes, **channels}) == len(axes) + len(channels)


def test_who_flies_nothing_assumes_nothing_of_sensors() -> None:
    paths = {axis.path for axis in assumed_axes(load_scenario("tohoku-2022-11-03"))}
    assert not {path for path in paths if path.startswith(("sensing", "area"))}


def test_a_space_launch_has_the_wider_corridor() -> None:
    document = whole_document(load_scenario("okinawa-2023-11-21"), None)
    assert document["area"]["half_width_km"]["value"] == 80


@pytest.mark.parametrize("high", [False, True])
def test_every_assumption_of_the_channels_can_be_moved_to_both_ends(high: bool) -> None:
    base = read_base(NAME)
    axes = channel_axes(base.scenario(), None)
    scenario = base.scenario([axis.end(high=high) for axis in axes])
    document = whole_document(scenario, None)
    again = {axis.path: axis for axis in channel_axes(scenario, None)}
    for axis in axes:
        place = find_place(axis.path, document)
        if axis.kind is Kind.NUMBER and place.key == "share":
            found: Any = document
            for step in place.steps:
                found = (
                    next(item for item in found if item["id"] == step)
                    if isinstance(found, list)
                    else found[step]
                )
            assert found["share"] == axis.values[high]
            if axis.values[high]:
                assert again[axis.path].values == axis.values


def test_what_is_set_of_the_channels_changes_who_is_warned() -> None:
    base = read_base(NAME)
    as_is = _warned(base)
    assert _warned(base, Setting(path="channels.phones.held", value=0.0)) < 0.6 * as_is
    assert _warned(base, Setting(path="channels.phones.held", value=0.5, factor=True)) < as_is
    louder = Setting(path="channels.loudspeaker.hears.indoors", value=1)
    assert _warned(base, louder) > as_is
    more = Setting(path="channels.indoor-receiver.coverage", value=0.35)
    assert _warned(base, more) > as_is
    fewer = Setting(path="channels.municipal.failure", value=20.0, factor=True)
    assert _warned(base, fewer) < as_is
    silent = Setting(path="channels.cell-broadcast.carriers.docomo.silent", value=1.0)
    profile = profile_with_changes(base.scenario([fewer, silent]), None)
    assert profile.municipal.failure.b == 2
    assert profile.municipal.failure.assumption


def test_what_is_set_of_sensors_and_corridor_changes_the_alert() -> None:
    base = read_base("hokkaido-2022-10-04")

    def figures(path: str, value: float) -> dict[str, Any]:
        scenario = base.scenario([Setting(path=path, value=value)])
        return figures_of(simulate(scenario, 1), [launch.id for launch in scenario.launches])

    as_is = figures("sensing.radar.range_km", 2000)
    assert figures("sensing.radar.range_km", 300)["alert_ns"] is None
    wide = figures("area.half_width_km", 200)
    assert wide["prefectures_count"] > as_is["prefectures_count"]
    assert figures("area.half_width_km.value", 30) == as_is


def test_a_setting_that_no_channel_has_is_refused() -> None:
    base = read_base(NAME)
    with pytest.raises(ConfigurationError) as caught:
        base.scenario([Setting(path="channels.phones.held", value=1.5)])
    assert "channels.phones.held=1.5" in caught.value.field
    # What stands at the other end of a range is blamed on that end.
    with pytest.raises(ConfigurationError) as caught:
        base.scenario([Setting(path="channels.phones.held", value=0.5, low=0.5, high=1.5)])
    assert caught.value.field == "channels.phones.held=1.5"
    with pytest.raises(ConfigurationError, match="no such field") as caught:
        base.scenario([Setting(path="channels.phones.hold", value=0.5)])
    assert "channels.phones.held" in caught.value.remedy
    with pytest.raises(ConfigurationError, match="cannot be varied so"):
        base.scenario([Setting(path="sensing.radar.range_km", value=-3)])


def test_the_channels_of_a_time_have_what_it_had() -> None:
    document = whole_document(load_scenario("okinawa-2012-12-12"), None)
    known = known_paths(document)
    assert not [path for path in known if path.startswith("channels.cell-broadcast")]
    assert "channels.loudspeaker.stages.siren.delay" in known
    for path in known:
        assert find_place(path, document).steps == tuple(path.split("."))


def test_assumptions_are_named_alone_together_or_all() -> None:
    scenario = load_scenario(NAME)
    known = (*assumed_axes(scenario), *channel_axes(scenario, None))
    assert named_axes([EVERY], known) == known
    sensing = named_axes(["sensing.*"], known)
    assert [axis.path for axis in sensing] == [
        axis.path for axis in known if axis.path.startswith("sensing.")
    ]
    both = named_axes(["area.half_width_km=20..30:3", "area.*", "sensing.satellite.looks"], known)
    assert [(axis.path, axis.steps) for axis in both] == [
        ("area.half_width_km", 3),
        ("area.impact_radius_km", 0),
        ("sensing.satellite.looks", 0),
    ]
    with pytest.raises(ConfigurationError, match="no assumption") as caught:
        named_axes(["area.half_widht_km"], known)
    assert "did you mean area.half_width_km" in caught.value.remedy
    with pytest.raises(ConfigurationError) as caught:
        named_axes(["#"], known)
    assert caught.value.remedy.startswith("write assumptions")
