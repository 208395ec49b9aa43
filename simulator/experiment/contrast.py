"""Contrast: what one experiment has over another, figure by figure.

Rule of the module: pure. The first side is the baseline. Sides of the same seed were played with
the same random numbers: their replications are subtracted in pairs, which tells small differences
from luck; sides of different seeds are compared as independent samples. An effect is called one
only if its whole 95 % interval lies on one side of zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from simulator.errors import ConfigurationError
from simulator.experiment.comparison import (
    CurveSummary,
    DifferenceSummary,
    EffectWord,
    MetricSummary,
    ValueSummary,
)
from simulator.experiment.estimates import (
    FEWEST,
    Floats,
    Interval,
    quantiles,
    student_interval,
)
from simulator.experiment.figures import column_order
from simulator.experiment.people import band_seconds, is_band
from simulator.experiment.resampling import pair_of, resampled, welch_interval
from simulator.experiment.summarise import HEADLINE, Rows
from simulator.experiment.summary import QuantileSummary, WarnedBySummary

_BETTER_LOW: Final = ("alert", "issue", "stage", "shelter", "correction", "alerted_needlessly",
                      "missed")  # fmt: skip
_BETTER_HIGH: Final = ("predicted_lead_time", "lead_time", "warned_before")
_SIGNED: Final = ("predicted_lead_time", "lead_time")
_FIRST: Final = (*HEADLINE, "warned_people", "missed_people")
_KEYS: Final = frozenset({"point", "replication"})
TOO_FEW: Final = f"fewer than {FEWEST} replications"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the experiments compared: a single variant, all its replications.

    Attributes:
        name: as given.
        seed: of its replications.
        replications: how many count.
        rows: its table.
    """

    name: str
    seed: int
    replications: int
    rows: Rows

    @property
    def figures(self) -> list[str]:
        """Its figures, without the keys and the curve."""
        return [name for name in self.rows.columns if name not in _KEYS and not is_band(name)]


def metrics_of(sides: Sequence[Side]) -> tuple[MetricSummary, ...]:
    """Every figure that any side has; the headline figures first.

    Raises:
        ConfigurationError: if no other side has a figure of the baseline.
    """
    shared = [name for name in sides[0].figures if any(name in side.figures for side in sides[1:])]
    if not shared:
        raise ConfigurationError(
            "no figure is found in both, so there is nothing to compare",
            value=f"{sides[0].name} has {_some(sides[0].figures)}; "
            f"{sides[1].name} has {_some(sides[1].figures)}",
            remedy="compare scenarios in which somebody is warned",
        )
    names = column_order({name for side in sides for name in side.figures})
    first = [name for name in _FIRST if name in names]
    return tuple(_metric(name, sides) for name in dict.fromkeys([*first, *names]))


def only_some(sides: Sequence[Side]) -> dict[str, tuple[int, ...]]:
    """Figures that not every side has, with the numbers of the sides that do."""
    names = dict.fromkeys(name for side in sides for name in side.figures)
    having = {
        name: tuple(number for number, side in enumerate(sides) if name in side.figures)
        for name in names
    }
    return {name: numbers for name, numbers in having.items() if len(numbers) < len(sides)}


def curves_of(sides: Sequence[Side]) -> tuple[CurveSummary, ...]:
    """People warned by time, of every side that counted people."""
    found = []
    for number, side in enumerate(sides):
        points = []
        for name in side.rows.columns:
            if not is_band(name):
                continue
            people = side.rows.column(name)
            people = np.sort(people[~np.isnan(people)])
            if len(people):
                points.append(
                    WarnedBySummary(
                        after_s=band_seconds(name),
                        mean=float(people.mean()),
                        quantiles=tuple(
                            QuantileSummary(
                                percent=float(one.percent),
                                value=one.value,
                                interval=(one.low, one.high),
                            )
                            for one in quantiles(people)
                        ),
                    )
                )
        if points:
            found.append(CurveSummary(side=number, points=tuple(points)))
    return tuple(found)


def column_of(side: Side, name: str) -> Floats:
    """One figure of a side; all NaN if it has none."""
    if name not in side.rows.columns:
        return np.full(side.replications, np.nan)
    return side.rows.column(name)


def are_paired(base: Side, other: Side) -> bool:
    """Whether the n-th replication of both was played with the same random numbers."""
    return base.seed == other.seed


def unit_of(column: str) -> Literal["ns", "people", "count"]:
    """What a figure is counted in."""
    if column.endswith("_ns"):
        return "ns"
    return "people" if column.endswith("_people") else "count"


def is_signed(column: str) -> bool:
    """Whether a figure may be negative, so that a multiple of it has no sense."""
    return _stem(column).startswith(_SIGNED)


def wanted(column: str) -> int:
    """1 if more of a figure is better, -1 if less is, 0 if neither can be said."""
    stem = _stem(column)
    if stem.startswith(_BETTER_HIGH):
        return 1
    return -1 if stem.startswith(_BETTER_LOW) and stem != "alerted" else 0


def effect_of(column: str, interval: Interval | None) -> EffectWord:
    """What an interval of a difference says."""
    if interval is None:
        return "unknown"
    low, high = interval
    if low == high == 0:
        return "none"
    if low <= 0 <= high:
        return "unclear"
    sign = wanted(column) * (1 if low > 0 else -1)
    return "different" if not sign else "better" if sign > 0 else "worse"


def _metric(name: str, sides: Sequence[Side]) -> MetricSummary:
    values = []
    for number, side in enumerate(sides):
        column = column_of(side, name)
        there = column[~np.isnan(column)]
        values.append(
            ValueSummary(
                side=number,
                n=len(there),
                missing=len(column) - len(there),
                value=float(there.mean()) if len(there) else None,
                interval=student_interval(there),
            )
        )
    return MetricSummary(
        metric=name,
        aggregate="mean",
        unit=unit_of(name),
        scale="scenario" if name.endswith("_ns") else "none",
        headline=name in _FIRST,
        values=tuple(values),
        differences=tuple(
            _difference(name, number, sides[0], side)
            for number, side in enumerate(sides[1:], start=1)
        ),
    )


def _difference(name: str, number: int, base: Side, other: Side) -> DifferenceSummary:
    paired = are_paired(base, other)
    pair = pair_of(column_of(base, name), column_of(other, name), paired=paired)
    if not pair.n:
        return DifferenceSummary(
            side=number, n=0, paired=paired, value=None, interval=None, ratio=None,
            ratio_interval=None, effect="unknown", reason=_never(name, base, other),
        )  # fmt: skip
    value = float(pair.other.mean()) - float(pair.base.mean())
    interval = student_interval(pair.other - pair.base) if paired else welch_interval(pair)
    ratio, ratio_interval = None, None
    if not is_signed(name) and pair.base.mean() > 0:
        ratio = float(pair.other.mean() / pair.base.mean())
        ratio_interval = resampled(pair).ratio
    return DifferenceSummary(
        side=number,
        n=pair.n,
        paired=paired,
        value=value,
        interval=interval,
        ratio=ratio,
        ratio_interval=ratio_interval,
        effect=effect_of(name, interval),
        reason="" if interval else TOO_FEW,
    )


def _never(name: str, base: Side, other: Side) -> str:
    """Why there is no pair."""
    for side in (base, other):
        if np.isnan(column_of(side, name)).all():
            return f"it never happens in {side.name}"
    return "it never happens in both of a pair"


def _stem(column: str) -> str:
    """The name of a figure without its launch and its unit."""
    return column.rpartition(".")[2].rpartition("_")[0]


def _some(names: Sequence[str], most: int = 4) -> str:
    stems = [name.rpartition("_")[0] for name in names]
    return ", ".join(stems[:most]) + (" …" if len(stems) > most else "") if stems else "none"
