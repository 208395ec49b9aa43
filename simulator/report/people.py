"""People warned by time, as the model of channels has it for this run's timeline and seed.

Rule of the module: a modelled figure and always called one; nobody was warned. It is worked out
anew from the manifest and the timeline, draws what replication 0 of an experiment with this seed
draws, and is None where the run says too little or nobody can be reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from pydantic import ValidationError

from simulator.errors import AlertsimError
from simulator.experiment.figures import launch_times
from simulator.experiment.people import (
    BAND_LAST_S,
    People,
    PeopleOrder,
    first_warnings,
    predicted_arrivals,
    profile_of,
    true_arrivals,
)
from simulator.measure.summary import Summary
from simulator.model.timeline import Timeline
from simulator.randomness import Streams
from simulator.reach import ChannelName, MeasuredDelivery, ReachResult
from simulator.report.source import ReportSource
from simulator.scenario.schema import Scenario
from simulator.units import NS_PER_S

_STEP_S: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePeople:
    """The people of one prefecture to which an alert was issued.

    Attributes:
        prefecture: slug.
        alerted: live there.
        warned: of them, warned at all.
        issue_ns: when its first warning was issued, scenario time.
        half_ns: when half of those who are warned had been, scenario time; None if nobody is.
        predicted_ns: the arrival believed in, scenario time, or None.
        before_predicted: warned before that; None where none was predicted.
        arrival_ns: the true arrival, scenario time, or None.
        before_arrival: warned before that; None where nothing arrives.
    """

    prefecture: str
    alerted: float
    warned: float
    issue_ns: int
    half_ns: int | None
    predicted_ns: int | None
    before_predicted: float | None
    arrival_ns: int | None
    before_arrival: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleWarned:
    """Who was warned when, over all alerted prefectures.

    Attributes:
        profile: which channels people have.
        at_ns: instants, scenario time, rising from the first launch.
        by_then: people warned by each.
        places: each alerted prefecture, in the order of the timeline.
        first: people by the channel they heard it from first; channels of nobody left out.
        app_measured: people who would hear it first from the app, had the app the delays and
            losses measured in this run instead of its law; None if nothing was measured.
    """

    profile: str
    at_ns: tuple[int, ...]
    by_then: tuple[float, ...]
    places: tuple[PlacePeople, ...]
    first: Mapping[str, float]
    app_measured: float | None

    @property
    def alerted(self) -> float:
        """People who live where an alert was issued."""
        return sum(place.alerted for place in self.places)

    @property
    def warned(self) -> float:
        """Of them, warned at all."""
        return sum(place.warned for place in self.places)

    @property
    def before_predicted(self) -> float | None:
        """Of them, warned before the arrival that was believed in; None where none was."""
        return _sum([place.before_predicted for place in self.places])

    @property
    def expected(self) -> float:
        """People who live where an alert was issued and an arrival was predicted."""
        return sum(place.alerted for place in self.places if place.predicted_ns is not None)

    @property
    def before_arrival(self) -> float | None:
        """Of them, warned before the true arrival; None where nothing arrives."""
        return _sum([place.before_arrival for place in self.places])

    @property
    def endangered(self) -> float:
        """People who live where an alert was issued and something truly arrives."""
        return sum(place.alerted for place in self.places if place.arrival_ns is not None)


def _sum(known: list[float | None]) -> float | None:
    counted = [one for one in known if one is not None]
    return sum(counted) if counted else None


def warned_people(source: ReportSource) -> PeopleWarned | None:
    """People warned by time in a run.

    Args:
        source: the run; its manifest has the scenario as resolved.

    Returns:
        None if the manifest holds no whole scenario, or no warning reaches anybody.
    """
    try:
        scenario = Scenario.model_validate(source.manifest.scenario)
    except ValidationError:
        return None
    timeline = source.timeline
    launched = [*launch_times(timeline).values()]
    if not launched or not first_warnings(timeline):
        return None
    app = app_of(source.summary)
    try:
        result = _reached(scenario, timeline, launched[0], None)
        other = _reached(scenario, timeline, launched[0], app) if app is not None else None
    except AlertsimError:
        return None  # an area without towns, or channels that no profile here knows any more
    at_ns = launched[0] + np.arange(0, BAND_LAST_S + 1, _STEP_S, dtype=np.int64) * NS_PER_S
    first = result.totals().first
    return PeopleWarned(
        profile=profile_of(scenario),
        at_ns=tuple(at_ns.tolist()),
        by_then=tuple(round(float(people), 1) for people in result.warned_by(at_ns)),
        places=_places(timeline, result),
        first={
            str(name): people
            for name, people in sorted(first.items(), key=lambda pair: -pair[1])
            if people >= 1
        },
        app_measured=None if other is None else other.totals().first[ChannelName.APP],
    )


def _reached(
    scenario: Scenario, timeline: Timeline, launched_ns: int, app: MeasuredDelivery | None
) -> ReachResult:
    streams = Streams(timeline.seed, timeline.replication)
    return People(PeopleOrder(app=app)).reached(scenario, timeline, launched_ns, streams)


def app_of(summary: Summary | None) -> MeasuredDelivery | None:
    """The app channel as this run measured it: its live deliveries, and those that never came.

    Args:
        summary: of the run; without it, or without a live delivery, nothing is known.
    """
    if summary is None:
        return None
    curve = next(
        (one for one in summary.curves if (one.population, one.segment) == ("live", "delivery")),
        None,
    )
    total = summary.ledger.total
    never = total.lost + total.expired + total.missed_offline
    if curve is None:
        return None
    shares = [point.percent / 100 for point in curve.points]
    delays = [max(point.value_ns, 0) for point in curve.points]
    return MeasuredDelivery.from_quantiles(shares, delays, curve.n / (curve.n + never))


def _places(timeline: Timeline, result: ReachResult) -> tuple[PlacePeople, ...]:
    first = first_warnings(timeline)
    predicted, arrivals = predicted_arrivals(timeline), true_arrivals(timeline, first)
    before = result.by_prefecture(result.warned_before(predicted))
    before_true = result.by_prefecture(result.in_time)
    alerted = result.by_prefecture(np.where(np.isnan(result.issue_ns), 0.0, result.area.population))
    warned = result.by_prefecture(result.warned)
    return tuple(
        PlacePeople(
            prefecture=slug,
            alerted=alerted[slug],
            warned=warned[slug],
            issue_ns=alert.at_ns,
            half_ns=_half_ns(result, slug, alert.at_ns, warned[slug]),
            predicted_ns=predicted.get(slug),
            before_predicted=before[slug] if slug in predicted else None,
            arrival_ns=arrivals.get(slug),
            before_arrival=before_true[slug] if slug in arrivals else None,
        )
        for slug, alert in first.items()
        if slug in warned
    )


def _half_ns(result: ReachResult, slug: str, issue_ns: int, warned: float) -> int | None:
    """When half of those warned in a prefecture had been, to the second."""
    if warned <= 0:
        return None
    seconds = np.arange(0, BAND_LAST_S + 1, dtype=np.int64)
    people = result.warned_by(issue_ns + seconds * NS_PER_S, slug)
    place = int(np.searchsorted(people, warned / 2))
    return issue_ns + min(place, BAND_LAST_S) * NS_PER_S
