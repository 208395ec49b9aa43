"""Rows of the deliveries table: columns ready for Parquet.

Rule of the module: one flat row per expected or unexpected delivery. A missing figure is missing
(``None``), never a number; segments may be negative. Absolute stamps are monotonic nanoseconds of
the run's clock domain, everything else is wall nanoseconds.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from simulator.measure.columns import Bools, Int64s
from simulator.measure.expectation import Expectation
from simulator.measure.outcomes import Cause, Outcome, Population, Unexpected
from simulator.measure.receipts import NO_TIME
from simulator.measure.row_columns import COLUMN_NAMES
from simulator.measure.segments import Segment, segments_of
from simulator.measure.settling import Codes, Evidence, populations
from simulator.measure.tallies import Strays, received_qos

Columns = dict[str, Any]  # column name to an array, or to a list where figures may be missing

_OUTCOMES = np.array([code.word for code in Outcome])
_CAUSES = np.array([code.word for code in Cause])
_POPULATIONS = np.array([*(code.word for code in Population), ""])  # -1 picks the empty one
_REASONS = np.array([code.word for code in Unexpected])
_SEGMENT_COLUMNS = {segment: f"{segment.value.replace('-', '_')}_ns" for segment in Segment}


def delivery_columns(evidence: Evidence, pairs: Int64s, outcome: Codes, cause: Codes) -> Columns:
    """Rows of expected pairs, in the order given.

    Args:
        evidence: what was reported.
        pairs: pair numbers.
        outcome: Outcome code of each.
        cause: Cause code of each.
    """
    expectation = evidence.expectation
    table = expectation.pairs
    alert = table["alert"][pairs].astype(np.int64)
    seen = table["arrival"][pairs] >= 0
    population = np.where(seen, populations(evidence, pairs, outcome), -1)
    segments = segments_of(evidence, pairs)
    holder = table["holder"][pairs].astype(np.int64)
    member = table["member"][pairs].astype(np.int64)
    who = np.where(seen, member, holder)
    columns: Columns = {
        "outcome": _OUTCOMES[outcome],
        "cause": _CAUSES[cause],
        "population": _POPULATIONS[population],
        "qos": table["qos"][pairs].astype(np.int64),
        "copies": table["copies"][pairs].astype(np.int64),
        "flags": np.where(seen, table["flags"][pairs], 0).astype(np.int64),
        "sent_ns": _missing_as_none(evidence.sent_ns[alert], evidence.sent_ns[alert] != NO_TIME),
        "uncertainty_ns": _missing_as_none(segments.uncertainty_ns, seen),
    }
    for name in ("received_ns", "handled_ns"):
        stamps = table[name][pairs]
        columns[name] = _missing_as_none(stamps, seen & (stamps != NO_TIME))
    for segment, name in _SEGMENT_COLUMNS.items():
        part = segments.parts[segment]
        columns[name] = _missing_as_none(part.values_ns, part.present & seen)
    columns |= _who(expectation, who, holder)
    columns |= _which(expectation, alert)
    return {name: columns[name] for name in COLUMN_NAMES}


def stray_columns(evidence: Evidence, strays: Strays) -> Columns:
    """Rows of unexpected copies."""
    expectation = evidence.expectation
    rows = strays.rows
    nothing: list[None] = [None] * len(rows)
    received, handled = rows[:, 2], rows[:, 4]
    columns: Columns = {
        "outcome": np.full(len(rows), "unexpected"),
        "cause": _REASONS[strays.reasons],
        "population": np.full(len(rows), ""),
        "qos": received_qos(rows[:, 5]),
        "copies": np.ones(len(rows), np.int64),
        "flags": rows[:, 5],
        "uncertainty_ns": rows[:, 3],
        "received_ns": _missing_as_none(received, received != NO_TIME),
        "handled_ns": _missing_as_none(handled, handled != NO_TIME),
        "sent_ns": nothing,
        **dict.fromkeys(_SEGMENT_COLUMNS.values(), nothing),
    }
    columns |= _who(expectation, rows[:, 0], np.zeros(len(rows), np.int64))
    columns |= _which(
        expectation, np.where(strays.reasons == Unexpected.WRONG_AREA, rows[:, 1], -1)
    )
    return {name: columns[name] for name in COLUMN_NAMES}


def _who(expectation: Expectation, who: Int64s, holder: Int64s) -> Columns:
    """Who it was; an unseen shared subscription goes by its name, and has no kind.

    Args:
        expectation: who there is.
        who: number of the subscriber; any other number is an unknown one.
        holder: below 0 for a shared subscription.
    """
    known = (who >= 0) & (who < len(expectation.subscribers))
    names = {int(n): expectation.group_name(int(n)) for n in np.unique(holder[~known]) if n < 0}
    clients = np.array([*(s.client for s in expectation.subscribers), ""])
    kinds = np.array([*(s.kind.value for s in expectation.subscribers), ""])
    groups = np.array([*(s.group for s in expectation.subscribers), ""])
    towns = np.array([*(s.municipality for s in expectation.subscribers), ""])
    place = np.where(known, who, len(expectation.subscribers))
    home = place.copy()
    for number in names:
        home[~known & (holder == number)] = expectation.members(number)[0]
    client = clients[place]
    return {
        "subscriber": _missing_as_none(who, known),
        "client": client if not names else _named(client, known, holder, names),
        "kind": kinds[place],
        "group": groups[home],
        "municipality": towns[place],
    }


def _named(
    client: npt.NDArray[np.str_], known: Bools, holder: Int64s, names: dict[int, str]
) -> list[str]:
    listed: list[str] = client.tolist()
    for index in np.flatnonzero(~known):
        listed[index] = names.get(int(holder[index]), "")
    return listed


def _which(expectation: Expectation, alert: Int64s) -> Columns:
    """What is known about alerts by number; -1 is an unknown one."""
    alerts = expectation.alerts
    known = alert >= 0
    columns: Columns = {
        "prefecture": np.array([*(a.planned.prefecture for a in alerts), ""])[alert],
        "event": np.array([*(a.planned.event.value for a in alerts), ""])[alert],
        "identifier": np.array([*(a.identifier for a in alerts), ""])[alert],
    }
    numbers = {
        "alert": range(len(alerts)),
        "repetition": [a.repetition for a in alerts],
        "burst": [a.burst for a in alerts],
        "sequence": [a.sequence for a in alerts],
        "intended_ns": [a.intended_ns for a in alerts],
    }
    for name, values in numbers.items():
        columns[name] = _missing_as_none(np.array([*values, 0], np.int64)[alert], known)
    return columns


def _missing_as_none(values: npt.NDArray[Any], present: Bools) -> Any:  # noqa: ANN401
    """The array itself if nothing is missing, else a list with ``None`` in the gaps."""
    if present.all():
        return values
    column = values.astype(object)
    column[~present] = None
    return column.tolist()
