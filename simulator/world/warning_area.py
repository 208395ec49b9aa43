"""Which prefectures are warned: those under the predicted track, widened by the policy of the day.

Rule of the module: a predicted flight and a policy come in, slugs go out in the order of their
codes. What lies under the track is geometry; what is warned besides is rules of the time, tabled in
``config/warning_areas.json`` and ``config/neighbours.csv``. Nothing under the track is a result.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from simulator.errors import InputError
from simulator.resources import config_text
from simulator.world.earth import great_circle
from simulator.world.figures import value
from simulator.world.flight import Flight
from simulator.world.geography import prefectures
from simulator.world.outline import approach
from simulator.world.powered import Regime

_TABLE: Final = "warning_areas.json"


class AreaPolicy(StrEnum):
    """How the warned area follows from what lies under the predicted track."""

    BLOCKS = "blocks"
    PREFECTURES = "prefectures"
    PREFECTURES_AND_NEIGHBOURS = "prefectures-and-neighbours"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corridor:
    """How uncertain the predicted track is.

    Attributes:
        half_width_km: to either side of the track, at least 0.
        impact_radius_km: about the predicted impact, at least 0.
    """

    half_width_km: float
    impact_radius_km: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One of the nine broadcasting blocks before 2018.

    Attributes:
        name: lowercase: ``tohoku``.
        prefectures: slugs of the prefectures in it.
        related: slugs of those warned with it, in case the track strays.
    """

    name: str
    prefectures: tuple[str, ...]
    related: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WarningArea:
    """The outcome, in the order of the prefectures' codes.

    Attributes:
        under: slugs that lie under the predicted track within its corridor, or about its impact.
        warned: slugs that the policy warns; all of ``under`` and no fewer.
    """

    under: tuple[str, ...]
    warned: tuple[str, ...]


def policy_on(day: date) -> AreaPolicy:
    """The policy in force on a day.

    Raises:
        InputError: before the first.
    """
    found = None
    for policy in AreaPolicy:
        if date.fromisoformat(_table()["policies"][policy]["since"]) <= day:
            found = policy
    if found is None:
        raise InputError(
            "there were no such warnings on that day",
            value=day.isoformat(),
            remedy=f"from {_table()['policies'][AreaPolicy.BLOCKS]['since']}, or name a policy",
        )
    return found


def default_corridor(policy: AreaPolicy, regime: Regime = Regime.BALLISTIC) -> Corridor:
    """The corridor of a policy's years, as in ``config/warning_areas.json``.

    Args:
        policy: the rules of the time.
        regime: what is launched; of a space launch less of the track is known when it is warned of.
    """
    groups = [str(policy)] if regime is Regime.BALLISTIC else [str(policy), str(regime)]
    return Corridor(
        half_width_km=max(value(_TABLE, f"{group}.half_width_km") for group in groups),
        impact_radius_km=max(value(_TABLE, f"{group}.impact_radius_km") for group in groups),
    )


def under_track(flight: Flight, corridor: Corridor) -> tuple[str, ...]:
    """Slugs under a predicted track within its corridor, or about its impact.

    Args:
        flight: as predicted.
        corridor: how uncertain it is.
    """
    landing = great_circle(flight.impact, 0.0)
    return _in_order(
        entry.slug
        for entry in prefectures()
        if approach(entry.slug, flight.circle, flight.range_km, corridor.half_width_km)
        or approach(entry.slug, landing, 0.0, corridor.impact_radius_km)
    )


def warned_by(policy: AreaPolicy, under: Iterable[str]) -> tuple[str, ...]:
    """What a policy warns when these lie under the track.

    Args:
        policy: the rules.
        under: slugs of prefectures.
    """
    under = tuple(under)
    if policy is AreaPolicy.BLOCKS:
        hit = [block for block in blocks() if set(under) & set(block.prefectures)]
        return _in_order(slug for block in hit for slug in (*block.prefectures, *block.related))
    if policy is AreaPolicy.PREFECTURES:
        return _in_order(under)
    return _in_order(near for slug in under for near in (slug, *neighbours()[slug]))


def warning_area(
    flight: Flight, policy: AreaPolicy, corridor: Corridor | None = None
) -> WarningArea:
    """The warned area of a predicted flight; empty where no prefecture lies under its track.

    Args:
        flight: as predicted.
        policy: the rules of the time.
        corridor: how uncertain the prediction is; by default that of the policy's
            years.
    """
    under = under_track(flight, corridor or default_corridor(policy, flight.regime))
    return WarningArea(under=under, warned=warned_by(policy, under))


@cache
def blocks() -> tuple[Block, ...]:
    """The nine, north to south."""
    return tuple(
        Block(
            name=name,
            prefectures=tuple(entry["prefectures"]),
            related=tuple(entry["related"]),
        )
        for name, entry in _table()["blocks"].items()
    )


@cache
def neighbours() -> Mapping[str, tuple[str, ...]]:
    """Slugs next to each prefecture: a border on land, a bridge or a tunnel."""
    beside: dict[str, list[str]] = {entry.slug: [] for entry in prefectures()}
    for row in csv.DictReader(config_text("neighbours.csv").splitlines()):
        beside[row["prefecture"]].append(row["neighbour"])
        beside[row["neighbour"]].append(row["prefecture"])
    return MappingProxyType({slug: _in_order(near) for slug, near in beside.items()})


def _in_order(slugs: Iterable[str]) -> tuple[str, ...]:
    wanted = set(slugs)
    return tuple(entry.slug for entry in prefectures() if entry.slug in wanted)


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(config_text(_TABLE))
    return table
