"""The map of the live page: 47 outlines and 1,741 municipalities, drawn flat.

Rule of the module: pure arithmetic from the tables of ``config/`` to one JSON text, made when the
service is asked for it and kept in no file, so it cannot go stale. Mercator projection; the islands
south of Kyushu stand in a box at the top left, as on printed maps of Japan.
"""

import json
import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from simulator.world.geography import Municipality, Ring, municipalities, outlines, prefectures

_UNITS_PER_DEGREE: Final = 100  # one unit is about 900 m: finer than a pixel on any screen
_LEAST_RING: Final = 5  # units: smaller islands are left out, unless a prefecture has none larger
_HALF: Final = 2

Point = tuple[int, int]


class Window(NamedTuple):
    """A part of the world, degrees, and where its top left corner is drawn, units."""

    west: float
    east: float
    south: float
    north: float
    x: int
    y: int

    def holds(self, longitude: float, latitude: float) -> bool:
        """Whether a place lies in it."""
        return self.west <= longitude <= self.east and self.south <= latitude <= self.north

    def place(self, longitude: float, latitude: float) -> Point:
        """Where a place is drawn, units from the top left."""
        along = (longitude - self.west) * _UNITS_PER_DEGREE
        down = (_mercator(self.north) - _mercator(latitude)) * _UNITS_PER_DEGREE
        return self.x + round(along), self.y + round(down)

    @property
    def size(self) -> Point:
        """Width and height, units."""
        down = (_mercator(self.north) - _mercator(self.south)) * _UNITS_PER_DEGREE
        return round((self.east - self.west) * _UNITS_PER_DEGREE), round(down)


def _mercator(latitude: float) -> float:
    return math.degrees(math.log(math.tan(math.pi / 4 + math.radians(latitude) / _HALF)))


MAIN: Final = Window(128.3, 146.1, 30.1, 45.7, 0, 0)
SOUTH: Final = Window(122.7, 131.6, 23.9, 30.1, 12, 12)
_WINDOWS: Final = (MAIN, SOUTH)  # Ogasawara lies in neither; the page says so


@cache
def map_json() -> str:
    """The map as JSON text.

    ``width`` and ``height`` of the drawing, ``inset`` (x, y, width, height of the box), and for
    each prefecture its ``slug``, ``code``, names, ``outline`` and ``towns`` (SVG paths; a town is
    a line of no length, which a round cap makes a dot) and ``at``, where its mark stands.
    """
    width, height = MAIN.size
    drawn = {
        "width": width,
        "height": height,
        "inset": [SOUTH.x, SOUTH.y, *SOUTH.size],
        "prefectures": [*_prefectures()],
    }
    return json.dumps(drawn, ensure_ascii=False, separators=(",", ":"))


def _prefectures() -> Iterable[dict[str, Any]]:
    towns: dict[str, list[Municipality]] = {}
    for town in municipalities():
        towns.setdefault(town.prefecture, []).append(town)
    rings = outlines()
    for prefecture in prefectures():
        yield {
            "slug": prefecture.slug,
            "code": prefecture.code,
            "en": prefecture.name_en,
            "ja": prefecture.name_ja,
            "at": _placed(prefecture.longitude, prefecture.latitude),
            "outline": _outline(rings[prefecture.slug]),
            "towns": _dots(towns[prefecture.slug]),
        }


def _placed(longitude: float, latitude: float) -> Point | None:
    for window in _WINDOWS:
        if window.holds(longitude, latitude):
            return window.place(longitude, latitude)
    return None


def _outline(rings: Sequence[Ring]) -> str:
    drawn = []
    for ring in rings:
        window = next((each for each in _WINDOWS if all(each.holds(*at) for at in ring)), None)
        if window is not None:
            points = _thinned([window.place(*at) for at in ring])
            drawn.append((_extent(points), _path(points)))
    largest = max(extent for extent, _ in drawn)
    return "".join(path for extent, path in drawn if extent >= _LEAST_RING or extent == largest)


def _thinned(points: Sequence[Point]) -> list[Point]:
    kept: list[Point] = []
    for point in points:
        if not kept or kept[-1] != point:
            kept.append(point)
    return kept


def _extent(points: Sequence[Point]) -> int:
    across, along = [x for x, _ in points], [y for _, y in points]
    return max(max(across) - min(across), max(along) - min(along))


def _path(points: Sequence[Point]) -> str:
    (x, y), *rest = points
    steps = [f"M{x} {y}l"]
    for there_x, there_y in rest:
        steps.append(f"{there_x - x} {there_y - y}")
        x, y = there_x, there_y
    return f"{steps[0]}{' '.join(steps[1:])}z".replace(" -", "-")


def _dots(towns: Sequence[Municipality]) -> str:
    placed = (_placed(town.longitude, town.latitude) for town in towns)
    return "".join(f"M{at[0]} {at[1]}h0" for at in placed if at is not None)
