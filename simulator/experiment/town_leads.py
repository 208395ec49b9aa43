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
from simulator.experiment.people import People, first_warnings, true_arrivals
from simulator.experiment.plan import Plan
from simulator.experiment.replications import people_streams
from simulator.experiment.town_arrivals import town_arrivals_ns
from simulator.model.engine import play_once
from simulator.randomness import Streams
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
        predicted: the arrival is the one that was believed in, nothing having arrived.
    """

    replications: int
    seconds: Floats
    warned: Floats
    predicted: bool


def town_leads(plan: Plan, replications: int) -> TownLeads | None:
    """Play the first few replications of the scenario as it is and look at every municipality.

    Args:
        plan: the experiment.
        replications: how many there are; at most 50 are looked at.

    Returns:
        None without people, and where no warning has an arrival to be in time for.
    """
    if plan.people is None:
        return None
    people, scenario = People(plan.people), plan.base.scenario()
    looked = min(replications, MOST)
    total = np.zeros(len(municipalities()))
    count = np.zeros(len(municipalities()))
    predicted = True
    for replication in range(looked):
        played = play_once(scenario, Streams(plan.seed, replication))
        launched = launch_times(played)
        if not launched:
            continue
        first = first_warnings(played)
        arrivals = dict(true_arrivals(played, first))
        truly = frozenset(arrivals)
        predicted = predicted and not arrivals
        for slug, alert in first.items():
            if alert.believed_arrival_ns is not None:
                arrivals.setdefault(slug, alert.believed_arrival_ns)
        streams = people_streams(plan.seed, replication, ())
        reached = people.reached(scenario, played, min(launched.values()), streams)
        at_ns = town_arrivals_ns(scenario, launched, arrivals, truly)
        lead_s = (at_ns - reached.half_warned_ns()) / NS_PER_S
        known = ~np.isnan(lead_s)
        total[known] += lead_s[known]
        count[known] += 1
    if not count.any():
        return None
    with np.errstate(invalid="ignore"):
        return TownLeads(
            replications=looked, seconds=total / count, warned=count, predicted=predicted
        )
