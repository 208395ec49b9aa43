"""What sensors make of a flight whose geometry is known: looks from space, tracks on the ground.

Rule of the module: the drawn parts (the phase of a scan, how long a track takes to form) come in as
arguments; whole milliseconds after launch go out. Imported only where a scenario has a flight.
"""

from dataclasses import replace
from functools import cache

from simulator.model.geometry import Geometry
from simulator.world.sensing import Satellite, early_warning, satellite_report_s

_MS_PER_S = 1000


def satellite_looks_ms(geometry: Geometry, phase: float) -> int | None:
    """When early warning from space has looked often enough, None if it never has.

    Args:
        geometry: what follows from the flight.
        phase: where in its scan the satellite is, 0 to 1.
    """
    if geometry.missed_from_space:
        return None
    looks_s = satellite_report_s(geometry.flown, _looking(), phase)
    return None if looks_s is None else round(looks_s * _MS_PER_S)


def radar_track_ms(geometry: Geometry, forming_ms: int) -> int | None:
    """When the first radar has a track, None if none sees the flight for long enough.

    Args:
        geometry: what follows from the flight.
        forming_ms: how long a radar has to see it without a gap.
    """
    return min(
        (
            seen.from_ms + forming_ms
            for seen in geometry.seen
            if seen.until_ms - seen.from_ms >= forming_ms
        ),
        default=None,
    )


@cache
def _looking() -> Satellite:
    """The satellite without its processing, which is drawn."""
    return replace(early_warning(), processing_s=0.0)
