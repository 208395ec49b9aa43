"""Flight facts in a scenario: where a launch goes, what becomes of it, what it is taken for.

Rule of the module: closed, frozen models, as in ``schema``. Facts only: which prefectures lie under
the track, when it arrives and who sees it follows in ``model``, by the world's geometry. Numbers
carry their unit in the name of their field.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from simulator.scenario.chain import MomentField, widened
from simulator.scenario.laws import Closed, Number, Provenance
from simulator.scenario.values import Name


class Quantity(Provenance):
    """A number in the unit of its field, with where it comes from."""

    value: Number = Field(
        description="The number, in the unit that the field's name ends with.", examples=[1000]
    )
    range: tuple[Number, Number] | None = Field(
        default=None,
        description="For an assumption: the least and most that it could as well be.",
        examples=[[800, 1200]],
    )


QuantityField = Annotated[
    Quantity, BeforeValidator(widened("value"), json_schema_input_type=float | Quantity)
]


class Predicted(Closed):
    """What the chain takes the flight for; what is left out is as planned."""

    azimuth_deg: QuantityField | None = Field(
        default=None, description="Direction, degrees clockwise from north.", examples=[70]
    )
    range_km: QuantityField | None = Field(
        default=None, description="From launch to impact along the surface, km.", examples=[1231]
    )
    apogee_km: QuantityField | None = Field(
        default=None, description="Greatest height above the surface, km.", examples=[2800]
    )


class FlightFacts(Closed):
    """The flight of a launch: what was planned, what becomes of it, what it is taken for."""

    site: Name | None = Field(
        default=None,
        description="Launch site of `config/launch_sites.csv`; or give latitude and longitude.",
        examples=["sunan"],
    )
    latitude_deg: QuantityField | None = Field(
        default=None, description="Launch point, degrees north.", examples=[39.24]
    )
    longitude_deg: QuantityField | None = Field(
        default=None, description="Launch point, degrees east.", examples=[125.67]
    )
    azimuth_deg: QuantityField = Field(
        description="Direction at the launch, degrees clockwise from north.", examples=[90]
    )
    range_km: QuantityField = Field(
        description="Planned, from launch to impact along the surface, km; at most half the Earth.",
        examples=[4600],
    )
    apogee_km: QuantityField = Field(
        description="Planned greatest height above the surface, km.", examples=[1000]
    )
    kind: Literal["ballistic", "space-launch"] = Field(
        default="ballistic",
        description="Which powered phase it has; of a space launch less of the track is known "
        "when it is warned of.",
        examples=["ballistic"],
    )
    breaks_up: MomentField | None = Field(
        default=None, description="When it breaks up; nothing arrives later.", examples=["07:45"]
    )
    falls_short_km: QuantityField | None = Field(
        default=None,
        description="How far from the launch, along its track, it ends instead of its range, km.",
        examples=[750],
    )
    lost: MomentField | None = Field(
        default=None,
        description="When the radars lose it although it flies on.",
        examples=["07:26"],
    )
    predicted: Predicted | None = Field(
        default=None,
        description="What the chain takes it for, where that is not what was planned.",
        examples=[{"range_km": 1231}],
    )
    missed_by: tuple[Name, ...] = Field(
        default=(),
        description="Who fails to see it: satellite, or radars of `config/radars.csv`.",
        examples=[["satellite"]],
    )
