from simulator.world.outline import prefecture_at
from simulator.world.powered import Regime
from simulator.world.records import launch_sites, predicted_tracks, published_flights
from simulator.world.warning_area import warned_by


def test_every_published_flight_has_a_source_and_a_resolution() -> None:
    flights = published_flights()
    assert [flight.date for flight in flights] == sorted(flight.date for flight in flights)
    assert len(flights) == 16
    assert all(flight.source and flight.vehicle and flight.resolution_s >= 1 for flight in flights)


def test_sites_lie_outside_japan() -> None:
    assert all(prefecture_at(place) is None for place in launch_sites().values())


def test_every_track_says_how_it_was_derived_and_holds_its_own_direction() -> None:
    for event, track in predicted_tracks().items():
        assert track.event == event
        assert track.how
        assert track.source
        assert track.passage
        assert track.azimuth_low_deg <= track.azimuth_deg <= track.azimuth_high_deg
        assert set(track.area) <= set(warned_by(track.policy, track.area))


def test_a_track_makes_its_flight() -> None:
    track = predicted_tracks()["2012-12-12"]
    flight = track.flight()
    assert flight.launch == launch_sites()["sohae"]
    assert (flight.azimuth_deg, flight.range_km, flight.apogee_km) == (176.5, 2690.0, 500.0)
    assert flight.regime is Regime.SPACE_LAUNCH
    assert track.flight(175.0).azimuth_deg == 175.0
