"""Checks against fitting for docs/validation.py: older laws, cases left out, cases never seen."""

import math
from collections.abc import Sequence
from statistics import median as _median
from typing import Final

from validation_play import (
    FIRST,
    TAIL,
    Message,
    between,
    count,
    messages,
    names,
    play,
    scenario_of,
    table,
    under_the_laws_of,
    yes,
)

from simulator.model.outlook import flight_geometry
from simulator.units import NS_PER_MIN, NS_PER_MS

REGIMES: Final = {
    "j-alert-2012": "okinawa-2012-12-12",
    "j-alert-2017": "hokkaido-2017-09-15",
    "j-alert-2022": "hokkaido-2022-10-04",
    "j-alert-2023": "okinawa-2023-08-24",
}
_FEWER: Final = 200
_FACTORS: Final = tuple(1.05**step for step in range(-15, 16))

# The laws as they were written first, before any rank was computed; all since widened or moved.
_CORRECTING: Final = {"discovery": {"median": "14min"}, "correction": {"median": "18min"}}
_BEFORE: Final[dict[str, dict[str, dict[str, str]]]] = {
    "j-alert-2012": _CORRECTING
    | {
        "announced.assessment": {"p95": "2min"},
        "announced.decision": {"p95": "2min"},
        "confirmation": {"low": "1min", "mode": "2min", "high": "12min"},
    },
    "j-alert-2017": _CORRECTING
    | {
        "assessment": {"median": "30s", "p95": "75s"},
        "decision": {"median": "25s", "p95": "1min"},
        "confirmation": {"low": "1min", "mode": "2min", "high": "12min"},
    },
    "j-alert-2022": _CORRECTING | {"second_look": {"p95": "32min"}},
    "j-alert-2023": _CORRECTING
    | {
        "second_look": {"p95": "32min"},
        "confirmation": {"low": "3min", "mode": "8min", "high": "30min"},
        "cancellation": {"low": "5min", "mode": "15min", "high": "35min"},
    },
}

UNSEEN: Final = (
    "tohoku-2009-04-05",
    "okinawa-2012-04-13",
    "akita-2016-08-03",
    "hokkaido-2016-09-05",
    "akita-2017-03-06",
    "hokkaido-2022-03-24",
)
# Why the model differs from what happened; a difference without its reason stops the generator.
_DIFFERS: Final[dict[str, str]] = {
    "tohoku-2009-04-05": "The minister announced a launch without area or advice two minutes after "
    "it, before anything was assessed; no such shortcut is modelled. Its area was never published; "
    "Akita and Iwate lie under the track and in the blocks that the rules of 2012 warn.",
    "okinawa-2012-04-13": "The model warns on early warning alone, as the rule has been since "
    "December 2012; this launch is the reason for that rule. Until then radar had to confirm, and "
    "there was nothing left for it to see.",
}


def before(every: Sequence[Message]) -> str:
    """Coverage with the laws that were written before any rank was seen."""
    old = []
    for case in dict.fromkeys(message.case for message in every):
        regime = next(message.regime for message in every if message.case == case)
        scenario = scenario_of(case, _BEFORE[regime])
        old += messages(scenario, play(scenario))
    rows = [
        f"| {was.case} | {was.kind} | {was.published} | {between(was.interval())} "
        f"| {was.rank:.2f} | {between(now.interval())} | {now.rank:.2f} |"
        for was, now in zip(old, every, strict=True)
        if was.interval() != now.interval() or not was.covers()
    ]
    missed = "; ".join(f"{was.case}, {was.kind}" for was in old if not was.covers())
    return table(
        "## The laws as first written",
        ("activation", "message", "published", "first", "rank", "now", "rank"),
        rows,
        f"When the ranks had been seen for the first time, {sum(map(len, _BEFORE.values()))} laws "
        "were widened or moved, by minutes and\ntoward the published figures. That is fitting, and "
        "everything above is what came after it. Of the\ntimes, the laws as first written cover "
        f"{count(was.covers() for was in old)} (missed: {missed or 'none'}); what changed is "
        "listed.\nEven they were written by somebody who knew the published times.",
    )


def left_out(every: Sequence[Message]) -> str:
    """Each message predicted with the middle that the others of its regime and kind leave open."""
    rows, answers, alone, wider = [], [], 0, []
    for message in every:
        others = [
            other
            for other in every
            if other.case != message.case
            and (other.regime, other.kind) == (message.regime, message.kind)
        ]
        span, usual = message.interval(), _predicted(message, others)
        if not others or span is None:
            alone += 1
            continue
        answers.append(usual[0] <= message.published <= usual[1])
        wider.append((usual[1] - usual[0]) / (span[1] - span[0]))
        rows.append(
            f"| {message.case} | {message.kind} | {len(others)} | {message.published} "
            f"| {between(usual)} | {yes(answers[-1])} |"
        )
    return table(
        "## Each left out in turn",
        ("left out", "message", "others", "published", "model without it", "covered"),
        rows,
        "Were the laws of a regime only put where its cases are? Here the middle of a regime is\n"
        "forgotten and found anew from its *other* cases: all times from the launch are stretched\n"
        f"by a factor between {_FACTORS[0]:.2f} and {_FACTORS[-1]:.2f}, every factor weighed by "
        "how likely it makes the other messages of\nthe same kind and regime, none preferred "
        "beforehand; the interval is that of the mixture. What\na case did to the middle of the "
        f"laws is undone so, not what it did to their shape. Covered:\n{count(answers)}, by "
        f"intervals {_median(wider):.1f} times as wide as above in the median. A new case should "
        f"be\nexpected within these, not within those above. Cannot be left out, for want of "
        f"others: {alone}.",
    )


def _predicted(message: Message, others: Sequence[Message]) -> tuple[int, int]:
    """Interval of a message, over all factors, each weighed by what it makes of the others."""
    weights = [math.prod(_likely(other, factor) for other in others) for factor in _FACTORS]
    total = sum(weights) * len(message.played)
    weighed = sorted(
        (minutes, weight / total)
        for factor, weight in zip(_FACTORS, weights, strict=True)
        for minutes in message.clock(factor)
    )
    below, ends = 0.0, []
    for minutes, weight in weighed:
        below += weight
        if len(ends) == 0 and below >= TAIL:
            ends.append(minutes)
        if len(ends) == 1 and below >= 1 - TAIL:
            ends.append(minutes)
    return ends[0], ends[1]


def _likely(message: Message, factor: float) -> float:
    """Share of the replications that say just what was published; never quite none."""
    found = message.clock(factor)
    return (found.count(message.published) + 0.5) / (len(found) + 1)


def other_regimes(every: Sequence[Message]) -> str:
    """First alerts under the stages of every regime: does it matter which?"""
    firsts = [message for message in every if message.kind == FIRST]
    rows = []
    for regime in REGIMES:
        own = [message for message in firsts if message.regime == regime]
        cells = []
        for other, donor in REGIMES.items():
            covered = []
            for message in own:
                if other == regime:
                    covered.append(message.covers())
                    continue
                scenario = under_the_laws_of(message.case, donor)
                covered.append(messages(scenario, play(scenario, _FEWER))[0].covers())
            cells.append(count(covered) if other != regime else f"*{count(covered)}*")
        rows.append(f"| {regime} | {' | '.join(cells)} |")
    return table(
        "## First alerts under other regimes",
        ("activations of", *(f"laws of {regime}" for regime in REGIMES)),
        rows,
        "How many first alerts the laws of each regime cover. The columns beside the own one\n"
        "leave a whole regime out: its cases had no part in those laws. Where they cover as many,\n"
        "the regimes do not differ in this; where they do not, a change of the rules is needed to\n"
        "explain the times, and the next change cannot be predicted from these.",
    )


def never_seen() -> str:
    """Launches written down after all laws stood: what the model makes of them."""
    rows, notes = [], []
    for name in UNSEEN:
        scenario = scenario_of(name)
        timelines = play(scenario, _FEWER)
        geometry = flight_geometry(scenario, scenario.launches[0])
        assert geometry is not None  # noqa: S101  # every one of them has a flight
        warns = sum(bool(timeline.alerts) for timeline in timelines) / len(timelines)
        area = f"{len(geometry.warned)}" if geometry.warned else "none"
        said, agrees = "nobody", warns == 0
        model = f"nobody in {1 - warns:.0%}"
        if scenario.record:
            first = messages(scenario, timelines)[0]
            wanted = set(scenario.record[0].prefectures)
            agrees = first.covers() and wanted <= set(geometry.warned)
            said, model = f"{first.published} min", f"{between(first.interval())} min"
        over = sorted(geometry.true_ms.items(), key=lambda item: item[1])[:1]
        passes = f"{over[0][0]} {over[0][1] * NS_PER_MS / NS_PER_MIN:.1f}" if over else names(())
        ends = geometry.ends_ms * NS_PER_MS / NS_PER_MIN
        rows.append(
            f"| {name} | {said} | {model} | {area} | {passes} | {ends:.1f} | {yes(agrees)} |"
        )
        if not agrees:
            notes.append(f"- {name}: {_DIFFERS[name]}")
    return table(
        "## Launches used for nothing",
        ("launch", "warned", "model", "prefectures", "first over, min", "ends, min", "agrees"),
        rows,
        "Written down after all laws stood, from the press, and used to set none of them (of\n"
        "2022-03-24 the flight time was). The rest of their sources stands in the scenarios. All\n"
        "Japanese activations on record are among the eleven above, so these are launches that\n"
        "warned nobody, and one from before J-ALERT was used. Over Akita on 2009-04-05: the first\n"
        "stage fell 280 km before it at 7 min, the rest came down at 13. Published end on\n"
        "2022-03-24: 71 min.\n\n" + "\n".join(notes),
    )
