"""What is on record about flights: published times, launch sites, tracks over Japan.

Rule of the module: read once, when first asked for, from the tables of ``config/``; frozen records
go out. The model is held against them, nothing of it is fitted here; sources stand in the tables.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from simulator.resources import config_text
from simulator.world.earth import Place
from simulator.world.flight import Flight, plan_flight
from simulator.world.powered import Regime
from simulator.world.warning_area import AreaPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFlight:
    """A flight whose apogee, range and time were published.

    Attributes:
        date: of the launch, YYYY-MM-DD.
        vehicle: as published.
        apogee_km: above the surface.
        range_km: along the surface.
        flight_time_s: from launch to impact.
        resolution_s: what that is rounded to: 60 for minutes, 120 between two times in minutes.
        source: who published it.
    """

    date: str
    vehicle: str
    apogee_km: float
    range_km: float
    flight_time_s: float
    resolution_s: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedTrack:
    """A flight over or near Japan as the chain may have predicted it, from what was published.

    Attributes:
        event: date of the launch, YYYY-MM-DD.
        site: launch site, a key of ``launch_sites``.
        azimuth_deg: direction, degrees clockwise from north.
        azimuth_low_deg: least that the published facts leave.
        azimuth_high_deg: most that they leave.
        range_km: along the surface.
        apogee_km: above the surface.
        regime: which powered phase.
        policy: rules of the day.
        passage: published times over Japan, JST.
        area: slugs of the prefectures that were rightly warned, in the order of their codes.
        how: how direction, range and apogee were derived.
        source: what they were derived from.
    """

    event: str
    site: str
    azimuth_deg: float
    azimuth_low_deg: float
    azimuth_high_deg: float
    range_km: float
    apogee_km: float
    regime: Regime
    policy: AreaPolicy
    passage: str
    area: tuple[str, ...]
    how: str
    source: str

    def flight(self, azimuth_deg: float | None = None) -> Flight:
        """The predicted flight.

        Args:
            azimuth_deg: another direction than the one derived.
        """
        return plan_flight(
            launch=launch_sites()[self.site],
            azimuth_deg=self.azimuth_deg if azimuth_deg is None else azimuth_deg,
            range_km=self.range_km,
            apogee_km=self.apogee_km,
            regime=self.regime,
        )


@cache
def published_flights() -> tuple[PublishedFlight, ...]:
    """All of ``config/flights.csv``, by date."""
    return tuple(
        PublishedFlight(
            date=row["date"],
            vehicle=row["vehicle"],
            apogee_km=float(row["apogee_km"]),
            range_km=float(row["range_km"]),
            flight_time_s=float(row["flight_time_s"]),
            resolution_s=float(row["resolution_s"]),
            source=row["source"],
        )
        for row in _rows("flights.csv")
    )


@cache
def launch_sites() -> Mapping[str, Place]:
    """Positions of ``config/launch_sites.csv`` by id."""
    return MappingProxyType(
        {
            row["id"]: Place(latitude=float(row["latitude"]), longitude=float(row["longitude"]))
            for row in _rows("launch_sites.csv")
        }
    )


@cache
def predicted_tracks() -> Mapping[str, PredictedTrack]:
    """All of ``config/tracks.csv`` by event."""
    return MappingProxyType(
        {
            row["event"]: PredictedTrack(
                event=row["event"],
                site=row["site"],
                azimuth_deg=float(row["azimuth_deg"]),
                azimuth_low_deg=float(row["azimuth_low_deg"]),
                azimuth_high_deg=float(row["azimuth_high_deg"]),
                range_km=float(row["range_km"]),
                apogee_km=float(row["apogee_km"]),
                regime=Regime(row["regime"]),
                policy=AreaPolicy(row["policy"]),
                passage=row["passage"],
                area=tuple(row["area"].split()),
                how=row["how"],
                source=row["source"],
            )
            for row in _rows("tracks.csv")
        }
    )


def _rows(table: str) -> Iterator[dict[str, str]]:
    return csv.DictReader(config_text(table).splitlines())
