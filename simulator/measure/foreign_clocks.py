"""Clocks of clients in other domains, as the summary shows them.

Rule of the module: what is known comes in, a sentence and figures go out. Offsets are kept as ours
minus theirs and shown as theirs minus ours, which is how people set clocks.
"""

import math
from dataclasses import dataclass

from simulator.measure.offsets import ClockEstimate
from simulator.measure.summary import ForeignClock
from simulator.units import format_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClock:
    """What the run learnt about a client's clock.

    Attributes:
        client: MQTT client id.
        domain: its clock domain.
        estimate: None if there is too little evidence, or it contradicts itself.
        one_way: deliveries with a one-way figure.
        beyond: deliveries whose bound was beyond the limit.
    """

    client: str
    domain: str
    estimate: ClockEstimate | None
    one_way: int
    beyond: int


def describe_clock(clock: KnownClock, *, bound_limit_ns: int) -> ForeignClock:
    """Say what is known about a clock, or why nothing is.

    Args:
        clock: what is known.
        bound_limit_ns: widest interval with which a stamp of it was taken as a one-way figure.
    """
    estimate = clock.estimate
    if estimate is None:
        return ForeignClock(
            client=clock.client,
            domain=clock.domain,
            offset_ns=None,
            error_ns=None,
            reason="no interval: too little or contradictory evidence; its figures are round trips",
        )
    refused = not clock.one_way and clock.beyond > 0
    bound = estimate.bound
    return ForeignClock(
        client=clock.client,
        domain=clock.domain,
        offset_ns=None if refused else -(bound.low_ns + bound.high_ns) // 2,
        error_ns=(bound.width_ns + 1) // 2,
        drift_low_ppm=math.floor(estimate.drift_low_ppm * 10) / 10,
        drift_high_ppm=math.ceil(estimate.drift_high_ppm * 10) / 10,
        one_way=clock.one_way,
        refused=clock.beyond,
        reason=_reason(clock, bound_limit_ns),
    )


def _reason(clock: KnownClock, bound_limit_ns: int) -> str:
    if not clock.beyond:
        return ""
    of_all = f"{clock.beyond} of {clock.beyond + clock.one_way} one-way figures refused"
    return f"{of_all}: their bound is wider than {format_seconds(bound_limit_ns)}"
