"""Prefectures and municipalities of Japan: codes, names, places, people.

Rule of the module: read once, when first asked for, from the tables of ``config/`` (sources in
``config/README.md``); frozen records go out. Positions are degrees, WGS 84; people are the
preliminary count of the 2020 census.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any

from simulator.errors import InputError
from simulator.resources import config_text

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefecture:
    """One of the 47 prefectures.

    Attributes:
        code: JIS X 0401, two digits as text: ``04``.
        slug: lowercase name in topics and scenario files: ``miyagi``.
        name_ja: Japanese name: 宮城県.
        name_en: English name: Miyagi.
        municipalities: number of municipalities.
        population: inhabitants, 2020.
        latitude: centre of population, degrees north (mean of the municipal offices, weighted by
            inhabitants).
        longitude: the same, degrees east.
    """

    code: str
    slug: str
    name_ja: str
    name_en: str
    municipalities: int
    population: int
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Municipality:
    """One of the 1,741 municipalities.

    Attributes:
        code: JIS X 0402, five digits as text: ``04100``.
        prefecture: slug of its prefecture.
        name_ja: Japanese name: 仙台市.
        name_en: English name: Sendai-shi.
        population: inhabitants, 2020; 0 in Futaba-machi, which was evacuated.
        latitude: municipal office, degrees north.
        longitude: the same, degrees east.
    """

    code: str
    prefecture: str
    name_ja: str
    name_en: str
    population: int
    latitude: float
    longitude: float


@cache
def prefectures() -> tuple[Prefecture, ...]:
    """All 47, in the order of their codes, north to south."""
    return tuple(
        Prefecture(
            code=row["code"],
            slug=row["slug"],
            name_ja=row["name_ja"],
            name_en=row["name_en"],
            municipalities=int(row["municipalities"]),
            population=int(row["population_2020"]),
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
        )
        for row in _rows("prefectures.csv")
    )


@cache
def _by_name() -> MappingProxyType[str, Prefecture]:
    known = {entry.slug: entry for entry in prefectures()}
    known |= {entry.code: entry for entry in prefectures()}
    return MappingProxyType(known)


def prefecture(name: str) -> Prefecture:
    """The prefecture of a slug (``miyagi``) or a JIS code (``04``).

    Raises:
        InputError: if there is none; the remedy suggests the nearest.
    """
    found = _by_name().get(name)
    if found is None:
        slugs = [entry.slug for entry in prefectures()]
        near = get_close_matches(name.lower(), slugs, n=1)
        remedy = (
            f"did you mean {near[0]}?" if near else "write a name such as miyagi or a code from 01"
        )
        raise InputError("unknown prefecture", value=repr(name), remedy=remedy)
    return found


@cache
def municipalities() -> tuple[Municipality, ...]:
    """All 1,741, in the order of their codes."""
    slugs = {entry.code: entry.slug for entry in prefectures()}
    return tuple(
        Municipality(
            code=row["jis_code"],
            prefecture=slugs[row["prefecture_code"]],
            name_ja=row["name_ja"],
            name_en=row["name_en"],
            population=int(row["population_2020"]),
            latitude=float(row["latitude"]),
            longitude=float(row["longitude"]),
        )
        for row in _rows("municipalities.csv")
    )


@cache
def outlines() -> MappingProxyType[str, tuple[Ring, ...]]:
    """Outer rings of each prefecture by slug, as (longitude, latitude) pairs, for maps."""
    features = json.loads(config_text("prefectures.geojson"))["features"]
    return MappingProxyType(
        {
            feature["properties"]["slug"]: tuple(
                tuple((float(east), float(north)) for east, north in polygon[0])
                for polygon in _polygons(feature["geometry"])
            )
            for feature in features
        }
    )


def _polygons(geometry: dict[str, Any]) -> list[Any]:
    coordinates: list[Any] = geometry["coordinates"]
    return coordinates if geometry["type"] == "MultiPolygon" else [coordinates]


def _rows(table: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(config_text(table).splitlines())
