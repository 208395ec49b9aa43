"""From the flight facts of a scenario to the flights of the world: planned, predicted, as it goes.

Rule of the module: the one place of the room that needs the world's flights; imported only where a
scenario has one, so that a replay does not pay for them. Errors are the world's, with the fields of
a scenario.
"""

from simulator.errors import InputError
from simulator.scenario.flight import FlightFacts, Quantity
from simulator.units import NS_PER_S
from simulator.world.earth import Place
from simulator.world.flight import Flight, plan_flight
from simulator.world.flown import FlownFlight, fly
from simulator.world.powered import Regime
from simulator.world.records import launch_sites
from simulator.world.sensing import radars

SATELLITE = "satellite"


def launch_place(facts: FlightFacts) -> Place:
    """Where the flight starts.

    Raises:
        InputError: if the place is missing, given twice, or an unknown site.
    """
    north, east = facts.latitude_deg, facts.longitude_deg
    if facts.site is not None and north is None and east is None:
        place = launch_sites().get(facts.site)
        if place is None:
            raise InputError(
                "there is no such launch site",
                field="site",
                value=facts.site,
                remedy=f"one of {', '.join(launch_sites())}; or write latitude_deg and "
                "longitude_deg",
            )
        return place
    if facts.site is None and north is not None and east is not None:
        return Place(latitude=north.value, longitude=east.value)
    raise InputError(
        "a flight needs one launch point",
        field="site",
        remedy="write site: sunan, or latitude_deg and longitude_deg, not both",
    )


def planned(facts: FlightFacts) -> Flight:
    """The flight as planned.

    Raises:
        InputError: if a figure is out of its range or the launch is inside Japan.
    """
    return _flight(facts, facts.azimuth_deg, facts.range_km, facts.apogee_km)


def predicted(facts: FlightFacts) -> Flight:
    """The flight that the chain takes it for.

    Raises:
        InputError: if there is no flight of these figures.
    """
    other = facts.predicted
    if other is None:
        return planned(facts)
    return _flight(
        facts,
        other.azimuth_deg or facts.azimuth_deg,
        other.range_km or facts.range_km,
        other.apogee_km or facts.apogee_km,
    )


def flown(facts: FlightFacts, breaks_up_ns: int | None, lost_ns: int | None) -> FlownFlight:
    """The flight as it goes.

    Args:
        facts: what is known of it.
        breaks_up_ns: ns after launch at which it breaks up, None if it does not.
        lost_ns: ns after launch at which the radars lose it, None if they do not.

    Raises:
        InputError: if it ends twice, or outside the flight.
    """
    short = facts.falls_short_km
    return fly(
        planned(facts),
        ends_at_s=None if breaks_up_ns is None else breaks_up_ns / NS_PER_S,
        ends_over_km=None if short is None else short.value,
        lost_at_s=None if lost_ns is None else lost_ns / NS_PER_S,
    )


def check_sensors(facts: FlightFacts) -> None:
    """Refuse sensors that do not exist.

    Raises:
        InputError: for the first.
    """
    known = (SATELLITE, *(radar.id for radar in radars()))
    for name in facts.missed_by:
        if name not in known:
            raise InputError(
                "there is no such sensor",
                field="missed_by",
                value=name,
                remedy=f"one of {', '.join(known)}",
            )


def _flight(facts: FlightFacts, azimuth: Quantity, reach: Quantity, apogee: Quantity) -> Flight:
    return plan_flight(
        launch=launch_place(facts),
        azimuth_deg=azimuth.value,
        range_km=reach.value,
        apogee_km=apogee.value,
        regime=Regime(facts.kind),
    )
