"""Lead time of every municipality, over a few replications: what a map is drawn from.

Rule of the module: pure. The lead time of a municipality in a replication is the arrival, less the
moment at which half of those who are warned there have been warned: the arrival that really
happens, else the one that the chain believed in when it warned; of a flight, at the town itself. A
map needs few replications; their table has the figures.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.experiment.estimates import Floats
from simulator.experiment.figures import launch_times
from simulator.experiment.people import (
    People,
    first_warnings,
    predicted_arrivals,
    true_arrivals,
)
from simulator.experiment.plan import Plan
from simulator.experiment.replications import people_streams
from simulator.experiment.town_arrivals import town_arrivals_ns
from simulator.model.engine import play_once
from simulator.randomness import Streams
from simulator.reach import ReachResult
from simulator.units import NS_PER_S
from simulator.world.geography import municipalities

MOST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TownLeads:
    """Lead times by municipality, in the order of ``geography.municipalities()``.

    Attributes:
        replications: how many were looked at.
        seconds: mean lead time of those in which the municipality was warned; NaN if none.
        warned: in how many of them somebody there was warned.
        people: people warned, mean of all replications looked at.
        in_time: of these, people warned before the arrival that the lead time is to, which is the
            predicted one where nothing arrives; 0 where there is none.
        before_arrival: of these, people warned before the true arrival, 0 in a replication without
            one; NaN where nothing ever arrives.
        before_predicted: likewise before the arrival that was predicted.
        predicted: the arrival is the one that was believed in, nothing having arrived.
    """

    replications: int
    seconds: Floats
    warned: Floats
    people: Floats
    in_time: Floats
    before_arrival: Floats
    before_predicted: Floats
    predicted: bool

    @property
    def known(self) -> list[int]:
        """Places of the municipalities that have a lead time."""
        return np.flatnonzero(~np.isnan(self.seconds)).tolist()


def town_leads(plan: Plan, replications: int) -> TownLeads | None:
    """Play the first few replications of the scenario as it is and look at every municipality.

    Args:
        plan: the experiment.
        replications: how many there are; at most 50 are looked at.

    Returns:
        None without people, and where nobody is warned. Without an arrival to be in time for no
        municipality has a lead time.
    """
    if plan.people is None:
        return None
    people, scenario = People(plan.people), plan.base.scenario()
    looked = min(replications, MOST)
    total = np.zeros(len(municipalities()))
    count, warned, on_time = (np.zeros(len(municipalities())) for _ in range(3))
    true, believed = _InTime(), _InTime()
    predicted = True
    for replication in range(looked):
        played = play_once(scenario, Streams(plan.seed, replication))
        launched = launch_times(played)
        if not launched:
            continue
        first = first_warnings(played)
        real = true_arrivals(played, first)
        arrivals, truly = dict(real), frozenset(real)
        predicted = predicted and not arrivals
        for slug, alert in first.items():
            if alert.believed_arrival_ns is not None:
                arrivals.setdefault(slug, alert.believed_arrival_ns)
        streams = people_streams(plan.seed, replication, ())
        reached = people.reached(scenario, played, min(launched.values()), streams)
        at_ns = town_arrivals_ns(scenario, launched, arrivals, truly)
        lead_s = (at_ns - reached.half_warned_ns()) / NS_PER_S
        warned += reached.warned
        on_time += reached.warned_before_each(at_ns)
        true.add(reached, town_arrivals_ns(scenario, launched, real, truly))
        expected = predicted_arrivals(played)
        believed.add(reached, town_arrivals_ns(scenario, launched, expected, ()))
        known = ~np.isnan(lead_s)
        total[known] += lead_s[known]
        count[known] += 1
    if not warned.any():
        return None
    with np.errstate(invalid="ignore"):
        return TownLeads(
            replications=looked,
            seconds=total / count,
            warned=count,
            people=warned / looked,
            in_time=on_time / looked,
            before_arrival=true.mean(looked),
            before_predicted=believed.mean(looked),
            predicted=predicted,
        )


class _InTime:
    """People warned before one kind of arrival, over replications."""

    def __init__(self) -> None:
        self._people = np.zeros(len(municipalities()))
        self._arrives = np.zeros(len(municipalities()), bool)

    def add(self, reached: ReachResult, at_ns: Floats) -> None:
        """Count a replication, with the arrival at every municipality."""
        self._people += reached.warned_before_each(at_ns)
        self._arrives |= ~np.isnan(at_ns)

    def mean(self, looked: int) -> Floats:
        """Mean of so many replications; NaN where there never was such an arrival."""
        found: Floats = np.where(self._arrives, self._people / looked, np.nan)
        return found
