"""The pacer: places a timeline on the run's wall clock. Pure.

Rule of the module: a timeline and a start time come in, the schedule of intended sends goes out, in
exact integer arithmetic. Speed scales the waiting between planned messages and nothing else:
``intended = start + (t - t_first) / speed`` (DESIGN section 5), rounded down to the nanosecond. The
schedule is fixed before the first message leaves, so a late sender cannot move the targets it is
measured against.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from simulator.alerts.topics import alert_topic, state_topic
from simulator.errors import ConfigurationError
from simulator.measure.plan import ScheduledAlert
from simulator.model.timeline import Timeline

MAX_ALERTS: Final = 200_000
DEFAULT_GAP_NS: Final = 1_000_000_000


def schedule(
    timeline: Timeline,
    *,
    run: str,
    root: str,
    qos: int,
    speed: Fraction | Decimal,
    repeat: int = 1,
    gap_ns: int = DEFAULT_GAP_NS,
    start_ns: int = 0,
    limit: int = MAX_ALERTS,
) -> tuple[ScheduledAlert, ...]:
    """Place every alert of a timeline, played ``repeat`` times, on the wall clock.

    Args:
        timeline: what to play.
        run: run id; part of every identifier.
        root: topic root.
        qos: publish QoS, 0 to 2.
        speed: scenario seconds per wall second, above 0; used exactly.
        repeat: how often the timeline is played, from 1.
        gap_ns: wall ns from the last alert of one playing to the first of the next.
        start_ns: monotonic ns at which the first alert is intended.
        limit: most alerts that a run may hold.

    Returns:
        The schedule in order of intended time; ``number`` is the index. Empty for a timeline
        without alerts.

    Raises:
        ConfigurationError: if the run would hold more alerts than ``limit``.
        ValueError: if speed, repeat, gap or QoS are outside their range.
    """
    speed = Fraction(speed)
    _check(speed=speed, repeat=repeat, gap_ns=gap_ns, qos=qos)
    alerts = sorted(timeline.alerts, key=lambda alert: (alert.at_ns, alert.number))
    if len(alerts) * repeat > limit:
        raise ConfigurationError(
            f"{len(alerts)} alerts played {repeat} times are more than the {limit} of one run",
            field="repeat",
            value=str(repeat),
            remedy=f"repeat at most {limit // len(alerts)} times",
        )
    if not alerts:
        return ()
    first_ns = alerts[0].at_ns
    period_ns = _wall(alerts[-1].at_ns - first_ns, speed) + gap_ns
    sequences: dict[str, int] = {}
    bursts: dict[tuple[int, str, int], int] = {}
    scheduled: list[ScheduledAlert] = []
    for repetition in range(repeat):
        base = len(scheduled)
        index = {alert.number: base + place for place, alert in enumerate(alerts)}
        for alert in alerts:
            sequence = sequences.get(alert.prefecture, 0) + 1
            sequences[alert.prefecture] = sequence
            intended_ns = start_ns + repetition * period_ns + _wall(alert.at_ns - first_ns, speed)
            burst = (repetition, alert.event, intended_ns)
            scheduled.append(
                ScheduledAlert(
                    number=index[alert.number],
                    planned=alert,
                    repetition=repetition,
                    sequence=sequence,
                    identifier=f"{run}-{alert.prefecture}-{sequence}",
                    references=tuple(index[number] for number in alert.references),
                    topic=alert_topic(root, alert.prefecture, alert.event),
                    state_topic=state_topic(root, alert.prefecture),
                    qos=qos,
                    burst=bursts.setdefault(burst, len(bursts)),
                    intended_ns=intended_ns,
                )
            )
    return tuple(scheduled)


def composition_times(intended: Sequence[int], *, lookahead_ns: int, cost_ns: int) -> list[int]:
    """When to begin composing each message so that every one is ready in time.

    One composer makes one message after the other. A message is begun ``lookahead_ns`` before it is
    due, and earlier where it stands before others in a burst that would take longer than that.

    Args:
        intended: intended send times in order, ns.
        lookahead_ns: how long before it is due a message is to be begun, ns.
        cost_ns: how long composing one takes at most, ns.

    Returns:
        One time per message, in order and never decreasing.
    """
    begins = [due_ns - lookahead_ns for due_ns in intended]
    for place in range(len(begins) - 2, -1, -1):
        begins[place] = min(begins[place], begins[place + 1] - cost_ns)
    return begins


def _wall(scenario_ns: int, speed: Fraction) -> int:
    return scenario_ns * speed.denominator // speed.numerator


def _check(*, speed: Fraction, repeat: int, gap_ns: int, qos: int) -> None:
    if speed <= 0:
        raise ValueError(f"a speed is above 0, not {speed}")
    if repeat < 1:
        raise ValueError(f"a timeline is played at least once, not {repeat} times")
    if gap_ns < 0:
        raise ValueError(f"a gap between two playings is not negative, as {gap_ns} ns is")
    if qos not in {0, 1, 2}:
        raise ValueError(f"a QoS is 0, 1 or 2, not {qos}")
