"""Sensitivity: which stage makes the outcome vary, and which assumption it hangs on.

Rule of the module: two questions, two methods, never mixed.

Sobol indices answer "whose chance matters": the draws of one stage are exchanged for others while
all other draws stay as they are (A. Saltelli et al., "Variance based sensitivity analysis of model
output", Computer Physics Communications 181 (2010) 259-270); the estimators are SciPy's, their
intervals are percentile bootstraps over replications.

A tornado answers "whose assumption matters": each figure that is assumed (``assumed``) is moved to
the two ends of its own range, the draws staying the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.experiment.estimates import Floats, Interval
from simulator.experiment.figures import figures_of
from simulator.experiment.replications import NotingStreams, RedrawnStreams, stage_of
from simulator.model import simulate
from simulator.scenario.schema import Scenario

RESAMPLES: Final = 200
_TRIALS: Final = 16
_TAIL: Final = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How much of a figure's variance comes from the draws of a stage.

    Attributes:
        stage: the stage.
        first: share of the variance that the stage explains alone.
        first_interval: 95 %, percentile bootstrap.
        total: share that would remain if all other draws were known.
        total_interval: 95 %.
        n: replications behind it, a power of two.
    """

    stage: str
    first: float
    first_interval: Interval
    total: float
    total_interval: Interval
    n: int


def random_stages(scenario: Scenario, seed: int) -> tuple[str, ...]:
    """Stages whose draws make a difference, in the order in which they are first drawn.

    Args:
        scenario: what is played.
        seed: of the experiment.
    """
    asked: dict[str, None] = {}
    for replication in range(_TRIALS):
        streams = NotingStreams(seed, replication)
        simulate(scenario, seed, replication, streams)
        asked |= dict.fromkeys(map(stage_of, streams.asked))
    return tuple(stage for stage in asked if _matters(scenario, seed, stage))


def _matters(scenario: Scenario, seed: int, stage: str) -> bool:
    launches = [launch.id for launch in scenario.launches]
    return any(
        figures_of(simulate(scenario, seed, replication), launches)
        != figures_of(
            simulate(scenario, seed, replication, RedrawnStreams(seed, replication, (stage,))),
            launches,
        )
        for replication in range(_TRIALS)
    )


def variance_shares(
    stages: Sequence[str], as_is: Floats, redrawn: Floats, exchanged: Mapping[str, Floats]
) -> tuple[Share, ...]:
    """Sobol indices of one figure, the stage that matters most first.

    Args:
        stages: the inputs.
        as_is: the figure in each replication.
        redrawn: with all draws anew.
        exchanged: by stage, with its draws alone from the new ones.

    Returns:
        Nothing if the figure is missing somewhere, does not vary, or has fewer than two
        replications.
    """
    n = 1 << (len(as_is).bit_length() - 1) if len(as_is) else 0
    first, second = as_is[None, :n], redrawn[None, :n]
    third = np.array([exchanged[stage][:n] for stage in stages])[:, None, :]
    whole = np.concatenate([first.ravel(), second.ravel(), third.ravel()])
    if n < 2 or np.isnan(whole).any() or np.ptp(np.concatenate([first, second])) == 0:  # noqa: PLR2004
        return ()
    found = _indices(first, second, third)
    raw = np.random.PCG64(n).random_raw(RESAMPLES * n) % np.uint64(n)
    again = np.array(
        [
            _indices(first[:, drawn], second[:, drawn], third[:, :, drawn])
            for drawn in raw.astype(np.int64).reshape(RESAMPLES, n)
        ]
    )
    low, high = np.nanquantile(again, [_TAIL, 1 - _TAIL], axis=0)
    shares = [
        Share(
            stage=stage,
            first=float(found[0, place]),
            first_interval=(float(low[0, place]), float(high[0, place])),
            total=float(found[1, place]),
            total_interval=(float(low[1, place]), float(high[1, place])),
            n=n,
        )
        for place, stage in enumerate(stages)
    ]
    return tuple(sorted(shares, key=lambda share: -share.total))


def _indices(first: Floats, second: Floats, third: Floats) -> Floats:
    """First-order and total indices, one row each."""
    from scipy.stats import sobol_indices  # noqa: PLC0415  (0.6 s, only where it is needed)

    # SciPy fails on a single input; one that is never exchanged changes nothing for the others.
    padded = np.concatenate([third, first[None]])
    found = sobol_indices(func={"f_A": first, "f_B": second, "f_AB": padded}, n=first.shape[-1])
    return np.array([found.first_order.ravel()[:-1], found.total_order.ravel()[:-1]])
