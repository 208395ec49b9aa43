"""What the fields of a group of subscribers cannot know: sums, order of times, the scenario's time.

Rule of the module: as in ``checks``, of which this is the part about subscribers. What depends on a
timeline (whether messages go out at all while somebody is away) is checked when a run is planned.
"""

from fractions import Fraction
from typing import Final

from simulator.scenario.launch_checks import Path
from simulator.scenario.schema import Scenario
from simulator.scenario.subscribers import (
    MOST_SUBSCRIBERS,
    AnyGroup,
    Flapping,
    Geographic,
    Late,
    Offline,
    Overlapping,
    Shared,
)
from simulator.scenario.values import Instant, refuse
from simulator.units import NS_PER_H

REST: Final = "others"  # who is in no group
CONTROLS: Final = "controls"
LONGEST_NS: Final = 24 * NS_PER_H


def check_subscribers(scenario: Scenario) -> None:
    """Refuse groups of subscribers that contradict themselves or each other.

    Raises:
        PydanticCustomError: for the first problem found.
    """
    groups = scenario.subscribers or ()
    _check_sums(groups)
    for index, group in enumerate(groups):
        path: Path = ("subscribers", index)
        _check_size(path, group)
        match group:
            case Late():
                times = (("joins_from", group.joins_from), ("joins_until", group.joins_until))
                _check_window(scenario, path, *times)
            case Offline():
                _check_window(scenario, path, ("leaves", group.leaves), ("returns", group.returns))
                _check_length(path, "spread", group.spread)
            case Flapping():
                _check_outages(scenario, path, group)
            case Overlapping() if group.state and any("state" in each for each in group.filters):
                raise refuse(
                    "state adds a filter that is in the list already",
                    "leave state out, or the filter",
                    (*path, "state"),
                )
            case _:
                pass


def _check_sums(groups: tuple[AnyGroup, ...]) -> None:
    shares = sum(Fraction(str(group.share)) for group in groups if group.share is not None)
    if shares > 1:
        raise refuse(
            f"the shares add up to {float(shares):g}, which is more than 1",
            "lower them; what they leave over is steady",
            ("subscribers",),
        )
    counts = sum(group.count or 0 for group in groups)
    if counts > MOST_SUBSCRIBERS:
        raise refuse(
            f"{counts} subscribers are more than the {MOST_SUBSCRIBERS} of one run",
            "lower the counts",
            ("subscribers",),
        )


def _check_size(path: Path, group: AnyGroup) -> None:
    if group.id in {REST, CONTROLS}:
        raise refuse(f"{group.id} is a group of its own already", "choose another", (*path, "id"))
    if isinstance(group, Geographic):
        if group.share is not None:
            raise refuse(
                "there is one for each municipality, not a share of anything",
                "leave it out, or write count for the largest so many",
                (*path, "share"),
            )
        return
    if (group.count is None) == (group.share is None):
        raise refuse(
            "a group has a count or a share" + (", not both" if group.count else ""),
            "write count: 50, or share: 0.2",
            path if group.count is None else (*path, "share"),
        )
    if isinstance(group, Shared) and group.state:
        raise refuse(
            "a state is not for one of several",
            "leave state out, or make another group for it",
            (*path, "state"),
        )


def _check_window(
    scenario: Scenario, path: Path, start: tuple[str, Instant], end: tuple[str, Instant]
) -> None:
    starts_ns = start[1].offset_ns(scenario.epoch)
    ends_ns = end[1].offset_ns(scenario.epoch)
    if ends_ns < starts_ns or (ends_ns == starts_ns and end[0] == "returns"):
        raise refuse(
            f"this is not after {start[0]}", f"{start[0]} is {start[1].text}", (*path, end[0])
        )
    _check_length(path, end[0], ends_ns - starts_ns)
    _check_inside(scenario, (*path, start[0]), starts_ns, ends_ns)


def _check_outages(scenario: Scenario, path: Path, group: Flapping) -> None:
    if not group.outage:
        raise refuse("an outage takes time", "write for example 20s", (*path, "outage"))
    if group.outages > 1 and group.every <= group.outage:
        raise refuse(
            "several outages need an interval longer than one of them",
            "write for example every: 2min",
            (*path, "every" if group.every else "outages"),
        )
    whole = (group.outages - 1) * group.every + group.outage
    _check_length(path, "outages", whole)
    first_ns = group.first_outage.offset_ns(scenario.epoch)
    _check_inside(scenario, (*path, "first_outage"), first_ns, first_ns + whole)


def _check_length(path: Path, field: str, length_ns: int) -> None:
    if length_ns > LONGEST_NS:
        raise refuse("this takes longer than 24 h", "make it shorter", (*path, field))


def _check_inside(scenario: Scenario, path: Path, starts_ns: int, ends_ns: int) -> None:
    """Refuse what lies outside the scenario's time, as far as its file tells.

    Messages that follow a launch end when the model says so; where there are only test messages,
    the file itself says when the last one goes out.
    """
    epoch = scenario.epoch
    begins = [scenario.offset_ns(launch.at) for launch in scenario.launches]
    begins += [drill.at.offset_ns(epoch) for drill in scenario.tests]
    if ends_ns < min(begins):
        raise refuse(
            "this is over before anything happens in the scenario",
            "write a time after the first launch or test message",
            path,
        )
    if scenario.launches:
        return
    last_ns = max(d.at.offset_ns(epoch) + (d.count - 1) * d.every for d in scenario.tests)
    if starts_ns > last_ns:
        raise refuse(
            "this begins after the last message of the scenario",
            "write an earlier time, or send more test messages",
            path,
        )
