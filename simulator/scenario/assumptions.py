"""Assumptions of the world that a scenario may set: sensors, the corridor about a track.

Rule of the module: closed, frozen models, as in ``schema``, with the names and units of the tables
of ``config/``. What is left out is as those tables have it. They matter to launches with a flight.
"""

from typing import Final, Self

from pydantic import Field, model_validator

from simulator.scenario.flight import QuantityField
from simulator.scenario.laws import Closed
from simulator.scenario.values import refuse

_BOUNDS: Final = {
    "cloud_top_km": (0.0, 50.0),
    "revisit_s": (0.0, 3600.0),
    "looks": (1.0, 100.0),
    "range_km": (1.0, 20_000.0),
    "max_height_km": (1.0, 50_000.0),
    "min_elevation_deg": (0.0, 90.0),
    "earth_factor": (0.5, 10.0),
    "half_width_km": (0.0, 2000.0),
    "impact_radius_km": (0.0, 2000.0),
}


class _Bounded(Closed):
    """Figures that lie within what is possible at all."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for name in type(self).model_fields:
            figure = getattr(self, name)
            if figure is None:
                continue
            low, high = _BOUNDS[name]
            if not low <= figure.value <= high:
                raise refuse(f"{name} is not possible", f"write {low:g} to {high:g}")
            if name == "looks" and not float(figure.value).is_integer():
                raise refuse("looks are counted", "write a whole number")
        return self


class SatelliteAssumptions(_Bounded):
    """Early warning from space; how long the message takes is the chain's ``relay``."""

    cloud_top_km: QuantityField | None = Field(
        default=None, description="Height from which the plume is seen, km.", examples=[10]
    )
    revisit_s: QuantityField | None = Field(
        default=None, description="Between two looks, s.", examples=[10]
    )
    looks: QuantityField | None = Field(
        default=None, description="Looks that make a track of a hot spot, no unit.", examples=[3]
    )


class RadarAssumptions(_Bounded):
    """Radars on the ground; how long a track takes to form is the chain's ``forming``."""

    range_km: QuantityField | None = Field(
        default=None, description="How far they see in a straight line, km.", examples=[2000]
    )
    max_height_km: QuantityField | None = Field(
        default=None, description="Highest flight that they follow, km.", examples=[3000]
    )
    min_elevation_deg: QuantityField | None = Field(
        default=None,
        description="How far above the horizontal they start to see, degrees.",
        examples=[1],
    )
    earth_factor: QuantityField | None = Field(
        default=None,
        description="Effective radius of the Earth for their waves, as a multiple.",
        examples=[1.3333],
    )


class Sensing(Closed):
    """Who sees a flight; what is left out is as in ``config/sensing.json``."""

    satellite: SatelliteAssumptions | None = Field(
        default=None, description="Early warning from space.", examples=[{"looks": 2}]
    )
    radar: RadarAssumptions | None = Field(
        default=None, description="Radars on the ground.", examples=[{"range_km": 2500}]
    )


class WarnedArea(_Bounded):
    """How uncertain a predicted track is; else as in ``config/warning_areas.json``."""

    half_width_km: QuantityField | None = Field(
        default=None, description="Corridor to either side of the track, km.", examples=[30]
    )
    impact_radius_km: QuantityField | None = Field(
        default=None, description="About the predicted impact, km.", examples=[60]
    )
