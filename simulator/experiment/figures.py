"""The figures of one replication: one flat row from one timeline.

Rule of the module: pure. Column names end in their unit: ``_ns`` (scenario time), ``_count``,
``_people``. The columns of the first launch of the scenario have no prefix; those of further
launches start with the launch's name and a dot; those of ``LAUNCHES``, of several launches only,
are of all of them together. What did not happen is None, never zero.

    alert_ns                    launch to the first warning, anywhere
    stage_NAME_ns               a stage on the way to it; the stages add up to alert_ns
    predicted_lead_time_ns      first warning to the arrival believed then; of PREFECTURE likewise
    lead_time_ns                first warning to the true arrival; the shortest of all prefectures
    shelter_ns                  launch to the call to take shelter, where one is sent later
    closing_ns                  first warning to the closing message
    correction_ns               the last message to those who are corrected to the correction
    all_clear_ns                first warning to the all-clear
    issue_PREFECTURE_ns         launch to the first warning in a prefecture
    in_force_ns                 longest time that any prefecture stays under a warning
    prefectures_count, messages_count, withheld_count
    last_alert_ns               first launch to the first warning of the launch warned of last
    least_predicted_lead_time_ns  shortest of all launches; least_lead_time_ns likewise
    team_waiting_ns             longest wait of a launch for assessment teams, up to its warning
    unwarned_launches_count     launches that nobody was warned of
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from simulator.model.rows import MARK, STAGE, TRUTH, AlertRow, Played, waited_ns
from simulator.model.timeline import AlertEvent, PlannedAlert, Timeline

Value = int | float | None
Alert = PlannedAlert | AlertRow

WARNS: Final = (AlertEvent.LAUNCH, AlertEvent.TAKE_SHELTER)
_CLOSES: Final = (
    AlertEvent.PASSAGE,
    AlertEvent.FELL_IN_SEA,
    AlertEvent.NOT_COMING,
    AlertEvent.NOT_FALLING,
    AlertEvent.INTERCEPTED,
    AlertEvent.FELL_ON_LAND,
)
_SHELTERS: Final = (AlertEvent.TAKE_SHELTER,)
_CORRECTS: Final = (AlertEvent.CORRECTION,)
LAUNCHES: Final = (
    "last_alert_ns",
    "least_predicted_lead_time_ns",
    "least_lead_time_ns",
    "team_waiting_ns",
    "unwarned_launches_count",
)
_LATER: Final = (("closing_ns", _CLOSES), ("all_clear_ns", (AlertEvent.ALL_CLEAR,)))
_FIRST: Final = (
    "point",
    "replication",
    "alert_ns",
    "stage_sensing_ns",
    "stage_assessment_ns",
    "stage_decision_ns",
    "stage_issue_ns",
    "predicted_lead_time_ns",
    "lead_time_ns",
    "shelter_ns",
    "closing_ns",
    "correction_ns",
    "all_clear_ns",
    "in_force_ns",
    *LAUNCHES,
    "alerted_people",
    "warned_people",
    "warned_before_predicted_people",
    "warned_before_arrival_people",
    "alerted_needlessly_people",
    "missed_people",
    "corrected_people",
    "prefectures_count",
    "messages_count",
    "withheld_count",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """What came of one replication.

    Attributes:
        point: number of the variant.
        number: number of the replication, from 0.
        figures: by column.
    """

    point: int
    number: int
    figures: Mapping[str, Value]

    def row(self) -> dict[str, Value]:
        """As one flat row."""
        return {"point": self.point, "replication": self.number, **self.figures}


def figures_of(timeline: Timeline | Played, launches: Sequence[str]) -> dict[str, Value]:
    """The figures of a timeline.

    Args:
        timeline: of one replication.
        launches: ids of the scenario's launches, in its order.
    """
    launched = launch_times(timeline)
    found: dict[str, Value] = {}
    for number, launch in enumerate(launches):
        own = [alert for alert in timeline.alerts if alert.launch == launch]
        figures = _of_launch(own, launched.get(launch))
        if number:
            figures = {f"{launch}.{column}": value for column, value in figures.items()}
        found |= figures
    if len(launches) > 1:
        found |= _of_all(timeline, launches, found, launched)
    found["in_force_ns"] = _longest_in_force(timeline.alerts)
    found["prefectures_count"] = len({alert.prefecture for alert in _warnings(timeline.alerts)})
    found["messages_count"] = len(timeline.alerts)
    found["withheld_count"] = sum(
        event.kind is MARK and event.name.startswith("withheld-") for event in timeline.events
    )
    return found


def launch_times(timeline: Timeline | Played) -> dict[str, int]:
    """When each launch was, or the mistake that passed for one; in order of time."""
    return {
        event.launch: event.at_ns
        for event in timeline.events
        if event.kind is TRUTH and event.cause is None and event.launch is not None
    }


def column_order(columns: Iterable[str]) -> list[str]:
    """Columns in the order in which they are kept and shown: known ones first, then by name."""
    return sorted(
        columns,
        key=lambda column: (
            column.rpartition(".")[0],
            _rank(column.rpartition(".")[2]),
            column,
        ),
    )


def _rank(name: str) -> int:
    """Place of a figure among the known ones; further stages stand before the decision."""
    if name in _FIRST:
        return 2 * _FIRST.index(name)
    if name.startswith("stage_"):
        return 2 * _FIRST.index("stage_assessment_ns") + 1
    return 2 * len(_FIRST)


def is_whole(column: str) -> bool:
    """Whether a column holds whole numbers."""
    return column in {"point", "replication"} or column.endswith(("_ns", "_count"))


def _of_launch(alerts: Sequence[Alert], launched_ns: int | None) -> dict[str, Value]:
    warnings = _warnings(alerts)
    if not warnings or launched_ns is None:
        return {"alert_ns": None}
    first = warnings[0]
    found: dict[str, Value] = {"alert_ns": first.at_ns - launched_ns}
    for stage in first.stages:
        found[f"stage_{stage.name}_ns"] = stage.ended_ns - stage.started_ns
    reached: dict[str, Alert] = {}
    for alert in warnings:
        reached.setdefault(alert.prefecture, alert)
    predicted, true = [], []
    for prefecture, alert in reached.items():
        found[f"issue_{prefecture}_ns"] = alert.at_ns - launched_ns
        if alert.believed_arrival_ns is not None:
            predicted.append(alert.believed_arrival_ns - alert.at_ns)
            found[f"predicted_lead_time_{prefecture}_ns"] = predicted[-1]
        if alert.true_arrival_ns is not None:
            true.append(alert.true_arrival_ns - alert.at_ns)
            found[f"lead_time_{prefecture}_ns"] = true[-1]
    found["predicted_lead_time_ns"] = min(predicted, default=None)
    found["lead_time_ns"] = min(true, default=None)
    shelter = _first(alerts, _SHELTERS)
    if shelter is not None and shelter.at_ns > first.at_ns:
        found["shelter_ns"] = shelter.at_ns - launched_ns
    for column, events in _LATER:
        message = _first(alerts, events)
        found[column] = None if message is None else message.at_ns - first.at_ns
    found["correction_ns"] = _correction_ns(alerts)
    return found


def _of_all(
    timeline: Timeline | Played,
    launches: Sequence[str],
    found: Mapping[str, Value],
    launched: Mapping[str, int],
) -> dict[str, Value]:
    """The figures of several launches together."""
    prefixes = ["", *(f"{launch}." for launch in launches[1:])]

    def of_each(column: str) -> list[int | float]:
        values = (found.get(f"{prefix}{column}") for prefix in prefixes)
        return [value for value in values if value is not None]

    first_ns = min(launched.values(), default=0)
    alerts_ns: dict[str | None, int] = {}
    for alert in _warnings(timeline.alerts):
        alerts_ns.setdefault(alert.launch, alert.at_ns)
    last_ns = max(alerts_ns.values(), default=None)
    waits_ns: dict[str, int] = {}
    for event in timeline.events:
        if event.kind is STAGE and event.at_ns <= alerts_ns.get(event.launch, math.inf):
            launch = event.launch or ""
            waits_ns[launch] = waits_ns.get(launch, 0) + waited_ns(event.note)
    return {
        "last_alert_ns": None if last_ns is None else last_ns - first_ns,
        "least_predicted_lead_time_ns": min(of_each("predicted_lead_time_ns"), default=None),
        "least_lead_time_ns": min(of_each("lead_time_ns"), default=None),
        "team_waiting_ns": max(waits_ns.values(), default=None),
        "unwarned_launches_count": len(launches) - len(alerts_ns),
    }


def _correction_ns(alerts: Sequence[Alert]) -> int | None:
    """From the last message to those who are corrected to the first correction."""
    correction = _first(alerts, _CORRECTS)
    if correction is None:
        return None
    corrected = {
        alert.prefecture
        for alert in alerts
        if alert.event in _CORRECTS and alert.at_ns == correction.at_ns
    }
    wrong = [
        alert.at_ns
        for alert in alerts
        if alert.prefecture in corrected and alert.at_ns < correction.at_ns
    ]
    return correction.at_ns - max(wrong, default=correction.at_ns)


def _warnings(alerts: Iterable[Alert]) -> list[Alert]:
    return [alert for alert in alerts if alert.event in WARNS]


def _first(alerts: Iterable[Alert], events: Sequence[AlertEvent]) -> Alert | None:
    return next((alert for alert in alerts if alert.event in events), None)


def _longest_in_force(alerts: Iterable[Alert]) -> int | None:
    """Longest stretch that a prefecture spends under a warning; None if none ever was."""
    since: dict[str, int] = {}
    longest: int | None = None
    for alert in alerts:
        if alert.in_force:
            since.setdefault(alert.prefecture, alert.at_ns)
        elif alert.prefecture in since:
            span = alert.at_ns - since.pop(alert.prefecture)
            longest = span if longest is None else max(longest, span)
    return longest
