"""The powered phase, by one law for all: what it adds to the free flight, and how.

Rule of the module: an apogee comes in, seconds come out. It says nothing about any vehicle: the law
is fitted to published flight times as a whole (``config/flights.csv``; how well it does, and how
well without each flight in turn, stands in ``docs/model/world.md``).

A flight from rest takes longer than the free flight along the same ellipse, which starts at full
speed. The time lost grows with the apogee and levels off::

    lost(h) = limit * h / sqrt(h² + scale²)

It is spent at the start: while powered, the flight moves along its ellipse as if its speed grew
steadily from rest, so a powered phase of twice the lost time loses exactly that. Later it is on the
ellipse, late by the lost time.
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from simulator.world.figures import value

_TABLE: Final = "flight_law.json"


class Regime(StrEnum):
    """Which powered phase."""

    BALLISTIC = "ballistic"
    SPACE_LAUNCH = "space-launch"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoweredLaw:
    """Time lost to the powered phase.

    Attributes:
        lost_limit_s: seconds lost at a great apogee.
        apogee_scale_km: apogee at which seven tenths of the limit are lost.
    """

    lost_limit_s: float
    apogee_scale_km: float

    def lost_s(self, apogee_km: float) -> float:
        """Seconds that a flight takes longer than its free flight.

        Args:
            apogee_km: above the surface, above 0.
        """
        return self.lost_limit_s * apogee_km / math.hypot(apogee_km, self.apogee_scale_km)


def powered_law(regime: Regime = Regime.BALLISTIC) -> PoweredLaw:
    """The law of a regime, as in ``config/flight_law.json``."""
    return PoweredLaw(
        lost_limit_s=value(_TABLE, f"{regime}.lost_limit_s"),
        apogee_scale_km=value(_TABLE, f"{regime}.apogee_scale_km"),
    )
