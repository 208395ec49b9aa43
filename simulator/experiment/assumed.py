"""Assumed figures as axes: every assumption with its own range, of the chain and of the world.

Rule of the module: pure but for the tables of ``config/``. The range of a law speaks of its typical
duration: the law is stretched so that its median comes to lie at either end.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from pydantic import BaseModel

from simulator.errors import ConfigurationError
from simulator.experiment.assumptions import AREA, SENSING, profile_with_changes, whole_document
from simulator.experiment.axes import Axis, Kind, parse_axes
from simulator.reach.changes import FIELD as CHANNELS
from simulator.reach.channels import Activity, ChannelProfile, Coverage, Hearing, Near, Share
from simulator.scenario.checks import figures
from simulator.scenario.laws import Figure, Provenance
from simulator.scenario.schema import Scenario
from simulator.scenario.values import Instant

EVERY: Final = "assumptions"
_ANY_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MEDIAN: Final = 0.5


def assumed_axes(scenario: Scenario) -> tuple[Axis, ...]:
    """Every assumed figure up to the issue, with the ends of its range.

    Args:
        scenario: what is played. Sensors and corridor matter to launches with a flight only.
    """
    if any(launch.flight is not None for launch in scenario.launches):
        document = whole_document(scenario, None, (SENSING, AREA))
        scenario = Scenario.model_validate(document)
    return tuple(
        axis
        for path, figure in figures(scenario)
        for axis in _of_figure(_dotted(path, scenario), figure, scenario.epoch)
    )


def channel_axes(scenario: Scenario, channels: str | None) -> tuple[Axis, ...]:
    """Every assumed figure from the issue to people, with the ends of its range.

    Args:
        scenario: what is played.
        channels: name or path of the channel profile, None for that of the scenario's time.
    """
    profile = profile_with_changes(scenario, channels)
    return tuple(
        axis
        for path, figure in figures(profile)
        for axis in _of_channels(_opened(_dotted(path, profile)), figure)
    )


def named_axes(texts: Sequence[str], known: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes of ``--vary``: a field and its values, or an assumption by its path alone.

    Args:
        texts: ``PATH=VALUES``; or the path of an assumption, with ``*`` for several of them, or
            ``assumptions`` for all, which vary over their own ranges.
        known: the assumptions.

    Raises:
        ConfigurationError: if one cannot be read, is no assumption, or a field stands twice.
    """
    written = [text for text in texts if "=" in text]
    found = list(parse_axes(written))
    taken = {axis.path for axis in found}
    for text in texts:
        if "=" not in text:
            wanted = "*" if text == EVERY else text
            matching = [axis for axis in known if fnmatchcase(axis.path, wanted)]
            if not matching:
                raise _no_assumption(text, known)
            new = [axis for axis in matching if axis.path not in taken]
            found += new
            taken |= {axis.path for axis in new}
    return tuple(found)


def _of_figure(path: str, figure: Provenance, epoch: datetime) -> Iterator[Axis]:
    span = getattr(figure, "range", None)
    if span is None or not figure.assumption or span[0] == span[1]:
        return
    if isinstance(figure, Figure):
        middle_ns = figure.quantile_ns(_MEDIAN, epoch)  # type: ignore[attr-defined]
        if middle_ns > 0:
            ends = tuple(round(end / middle_ns, 4) for end in span)
            yield Axis(path=path, kind=Kind.FACTOR, values=ends, count=0)
    elif all(isinstance(end, Instant) for end in span):
        yield Axis(path=path, kind=Kind.WORD, values=tuple(end.text for end in span))
    else:
        kind = Kind.COUNT if all(isinstance(end, int) for end in span) else Kind.NUMBER
        yield Axis(path=path, kind=kind, values=tuple(span), count=0)


def _of_channels(path: str, figure: Provenance) -> Iterator[Axis]:
    match figure:
        case Near() | Hearing():
            for activity in Activity:
                part = getattr(figure, activity)
                if figure.assumption and part.share > 0:
                    yield from _between(f"{path}.{activity}", part.range)
        case Share() | Coverage() if figure.assumption:
            yield from _between(path, figure.range)
        case Figure():
            yield from _of_figure(path, figure, _ANY_EPOCH)
        case _:
            pass  # the spread of silent receivers is counted, not assumed


def _between(path: str, span: tuple[float, float] | None) -> Iterator[Axis]:
    if span is not None and span[0] < span[1]:
        yield Axis(path=path, kind=Kind.NUMBER, values=span, count=0)


def _opened(path: str) -> str:
    """The path of a field of a channel profile in a scenario."""
    return f"{CHANNELS}.{path.removeprefix(f'{CHANNELS}.')}"


def _dotted(path: Sequence[int | str], model: Scenario | ChannelProfile) -> str:
    """A path with entries of lists by their ids."""
    steps: list[str] = []
    value: object = model
    for step in path:
        if isinstance(step, int) and isinstance(value, tuple):
            value = value[step]
            steps.append(str(getattr(value, "id", step)))
        else:
            value = getattr(value, _attribute(value, str(step)), None)
            steps.append(str(step))
    return ".".join(steps)


def _attribute(value: object, step: str) -> str:
    """The attribute of a field, which may go by another name in files."""
    fields = type(value).model_fields if isinstance(value, BaseModel) else {}
    return next((name for name, field in fields.items() if field.alias == step), step)


def _no_assumption(text: str, known: Iterable[Axis]) -> ConfigurationError:
    paths = [axis.path for axis in known]
    near = get_close_matches(text.replace("*", ""), paths, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return ConfigurationError(
        "no assumption with a range has this path",
        field="--vary",
        value=text,
        remedy=f"{hint}write {EVERY} for all, one that `alertsim sweep SCENARIO --assumptions` "
        "lists, or PATH=VALUES",
    )
