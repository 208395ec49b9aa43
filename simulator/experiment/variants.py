"""Variants of a scenario: the same file with some of its fields set to something else.

Rule of the module: pure but for the shipped chain profiles. A scenario as written and settings come
in, a validated scenario goes out, made by the same merging and the same checks as a file's. A
figure that was set says so: it is an assumption, its range is what it was varied over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from simulator.errors import ConfigurationError, ScenarioError
from simulator.experiment.assumptions import profile_with_changes, whole_document
from simulator.experiment.paths import CONSTANT_LAW, MEAN, RECORDED_LAW, Place, find_place
from simulator.reach.changes import is_spread, spread_mean, with_mean
from simulator.scenario.document import marked
from simulator.scenario.laws import Recorded
from simulator.scenario.loading import pointed, validate
from simulator.scenario.merging import locate, merge, read_extended, with_profile
from simulator.scenario.schema import Scenario
from simulator.units import format_duration, parse_duration

PROFILE_PATH: Final = "chain.profile"
NOTE: Final = "Set by an experiment."
_DURATIONS: Final = ("value", "low", "mode", "high", "median", "p95", "mean", "floor")
_WHERE: Final = "setting:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One field set to a value.

    Attributes:
        path: dotted path of the field.
        value: as it would be written in the file: text with a unit, a number, a word.
        factor: whether the value multiplies what the scenario has, instead of replacing it.
        low: least value it is varied over, in the form of ``value``.
        high: greatest.
    """

    path: str
    value: str | int | float
    factor: bool = False
    low: str | int | float | None = None
    high: str | int | float | None = None

    @property
    def text(self) -> str:
        """As on the command line: ``chain.decision=90s``."""
        return f"{self.path}={self.shown}"

    @property
    def shown(self) -> str:
        """The value for people: ``90s``, ``0.5x``."""
        if self.factor:
            return f"{self.value:g}x"
        whole = isinstance(self.value, float) and self.value.is_integer()
        return str(int(self.value) if whole else self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A scenario before anything is varied.

    Attributes:
        name: name or path that it was read from.
        document: the file with all it extends as plain data, its profile still a name.
        fixed: what is set in every variant.
        channels: name or path of the channel profile that assumptions are of, None for that of
            the scenario's time.
        checked: the scenario as it is, where it has been checked already: workers that play
            nothing else need not build the checks anew.
    """

    name: str
    document: Any
    fixed: tuple[Setting, ...] = ()
    channels: str | None = None
    checked: Scenario | None = field(default=None, repr=False, compare=False)

    def set_to(self, settings: Sequence[Setting]) -> "Base":
        """The same with these fields set in every variant."""
        return replace(self, fixed=(*self.fixed, *settings))

    def scenario(self, settings: Sequence[Setting] = ()) -> Scenario:
        """The scenario with these fields set.

        Raises:
            ConfigurationError: if a path leads nowhere, or a value cannot stand there.
        """
        settings = (*self.fixed, *settings)
        if self.checked is not None and not settings:
            return self.checked
        node = marked(self.document, _WHERE)
        for setting in settings:
            if setting.path == PROFILE_PATH:
                node = merge(node, marked({"chain": {"profile": setting.value}}, _WHERE))
        try:
            scenario = validate(with_profile(node))
            rest = [setting for setting in settings if setting.path != PROFILE_PATH]
            if not rest:
                return scenario
            document = whole_document(scenario, self.channels, [one.path for one in rest])
            tree = marked(scenario.resolved(), _WHERE)
            for setting in rest:
                change = _change(find_place(setting.path, document), document, setting)
                tree = merge(tree, marked(change, _WHERE))
            scenario = validate(tree)
            self.check_channels(scenario)
        except ScenarioError as error:
            raise ConfigurationError(
                f"the scenario cannot be varied so: {error.message}",
                field=" ".join(_blamed(setting, error) for setting in settings) or error.field,
                value=error.value,
                remedy=error.remedy,
            ) from None
        return scenario

    def check_channels(self, scenario: Scenario) -> None:
        """Refuse channels that cannot be.

        Raises:
            ScenarioError: naming field, value and remedy.
        """
        if not scenario.channels:
            return
        try:
            profile_with_changes(scenario, self.channels)
        except ConfigurationError as error:
            raise ScenarioError(
                error.message, field=error.field, value=error.value, remedy=error.remedy
            ) from None


def read_base(name: str, channels: str | None = None) -> Base:
    """Read a shipped scenario or a file, to be varied.

    Args:
        name: of the scenario, or path of its file.
        channels: name or path of a channel profile, None for that of the scenario's time.

    Raises:
        ScenarioError: naming file, line, field, value and remedy, if it is not a valid scenario.
    """
    node = read_extended(locate(name, Path()))
    checked = validate(with_profile(node))
    base = Base(name=name, document=node.plain(), channels=channels, checked=checked)
    try:
        base.check_channels(checked)
    except ScenarioError as error:
        raise pointed(error, name) from None
    return base


def _blamed(setting: Setting, error: ScenarioError) -> str:
    """A setting by its value, or by the end of its range that cannot be."""
    for end in (setting.low, setting.high):
        if end is not None and error.value == str(end) and not setting.factor:
            return replace(setting, value=end).text
    return setting.text


def _change(place: Place, document: Mapping[str, Any], setting: Setting) -> object:
    """The tree that sets one field, with the provenance of the figure that it belongs to."""
    new = _new(place, document, setting)
    if place.figure is None:
        return _nested(place.steps, document, new)
    around = place.steps[: place.figure]
    figure = _present(around, document)
    figure = figure if isinstance(figure, dict) else {}
    inner = _nested(place.steps[place.figure :], figure, new)
    if figure.get("law") == RECORDED_LAW and not place.is_law and not setting.factor:
        return _nested(around, document, {**inner, "note": NOTE})
    if place.part is not None:
        name = place.steps[place.figure]
        part = {**figure.get(name, {}), **inner[name]}
        span = _span(part.get("range", []), part, setting)
        return _nested(around, document, {name: {**inner[name], "range": span}, "note": NOTE})
    provenance = {"assumption": True, "note": NOTE}
    if is_spread(figure):
        means = [spread_mean(figure), spread_mean({**figure, **inner})] if place.key else [0, 1]
        ends = [*figure.get("range", []), *means]
        return _nested(around, document, {**inner, **provenance, "range": [min(ends), max(ends)]})
    if place.spans:
        whole = inner if place.is_law else {**figure, **inner}
        provenance["range"] = _span(figure.get("range", []), whole, setting)
    return _nested(around, document, {**inner, **provenance})


def _new(place: Place, document: Mapping[str, Any], setting: Setting) -> Any:  # noqa: ANN401
    """What the field becomes."""
    present = _present(place.steps, document)
    if place.key == MEAN and isinstance(present, Mapping) and not isinstance(setting.value, str):
        return with_mean(present, setting.value * (spread_mean(present) if setting.factor else 1))
    if setting.factor:
        if isinstance(present, Mapping) and present.get("law") == RECORDED_LAW:
            present = _as_constant(present, document)
        if isinstance(present, Mapping) and place.key in present and not place.is_law:
            return {place.key: _scaled(present[place.key], float(setting.value), setting)}
        return _scaled(present, float(setting.value), setting)
    if place.is_law:
        return {"law": CONSTANT_LAW, "value": setting.value}
    return setting.value if place.key is None else {place.key: setting.value}


def _present(steps: Sequence[str], document: object) -> object:
    """What stands at a place, None if nothing does."""
    value = document
    for step in steps:
        if isinstance(value, list):
            value = next((item for item in value if _is(item, step, value)), None)
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _is(item: Any, step: str, items: list[Any]) -> bool:  # noqa: ANN401  (an entry of any kind)
    return isinstance(item, Mapping) and step in {item.get("id"), str(items.index(item))}


def _nested(steps: Sequence[str], document: object, leaf: object) -> Any:  # noqa: ANN401
    """The leaf under its path; an entry of a list as a list of that entry alone."""
    if not steps:
        return leaf
    step, *rest = steps
    if isinstance(document, list):
        item = next(item for item in document if _is(item, step, document))
        return [{"id": item["id"], **_nested(rest, item, leaf)}]
    inside = document.get(step) if isinstance(document, Mapping) else None
    return {step: _nested(rest, inside, leaf)}


def _as_constant(recorded: Mapping[str, Any], document: Mapping[str, Any]) -> dict[str, Any]:
    """A recorded duration as a law that can be multiplied."""
    epoch = datetime.fromisoformat(document["epoch"])
    span_ns = Recorded.model_validate(recorded).quantile_ns(0.5, epoch)
    return {"law": CONSTANT_LAW, "value": format_duration(round(span_ns))}


def _scaled(present: object, factor: float, setting: Setting) -> Any:  # noqa: ANN401
    """A law, a duration or a number, multiplied."""
    if isinstance(present, Mapping) and "law" in present:
        return {key: _scaled_field(key, value, factor) for key, value in present.items()}
    if isinstance(present, int | float) and not isinstance(present, bool):
        return present * factor
    if isinstance(present, str):
        try:
            return format_duration(round(parse_duration(present) * factor))
        except ValueError:
            pass
    raise ConfigurationError(
        "only laws, durations and numbers can be multiplied",
        field="--vary",
        value=setting.text,
        remedy="give the value itself, for example chain.decision=90s",
    )


def _scaled_field(key: str, value: object, factor: float) -> object:
    if key in _DURATIONS and isinstance(value, str):
        return format_duration(round(parse_duration(value) * factor))
    if key in {"values", "range"} and isinstance(value, list):
        return [format_duration(round(parse_duration(item) * factor)) for item in value]
    return value


def _span(known: Sequence[Any], figure: Mapping[str, Any], setting: Setting) -> list[Any]:
    """A range that holds what the figure was, is, and is varied over."""
    own = [figure[key] for key in figure if key in _DURATIONS or key in {"count", "time", "share"}]
    own += figure.get("values", [])
    over = [] if setting.factor else [setting.low, setting.high]
    ends = [*known, *own, *(end for end in over if end is not None)]
    if all(isinstance(end, int | float) for end in ends):
        return [min(ends), max(ends)]
    try:
        spans = sorted(parse_duration(str(end)) for end in ends)
    except ValueError:
        return [own[0], own[0]]
    return [format_duration(spans[0]), format_duration(spans[-1])]
