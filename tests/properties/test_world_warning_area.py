from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world import geography
from simulator.world.arrival import ArrivalKind, prefecture_arrival
from simulator.world.earth import Place
from simulator.world.flight import Flight, plan_flight
from simulator.world.warning_area import AreaPolicy, Corridor, under_track, warned_by, warning_area

_SLUGS = [entry.slug for entry in geography.prefectures()]
corridors = st.builds(
    Corridor, half_width_km=st.floats(0.0, 150.0), impact_radius_km=st.floats(0.0, 150.0)
)
policies = st.sampled_from(list(AreaPolicy))


@st.composite
def flights(draw: st.DrawFn) -> Flight:
    return plan_flight(
        launch=Place(latitude=draw(st.floats(37.8, 42.0)), longitude=draw(st.floats(124.5, 127.5))),
        azimuth_deg=draw(st.floats(40.0, 200.0)),
        range_km=draw(st.floats(500.0, 8000.0)),
        apogee_km=draw(st.floats(100.0, 4000.0)),
    )


@settings(max_examples=40, deadline=None)
@given(flight=flights(), corridor=corridors, policy=policies)
def test_what_lies_under_the_track_is_warned_in_order(
    flight: Flight, corridor: Corridor, policy: AreaPolicy
) -> None:
    area = warning_area(flight, policy, corridor)
    assert set(area.under) <= set(area.warned)
    assert [slug for slug in _SLUGS if slug in area.warned] == list(area.warned)
    assert bool(area.warned) == bool(area.under)


@settings(max_examples=40, deadline=None)
@given(flight=flights(), corridor=corridors, more=st.floats(0.0, 100.0))
def test_a_wider_corridor_holds_the_narrower(
    flight: Flight, corridor: Corridor, more: float
) -> None:
    wider = Corridor(
        half_width_km=corridor.half_width_km + more,
        impact_radius_km=corridor.impact_radius_km + more,
    )
    assert set(under_track(flight, corridor)) <= set(under_track(flight, wider))


@settings(max_examples=40, deadline=None)
@given(flight=flights(), corridor=corridors)
def test_arrivals_are_those_of_the_area_and_within_the_flight(
    flight: Flight, corridor: Corridor
) -> None:
    under = under_track(flight, corridor)
    for slug in _SLUGS:
        arrival = prefecture_arrival(flight, slug, corridor)
        assert (arrival is not None) == (slug in under)
        if arrival is not None:
            assert 0.0 <= arrival.at_s <= arrival.leaves_s <= flight.duration_s + 1e-6
            assert (arrival.distance_km == 0.0) or arrival.kind is not ArrivalKind.OVER


@given(policy=policies, under=st.lists(st.sampled_from(_SLUGS), max_size=6))
def test_policies_only_add(policy: AreaPolicy, under: list[str]) -> None:
    warned = warned_by(policy, under)
    assert set(under) <= set(warned)
    assert len(set(warned)) == len(warned)
    assert warned_by(policy, reversed(under)) == warned
