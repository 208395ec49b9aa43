"""Reach: who is warned when, through which channel: issue times and arrivals in, people out.

Rule of the room: pure, and above ``alerts``. ``ReachPlan.build`` once for a profile of channels
and a time of day, ``replicate`` for each replication. Curves are closed-form within a replication
and their cost does not grow with the number of people. They are floating-point numbers outside
the timeline's digest, compared within 1e-9; what is drawn for towns and networks is exact.
"""

from simulator.reach.channels import Activity, ChannelProfile
from simulator.reach.daytime import DayKind, day_kind
from simulator.reach.delays import MeasuredDelivery
from simulator.reach.loading import PROFILES, load_profile
from simulator.reach.plan import Faults, ReachPlan
from simulator.reach.result import ReachResult, ReachTotals
from simulator.scenario.values import ChannelName

__all__ = [
    "PROFILES",
    "Activity",
    "ChannelName",
    "ChannelProfile",
    "DayKind",
    "Faults",
    "MeasuredDelivery",
    "ReachPlan",
    "ReachResult",
    "ReachTotals",
    "day_kind",
    "load_profile",
]
