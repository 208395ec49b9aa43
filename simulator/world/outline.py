"""Outlines of the prefectures as seen from a great circle: what it crosses, how near it passes.

Rule of the module: pure geometry over the tables of `geography`. An outline is laid out in the
frame of the great circle (kilometres along it and to its right); between neighbouring points of an
outline, a few kilometres apart, edges are taken as straight in that frame. Outlines are 1:10m: a
kilometre or so is their own uncertainty.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from simulator.world.earth import (
    GreatCircle,
    Place,
    Vector,
    distance_km,
    great_circle,
    unit_vector,
)
from simulator.world.geography import outlines

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """How near a track comes to a prefecture.

    Attributes:
        distance_km: from the track to the nearest land; 0 if it passes over it.
        along_km: where on the track that is: the first land it reaches, or the nearest point.
    """

    distance_km: float
    along_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """An outline as unit vectors, inside a circle that encloses it."""

    rings: tuple[tuple[Vector, ...], ...]
    centre: Vector
    radius_km: float


def prefecture_at(place: Place) -> str | None:
    """Slug of the prefecture that a place lies in, None at sea and abroad."""
    meridian = great_circle(place, 0.0)
    for slug, shape in _shapes().items():
        if _may_come_near(shape, meridian, 0.0, 0.0) and any(
            _encloses(_laid_out(ring, meridian)) for ring in shape.rings
        ):
            return slug
    return None


def prefecture_near(place: Place, within_km: float) -> str | None:
    """Slug of the prefecture nearest to a place, None if no land lies within a distance.

    Args:
        place: at sea, or on an islet that outlines of 1:10m leave out.
        within_km: the distance, at least 0.
    """
    meridian = great_circle(place, 0.0)
    found = ((slug, approach(slug, meridian, 0.0, within_km)) for slug in _shapes())
    near = [(closest.distance_km, slug) for slug, closest in found if closest is not None]
    return min(near)[1] if near else None


def stretches_over(slug: str, circle: GreatCircle, length_km: float) -> tuple[Point, ...]:
    """Where a track passes over a prefecture.

    Args:
        slug: the prefecture.
        circle: the great circle of the track.
        length_km: length of the track from the circle's start, at most half the Earth.

    Returns:
        First and last kilometre of each stretch over its land, in the order of the flight.
    """
    shape = _shapes()[slug]
    if not _may_come_near(shape, circle, length_km, 0.0):
        return ()
    found = [
        (max(0.0, enters), min(length_km, leaves))
        for ring in shape.rings
        for enters, leaves in _chords(_laid_out(ring, circle))
        if enters <= length_km and leaves >= 0.0
    ]
    return tuple(sorted(found))


def approach(slug: str, circle: GreatCircle, length_km: float, within_km: float) -> Approach | None:
    """How near a track comes to a prefecture, None if farther than a distance.

    Args:
        slug: the prefecture.
        circle: the great circle of the track.
        length_km: length of the track from the circle's start, at most half the Earth.
        within_km: the distance, at least 0.
    """
    shape = _shapes()[slug]
    if not _may_come_near(shape, circle, length_km, within_km):
        return None
    over = stretches_over(slug, circle, length_km)
    if over:
        return Approach(distance_km=0.0, along_km=over[0][0])
    nearest = min(
        _beside(start, end, length_km)
        for ring in shape.rings
        for start, end in _edges(_laid_out(ring, circle))
    )
    if nearest[0] > within_km:
        return None
    return Approach(distance_km=nearest[0], along_km=nearest[1])


@cache
def _shapes() -> dict[str, _Shape]:
    return {slug: _shape(rings) for slug, rings in outlines().items()}


def _shape(rings: tuple[tuple[Point, ...], ...]) -> _Shape:
    easts = [east for ring in rings for east, _ in ring]
    norths = [north for ring in rings for _, north in ring]
    centre = Place(
        latitude=(min(norths) + max(norths)) / 2, longitude=(min(easts) + max(easts)) / 2
    )
    places = [[Place(latitude=north, longitude=east) for east, north in ring] for ring in rings]
    return _Shape(
        rings=tuple(tuple(unit_vector(place) for place in ring) for ring in places),
        centre=unit_vector(centre),
        radius_km=max(distance_km(centre, place) for ring in places for place in ring),
    )


def _may_come_near(shape: _Shape, circle: GreatCircle, length_km: float, within_km: float) -> bool:
    """Whether a look at every point of the outline is worth it."""
    along_km, cross_km = circle.along_and_cross_km(shape.centre)
    reach_km = shape.radius_km + within_km
    return abs(cross_km) <= reach_km and -reach_km <= along_km <= length_km + reach_km


def _laid_out(ring: tuple[Vector, ...], circle: GreatCircle) -> list[Point]:
    return [circle.along_and_cross_km(point) for point in ring]


def _edges(points: list[Point]) -> list[tuple[Point, Point]]:
    return [*pairwise(points), (points[-1], points[0])]


def _chords(points: list[Point]) -> list[Point]:
    """Stretches of the circle inside a ring, before and behind the track too."""
    crossings = sorted(
        start[0] + (end[0] - start[0]) * start[1] / (start[1] - end[1])
        for start, end in _edges(points)
        if (start[1] > 0) != (end[1] > 0)
    )
    return list(zip(crossings[::2], crossings[1::2], strict=True))


def _encloses(points: list[Point]) -> bool:
    """Whether a ring encloses the start of the circle."""
    return any(enters <= 0.0 <= leaves for enters, leaves in _chords(points))


def _beside(start: Point, end: Point, length_km: float) -> Point:
    """Distance from an edge to the track that it does not cross, and where on the track.

    It is least at an end of the edge or at an end of the track.
    """
    along_km, aside_km = end[0] - start[0], end[1] - start[1]
    squared = along_km * along_km + aside_km * aside_km or 1.0
    shares = [
        ((track_end_km - start[0]) * along_km - start[1] * aside_km) / squared
        for track_end_km in (0.0, length_km)
    ]
    return min(
        _from_track((start[0] + along_km * share, start[1] + aside_km * share), length_km)
        for share in (0.0, 1.0, *(min(1.0, max(0.0, share)) for share in shares))
    )


def _from_track(point: Point, length_km: float) -> Point:
    """Distance from a point to the track, and where on the track."""
    foot_km = min(length_km, max(0.0, point[0]))
    return math.hypot(point[0] - foot_km, point[1]), foot_km
