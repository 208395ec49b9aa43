"""People warned in sentences and tables: always modelled, to three significant figures.

Rule of the module: pure text from :class:`~simulator.report.people.PeopleWarned`.
"""

from datetime import datetime
from typing import Final

from simulator.report import words
from simulator.report.layout import Table
from simulator.report.people import PeopleWarned, PlacePeople
from simulator.units import format_clock

MODELLED: Final = (
    "People are modelled: census population, and for each channel its coverage, delay and chance "
    "that somebody is in reach of it, as on that date and at that time of day. No real "
    "person was warned."
)


def headline(people: PeopleWarned) -> str:
    """How many were warned before the arrival: the true one, else the one that was believed in."""
    in_time, of = _in_time(people)
    if in_time is None:
        share = words.share(round(people.warned), round(people.alerted))
        warned = f"{words.people(people.warned)} of {words.people(people.alerted)} people warned"
        return f"No arrival to be in time for; {warned} ({share})"
    if round(in_time) < 1:
        return f"None of {words.people(of)} people in time"
    share = words.share(round(in_time), round(of))
    return f"{words.people(in_time)} of {words.people(of)} people in time ({share})"


def sentence(people: PeopleWarned, epoch: datetime) -> str:
    """Who lives there, who was warned before the arrival, who in the end, and by when half."""
    in_time, of = _in_time(people)
    parts = [f"Modelled: {words.people(people.alerted)} people live where an alert was issued"]
    if in_time is not None:
        share = words.share(round(in_time), round(of))
        who = "none of them" if round(in_time) < 1 else f"{words.people(in_time)} ({share})"
        if _truly(people):
            parts.append(
                f"of {words.people(of)} who live where something truly arrived, {who} had been "
                "warned when it did"
            )
        elif round(of) < round(people.alerted):
            parts.append(
                f"of {words.people(of)} who live where an arrival was predicted, {who} had been "
                "warned before it"
            )
        else:
            parts.append(f"{who} had been warned before the predicted arrival")
    if people.warned:
        share = words.share(round(people.warned), round(people.alerted))
        parts.append(
            f"{words.people(people.warned)} ({share}) were in the end, half of these by "
            f"{format_clock(epoch, half_ns(people))}"
        )
    return "; ".join(parts)


def _truly(people: PeopleWarned) -> bool:
    return people.before_arrival is not None


def _in_time(people: PeopleWarned) -> tuple[float | None, float]:
    """People warned before the arrival that counts, and those it comes to."""
    if _truly(people):
        return people.before_arrival, people.endangered
    return people.before_predicted, people.expected


def half_ns(people: PeopleWarned) -> int:
    """When half of all who are ever warned had been, scenario time."""
    half = people.warned / 2
    known = zip(people.at_ns, people.by_then, strict=True)
    return next((at for at, count in known if count >= half), people.at_ns[-1])


def places(people: PeopleWarned, epoch: datetime) -> Table:
    """People of each prefecture: where the alert was issued, warned, in time, and by when half."""
    rows = [_row(words.prefecture(place.prefecture), place, epoch) for place in people.places]
    if len(rows) > 1:
        total = ("all", words.people(people.alerted), words.people(people.warned))
        share = words.share(round(people.warned), round(people.alerted))
        before = (_known(people.before_predicted), _known(people.before_arrival))
        rows.append((*total, share, format_clock(epoch, half_ns(people)), *before))
    return Table(
        caption="People warned, by prefecture (modelled)",
        head=(
            "prefecture",
            "people",
            "warned",
            "share",
            "half of them by",
            "before the predicted arrival",
            "before the true arrival",
        ),
        rows=tuple(rows),
        numeric=frozenset({1, 2, 3, 4, 5, 6}),
        notes=(MODELLED,),
    )


def _row(name: str, place: PlacePeople, epoch: datetime) -> tuple[str, ...]:
    return (
        name,
        words.people(place.alerted),
        words.people(place.warned),
        words.share(round(place.warned), round(place.alerted)),
        words.DASH if place.half_ns is None else format_clock(epoch, place.half_ns),
        _known(place.before_predicted),
        _known(place.before_arrival),
    )


def _known(people: float | None) -> str:
    return words.DASH if people is None else words.people(people)


def channels(people: PeopleWarned) -> Table:
    """Which channel people hear it from first; the app also as this run measured it."""
    notes = [f"Channels of {people.profile}; each person counts once, with the first of them."]
    if people.app_measured is not None:
        law = people.first.get("app", 0.0)
        notes.append(
            "With the delays and losses measured in this run in place of the law of the app, "
            f"{words.people(people.app_measured)} people would hear it first from the app "
            f"instead of {words.people(law)}."
        )
    return Table(
        caption="Channel that people hear it from first (modelled)",
        head=("channel", "people", "share of those warned"),
        rows=tuple(
            (
                name.replace("-", " "),
                words.people(count),
                words.share(round(count), round(people.warned)),
            )
            for name, count in people.first.items()
        ),
        numeric=frozenset({1, 2}),
        notes=tuple(notes),
    )
