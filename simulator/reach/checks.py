"""What a field of a channel profile cannot know by itself: names that must exist, ranges that hold.

Rule of the module: a validated profile comes in; the first thing that is wrong is raised with the
path of the field, what is wrong and what to write instead.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, cast

from pydantic import BaseModel

from simulator.reach.channels import (
    Activity,
    ChannelProfile,
    Coverage,
    DelayLaw,
    Failure,
    Hearing,
    Near,
    Share,
)
from simulator.scenario.checks import figures
from simulator.scenario.laws import Provenance
from simulator.scenario.values import refuse

_ANY_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MEDIAN: Final = 0.5

Path = tuple[int | str, ...]
Ranged = tuple[Path, float, tuple[float, float] | None]


def check(profile: ChannelProfile) -> None:
    """Refuse a profile that contradicts itself.

    Raises:
        PydanticCustomError: for the first problem found.
    """
    _check_identifiers(profile)
    _check_notices(profile)
    _check_carriers(profile)
    known = {source.id for source in profile.sources}
    for path, figure in figures(profile):
        _check_sources(known, path, figure)
        if not (figure.sources or figure.assumption or profile.fictional):
            raise refuse(
                "this figure does not say where it comes from",
                "add sources: [...], or assumption: true and a range",
                path,
            )
        for place, value, span in _ranged(path, figure):
            _check_span(profile, place, value, span, assumption=figure.assumption)


def _check_identifiers(profile: ChannelProfile) -> None:
    channels = profile.channels
    groups: dict[Path, tuple[BaseModel, ...]] = {
        ("sources",): profile.sources,
        ("notices",): profile.notices,
    }
    if channels.cell_broadcast is not None:
        groups["channels", "cell-broadcast", "carriers"] = channels.cell_broadcast.carriers
    if channels.loudspeaker is not None:
        groups["channels", "loudspeaker", "installed", "prefectures"] = (
            channels.loudspeaker.installed.prefectures
        )
    for place, entries in groups.items():
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            name = getattr(entry, "id")  # noqa: B009  # every entry of these groups has one
            if name in seen:
                raise refuse(
                    "two entries have the same id", "give each its own", (*place, index, "id")
                )
            seen.add(name)


def _check_notices(profile: ChannelProfile) -> None:
    known = [notice.id for notice in profile.notices]
    for name, channel in profile.channels.all().items():
        for activity in Activity:
            heard = getattr(channel.hears, activity)
            if heard.share > 0 and heard.notice not in known:
                raise refuse(
                    "there is no such notice"
                    if heard.notice
                    else "who hears it also needs a time to notice",
                    f"write notice: and one of {', '.join(known)}",
                    ("channels", name, "hears", activity),
                )


def _check_carriers(profile: ChannelProfile) -> None:
    broadcast = profile.channels.cell_broadcast
    if broadcast is not None and sum(entry.share.share for entry in broadcast.carriers) <= 0:
        raise refuse(
            "no network has a share of the lines",
            "give at least one of them a share above 0",
            ("channels", "cell-broadcast", "carriers"),
        )


def _check_sources(known: set[str], path: Path, figure: Provenance) -> None:
    for index, source in enumerate(figure.sources):
        if source not in known:
            raise refuse(
                f"there is no source {source}",
                "list it under sources with title, address and grade",
                (*path, "sources", index),
            )


def _ranged(path: Path, figure: Provenance) -> Iterator[Ranged]:
    """Every value of a figure with the range it must lie in."""
    match figure:
        case Share():
            yield path, figure.share, figure.range
        case Failure():
            yield path, figure.a / (figure.a + figure.b), figure.range
        case Coverage():
            yield path, figure.mean, figure.range
        case Near() | Hearing():
            for activity in Activity:
                part = getattr(figure, activity)
                if part.share > 0:
                    yield (*path, activity), part.share, part.range
        case _:
            law = cast("DelayLaw", figure)
            yield path, law.quantile_ns(_MEDIAN, _ANY_EPOCH), law.range


def _check_span(
    profile: ChannelProfile,
    path: Path,
    value: float,
    span: tuple[float, float] | None,
    *,
    assumption: bool,
) -> None:
    if span is not None and not span[0] <= value <= span[1]:
        raise refuse(
            "the figure lies outside its own range",
            "widen the range or correct the figure",
            (*path, "range"),
        )
    if assumption and span is None and not profile.fictional:
        raise refuse(
            "an assumption needs a range",
            "add range: [least, most] that the figure could as well be",
            path,
        )
