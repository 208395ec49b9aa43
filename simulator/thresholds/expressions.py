"""Reading thresholds: ``delivery_latency{population=live}: ["p(99)<1s"]``.

Rule of the module: an expression is understood completely or refused with the nearest word that
exists. Bounds are exact: durations are integer nanoseconds, shares are fractions.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from math import ceil
from typing import Final, NoReturn

from simulator.errors import ThresholdError
from simulator.thresholds.catalogue import AGGREGATES, METRICS, Metric, Unit
from simulator.units import UNITS_NS, format_duration, parse_duration

_KEY = re.compile(r"\s*([A-Za-z_][\w-]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_TAG = re.compile(r"\s*([A-Za-z_]+)\s*[=:]\s*\"?([^\s\",{}=:]+)\"?\s*")
_EXPRESSION = re.compile(
    r"\s*(?:(p)\s*\(\s*([^)\s]*)\s*\)|([A-Za-z_]+))\s*(===|==|!=|<=|>=|<|>)\s*(.*?)\s*", re.DOTALL
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DURATION_WORDS = re.compile(r"[A-Za-zµ]+")

_HUNDRED: Final = 100
_TOO_FEW_TAIL: Final = 10  # observations wanted beyond a quantile: n >= 10 / (1 - q)


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One pass/fail expression, understood.

    Attributes:
        metric: name in the catalogue.
        tags: what it is narrowed to, (tag, value) pairs in order of the tag's name.
        aggregate: ``p``, ``med``, ``avg``, ``min``, ``max``, ``count`` or ``rate``.
        percent: for ``p``, strictly between 0 and 100; ``med`` is 50; else None.
        operator: ``<``, ``<=``, ``>``, ``>=``, ``==`` or ``!=``.
        bound: nanoseconds for durations, a number for counts, a share for rates; exact.
        default: True if nobody asked for it.
    """

    metric: str
    tags: tuple[tuple[str, str], ...]
    aggregate: str
    percent: Fraction | None
    operator: str
    bound: Fraction
    default: bool = False

    @property
    def definition(self) -> Metric:
        """The catalogue's entry."""
        return METRICS[self.metric]

    @property
    def timed(self) -> bool:
        """True if the value is a duration, and not a number of them."""
        return self.definition.unit is Unit.NS and self.aggregate != "count"

    @property
    def key(self) -> str:
        """The metric with its tags, as it would be written."""
        inner = ",".join(f"{name}={value}" for name, value in self.tags)
        return f"{self.metric}{{{inner}}}" if inner else self.metric

    @property
    def expression(self) -> str:
        """Aggregate, operator and bound, as they would be written."""
        aggregate = self.aggregate
        if aggregate == "p" and self.percent is not None:
            aggregate = f"p({float(self.percent):g})"
        bound = format_duration(int(self.bound)) if self.timed else f"{float(self.bound):g}"
        return f"{aggregate}{self.operator}{bound}"


Thresholds = tuple[Threshold, ...]


def samples_needed(percent: Fraction) -> int:
    """Smallest n for which quantile q may be stated: n >= 10 / (1 - q).

    >>> samples_needed(Fraction(99))
    1000
    """
    return ceil(_TOO_FEW_TAIL / (1 - percent / _HUNDRED))


def parse_thresholds(
    given: Mapping[str, Sequence[str] | str],
    where: str = "",
    prefectures: Sequence[str] = (),
    groups: Sequence[str] | None = None,
) -> Thresholds:
    """Read thresholds as written in a scenario, a configuration file or on the command line.

    Args:
        given: metric with tags to its expressions; a single expression may stand alone.
        where: file or option, for error messages.
        prefectures: known slugs; empty leaves the prefecture tag unchecked.
        groups: the scenario's groups of subscribers; None leaves the group tag unchecked.

    Returns:
        One record per expression, in the order given.

    Raises:
        ThresholdError: on an unknown metric, tag, value, aggregate, operator or unit, with the
            nearest word that exists.
    """
    parsed: list[Threshold] = []
    for key, expressions in given.items():
        metric, tags = _parse_key(key, where, tuple(prefectures))
        if groups is not None:
            _check_group(dict(tags).get("group"), key, where, groups)
        listed = [expressions] if isinstance(expressions, str) else list(expressions)
        if not listed:
            raise ThresholdError(
                "no expression", where, key, "[]", 'write a list such as ["p(99)<1s"]'
            )
        parsed.extend(_parse_expression(text, metric, tags, key, where) for text in listed)
    return tuple(parsed)


def with_defaults(thresholds: Thresholds) -> Thresholds:
    """Add the defaults for every metric and tags the user has said nothing about."""
    said = {threshold.key for threshold in thresholds}
    return thresholds + tuple(default for default in DEFAULTS if default.key not in said)


def _refuse(problem: str, value: str, known: Sequence[str], key: str, where: str) -> NoReturn:
    """Raise with the nearest known word as the remedy."""
    near = get_close_matches(value, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]}? " if near else ""
    raise ThresholdError(problem, where, key, value, f"{remedy}known: {', '.join(known)}")


def _parse_key(
    key: str, where: str, prefectures: tuple[str, ...]
) -> tuple[Metric, tuple[tuple[str, str], ...]]:
    match = _KEY.fullmatch(key)
    if match is None:
        raise ThresholdError(
            "not a metric with tags",
            where,
            "thresholds",
            key or '""',
            "write it as delivery_latency{population=live}",
        )
    name = match[1].replace("-", "_")
    if name not in METRICS:
        _refuse("unknown metric", match[1], tuple(METRICS), "thresholds", where)
    metric = METRICS[name]
    tags: dict[str, str] = {}
    inner = match[2] or ""
    for part in inner.split(",") if inner.strip() else ():
        tag, value = _parse_tag(part, metric, key, where, prefectures)
        if tag in tags:
            raise ThresholdError("a tag stands twice", where, key, tag, "keep one of them")
        tags[tag] = value
    return metric, tuple(sorted(tags.items()))


def _parse_tag(
    part: str, metric: Metric, key: str, where: str, prefectures: tuple[str, ...]
) -> tuple[str, str]:
    match = _TAG.fullmatch(part)
    if match is None:
        raise ThresholdError("not a tag", where, key, part.strip(), "write tags as population=live")
    tag, value = match[1], match[2]
    if not metric.tags:
        raise ThresholdError(f"{metric.name} takes no tags", where, key, tag, "leave it out")
    if tag not in metric.tags:
        _refuse(f"unknown tag of {metric.name}", tag, tuple(metric.tags), key, where)
    if metric.name == "delivery_latency" and (tag, value) == ("population", "retained"):
        raise ThresholdError(
            "a retained copy has no delivery latency, it has an age",
            where,
            key,
            value,
            "use alert_age",
        )
    known = prefectures if tag == "prefecture" else metric.tags[tag]
    if known and value not in known:
        _refuse(f"unknown {tag}", value, known, key, where)
    return tag, value


def _check_group(group: str | None, key: str, where: str, groups: Sequence[str]) -> None:
    if group is None or group in groups:
        return
    if not groups:
        raise ThresholdError(
            "the scenario declares no groups of subscribers",
            where,
            key,
            group,
            "leave the tag out, or add subscribers to the scenario",
        )
    _refuse("unknown group", group, groups, key, where)


def _parse_expression(
    text: str, metric: Metric, tags: tuple[tuple[str, str], ...], key: str, where: str
) -> Threshold:
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        raise ThresholdError(
            "not a threshold expression",
            where,
            key,
            text or '""',
            'write aggregate, operator and bound, for example "p(99)<1s" or "count==0"',
        )
    percent = None if match[1] is None else _parse_percent(match[2], key, where)
    aggregate = match[1] or match[3]
    known = AGGREGATES[metric.unit]
    if aggregate not in {word.partition("(")[0] for word in known} or (
        aggregate == "p" and percent is None
    ):
        _refuse(f"unknown aggregate of {metric.name}", aggregate, known, key, where)
    if aggregate == "med":
        percent = Fraction(50)
    if not match[5]:
        raise ThresholdError(
            "there is no bound",
            where,
            key,
            text,
            f"write it in full, for example {_example(metric)}",
        )
    operator = "==" if match[4] == "===" else match[4]
    if metric.unit is Unit.NS and aggregate != "count":
        bound = _parse_bound_duration(match[5], key, where)
    else:
        bound = _parse_bound_number(match[5], aggregate, key, where)
    return Threshold(
        metric=metric.name,
        tags=tags,
        aggregate=aggregate,
        percent=percent,
        operator=operator,
        bound=bound,
    )


def _example(metric: Metric) -> str:
    return '"p(99)<1s"' if metric.unit is Unit.NS else '"count==0"'


def _parse_percent(text: str, key: str, where: str) -> Fraction:
    if _NUMBER.fullmatch(text) and 0 < Fraction(text) < _HUNDRED:
        return Fraction(text)
    raise ThresholdError(
        "a percentile lies strictly between 0 and 100",
        where,
        key,
        f"p({text})",
        "write p(99) or p(99.9); for the ends use min and max",
    )


def _parse_bound_duration(text: str, key: str, where: str) -> Fraction:
    try:
        return Fraction(parse_duration(text))
    except ValueError as error:
        for word in _DURATION_WORDS.findall(text):
            if word not in UNITS_NS:
                _refuse("unknown unit", word, tuple(UNITS_NS), key, where)
        raise ThresholdError(str(error), where, key, text, "write 250ms, 1s or 10min") from error


def _parse_bound_number(text: str, aggregate: str, key: str, where: str) -> Fraction:
    share = aggregate == "rate"
    digits = text.removesuffix("%").strip() if share else text
    if not _NUMBER.fullmatch(digits):
        remedy = "write a share such as 0.001 or 0.1%" if share else "write a number without a unit"
        raise ThresholdError("the bound is not a number", where, key, text, remedy)
    bound = Fraction(digits) / (_HUNDRED if text.endswith("%") else 1)
    if share and not 0 <= bound <= 1:
        raise ThresholdError("a rate lies between 0 and 1", where, key, text, "write 0.001 or 0.1%")
    if bound < 0:
        raise ThresholdError("a count is never negative", where, key, text, "write 0 or more")
    return bound


DEFAULTS: Final[Thresholds] = (
    Threshold(
        metric="lost",
        tags=(),
        aggregate="count",
        percent=None,
        operator="==",
        bound=Fraction(0),
        default=True,
    ),
    Threshold(
        metric="unexpected",
        tags=(),
        aggregate="count",
        percent=None,
        operator="==",
        bound=Fraction(0),
        default=True,
    ),
    Threshold(
        metric="delivery_latency",
        tags=(("population", "live"),),
        aggregate="max",
        percent=None,
        operator="<",
        bound=Fraction(parse_duration("5s")),
        default=True,
    ),
)
