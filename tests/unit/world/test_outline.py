import pytest

from simulator.world import geography, outline
from simulator.world.earth import Place, great_circle
from simulator.world.outline import approach, prefecture_at, stretches_over

_SUNAN = Place(latitude=39.24, longitude=125.67)


@pytest.mark.parametrize(
    ("latitude", "longitude", "slug"),
    [
        (38.2688, 140.8721, "miyagi"),
        (35.6895, 139.6917, "tokyo"),
        (24.3448, 124.1572, "okinawa"),
        (43.0642, 141.3469, "hokkaido"),
        (39.24, 125.67, None),
        (38.5, 137.0, None),
        (-38.2688, -39.1279, None),
        (35.27, 136.08, "shiga"),
    ],
)
def test_places_lie_in_their_prefecture(
    latitude: float, longitude: float, slug: str | None
) -> None:
    assert prefecture_at(Place(latitude=latitude, longitude=longitude)) == slug


def test_nearly_every_municipal_office_lies_in_the_outline_of_its_prefecture() -> None:
    towns = geography.municipalities()[::20]
    found = [
        prefecture_at(Place(latitude=town.latitude, longitude=town.longitude)) == town.prefecture
        for town in towns
    ]
    # Outlines at 1:10 million leave out small islands and cut quays.
    assert sum(found) >= 0.95 * len(towns)


def test_a_track_crosses_a_prefecture_from_coast_to_border() -> None:
    eastward = great_circle(_SUNAN, 90.0)
    (first,) = stretches_over("miyagi", eastward, 4000.0)
    (before,) = stretches_over("yamagata", eastward, 4000.0)
    assert before[0] < before[1]
    assert before[1] == pytest.approx(first[0], abs=2.0)
    assert stretches_over("iwate", eastward, 4000.0) == ()
    assert stretches_over("okinawa", eastward, 4000.0) == ()


def test_stretches_end_with_the_track() -> None:
    eastward = great_circle(_SUNAN, 90.0)
    (whole,) = stretches_over("miyagi", eastward, 4000.0)
    middle = sum(whole) / 2
    assert stretches_over("miyagi", eastward, middle) == ((whole[0], middle),)
    assert stretches_over("miyagi", eastward, whole[0] - 1) == ()
    inside = eastward.place_at(middle)
    assert stretches_over("miyagi", great_circle(inside, 270.0), 4000.0)[0][0] == 0.0
    beyond = eastward.place_at(whole[1] + 5)
    assert stretches_over("miyagi", great_circle(beyond, 90.0), 4000.0) == ()


def test_an_approach_is_nothing_over_land_and_a_distance_beside_it() -> None:
    eastward = great_circle(_SUNAN, 90.0)
    over = approach("miyagi", eastward, 4000.0, 0.0)
    assert over is not None
    assert over.distance_km == 0.0
    assert over.along_km == stretches_over("miyagi", eastward, 4000.0)[0][0]
    beside = approach("fukushima", eastward, 4000.0, 100.0)
    assert beside is not None
    assert 35.0 < beside.distance_km < 40.0
    assert approach("fukushima", eastward, 4000.0, beside.distance_km - 0.1) is None
    assert approach("tokyo", eastward, 4000.0, 100.0) is None


def test_a_track_that_ends_before_the_coast_is_as_far_as_its_end() -> None:
    westward = great_circle(Place(latitude=36.5, longitude=150.0), 268.0)
    (whole,) = stretches_over("ibaraki", westward, 1000.0)
    for short_km in (30.0, 50.0):
        short = approach("ibaraki", westward, whole[0] - short_km, 60.0)
        assert short is not None
        assert short_km - 12.0 < short.distance_km <= short_km
        assert short.along_km == whole[0] - short_km


def test_a_point_is_a_track_of_no_length() -> None:
    offshore = Place(latitude=42.0, longitude=139.8)
    near = approach("hokkaido", great_circle(offshore, 0.0), 0.0, 60.0)
    turned = approach("hokkaido", great_circle(offshore, 123.0), 0.0, 60.0)
    assert near is not None
    assert turned is not None
    assert near.distance_km == pytest.approx(turned.distance_km, abs=0.1)


def test_shapes_are_laid_out_once() -> None:
    assert outline._shapes() is outline._shapes()
