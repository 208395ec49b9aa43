"""Flight times against published ones, the law with each flight left out, and other physics."""

import csv
import math
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest

from simulator.world.arrival import prefecture_arrival
from simulator.world.earth import EARTH_GM_KM3_S2, EARTH_RADIUS_KM, Place
from simulator.world.ellipse import solve_ellipse
from simulator.world.flight import plan_flight
from simulator.world.powered import powered_law
from simulator.world.records import PublishedFlight, predicted_tracks, published_flights
from simulator.world.warning_area import default_corridor

# The six flights that the model was given; the other ten were found besides.
_GIVEN = """\
date,apogee_km,range_km,flight_time_s
2017-05-14,2111.5,787,1800
2017-07-28,3724.9,998,2832
2017-11-29,4475,950,3180
2022-10-04,1000,4600,1320
2022-11-18,6040.9,999.2,4135
2023-07-12,6648.4,1001.2,4491
"""
_WITHIN = 0.03
_LAWS = tuple(product(range(180, 361, 10), range(1500, 4501, 100)))


def _off(flight: PublishedFlight, limit_s: float, scale_km: float) -> float:
    free_s = solve_ellipse(flight.range_km, flight.apogee_km).duration_s
    lost_s = limit_s * flight.apogee_km / math.hypot(flight.apogee_km, scale_km)
    return (free_s + lost_s) / flight.flight_time_s - 1


def _fit(flights: Sequence[PublishedFlight]) -> tuple[int, int]:
    return min(_LAWS, key=lambda law: max(abs(_off(flight, *law)) for flight in flights))


def _given() -> list[PublishedFlight]:
    dates = {row["date"] for row in csv.DictReader(_GIVEN.splitlines())}
    return [flight for flight in published_flights() if flight.date in dates]


def test_the_given_flights_are_tabled_as_given() -> None:
    rows = list(csv.DictReader(_GIVEN.splitlines()))
    assert [
        (flight.date, flight.apogee_km, flight.range_km, flight.flight_time_s)
        for flight in _given()
    ] == [
        (
            row["date"],
            float(row["apogee_km"]),
            float(row["range_km"]),
            float(row["flight_time_s"]),
        )
        for row in rows
    ]


@pytest.mark.parametrize("flight", published_flights(), ids=lambda flight: flight.date)
def test_every_published_flight_time_is_met_within_three_per_cent(flight: PublishedFlight) -> None:
    modelled = plan_flight(
        launch=Place(latitude=39.24, longitude=125.67),
        azimuth_deg=80.0,
        range_km=flight.range_km,
        apogee_km=flight.apogee_km,
    )
    assert modelled.duration_s == pytest.approx(flight.flight_time_s, rel=_WITHIN)


def test_no_constant_powered_phase_would_do() -> None:
    assert all(
        max(abs(_off(flight, limit_s, 1e-3)) for flight in published_flights()) > _WITHIN
        for limit_s in range(0, 400, 5)
    )


def test_the_shipped_law_is_the_best_of_its_kind() -> None:
    law = powered_law()
    assert _fit(published_flights()) == (law.lost_limit_s, law.apogee_scale_km)


@pytest.mark.parametrize("left_out", range(6))
def test_five_of_the_given_flights_predict_the_sixth(left_out: int) -> None:
    given = _given()
    flight = given.pop(left_out)
    assert abs(_off(flight, *_fit(given))) < _WITHIN


def test_all_flights_but_one_predict_it_within_its_rounding_with_one_exception() -> None:
    missed = {}
    for flight in published_flights():
        others = [other for other in published_flights() if other is not flight]
        off = _off(flight, *_fit(others))
        if abs(off) > _WITHIN + flight.resolution_s / 2 / flight.flight_time_s:
            missed[flight.date] = off
    # Its published times disagree by more: 37 min (US Pacific Command), 39 (KCNA).
    assert set(missed) == {"2017-07-04"}
    assert 37 * 60 < 2340 * (1 + missed["2017-07-04"]) < 39 * 60


def test_the_given_six_alone_predict_the_ten_found_besides() -> None:
    law = _fit(_given())
    others = [flight for flight in published_flights() if flight not in _given()]
    good = [
        abs(_off(flight, *law)) < _WITHIN + flight.resolution_s / 2 / flight.flight_time_s
        for flight in others
    ]
    assert sum(good) == len(others)


@pytest.mark.parametrize("flight", published_flights(), ids=lambda flight: flight.date)
def test_the_table_of_the_documentation_is_what_the_model_gives(flight: PublishedFlight) -> None:
    law = powered_law()
    off = _off(flight, law.lost_limit_s, law.apogee_scale_km)
    modelled_s = flight.flight_time_s * (1 + off)
    row = (
        f"| {flight.date} | {flight.apogee_km:g} | {flight.range_km:g} "
        f"| {flight.flight_time_s:.0f} | {modelled_s:.0f} | {off * 100:+.1f} % |"
    )
    document = Path(__file__).parents[2] / "docs/model/world.md"
    assert row in document.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("range_km", "apogee_km"), [(300.0, 90.0), (950.0, 4475.0), (4600.0, 1000.0), (12000.0, 1500.0)]
)
def test_the_ellipse_is_what_gravity_makes_of_its_first_second(
    range_km: float, apogee_km: float
) -> None:
    ellipse = solve_ellipse(range_km, apogee_km)
    # Speed and climb at the surface, from energy and angular momentum; then Newton's law, step
    # by step, which knows nothing of ellipses.
    speed = math.sqrt(EARTH_GM_KM3_S2 * (2 / EARTH_RADIUS_KM - 1 / ellipse.semi_major_km))
    momentum = math.sqrt(
        EARTH_GM_KM3_S2 * ellipse.semi_major_km * ellipse.roundness * (1 + ellipse.eccentricity)
    )
    level = momentum / EARTH_RADIUS_KM
    climb = math.sqrt(speed**2 - level**2)
    state = (EARTH_RADIUS_KM, 0.0, climb, level)
    steps = 4000
    step_s = ellipse.duration_s / steps
    heights = []
    for _ in range(steps):
        state = _runge_kutta(state, step_s)
        heights.append(math.hypot(state[0], state[1]) - EARTH_RADIUS_KM)
    assert heights[-1] == pytest.approx(0.0, abs=0.01)
    assert max(heights) == pytest.approx(apogee_km, abs=0.01)
    assert heights[steps // 4 - 1] == pytest.approx(
        ellipse.height_km(ellipse.duration_s / 4), abs=0.01
    )
    assert math.atan2(state[1], state[0]) * EARTH_RADIUS_KM == pytest.approx(range_km, abs=0.05)


_State = tuple[float, float, float, float]


def _runge_kutta(state: _State, step_s: float) -> _State:
    first = _fall(state)
    second = _fall(_ahead(state, first, step_s / 2))
    third = _fall(_ahead(state, second, step_s / 2))
    fourth = _fall(_ahead(state, third, step_s))
    mean = tuple(
        (a + 2 * b + 2 * c + d) / 6 for a, b, c, d in zip(first, second, third, fourth, strict=True)
    )
    return _ahead(state, (mean[0], mean[1], mean[2], mean[3]), step_s)


def _fall(state: _State) -> _State:
    pull = -EARTH_GM_KM3_S2 / math.hypot(state[0], state[1]) ** 3
    return (state[2], state[3], state[0] * pull, state[1] * pull)


def _ahead(state: _State, change: _State, step_s: float) -> _State:
    a, b, c, d = (value + rate * step_s for value, rate in zip(state, change, strict=True))
    return (a, b, c, d)


@pytest.mark.parametrize(
    ("event", "prefecture", "earliest_min", "latest_min"),
    [
        ("2017-08-29", "hokkaido", 7, 9),
        ("2017-09-15", "hokkaido", 7, 9),
        ("2022-10-04", "aomori", 6, 7),
        ("2022-11-03", "miyagi", 9, 9),
        ("2023-04-13", "hokkaido", 38, 38),
        ("2023-08-24", "okinawa", 9, 9),
    ],
)
def test_passages_are_met_to_the_minute_that_they_are_published_to(
    event: str, prefecture: str, earliest_min: int, latest_min: int
) -> None:
    track = predicted_tracks()[event]
    corridor = default_corridor(track.policy, track.regime)
    arrival = prefecture_arrival(track.flight(), prefecture, corridor)
    assert arrival is not None
    assert arrival.leaves_s > (earliest_min - 1) * 60
    assert arrival.at_s < (latest_min + 1) * 60
