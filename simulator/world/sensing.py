"""Who can see a flight when: early warning from space, radars on the ground.

Rule of the module: pure functions of a flight and of what sees it; whatever is drawn (the phase of
a satellite's scan, whether a sensor misses the flight) comes in as an argument. It tells when there
is something to report; assessing it is the chain's work. Ranges and delays are assumptions with
wide ranges (``config/sensing.json``): what is robust is geometry, above all the horizon.
"""

import csv
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from simulator.errors import InputError
from simulator.resources import config_text
from simulator.world.earth import EARTH_RADIUS_KM, Place, distance_km
from simulator.world.figures import value
from simulator.world.flight import Flight
from simulator.world.flown import FlownFlight

_TABLE: Final = "sensing.json"
_SAMPLES: Final = 240
_HALVINGS: Final = 40
_KEPT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Satellite:
    """Early warning from space, as a law of delay.

    Attributes:
        cloud_top_km: height from which the plume is seen, at least 0.
        revisit_s: seconds between looks, at least 0.
        looks: looks that it takes, at least 1.
        processing_s: from the last look to the message, at least 0.
    """

    cloud_top_km: float
    revisit_s: float
    looks: int
    processing_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarLimits:
    """What all radars can do.

    Attributes:
        range_km: how far they see, in a straight line.
        max_height_km: highest flight that they follow.
        min_elevation_deg: how far above the horizontal they start to see.
        earth_factor: effective radius of the Earth for their waves, as a multiple: 4/3.
    """

    range_km: float
    max_height_km: float
    min_elevation_deg: float
    earth_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Radar:
    """One radar on the ground.

    Attributes:
        id: short name: ``sado``.
        name: where it stands.
        place: its position.
        altitude_km: its height above the sea.
        range_km: how far it sees, in a straight line.
        max_height_km: highest flight that it follows.
        min_elevation_deg: how far above the horizontal it starts to see.
        earth_factor: effective radius of the Earth for its waves, as a multiple: 4/3.
    """

    id: str
    name: str
    place: Place
    altitude_km: float
    range_km: float
    max_height_km: float
    min_elevation_deg: float
    earth_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A time during which a radar can see a flight.

    Attributes:
        from_s: seconds after launch.
        until_s: the same.
    """

    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What the radars make of a flight.

    Attributes:
        radar: the radar that forms the track first.
        first_seen_s: when that radar first sees it, seconds after launch.
        formed_s: when its track is good enough to predict from.
        lost_s: when the last radar loses it.
        complete: whether it is followed to its end; else it is lost in flight, or below a horizon.
    """

    radar: str
    first_seen_s: float
    formed_s: float
    lost_s: float
    complete: bool


def early_warning() -> Satellite:
    """The satellite of ``config/sensing.json``."""
    return Satellite(
        cloud_top_km=value(_TABLE, "satellite.cloud_top_km"),
        revisit_s=value(_TABLE, "satellite.revisit_s"),
        looks=int(value(_TABLE, "satellite.looks")),
        processing_s=value(_TABLE, "satellite.processing_s"),
    )


@cache
def radar_limits() -> RadarLimits:
    """The limits of ``config/sensing.json``."""
    return RadarLimits(
        range_km=value(_TABLE, "radar.range_km"),
        max_height_km=value(_TABLE, "radar.max_height_km"),
        min_elevation_deg=value(_TABLE, "radar.min_elevation_deg"),
        earth_factor=value(_TABLE, "radar.earth_factor"),
    )


@lru_cache(maxsize=_KEPT)
def radars(limits: RadarLimits | None = None) -> tuple[Radar, ...]:
    """The sites of ``config/radars.csv``.

    Args:
        limits: what they can do; None: as in ``config/sensing.json``.
    """
    limits = limits or radar_limits()
    return tuple(
        Radar(
            id=row["id"],
            name=row["name"],
            place=Place(latitude=float(row["latitude"]), longitude=float(row["longitude"])),
            altitude_km=float(row["altitude_m"]) / 1000,
            range_km=limits.range_km,
            max_height_km=limits.max_height_km,
            min_elevation_deg=limits.min_elevation_deg,
            earth_factor=limits.earth_factor,
        )
        for row in csv.DictReader(config_text("radars.csv").splitlines())
    )


def forming_s() -> float:
    """Seconds from first sight to a track, as in ``config/sensing.json``."""
    return value(_TABLE, "radar.forming_s")


def satellite_report_s(flown: FlownFlight, satellite: Satellite, phase: float) -> float | None:
    """When the early-warning message is there, None if the flight ends before it is seen enough.

    Args:
        flown: the flight as it goes.
        satellite: its law of delay.
        phase: where in its scan the satellite is when the flight breaks through the clouds, 0 (it
            looks at once) to 1 (it has just looked).

    Raises:
        InputError: if the phase is not between 0 and 1.
    """
    if not 0 <= phase <= 1:
        raise InputError(
            "this is no phase", field="phase", value=f"{phase:g}", remedy="write 0 to 1"
        )
    window = looked_at_s(flown, satellite)
    look_s = None if window is None else last_look_s(window, satellite, phase)
    return None if look_s is None else look_s + satellite.processing_s


def looked_at_s(flown: FlownFlight, satellite: Satellite) -> tuple[float, float] | None:
    """From when until when early warning from space can see a flight, None if it never can.

    Args:
        flown: the flight as it goes.
        satellite: its law of delay.
    """
    above = flown.flight.when_at_height(satellite.cloud_top_km)
    return None if above is None else (above[0], min(above[1], flown.ends_at_s))


def last_look_s(window: tuple[float, float], satellite: Satellite, phase: float) -> float | None:
    """When it has looked often enough, None if the flight is over before.

    Args:
        window: from when until when it can see the flight.
        satellite: its law of delay.
        phase: as for the report.
    """
    look_s = window[0] + (phase + satellite.looks - 1) * satellite.revisit_s
    return None if look_s > window[1] else look_s


def sees(flight: Flight, radar: Radar, at_s: float) -> bool:
    """Whether a radar can see a flight at a time: horizon, range and height.

    Args:
        flight: the flight.
        radar: the radar.
        at_s: seconds after launch.
    """
    height_km = flight.height_km(at_s)
    ground_km = distance_km(radar.place, flight.place_at(at_s))
    return (
        height_km <= radar.max_height_km
        and _slant_km(radar, ground_km, height_km) <= radar.range_km
        and elevation_deg(radar, ground_km, height_km) >= radar.min_elevation_deg
    )


def elevation_deg(radar: Radar, ground_km: float, height_km: float) -> float:
    """Angle above the horizontal, the bending of the waves taken up by a larger Earth.

    Args:
        radar: who looks.
        ground_km: distance along the surface, above 0 or 0 (then straight up or down).
        height_km: height of what is looked at.
    """
    radius_km = radar.earth_factor * EARTH_RADIUS_KM
    angle = ground_km / radius_km
    far_km = radius_km + height_km
    up_km = far_km * math.cos(angle) - radius_km - radar.altitude_km
    return math.degrees(math.atan2(up_km, far_km * math.sin(angle)))


def sights(flown: FlownFlight, radar: Radar) -> tuple[Sight, ...]:
    """The times during which a radar can see a flight, until it ends or the radars lose it.

    Sights and gaps shorter than a 240th of the flight may go unnoticed.
    """
    until_s = flown.seen_until_s
    samples = (flown.flight.duration_s * number / _SAMPLES for number in range(_SAMPLES))
    turns: list[float] = []
    before_s, saw = 0.0, False
    for at_s in (*(sample for sample in samples if sample < until_s), until_s):
        if sees(flown.flight, radar, at_s) != saw:
            turns.append(_turn_s(flown.flight, radar, before_s, at_s) if at_s else 0.0)
            saw = not saw
        before_s = at_s
    if saw:
        turns.append(until_s)
    return tuple(
        Sight(from_s=from_s, until_s=to_s)
        for from_s, to_s in zip(turns[::2], turns[1::2], strict=True)
    )


def first_visible_s(flown: FlownFlight, radar: Radar) -> float | None:
    """When a radar can first see a flight, None if never."""
    seen = sights(flown, radar)
    return seen[0].from_s if seen else None


def radar_track(
    flown: FlownFlight,
    sites: Iterable[Radar],
    forming_s: float,
    missed_by: Collection[str] = (),
) -> Track | None:
    """The first track of a flight, None if no radar sees it for long enough.

    Args:
        flown: the flight as it goes.
        sites: who looks.
        forming_s: seconds that a radar has to see it without a gap for a track.
        missed_by: ids of radars that miss it.
    """
    looking = [site for site in sites if site.id not in missed_by]
    seen = [(sight, site.id) for site in looking for sight in sights(flown, site)]
    long_enough = [
        (sight.from_s + forming_s, sight.from_s, name)
        for sight, name in seen
        if sight.until_s - sight.from_s >= forming_s
    ]
    if not long_enough:
        return None
    formed_s, first_seen_s, name = min(long_enough)
    lost_s = max(sight.until_s for sight, _ in seen)
    return Track(
        radar=name,
        first_seen_s=first_seen_s,
        formed_s=formed_s,
        lost_s=lost_s,
        complete=flown.completes and lost_s >= flown.flight.duration_s,
    )


def _turn_s(flight: Flight, radar: Radar, before_s: float, after_s: float) -> float:
    """When sight begins or ends, between two times of which one has it."""
    saw = sees(flight, radar, before_s)
    for _ in range(_HALVINGS):
        middle_s = (before_s + after_s) / 2
        if sees(flight, radar, middle_s) == saw:
            before_s = middle_s
        else:
            after_s = middle_s
    return after_s


def _slant_km(radar: Radar, ground_km: float, height_km: float) -> float:
    """Straight distance from a radar, by the law of cosines."""
    near_km = EARTH_RADIUS_KM + radar.altitude_km
    far_km = EARTH_RADIUS_KM + height_km
    half = math.sin(ground_km / EARTH_RADIUS_KM / 2)
    return math.sqrt((far_km - near_km) ** 2 + 4 * far_km * near_km * half * half)
