"""The Earth as a sphere: distances, directions and great circles.

Rule of the module: degrees and kilometres in and out, pure arithmetic, no state. A sphere of the
mean radius differs from the ellipsoid by at most 0.6 % of a distance, far below what a published
range or launch direction is known to. Formulas: the sphere's unit vectors; great-circle distance
in the form that keeps its digits at any distance (https://en.wikipedia.org/wiki/Great-circle_distance).
"""

import math
from dataclasses import dataclass
from typing import Final

EARTH_RADIUS_KM: Final = 6371.0
"""Mean radius of the Earth (Moritz, Geodetic Reference System 1980, J. Geodesy 74, 2000)."""

EARTH_GM_KM3_S2: Final = 398_600.4418
"""Earth's gravitational constant times its mass (IERS Conventions 2010, table 1.1)."""

HALF_EARTH_KM: Final = math.pi * EARTH_RADIUS_KM
"""The farthest that two places can be apart, along the surface."""

Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A point on the surface.

    Attributes:
        latitude: degrees north, -90 to 90.
        longitude: degrees east, -180 to 180.
    """

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GreatCircle:
    """A great circle with a start and a direction.

    Attributes:
        start: unit vector of the start.
        forward: unit vector a quarter of the Earth ahead.
        left: unit vector of the pole on the left-hand side.
    """

    start: Vector
    forward: Vector
    left: Vector

    def along_and_cross_km(self, point: Vector) -> tuple[float, float]:
        """Where a point lies beside the circle.

        Args:
            point: its unit vector.

        Returns:
            Kilometres along the circle from the start to the foot of the perpendicular, from a
            quarter of the Earth behind (negative) to three quarters ahead; and kilometres from
            the circle, positive to the right.
        """
        along = math.atan2(dot(point, self.forward), dot(point, self.start))
        if along < -math.pi / 2:
            along += 2 * math.pi
        cross = -math.asin(max(-1.0, min(1.0, dot(point, self.left))))
        return along * EARTH_RADIUS_KM, cross * EARTH_RADIUS_KM

    def place_at(self, along_km: float) -> Place:
        """The place so many kilometres from the start."""
        angle = along_km / EARTH_RADIUS_KM
        ahead, aside = math.cos(angle), math.sin(angle)
        x, y, z = (ahead * a + aside * b for a, b in zip(self.start, self.forward, strict=True))
        return Place(
            latitude=math.degrees(math.atan2(z, math.hypot(x, y))),
            longitude=math.degrees(math.atan2(y, x)),
        )


def dot(a: Vector, b: Vector) -> float:
    """Scalar product of two vectors."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def unit_vector(place: Place) -> Vector:
    """The place as a point of the unit sphere: x to 0° E, y to 90° E, z to the north pole."""
    north, east = math.radians(place.latitude), math.radians(place.longitude)
    return (math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north))


def great_circle(start: Place, azimuth_deg: float) -> GreatCircle:
    """The great circle that leaves a place in a direction.

    Args:
        start: where it starts; at a pole, north is the direction of its meridian.
        azimuth_deg: degrees clockwise from north.
    """
    north, east = math.radians(start.latitude), math.radians(start.longitude)
    turn = math.radians(azimuth_deg)
    northward = (
        -math.sin(north) * math.cos(east),
        -math.sin(north) * math.sin(east),
        math.cos(north),
    )
    eastward = (-math.sin(east), math.cos(east), 0.0)
    ahead, aside = math.cos(turn), math.sin(turn)
    return GreatCircle(
        start=unit_vector(start),
        forward=_sum(ahead, northward, aside, eastward),
        left=_sum(aside, northward, -ahead, eastward),
    )


def distance_km(a: Place, b: Place) -> float:
    """Kilometres along the surface from one place to another."""
    u, v = unit_vector(a), unit_vector(b)
    return math.atan2(math.hypot(*_cross(u, v)), dot(u, v)) * EARTH_RADIUS_KM


def azimuth_deg(origin: Place, target: Place) -> float:
    """Direction of the shortest way to a place, degrees clockwise from north, 0 to below 360."""
    north = great_circle(origin, 0.0)
    point = unit_vector(target)
    angle = math.degrees(math.atan2(-dot(point, north.left), dot(point, north.forward)))
    return angle % 360.0


def destination(start: Place, azimuth_deg: float, distance_km: float) -> Place:
    """Where one arrives.

    Args:
        start: where from.
        azimuth_deg: degrees clockwise from north at the start.
        distance_km: kilometres along the great circle.
    """
    return great_circle(start, azimuth_deg).place_at(distance_km)


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _sum(a: float, u: Vector, b: float, v: Vector) -> Vector:
    return (a * u[0] + b * v[0], a * u[1] + b * v[1], a * u[2] + b * v[2])
