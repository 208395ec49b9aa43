"""Lead times in sentences: which prefectures were warned how long before the arrival.

Rule of the module: pure text from the rows of lead times. What came too late is said first.
"""

from collections.abc import Sequence
from typing import Final

from simulator.measure.summary import LeadTimeRow, Summary
from simulator.report import words
from simulator.units import NS_PER_S

_MOST_LINES: Final = 4
_MOST_NAMED: Final = 2  # the latest, where the others are only counted
_NAMED: Final = 6
_NO_ARRIVAL: Final = "No arrival to be in time for"
_ARRIVALS: Final = {"predicted": "the predicted arrival", "true": "the true arrival"}


def in_time(summary: Summary) -> str:
    """Prefectures whose warning came before the arrival; of several launches the closest counts."""
    told = [place.prefecture for place in summary.timeline]
    if not told:
        return "Nobody"
    least, silent = _least(summary), _silent(summary)
    if not least:
        return f"Nothing was delivered in {_names(silent)}" if silent else _NO_ARRIVAL
    said = _in_time(least)
    return f"{said}; nothing was delivered in {_names(silent)}" if silent else said


def _in_time(least: dict[str, int]) -> str:
    """Prefectures in time and too late, by the shortest lead time of each."""
    early = [slug for slug, lead_ns in least.items() if lead_ns > 0]
    late = [slug for slug, lead_ns in least.items() if lead_ns <= 0]
    if not early:
        return f"None of {words.plural(len(late), 'prefecture')} in time"
    if len(least) > _NAMED:
        of = f"{len(early):,} of {len(least):,} prefectures in time"
        return f"{of}; too late: {_names(late)}" if late else of
    said = f"In time: {_names(early)}"
    return f"{said}; too late: {_names(late)}" if late else said


def _least(summary: Summary) -> dict[str, int]:
    """Shortest lead time of each prefecture, against what truly arrived if anything did."""
    least: dict[str, int] = {}
    for row in _came(summary, _of_kind(summary)):
        lead_ns = _median(row)
        least[row.prefecture] = min(lead_ns, least.get(row.prefecture, lead_ns))
    return dict(sorted(least.items(), key=lambda pair: pair[1]))


def _of_kind(summary: Summary) -> list[LeadTimeRow]:
    """Rows against what truly arrived if anything did, else against what was predicted."""
    known = [row for row in summary.lead_times if _counts(row)]
    kind = "true" if any(row.kind == "true" for row in known) else "predicted"
    return [row for row in known if row.kind == kind]


def _came(summary: Summary, rows: Sequence[LeadTimeRow]) -> list[LeadTimeRow]:
    """Rows whose warning was received; all of them where nobody was there to measure that."""
    return [row for row in rows if row.n or not _received(summary)]


def _silent(summary: Summary) -> list[str]:
    """Prefectures with an arrival in which none of the warnings owed was received."""
    rows = _of_kind(summary)
    heard = {row.prefecture for row in _came(summary, rows)}
    return [slug for slug in dict.fromkeys(row.prefecture for row in rows) if slug not in heard]


def _received(summary: Summary) -> bool:
    """Whether anybody was there to receive; a run can also only send."""
    return summary.ledger.total.expected > 0


def leads(summary: Summary) -> list[str]:
    """One sentence per kind and group of prefectures with the same lead time, the latest first."""
    known = [row for row in summary.lead_times if _counts(row)]
    if not known:
        return _without(summary)
    rows, received = _came(summary, known), _received(summary)
    groups: dict[tuple[str, int, int, str], list[LeadTimeRow]] = {}
    for row in rows:
        # Measured terms differ by milliseconds: the sentence groups by the whole second.
        key = (row.kind, round(_median(row) / NS_PER_S), row.precision_ns, row.launch or "")
        groups.setdefault(key, []).append(row)
    several = len({row.launch for row in rows}) > 1
    ordered = sorted(groups.items(), key=lambda group: group[0][1])
    lines = [_sentence(found, several=several, received=received) for _, found in ordered]
    if len(lines) > _MOST_LINES:
        left = f"{len(lines) - _MOST_NAMED} further groups stand under lead time"
        lines = [*_counted(rows, received=received), *lines[:_MOST_NAMED], left]
    silent = _silent(summary)
    unheard = [f"Nothing was delivered in {_names(silent)}"] if silent else []
    return [*unheard, *lines, *_nothing_arrived(summary)]


def _nothing_arrived(summary: Summary) -> list[str]:
    """Over whom nothing came down, whatever was predicted."""
    none = [row for row in summary.lead_times if row.kind == "true" and not row.applicable]
    who = dict.fromkeys(words.prefecture(row.prefecture) for row in none)
    return [f"Nothing truly arrived over {words.listed(who)}"] if none else []


def _counted(rows: Sequence[LeadTimeRow], *, received: bool) -> list[str]:
    """How many warnings were too late, where there are too many to name."""
    said = []
    did, did_not = ("came", "did not come") if received else ("was issued", "was not issued")
    for kind, arrival in _ARRIVALS.items():
        of = [row for row in rows if row.kind == kind]
        late = sum(_median(row) <= 0 for row in of)
        if of:
            warnings = words.plural(len(of), "first warning")
            said.append(
                f"{late:,} of {warnings} {did_not} before {arrival}"
                if late
                else f"Each of {warnings} {did} before {arrival}"
            )
    return said


def _without(summary: Summary) -> list[str]:
    """Why there is no lead time."""
    told = words.listed(words.prefecture(place.prefecture) for place in summary.timeline)
    if not told:
        return []
    if not summary.lead_times:
        return [
            "Nothing is launched in this exercise: no arrival is predicted and none happens",
            f"Messages went to {told}",
        ]
    return [f"No arrival was predicted when the warnings went to {told}, and nothing truly arrived"]


def _counts(row: LeadTimeRow) -> bool:
    return row.applicable and row.model_term_ns is not None


def _names(slugs: Sequence[str]) -> str:
    return words.listed(words.prefecture(slug) for slug in slugs)


def _median(row: LeadTimeRow) -> int:
    if row.lead_median_ns is not None:
        return row.lead_median_ns
    return row.model_term_ns or 0


def _sentence(rows: Sequence[LeadTimeRow], *, several: bool, received: bool) -> str:
    row = rows[0]
    came = "came" if received else "was issued"
    who = words.listed(words.prefecture(one.prefecture) for one in rows)
    if several and row.launch:
        who += f" (launch {row.launch})"
    lead_ns = _median(row)
    whole_ns = round(abs(lead_ns) / NS_PER_S) * NS_PER_S
    arrival = _ARRIVALS[row.kind]
    about = f" ({words.precision(row.precision_ns)})" if row.precision_ns else ""
    if not whole_ns:
        return f"In {who} the warning {came} at the time of {arrival}{about}"
    when = "before" if lead_ns > 0 else "after"
    return f"In {who} the warning {came} {words.span(whole_ns)} {when} {arrival}{about}"
