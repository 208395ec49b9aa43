"""Surveys: what people said after an alert, beside what the model says for the same morning.

Rule of the module: nothing is fitted. Each question of ``config/surveys.csv`` is asked of the
profile of its time, in its area, at its time of day. Beside the answer stands what the profile
would give with every assumed share at the end of its range at which fewest, and most, are warned.
"""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Final

from simulator.randomness import Streams
from simulator.reach.channels import Activity, ChannelProfile
from simulator.reach.loading import shipped_profile
from simulator.reach.plan import ReachPlan
from simulator.resources import config_text
from simulator.scenario.values import ChannelName
from simulator.units import NS_PER_MIN
from simulator.world.geography import Municipality, municipalities

_NORMAL_95: Final = 1.96
# The more of these there are, the fewer people are warned in time.
_HARMFUL: Final = ("silent", "old", "mixed", "late-phones")


class Asked(StrEnum):
    """What a survey asked."""

    KNEW = "knew"
    PHONE = "phone-of-knew"
    MUNICIPAL = "municipal-of-knew"
    TELEVISION = "television-of-knew"
    ASLEEP = "asleep-of-unaware"


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One question of a survey.

    Attributes:
        id: its name.
        launched: when the launch was.
        profile: channels of the time.
        area: slugs of prefectures or codes of municipalities.
        asked: what share was asked for.
        within_ns: time from the issue within which people count, where that was asked.
        low: the share that said so; the lower where sources differ.
        high: the same; the higher.
        n: people asked.
        source: where it is published.
        note: one sentence, may be empty.
    """

    id: str
    launched: datetime
    profile: str
    area: tuple[str, ...]
    asked: Asked
    within_ns: int
    low: float
    high: float
    n: int
    source: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A survey beside the model.

    Attributes:
        survey: what people said.
        modelled: the model's share, mean over replications.
        least: with all assumed shares at the end at which fewest are warned.
        most: at which most are.
    """

    survey: Survey
    modelled: float
    least: float
    most: float

    @property
    def explained(self) -> bool:
        """Whether some choice within the assumed ranges could give what people said.

        What they said is known within its sampling error, 1.96 standard errors of a share.
        """
        survey = self.survey
        span = (self.least, self.modelled, self.most)
        return survey.low - _sampling_error(survey.low, survey.n) <= max(span) and min(
            span
        ) <= survey.high + _sampling_error(survey.high, survey.n)


def _sampling_error(share: float, n: int) -> float:
    return _NORMAL_95 * math.sqrt(share * (1.0 - share) / n)


@cache
def surveys() -> tuple[Survey, ...]:
    """The questions of ``config/surveys.csv``."""
    return tuple(
        Survey(
            id=row["id"],
            launched=datetime.fromisoformat(row["launched"]),
            profile=row["profile"],
            area=tuple(row["area"].split()),
            asked=Asked(row["asked"]),
            within_ns=int(row["within_min"]) * NS_PER_MIN,
            low=float(row["low"]),
            high=float(row["high"]),
            n=int(row["n"]),
            source=row["source"],
            note=row["note"],
        )
        for row in csv.DictReader(config_text("surveys.csv").splitlines())
    )


def compare(survey: Survey, *, replications: int, seed: int = 0) -> Comparison:
    """What the model says to a question.

    Args:
        survey: the question.
        replications: how many to take the mean of, at least 1.
        seed: of their streams.
    """
    profile = shipped_profile(survey.profile)
    modelled, least, most = (
        _answer(variant, survey, replications, seed)
        for variant in (profile, at_the_end(profile, most=False), at_the_end(profile, most=True))
    )
    return Comparison(survey=survey, modelled=modelled, least=least, most=most)


def at_the_end(profile: ChannelProfile, *, most: bool) -> ChannelProfile:
    """A profile with every assumed share of people at one end of its range.

    Args:
        profile: the profile.
        most: whether to take the ends at which most people are warned.
    """
    document = profile.model_dump(mode="json", by_alias=True, exclude_none=True)
    _move(document, most=most)
    return ChannelProfile.model_validate(document)


def _move(value: Any, *, most: bool) -> None:  # noqa: ANN401  # plain data
    if isinstance(value, list):
        for entry in value:
            _move(entry, most=most != (isinstance(entry, dict) and entry.get("id") in _HARMFUL))
    elif isinstance(value, dict):
        if isinstance(value.get("share"), float) and "range" in value:
            value["share"] = value["range"][1 if most else 0]
        for key, entry in value.items():
            _move(entry, most=most != (key in _HARMFUL))


def _answer(profile: ChannelProfile, survey: Survey, replications: int, seed: int) -> float:
    towns = tuple(_towns(survey.area))
    plan = ReachPlan.build(profile, towns, survey.launched)
    issues = dict.fromkeys(plan.area.prefectures, 0)
    deadline = dict.fromkeys(plan.area.prefectures, survey.within_ns)
    total = 0.0
    for replication in range(replications):
        result = plan.replicate(
            issues_ns=issues, arrivals_ns=deadline, streams=Streams(seed, replication)
        )
        totals = result.totals()
        if survey.asked is Asked.ASLEEP:
            unwarned = result.unwarned()
            total += unwarned[Activity.ASLEEP] / sum(unwarned.values())
        elif survey.asked is Asked.KNEW:
            total += totals.in_time / totals.population
        else:
            shares = {name: people / totals.population for name, people in totals.ever.items()}
            total += _told(survey.asked, shares) * totals.population / totals.in_time
    return total / replications


def _told(asked: Asked, shares: dict[ChannelName, float]) -> float:
    """Share of people told by a channel, first or not; two channels are taken as independent."""
    channels = {
        Asked.PHONE: (ChannelName.CELL_BROADCAST,),
        Asked.MUNICIPAL: (ChannelName.LOUDSPEAKER, ChannelName.INDOOR_RECEIVER),
        Asked.TELEVISION: (ChannelName.TELEVISION,),
    }[asked]
    left = 1.0
    for channel in channels:
        left *= 1.0 - shares[channel]
    return 1.0 - left


def _towns(area: tuple[str, ...]) -> Iterator[Municipality]:
    return (town for town in municipalities() if {town.prefecture, town.code} & set(area))
