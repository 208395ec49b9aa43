from collections import defaultdict
from datetime import date
from itertools import combinations

import pytest

from simulator.errors import InputError
from simulator.world import geography
from simulator.world.earth import Place
from simulator.world.flight import Flight, plan_flight
from simulator.world.powered import Regime
from simulator.world.warning_area import (
    AreaPolicy,
    Corridor,
    blocks,
    default_corridor,
    neighbours,
    policy_on,
    under_track,
    warned_by,
    warning_area,
)

_SLUGS = tuple(entry.slug for entry in geography.prefectures())
_SUNAN = Place(latitude=39.24, longitude=125.67)


def _flight(azimuth: float, range_km: float = 5500.0, apogee_km: float = 2000.0) -> Flight:
    return plan_flight(launch=_SUNAN, azimuth_deg=azimuth, range_km=range_km, apogee_km=apogee_km)


@pytest.mark.parametrize(
    ("day", "policy"),
    [
        ("2012-12-12", AreaPolicy.BLOCKS),
        ("2018-01-07", AreaPolicy.BLOCKS),
        ("2018-01-08", AreaPolicy.PREFECTURES),
        ("2023-08-24", AreaPolicy.PREFECTURES),
        ("2023-11-21", AreaPolicy.PREFECTURES_AND_NEIGHBOURS),
    ],
)
def test_policies_change_on_their_day(day: str, policy: AreaPolicy) -> None:
    assert policy_on(date.fromisoformat(day)) is policy


def test_before_the_first_policy_there_is_none() -> None:
    with pytest.raises(InputError, match="no such warnings on that day"):
        policy_on(date(2006, 7, 5))


@pytest.mark.parametrize("azimuth", [88.8, 89.0, 89.5, 90.0, 90.2])
def test_the_founding_case_follows_from_the_track(azimuth: float) -> None:
    area = warning_area(_flight(azimuth), AreaPolicy.PREFECTURES)
    assert area.under == area.warned == ("miyagi", "yamagata", "niigata")


def test_the_founding_case_under_the_rules_of_2023_adds_the_neighbours() -> None:
    area = warning_area(_flight(90.0), AreaPolicy.PREFECTURES_AND_NEIGHBOURS)
    assert area.under == ("miyagi", "yamagata", "niigata")
    beside = {"iwate", "akita", "fukushima", "gunma", "toyama", "nagano"}
    assert set(area.warned) == {*area.under, *beside}
    assert area.warned == tuple(slug for slug in _SLUGS if slug in area.warned)


def test_a_wider_corridor_warns_more_and_none_warns_less() -> None:
    sizes = [
        len(under_track(_flight(90.0), Corridor(half_width_km=width, impact_radius_km=0.0)))
        for width in (0.0, 30.0, 60.0, 120.0)
    ]
    assert sizes == sorted(sizes)
    assert sizes[0] == 3
    assert sizes[-1] > sizes[0]


def test_nothing_under_the_track_is_a_result() -> None:
    for policy in AreaPolicy:
        area = warning_area(_flight(0.0), policy)
        assert (area.under, area.warned) == ((), ())


def test_an_impact_near_the_coast_warns_though_no_land_lies_under_the_track() -> None:
    flight = _flight(90.0, range_km=1150.0)
    far = Corridor(half_width_km=20.0, impact_radius_km=20.0)
    near = Corridor(half_width_km=20.0, impact_radius_km=60.0)
    assert under_track(flight, far) == ()
    assert under_track(flight, near) == ("yamagata", "niigata")


def test_a_space_launch_has_a_corridor_at_least_as_wide() -> None:
    for policy in AreaPolicy:
        usual, wide = default_corridor(policy), default_corridor(policy, Regime.SPACE_LAUNCH)
        assert wide.half_width_km > usual.half_width_km
        assert wide.impact_radius_km >= usual.impact_radius_km


def test_nine_blocks_hold_every_prefecture_once() -> None:
    assert len(blocks()) == 9
    assert tuple(slug for block in blocks() for slug in block.prefectures) == _SLUGS


def test_a_related_area_is_what_lies_next_to_a_block_and_nagano_with_tohoku() -> None:
    for block in blocks():
        beside = {near for slug in block.prefectures for near in neighbours()[slug]}
        expected = beside - set(block.prefectures)
        if block.name == "tohoku":
            expected |= {"nagano"}
        assert set(block.related) == expected


def test_the_tohoku_block_is_the_twelve_of_2017() -> None:
    twelve = (
        "hokkaido aomori iwate miyagi akita yamagata fukushima ibaraki tochigi gunma niigata nagano"
    )
    assert warned_by(AreaPolicy.BLOCKS, ["aomori"]) == tuple(twelve.split())
    assert warned_by(AreaPolicy.BLOCKS, ["aomori", "hokkaido"]) == tuple(twelve.split())
    assert warned_by(AreaPolicy.BLOCKS, ["okinawa"]) == ("okinawa",)


def test_prefectures_are_warned_in_the_order_of_their_codes_and_once() -> None:
    under = ["niigata", "miyagi", "niigata"]
    assert warned_by(AreaPolicy.PREFECTURES, under) == ("miyagi", "niigata")


def test_neighbours_are_mutual_and_no_prefecture_is_its_own() -> None:
    for slug, near in neighbours().items():
        assert slug not in near
        for other in near:
            assert slug in neighbours()[other]
    assert neighbours()["okinawa"] == ()
    assert neighbours()["hokkaido"] == ("aomori",)


def test_borders_are_those_of_the_outlines_but_for_one_corner() -> None:
    owners = defaultdict(set)
    for slug, rings in geography.outlines().items():
        for ring in rings:
            for point in ring:
                owners[point].add(slug)
    drawn = {pair for near in owners.values() for pair in combinations(sorted(near), 2)}
    tabled = {tuple(sorted((slug, other))) for slug, near in neighbours().items() for other in near}
    # Where four prefectures nearly meet, the outlines at 1:10 million join the wrong two.
    assert drawn - tabled == {("gunma", "ibaraki")}
    links = {
        ("aomori", "hokkaido"),
        ("chiba", "kanagawa"),
        ("ehime", "hiroshima"),
        ("fukuoka", "yamaguchi"),
        ("hyogo", "tokushima"),
        ("kagawa", "okayama"),
    }
    assert tabled - drawn == {("saitama", "tochigi"), *links}
