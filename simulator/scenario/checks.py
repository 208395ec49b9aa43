"""What a field of a scenario cannot know by itself: names that must exist, warnings that must end.

Rule of the module: a validated scenario comes in; the first thing that is wrong is raised with the
path of the field, what is wrong and what to write instead.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from simulator.errors import ThresholdError
from simulator.scenario.chain import Moment, Teams
from simulator.scenario.flight import Quantity
from simulator.scenario.launch_checks import Path, check_launch
from simulator.scenario.laws import Constant, Provenance, Recorded
from simulator.scenario.schema import Scenario
from simulator.scenario.subscriber_checks import CONTROLS, REST, check_subscribers
from simulator.scenario.values import Instant, refuse
from simulator.thresholds import parse_thresholds
from simulator.units import NS_PER_H

MESSAGES_MAX: Final = 200_000
_FARTHEST_NS: Final = 366 * 24 * NS_PER_H


def check(scenario: Scenario) -> None:
    """Refuse a scenario that contradicts itself.

    Raises:
        PydanticCustomError: for the first problem found.
    """
    _check_content(scenario)
    _check_identifiers(scenario)
    _check_thresholds(scenario)
    for path, figure in figures(scenario):
        _check_provenance(scenario, path, figure)
        _check_span(scenario, path, figure)
    for index, launch in enumerate(scenario.launches):
        check_launch(scenario, ("launches", index), launch)
    _check_drills(scenario)
    check_subscribers(scenario)


def figures(model: BaseModel, path: Path = ()) -> Iterator[tuple[Path, Provenance]]:
    """Every figure with a provenance below a model, with its path, in the order of the fields."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        here = (*path, field.alias or name)
        if isinstance(value, Provenance):
            yield here, value
        elif isinstance(value, BaseModel):
            yield from figures(value, here)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    yield from figures(item, (*here, index))


def _check_content(scenario: Scenario) -> None:
    if not scenario.launches and not scenario.tests:
        raise refuse(
            "nothing happens in this scenario", "add launches, or tests for test messages", ()
        )


def _check_identifiers(scenario: Scenario) -> None:
    for group in ("sources", "launches", "tests", "marks", "record", "subscribers"):
        seen: set[str] = set()
        for index, item in enumerate(getattr(scenario, group) or ()):
            if item.id in seen:
                raise refuse(
                    "two entries have the same id", "give each its own", (group, index, "id")
                )
            seen.add(item.id)


def _check_thresholds(scenario: Scenario) -> None:
    groups = [group.id for group in scenario.subscribers or ()]
    groups += [REST, CONTROLS] if groups else []
    for metric, expressions in scenario.thresholds.items():
        try:
            parse_thresholds({metric: list(expressions)}, groups=groups)
        except ThresholdError as error:
            message = f"{error.message} (got {error.value})"
            raise refuse(message, error.remedy, ("thresholds", metric)) from None


def _check_provenance(scenario: Scenario, path: Path, figure: Provenance) -> None:
    known = {source.id for source in scenario.sources}
    for index, source in enumerate(figure.sources):
        if source not in known:
            raise refuse(
                f"there is no source {source}",
                "list it under sources with title, address and grade",
                (*path, "sources", index),
            )
    if scenario.fictional:
        return
    span = getattr(figure, "range", None)
    if figure.assumption and span is None:
        raise refuse(
            "an assumption needs a range",
            "add range: [least, most] that the figure could as well be",
            path,
        )
    if not figure.assumption and not figure.sources:
        raise refuse(
            "this figure does not say where it comes from",
            "add sources: [...], or assumption: true and a range, or fictional: true at the top",
            path,
        )


def _check_span(scenario: Scenario, path: Path, figure: Provenance) -> None:
    epoch = scenario.epoch
    value: float
    span: tuple[float, ...] | None
    if isinstance(figure, Recorded) and figure.quantile_ns(0.5, epoch) < 0:
        raise refuse(
            "the stage ends before it starts",
            "write ends no earlier than starts",
            (*path, "ends"),
        )
    if isinstance(figure, Moment):
        value = scenario.offset_ns(figure)
        if abs(value) > _FARTHEST_NS:
            raise refuse(
                "more than 366 days from the epoch", "check the date of the epoch", (*path, "time")
            )
        _check_epoch(scenario, (*path, "time"), figure.time)
        span = figure.range and tuple(end.offset_ns(epoch) for end in figure.range)
    elif isinstance(figure, Constant | Recorded):
        value, span = int(figure.quantile_ns(0.5, epoch)), figure.range
    elif isinstance(figure, Teams):
        value, span = figure.count, figure.range
    elif isinstance(figure, Quantity):
        value, span = figure.value, figure.range
    else:
        return
    if span and not span[0] <= value <= span[1]:
        raise refuse(
            "the figure lies outside its own range",
            "widen the range or correct the figure",
            (*path, "range"),
        )


def _check_epoch(scenario: Scenario, path: Path, instant: Instant) -> None:
    """Refuse a time of day that has passed at the epoch: across midnight it means the next day.

    What lies before the epoch on purpose is written with its sign or its date.
    """
    epoch = scenario.epoch
    if instant.is_time_of_day and instant.offset_ns(epoch) < 0:
        raise refuse(
            f"this lies before the epoch, {epoch:%H:%M:%S}, because a time of day is of its date",
            f'for the next day write "{_next_day(instant, epoch)}", for a time before the epoch '
            "a duration such as -5min, or move the epoch",
            path,
        )


def _next_day(instant: Instant, epoch: datetime) -> str:
    return (epoch + timedelta(microseconds=instant.offset_ns(epoch) // 1000, days=1)).isoformat()


def _check_drills(scenario: Scenario) -> None:
    total = sum(drill.count * len(drill.prefectures) for drill in scenario.tests)
    for index, drill in enumerate(scenario.tests):
        _check_epoch(scenario, ("tests", index, "at"), drill.at)
        if drill.count > 1 and drill.every == 0:
            raise refuse(
                "repeated test messages need an interval",
                "add every: 10s",
                ("tests", index, "every"),
            )
    if total > MESSAGES_MAX:
        raise refuse(
            f"{total} messages are more than {MESSAGES_MAX}",
            "lower count, or name fewer prefectures",
            ("tests",),
        )
