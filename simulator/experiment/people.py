"""People in a replication: who was warned when, as columns of its row.

Rule of the module: pure. The reach of a variant is made once per worker and kept; a replication
costs the same however many people there are. People are kept to a thousandth, so that the last bits
of floating-point sums never show.

    alerted_people                    live where an alert was issued
    warned_people                     were warned at all
    warned_before_predicted_people    before the arrival that the chain believed in at issue; of
                                      several launches the earliest
    warned_before_arrival_people      before the true arrival, where something arrives
    alerted_needlessly_people         were warned although nothing arrives there
    missed_people                     were not warned although something arrives
    warned_PREFECTURE_people          were warned at all, where an alert was issued
    warned_before_predicted_PREFECTURE_people  before the arrival believed in there
    warned_before_arrival_PREFECTURE_people  before the true arrival there
    corrected_people                  got a correction, through the channels that carried it
    first_CHANNEL_people              heard it first through this channel
    warned_by_0210s_people            were warned within so many seconds of the first launch
"""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import numpy as np

from simulator.experiment.figures import WARNS, Alert, Value, launch_times
from simulator.model.launch_script import LaunchScript
from simulator.model.rows import Played
from simulator.model.script import script_of
from simulator.model.timeline import AlertEvent, EventKind, Timeline
from simulator.randomness import Streams
from simulator.reach import (
    PROFILES,
    ChannelName,
    Faults,
    MeasuredDelivery,
    ReachPlan,
    ReachResult,
    load_profile,
)
from simulator.reach.changes import changed_profile
from simulator.scenario.schema import Scenario
from simulator.units import JST, NS_PER_S, NS_PER_US
from simulator.world.geography import municipalities

BAND_STEP_S: Final = 30
BAND_LAST_S: Final = 1800
_BAND_S: Final = tuple(range(0, BAND_LAST_S + 1, BAND_STEP_S))
_DIGITS: Final = 3
_KEPT: Final = 8
_NO_FAULTS: Final = Faults()


def band_column(after_s: int) -> str:
    """The column of people warned within so many seconds of the launch."""
    return f"warned_by_{after_s:04d}s_people"


_BANDS: Final = tuple(map(band_column, _BAND_S))
_BAND_NS: Final = np.array(_BAND_S, np.int64) * NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleOrder:
    """That people are counted, and how they are reached.

    Attributes:
        profile: name or path of the channels, None for those of the scenario's time.
        app: a measured distribution for the app, or None.
    """

    profile: str | None = None
    app: MeasuredDelivery | None = None

    def identity(self) -> dict[str, Any]:
        """What makes two orders the same, as plain data."""
        app = self.app
        return {
            "profile": self.profile,
            "app": None
            if app is None
            else [app.delays_s.tolist(), app.shares.tolist(), app.stepped, app.delivered],
        }


class People:
    """The people of a plan's variants.

    Args:
        order: how they are reached.
    """

    def __init__(self, order: PeopleOrder) -> None:
        self._order = order
        self._plans: OrderedDict[tuple[str, str, datetime], ReachPlan] = OrderedDict()

    def figures(
        self, scenario: Scenario, timeline: Timeline | Played, streams: Streams
    ) -> dict[str, Value]:
        """The columns of a replication; none without a warning that can reach anybody.

        Args:
            scenario: the variant.
            timeline: what the chain did.
            streams: the draws of the replication.
        """
        launched = [*launch_times(timeline).values()]
        if not launched:
            return {}
        first = first_warnings(timeline)
        true = true_arrivals(timeline, first)
        predicted = predicted_arrivals(timeline)
        result = self.reached(scenario, timeline, launched[0], streams)
        totals = result.totals()
        arrives = bool(true)
        in_predicted_time = result.warned_before(predicted)
        found: dict[str, Value] = {
            "alerted_people": totals.alerted,
            "warned_people": totals.warned,
            "warned_before_predicted_people": float(in_predicted_time.sum()) if predicted else None,
            "warned_before_arrival_people": totals.in_time if arrives else None,
            "alerted_needlessly_people": totals.needless,
            "missed_people": totals.missed if arrives else None,
            "corrected_people": _corrected(scenario, timeline, result),
        }
        for channel, people in totals.first.items():
            found[f"first_{str(channel).replace('-', '_')}_people"] = people
        for column, each, places in (
            ("warned", result.warned, first),
            ("warned_before_predicted", in_predicted_time, predicted),
            ("warned_before_arrival", result.in_time, first.keys() & true.keys()),
        ):
            for slug, people in result.by_prefecture(each).items():
                if slug in places:
                    found[f"{column}_{slug}_people"] = people
        found = {
            name: None if value is None else round(value, _DIGITS) for name, value in found.items()
        }
        by_time = result.warned_by(launched[0] + _BAND_NS)
        return found | dict(zip(_BANDS, np.round(by_time, _DIGITS).tolist(), strict=True))

    def reached(
        self, scenario: Scenario, timeline: Timeline | Played, launched_ns: int, streams: Streams
    ) -> ReachResult:
        """Who is warned when, town by town.

        Args:
            scenario: the variant.
            timeline: what the chain did.
            launched_ns: the first launch, which says what people do.
            streams: the draws of the replication.
        """
        first = first_warnings(timeline)
        plan = self._plan(scenario, launched_ns)
        return plan.replicate(
            issues_ns=issues_ns(scenario, timeline),
            arrivals_ns=true_arrivals(timeline, first),
            streams=streams,
            faults=channel_faults(scenario, plan),
        )

    def _plan(self, scenario: Scenario, launched_ns: int) -> ReachPlan:
        """The reach of a variant: all towns, so that no alerted one is ever missing."""
        name = self._order.profile or profile_of(scenario)
        moment = _local(scenario.epoch + timedelta(microseconds=launched_ns // NS_PER_US))
        key = (name, json.dumps(scenario.channels, sort_keys=True), moment)
        found = self._plans.get(key)
        if found is None:
            found = ReachPlan.build(
                changed_profile(name, scenario.channels),
                municipalities(),
                moment,
                app=self._order.app,
            )
            self._plans[key] = found
            if len(self._plans) > _KEPT:
                self._plans.popitem(last=False)
        return found


def profile_of(scenario: Scenario) -> str:
    """The channels of a scenario: those of its chain's profile, else the latest before its date."""
    if scenario.chain.profile in PROFILES:
        return scenario.chain.profile
    years = {int(name.rpartition("-")[2]): name for name in PROFILES}
    return years[max(year for year in years if year <= max(scenario.epoch.year, min(years)))]


def _local(moment: datetime) -> datetime:
    """A moment whose time of day in Japan is that of the place.

    A scenario that plays elsewhere (Hawaii 2018) is written on the clock of that place, which says
    what people do; one that is written in UTC means the same moment in Japan.
    """
    return moment.replace(tzinfo=JST) if moment.utcoffset() else moment


def channel_faults(scenario: Scenario, plan: ReachPlan) -> Faults:
    """What stays silent, by the scenario.

    Carriers that only other times know send nothing in this one either; a name that no shipped
    profile knows is left for the plan to refuse.
    """
    wanted = scenario.channel_faults
    if wanted is None:
        return _NO_FAULTS
    silent = set(wanted.silent_carriers)
    if not silent <= set(plan.carriers):
        silent -= _carriers_of_all_times() - set(plan.carriers)
    return Faults(
        silent_carriers=frozenset(silent), silent_receivers=frozenset(wanted.silent_receivers)
    )


@cache
def _carriers_of_all_times() -> frozenset[str]:
    broadcasts = [load_profile(name).channels.cell_broadcast for name in PROFILES]
    return frozenset(
        carrier.id
        for broadcast in broadcasts
        if broadcast is not None
        for carrier in broadcast.carriers
    )


def first_warnings(timeline: Timeline | Played) -> Mapping[str, Alert]:
    """The first warning of each prefecture."""
    found: dict[str, Alert] = {}
    for alert in timeline.alerts:
        if alert.event in WARNS:
            found.setdefault(alert.prefecture, alert)
    return found


def issues_ns(scenario: Scenario, timeline: Timeline | Played) -> Mapping[str, int]:
    """When each place was first warned: by prefecture, or by municipality where only some were.

    Args:
        scenario: the variant.
        timeline: what the chain did.
    """
    launches = {launch.id: launch for launch in script_of(scenario).launches if launch.parts}
    if not launches:
        return {slug: alert.at_ns for slug, alert in first_warnings(timeline).items()}
    found: dict[str, int] = {}
    for alert in timeline.alerts:
        if alert.event in WARNS and alert.prefecture not in found:
            launch = launches.get(alert.launch or "")
            for place in (alert.prefecture,) if launch is None else _places(launch, alert):
                found.setdefault(place, alert.at_ns)
    return found


def _places(launch: LaunchScript, alert: Alert) -> tuple[str, ...]:
    """Whom a warning is for: a prefecture, or some of its municipalities."""
    slug, later = alert.prefecture, launch.escalation
    escalated = alert.event is AlertEvent.TAKE_SHELTER
    if later is not None and escalated and slug in later.prefectures:
        return (slug,)
    return launch.parts.get(slug, (slug,))


def true_arrivals(timeline: Timeline | Played, warnings: Mapping[str, Alert]) -> Mapping[str, int]:
    """When something really arrives where; the first of several, warned or not."""
    found: dict[str, int] = {}
    for event in timeline.events:
        if event.kind is EventKind.TRUTH and event.name == "arrival" and event.prefecture:
            found.setdefault(event.prefecture, event.at_ns)
    for slug, alert in warnings.items():
        if alert.true_arrival_ns is not None:
            found.setdefault(slug, alert.true_arrival_ns)
    return found


def is_band(column: str) -> bool:
    """Whether a column belongs to the curve of people warned by time."""
    return column.startswith("warned_by_")


def band_seconds(column: str) -> int:
    """Seconds after the launch of a column of the curve."""
    return int(column.removeprefix("warned_by_").removesuffix("s_people"))


def predicted_arrivals(timeline: Timeline | Played) -> Mapping[str, int]:
    """When something was believed to arrive where, when that prefecture was first warned of it.

    Of several launches it is the earliest of each prefecture, whichever was warned of first:
    otherwise a quicker stage could put another launch first and be judged by that one.
    """
    predicted: dict[str, int] = {}
    known: set[tuple[str | None, str]] = set()
    for alert in timeline.alerts:
        if alert.event in WARNS and (alert.launch, alert.prefecture) not in known:
            known.add((alert.launch, alert.prefecture))
            if alert.believed_arrival_ns is not None:
                at_ns = predicted.get(alert.prefecture, alert.believed_arrival_ns)
                predicted[alert.prefecture] = min(at_ns, alert.believed_arrival_ns)
    return predicted


def _corrected(
    scenario: Scenario, timeline: Timeline | Played, result: ReachResult
) -> float | None:
    """People whom a correction gets to; None if there is none."""
    carried = {
        launch.id: tuple(ChannelName)
        if launch.correction is None or launch.correction.only_channels is None
        else launch.correction.only_channels
        for launch in scenario.launches
    }
    by_channels: dict[tuple[ChannelName, ...], list[str]] = {}
    corrected: set[str] = set()
    for alert in timeline.alerts:
        if alert.event is AlertEvent.CORRECTION and alert.prefecture not in corrected:
            corrected.add(alert.prefecture)
            channels = carried[alert.launch or ""]
            by_channels.setdefault(channels, []).append(alert.prefecture)
    if not corrected:
        return None
    return sum(result.told(slugs, channels) for channels, slugs in by_channels.items())
