"""What sensors make of a flight whose geometry is known: looks from space, tracks on the ground.

Rule of the module: the drawn parts (the phase of a scan, how long a track takes to form) come in as
arguments; whole milliseconds after launch go out. Imported only where a scenario has a flight.
"""

from simulator.model.geometry import Geometry
from simulator.world.sensing import last_look_s, looked_at_s

_MS_PER_S = 1000


class Sights:
    """What sensors make of one flight.

    Args:
        geometry: what follows from the flight.
    """

    __slots__ = ("_satellite", "_seen", "_window")

    def __init__(self, geometry: Geometry) -> None:
        self._satellite = geometry.satellite
        self._window = (
            None if geometry.missed_from_space else looked_at_s(geometry.flown, self._satellite)
        )
        self._seen = tuple((seen.from_ms, seen.until_ms) for seen in geometry.seen)

    def looks_ms(self, phase: float) -> int | None:
        """When early warning from space has looked often enough, None if it never has.

        Args:
            phase: where in its scan the satellite is, 0 to 1.
        """
        if self._window is None:
            return None
        look_s = last_look_s(self._window, self._satellite, phase)
        return None if look_s is None else round(look_s * _MS_PER_S)

    def track_ms(self, forming_ms: int) -> int | None:
        """When the first radar has a track, None if none sees the flight for long enough.

        Args:
            forming_ms: how long a radar has to see it without a gap.
        """
        first_ms: int | None = None
        for from_ms, until_ms in self._seen:
            track_ms = from_ms + forming_ms
            if track_ms <= until_ms and (first_ms is None or track_ms < first_ms):
                first_ms = track_ms
        return first_ms
