"""What follows from a flight: whom its prediction warns, when it arrives, who sees it, how it ends.

Rule of the module: geometry only, the same in every replication, so each flight is worked out once.
Times are whole milliseconds after launch, by the world's scalar arithmetic. Imported only where a
scenario has a flight.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from simulator.model.timeline import BY_FLIGHT
from simulator.scenario.assumptions import Sensing, WarnedArea
from simulator.scenario.flight import FlightFacts, Predicted, Quantity
from simulator.scenario.flights import SATELLITE, flown, predicted
from simulator.scenario.laws import Provenance
from simulator.scenario.schema import Outcome
from simulator.world.arrival import Arrival, ArrivalKind, prefecture_arrival
from simulator.world.flight import Flight
from simulator.world.flown import FlownFlight
from simulator.world.outline import prefecture_at
from simulator.world.sensing import Satellite, early_warning, radar_limits, radars, sights
from simulator.world.warning_area import (
    AreaPolicy,
    Corridor,
    default_corridor,
    under_track,
    warning_area,
)

_KEPT: Final = 256
_MS_PER_S: Final = 1000
_FAR_KM: Final = 2000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A time during which a radar can see the flight, ms after launch."""

    radar: str
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """What follows from one flight under one policy.

    Attributes:
        flown: the flight as it goes.
        predicted: the flight that the chain takes it for.
        corridor: how uncertain the prediction is.
        warned: slugs that the policy warns, in the order of their codes; may be empty.
        impact: whether the prediction comes down in or near a warned prefecture.
        believed_ms: when the predicted flight is over or nearest to each warned prefecture.
        over_ms: when it has left the last prefecture under its track, or is down; None if it
            comes near none.
        lands: whether the predicted impact lies in a prefecture.
        outcome: how the flight really ends.
        ends_ms: when.
        true_ms: when it really arrives at each prefecture that it comes near to.
        lost_ms: from when on there is nothing left to follow, though the prediction goes on; None
            if the flight is followed to its end.
        powered_ms: when the powered phase is over.
        seen: when which radar can see it, those that miss it left out.
        satellite: how early warning from space looks.
        missed_from_space: whether early warning from space fails to see it.
        figure: where all of it comes from.
    """

    flown: FlownFlight
    predicted: Flight
    corridor: Corridor
    warned: tuple[str, ...]
    impact: bool
    believed_ms: Mapping[str, int]
    over_ms: int | None
    lands: bool
    outcome: Outcome
    ends_ms: int
    true_ms: Mapping[str, int]
    lost_ms: int | None
    powered_ms: int
    seen: tuple[Seen, ...]
    satellite: Satellite
    missed_from_space: bool
    figure: Provenance

    def followed_until(self, at_ms: int) -> bool:
        """Whether the flight is still there and seen at a time, ms after launch."""
        return self.lost_ms is None or self.lost_ms >= at_ms


@lru_cache(maxsize=_KEPT)
def geometry(
    facts: FlightFacts,
    policy: str | None,
    breaks_up_ns: int | None,
    lost_ns: int | None,
    *,
    sensing: Sensing | None = None,
    corridor: WarnedArea | None = None,
) -> Geometry:
    """Work out a flight.

    Args:
        facts: the flight.
        policy: how the warned area follows from the predicted track; None: nobody is warned by
            geometry, the prefectures are listed.
        breaks_up_ns: ns after launch, None if it does not.
        lost_ns: ns after launch at which the radars lose it, None if they do not.
        sensing: what a scenario assumes of sensors, None: as the world has it.
        corridor: what it assumes of the corridor, None: as the policy has it.
    """
    actual, belief = flown(facts, breaks_up_ns, lost_ns), predicted(facts)
    rules = AreaPolicy.PREFECTURES if policy is None else AreaPolicy(policy)
    assumed = replace(default_corridor(rules, belief.regime), **_set(corridor))
    satellite = replace(early_warning(), **_set(sensing and sensing.satellite))
    limits = replace(radar_limits(), **_set(sensing and sensing.radar))
    area = warning_area(belief, rules, assumed)
    near = _arrivals(belief, area.under, assumed)
    downs = [arrival.at_s for arrival in near.values() if arrival.kind is ArrivalKind.IMPACT]
    leaves = [arrival.leaves_s for arrival in near.values()]
    true_ms = _true_arrivals(actual)
    fell_on = None if facts.breaks_up is not None else prefecture_at(actual.end)
    if fell_on is not None:
        true_ms.setdefault(fell_on, _ms(actual.ends_at_s))
    ended_early = actual.seen_until_s < actual.flight.duration_s
    return Geometry(
        flown=actual,
        predicted=belief,
        corridor=assumed,
        warned=area.warned,
        impact=bool(downs),
        believed_ms=_believed(belief, area.warned, near, assumed),
        over_ms=_ms(max(downs or leaves)) if near else None,
        lands=prefecture_at(belief.impact) is not None,
        outcome=_outcome(facts, fell_on, true_ms),
        ends_ms=_ms(actual.ends_at_s),
        true_ms=MappingProxyType(true_ms),
        lost_ms=_ms(actual.seen_until_s) if ended_early else None,
        powered_ms=_ms(actual.flight.powered_s),
        seen=tuple(
            Seen(radar=radar.id, from_ms=_ms(sight.from_s), until_ms=_ms(sight.until_s))
            for radar in radars(limits)
            if radar.id not in facts.missed_by
            for sight in sights(actual, radar)
        ),
        satellite=satellite,
        missed_from_space=SATELLITE in facts.missed_by,
        figure=_provenance(facts),
    )


def _set(assumed: BaseModel | None) -> dict[str, Any]:
    """The figures that a scenario sets itself."""
    if assumed is None:
        return {}
    figures = ((name, getattr(assumed, name)) for name in type(assumed).model_fields)
    return {name: figure.value for name, figure in figures if isinstance(figure, Quantity)}


def _arrivals(flight: Flight, slugs: Iterable[str], corridor: Corridor) -> dict[str, Arrival]:
    """When a flight arrives at each of some prefectures, those it does not come near left out."""
    found = {slug: prefecture_arrival(flight, slug, corridor) for slug in slugs}
    return {slug: arrival for slug, arrival in found.items() if arrival is not None}


def _believed(
    belief: Flight, warned: tuple[str, ...], near: dict[str, Arrival], corridor: Corridor
) -> Mapping[str, int]:
    """When the predicted flight is nearest to each warned prefecture, however far that is."""
    wide = Corridor(half_width_km=_FAR_KM, impact_radius_km=corridor.impact_radius_km)
    far = _arrivals(belief, [slug for slug in warned if slug not in near], wide)
    return MappingProxyType({slug: arrival.at_ms for slug, arrival in (near | far).items()})


def _true_arrivals(actual: FlownFlight) -> dict[str, int]:
    """When it really arrives, ms after launch: passes over or beside, or comes down in.

    How near beside is does not depend on the rules by which people are warned.
    """
    corridor = default_corridor(AreaPolicy.PREFECTURES, actual.flight.regime)
    under = under_track(actual.flight, corridor)
    return {
        slug: arrival.at_ms
        for slug, arrival in _arrivals(actual.flight, under, corridor).items()
        if actual.arrives(arrival.at_s)
        and (arrival.kind is not ArrivalKind.IMPACT or arrival.distance_km == 0)
    }


def _outcome(facts: FlightFacts, fell_on: str | None, true_ms: Mapping[str, int]) -> Outcome:
    """How the flight ends."""
    if fell_on is not None:
        return Outcome.FELL_ON_LAND
    if true_ms:
        return Outcome.PASSED
    return Outcome.FELL_IN_SEA if facts.breaks_up is None else Outcome.VANISHED


def _provenance(facts: FlightFacts) -> Provenance:
    """A prediction of the model: assumed, from all that the flight is known by."""
    values = [getattr(facts, name) for name in FlightFacts.model_fields]
    if facts.predicted is not None:
        values += [getattr(facts.predicted, name) for name in Predicted.model_fields]
    known = [source for one in values if isinstance(one, Provenance) for source in one.sources]
    return Provenance(
        assumption=True,
        sources=tuple(dict.fromkeys(known)),
        note=BY_FLIGHT,
    )


def _ms(at_s: float) -> int:
    return round(at_s * _MS_PER_S)
