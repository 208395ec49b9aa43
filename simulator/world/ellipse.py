"""Free flight: the Kepler ellipse through two points of the surface with a given apogee.

Rule of the module: a range and an apogee come in, an ellipse with the Earth's centre as a focus
goes out, and answers where something on it is when. The clock of the ellipse starts at the surface,
at full speed; the powered phase is another module's. No drag, no rotation of the Earth: published
range and apogee are as flown, over the ground. Formulas: Bate, Mueller, White, Fundamentals of
Astrodynamics (1971), chapter 6 (free-flight range) and section 4.2 (time of flight).
"""

import math
from dataclasses import dataclass
from typing import Final

from simulator.errors import InputError
from simulator.world.earth import EARTH_GM_KM3_S2, EARTH_RADIUS_KM, HALF_EARTH_KM

_STEPS: Final = 60
_CLOSE: Final = 1e-13
_LEAST_KM: Final = 0.001
_MOON_KM: Final = 384_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipse:
    """A free flight from surface to surface, symmetric about its apogee.

    Attributes:
        range_km: along the surface, from start to end.
        apogee_km: greatest height above the surface.
        eccentricity: above 0, below 1.
        roundness: 1 less the eccentricity, with the digits that a steep flight needs.
        semi_major_km: half the long axis.
        half_s: seconds from the start to the apogee, and from there to the end.
    """

    range_km: float
    apogee_km: float
    eccentricity: float
    roundness: float
    semi_major_km: float
    half_s: float

    @property
    def duration_s(self) -> float:
        """Seconds from surface to surface."""
        return 2 * self.half_s

    def when_at_km(self, ground_km: float) -> float:
        """Ellipse seconds at which it is over a point of the ground.

        Args:
            ground_km: kilometres from the start, 0 to ``range_km``.
        """
        past_apogee = (ground_km - self.range_km / 2) / EARTH_RADIUS_KM
        return self.half_s + self._since_apogee_s(_anomaly_at(past_apogee, self.roundness))

    def when_at_height(self, height_km: float) -> tuple[float, float] | None:
        """Ellipse seconds at which it is at a height, rising and falling; None above the apogee.

        Args:
            height_km: above the surface, at least 0.
        """
        if height_km > self.apogee_km:
            return None
        radius = EARTH_RADIUS_KM + height_km
        cosine = (radius / self.semi_major_km - 1) / self.eccentricity
        away_s = self._since_apogee_s(math.acos(max(-1.0, min(1.0, cosine))))
        return self.half_s - away_s, self.half_s + away_s

    def height_km(self, ellipse_s: float) -> float:
        """Height above the surface.

        Args:
            ellipse_s: seconds from the start, 0 to ``duration_s``.
        """
        anomaly = self._anomaly(ellipse_s - self.half_s)
        radius = self.semi_major_km * (1 + self.eccentricity * math.cos(anomaly))
        return radius - EARTH_RADIUS_KM

    def ground_km(self, ellipse_s: float) -> float:
        """Kilometres along the surface from the start.

        Args:
            ellipse_s: seconds from the start, 0 to ``duration_s``.
        """
        anomaly = self._anomaly(ellipse_s - self.half_s)
        stretch = math.sqrt(self.roundness / (2 - self.roundness))
        past_apogee = 2 * math.atan2(math.sin(anomaly / 2) * stretch, math.cos(anomaly / 2))
        return self.range_km / 2 + past_apogee * EARTH_RADIUS_KM

    @property
    def _mean_motion(self) -> float:
        return math.sqrt(EARTH_GM_KM3_S2 / self.semi_major_km**3)

    def _since_apogee_s(self, anomaly: float) -> float:
        """Kepler's equation, the eccentric anomaly counted from the apogee."""
        return (anomaly + self.eccentricity * math.sin(anomaly)) / self._mean_motion

    def _anomaly(self, since_apogee_s: float) -> float:
        """Its inverse, by Newton: concave above 0, so the steps approach from below, one-sided."""
        mean = abs(since_apogee_s) * self._mean_motion
        anomaly = mean / (1 + self.eccentricity)
        step, left = math.inf, _STEPS
        while left and abs(step) > _CLOSE:
            step = (mean - anomaly - self.eccentricity * math.sin(anomaly)) / (
                1 + self.eccentricity * math.cos(anomaly)
            )
            anomaly += step
            left -= 1
        return math.copysign(anomaly, since_apogee_s)


def solve_ellipse(range_km: float, apogee_km: float) -> Ellipse:
    """The ellipse of a published range and apogee.

    Args:
        range_km: along the surface, from a metre to half the Earth.
        apogee_km: above the surface, from a metre to the Moon's distance.

    Raises:
        InputError: if either is out of its range: no flight from surface to surface has it.
    """
    _refuse_unless(
        apogee_km >= _LEAST_KM,
        "the apogee is not above the surface",
        ("apogee_km", apogee_km, "write the greatest height in kilometres, above 0"),
    )
    _refuse_unless(
        apogee_km <= _MOON_KM,
        "the apogee is beyond the Moon",
        ("apogee_km", apogee_km, "write the greatest height in kilometres"),
    )
    _refuse_unless(
        range_km >= _LEAST_KM,
        "the range is not above 0",
        ("range_km", range_km, "write the kilometres from launch to impact along the surface"),
    )
    _refuse_unless(
        range_km <= HALF_EARTH_KM,
        "the range is more than half the Earth",
        ("range_km", range_km, f"at most {math.floor(HALF_EARTH_KM)} km; the other way is shorter"),
    )
    half_angle = range_km / (2 * EARTH_RADIUS_KM)
    # Twice the square of the sine keeps the digits that 1 - cos loses for short ranges.
    sagitta_km = 2 * EARTH_RADIUS_KM * math.sin(half_angle / 2) ** 2
    eccentricity = apogee_km / (apogee_km + sagitta_km)
    roundness = sagitta_km / (apogee_km + sagitta_km)
    semi_major_km = (EARTH_RADIUS_KM + apogee_km) / (1 + eccentricity)
    anomaly = _anomaly_at(half_angle, roundness)
    mean_motion = math.sqrt(EARTH_GM_KM3_S2 / semi_major_km**3)
    return Ellipse(
        range_km=range_km,
        apogee_km=apogee_km,
        eccentricity=eccentricity,
        roundness=roundness,
        semi_major_km=semi_major_km,
        half_s=(anomaly + eccentricity * math.sin(anomaly)) / mean_motion,
    )


def _anomaly_at(past_apogee: float, roundness: float) -> float:
    """Eccentric anomaly from the apogee, of an angle from the apogee seen from the centre."""
    stretch = math.sqrt((2 - roundness) / roundness)
    return 2 * math.atan2(math.sin(past_apogee / 2) * stretch, math.cos(past_apogee / 2))


def _refuse_unless(holds: bool, message: str, about: tuple[str, float, str]) -> None:
    if not holds:
        field, value, remedy = about
        raise InputError(message, field=field, value=f"{value:g}", remedy=remedy)
