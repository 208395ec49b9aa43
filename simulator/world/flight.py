"""A flight: where it is when, from launch point, direction, published range and apogee.

Rule of the module: a planned flight flies to its end; what really became of it is `flown`'s. Times
are seconds after launch, positions are over a sphere. It is a warning-time model, coarse on
purpose: no guidance, no vehicle, no drag.
"""

import math
from dataclasses import dataclass
from typing import Final

from simulator.errors import InputError
from simulator.world.earth import GreatCircle, Place, great_circle
from simulator.world.ellipse import Ellipse, solve_ellipse
from simulator.world.outline import prefecture_at, prefecture_near
from simulator.world.powered import Regime, powered_law

_OFF_THE_COAST_KM: Final = 10.0
"""A launch nearer to land than this is taken for one inside Japan: outlines of 1:10m leave out
bays, quays and islets. An assumption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One flight from launch to impact.

    Attributes:
        launch: where it starts.
        azimuth_deg: in which direction, degrees clockwise from north.
        ellipse: its free flight.
        regime: which powered phase.
        lost_s: seconds that the powered phase adds to it.
        circle: the great circle that it flies over.
    """

    launch: Place
    azimuth_deg: float
    ellipse: Ellipse
    regime: Regime
    lost_s: float
    circle: GreatCircle

    @property
    def range_km(self) -> float:
        """From launch to impact along the surface."""
        return self.ellipse.range_km

    @property
    def apogee_km(self) -> float:
        """Greatest height above the surface."""
        return self.ellipse.apogee_km

    @property
    def duration_s(self) -> float:
        """From launch to impact."""
        return self._clock_s(self.ellipse.duration_s)

    @property
    def apogee_s(self) -> float:
        """When it is highest."""
        return self._clock_s(self.ellipse.half_s)

    @property
    def powered_s(self) -> float:
        """When the powered phase of the model ends."""
        return min(2 * self.lost_s, self.duration_s)

    @property
    def impact(self) -> Place:
        """Where it comes down."""
        return self.circle.place_at(self.range_km)

    def height_km(self, at_s: float) -> float:
        """Height above the surface; 0 before the launch and after the impact."""
        return max(0.0, self.ellipse.height_km(self._ellipse_s(at_s)))

    def ground_km(self, at_s: float) -> float:
        """Kilometres from the launch along its track, 0 to ``range_km``."""
        over_km = self.ellipse.ground_km(self._ellipse_s(at_s))
        return min(self.range_km, max(0.0, over_km))

    def place_at(self, at_s: float) -> Place:
        """The place that it is over."""
        return self.circle.place_at(self.ground_km(at_s))

    def ground_track(self, points: int) -> tuple[Place, ...]:
        """Places along its track, evenly apart, from launch to impact, for maps.

        Args:
            points: how many, at least 2.
        """
        step_km = self.range_km / (points - 1)
        return tuple(self.circle.place_at(step_km * number) for number in range(points))

    def when_over_km(self, ground_km: float) -> float:
        """When it is over a point of its track.

        Args:
            ground_km: kilometres from the launch; taken as 0 below and as the range above.
        """
        over_km = min(self.range_km, max(0.0, ground_km))
        return self._clock_s(max(0.0, self.ellipse.when_at_km(over_km)))

    def when_at_height(self, height_km: float) -> tuple[float, float] | None:
        """When it rises through a height and when it falls through it; None if never.

        Args:
            height_km: above the surface, at least 0.
        """
        both = self.ellipse.when_at_height(height_km)
        if both is None:
            return None
        rising_s, falling_s = both
        return self._clock_s(max(0.0, rising_s)), self._clock_s(falling_s)

    def _clock_s(self, ellipse_s: float) -> float:
        """Seconds after launch, from seconds of the ellipse."""
        if ellipse_s < self.lost_s:
            return 2 * math.sqrt(self.lost_s * ellipse_s)
        return ellipse_s + self.lost_s

    def _ellipse_s(self, at_s: float) -> float:
        """The inverse, within the flight."""
        within_s = min(self.duration_s, max(0.0, at_s))
        if within_s < 2 * self.lost_s:
            return within_s * within_s / (4 * self.lost_s)
        return within_s - self.lost_s


def plan_flight(
    *,
    launch: Place,
    azimuth_deg: float,
    range_km: float,
    apogee_km: float,
    regime: Regime = Regime.BALLISTIC,
) -> Flight:
    """The flight of published figures.

    Args:
        launch: where it starts, outside Japan and more than 10 km off its coast.
        azimuth_deg: degrees clockwise from north at the launch, -360 to 360.
        range_km: along the surface, above 0, at most half the Earth.
        apogee_km: above the surface, above 0.
        regime: which powered phase.

    Raises:
        InputError: if a figure is out of its range or the launch is inside Japan; the error names
            the field, the value and the remedy, not the file.
    """
    _check_angle("launch.latitude", launch.latitude, 90.0)
    _check_angle("launch.longitude", launch.longitude, 180.0)
    _check_angle("azimuth_deg", azimuth_deg, 360.0)
    ellipse = solve_ellipse(range_km, apogee_km)
    inside = prefecture_at(launch)
    if inside is not None:
        raise InputError(
            "the launch is inside Japan",
            field="launch",
            value=f"{launch.latitude:g}, {launch.longitude:g}, in {inside}",
            remedy="this model warns of what comes from outside; check latitude and longitude",
        )
    coast = prefecture_near(launch, _OFF_THE_COAST_KM)
    if coast is not None:
        raise InputError(
            f"the launch is within {_OFF_THE_COAST_KM:g} km of Japan",
            field="launch",
            value=f"{launch.latitude:g}, {launch.longitude:g}, off {coast}",
            remedy="this model warns of what comes from outside; check latitude and longitude",
        )
    return Flight(
        launch=launch,
        azimuth_deg=azimuth_deg,
        ellipse=ellipse,
        regime=regime,
        lost_s=powered_law(regime).lost_s(apogee_km),
        circle=great_circle(launch, azimuth_deg),
    )


def _check_angle(field: str, angle: float, most: float) -> None:
    if not -most <= angle <= most:
        raise InputError(
            "this is no such angle",
            field=field,
            value=f"{angle:g}",
            remedy=f"write degrees between -{most:g} and {most:g}",
        )
