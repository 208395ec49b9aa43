"""What the chain may take a flight for: its prediction, its mistakes, a track of nothing.

Rule of the module: belief only. A flight comes in, another goes out, planned as if the errors were
the truth; whoever draws the errors draws them elsewhere. A false track is a flight that nobody
launched, planned like any other.
"""

from simulator.world.flight import Flight, plan_flight


def predicted(
    flight: Flight,
    *,
    azimuth_error_deg: float = 0.0,
    range_factor: float = 1.0,
    apogee_factor: float = 1.0,
) -> Flight:
    """A flight as it is predicted from an early track.

    Args:
        flight: what the track is of.
        azimuth_error_deg: predicted less true direction, degrees clockwise.
        range_factor: predicted by true range, above 0.
        apogee_factor: predicted by true apogee, above 0.

    Raises:
        InputError: if no flight has the predicted figures.
    """
    return plan_flight(
        launch=flight.launch,
        azimuth_deg=(flight.azimuth_deg + azimuth_error_deg) % 360.0,
        range_km=flight.range_km * range_factor,
        apogee_km=flight.apogee_km * apogee_factor,
        regime=flight.regime,
    )
