from typing import Any

import numpy as np
import pytest

from simulator.measure.outcomes import Cause, Outcome
from simulator.measure.presence import Presence, State, Terms, judge_unseen

S = 1_000_000_000

Change = tuple[str, float, dict[str, Any]]

# One connection: there from 0, subscribed at 1, silent since 10, closed at 12, back at 20, …
STORY: list[Change] = [
    ("CONNECTED", 0.0, {}),
    ("SUBSCRIBED", 1.0, {}),
    ("CLOSED", 12.0, {"last_alive_s": 10.0}),
    ("CONNECTED", 20.0, {"session_present": True}),
    ("SUBSCRIBED", 21.0, {}),
    ("OFFLINE", 30.0, {}),
    ("CLOSED", 30.1, {}),
]
NAMES = [state.name for state in State]


def presence(kit: Any, *story: tuple[str, float, dict[str, Any]]) -> Presence:
    return Presence.of(
        [kit.change(0, kit.Change[name], at_s, **more) for name, at_s, more in story]
    )


def states(kit: Any, observed: Presence, *at_s: float) -> list[str]:
    at_ns = np.array([kit.T0 + round(at * S) for at in at_s], np.int64)
    return [NAMES[state] for state in observed.state_at(at_ns)]


def judged(
    kit: Any,
    observed: Presence,
    at_s: float,
    *,
    qos: int,
    persistent: bool,
    expiry_s: float | None = None,
) -> tuple[str, str]:
    terms = Terms(
        persistent=persistent,
        expiry_ns=None if expiry_s is None else round(expiry_s * S),
        closed_ns=kit.T0 + 100 * S,
    )
    outcome, cause = judge_unseen(
        observed, np.array([kit.T0 + round(at_s * S)]), np.array([qos], np.int8), terms
    )
    return Outcome(outcome[0]).word, Cause(cause[0]).word


def test_a_connection_is_read_as_steps(kit: Any) -> None:
    observed = presence(kit, *STORY)

    assert states(kit, observed, -1, 0, 0.5, 1, 9, 10, 11.9, 12, 15) == [
        "OFFLINE",
        "SUBSCRIBING",
        "SUBSCRIBING",
        "CONNECTED",
        "CONNECTED",
        "DOUBT",
        "DOUBT",
        "OFFLINE",
        "OFFLINE",
    ]
    assert states(kit, observed, 20, 21, 29, 30, 31) == [
        "SUBSCRIBING",
        "CONNECTED",
        "CONNECTED",
        "OFFLINE",
        "OFFLINE",
    ]


def test_without_changes_a_subscriber_was_there_all_the_time(kit: Any) -> None:
    assert states(kit, presence(kit), -1000, 0, 1000) == ["CONNECTED"] * 3


def test_a_close_first_means_connected_before_and_doubt_as_far_back_as_nothing_is_known(
    kit: Any,
) -> None:
    proven = presence(kit, ("CLOSED", 5, {"last_alive_s": 4}))
    unproven = presence(kit, ("SUBSCRIBED", 1, {}), ("CLOSED", 5, {}))

    assert states(kit, proven, 0, 4.5, 5) == ["CONNECTED", "DOUBT", "OFFLINE"]
    assert states(kit, unproven, 0, 1, 4.5, 5) == ["CONNECTED", "DOUBT", "DOUBT", "OFFLINE"]


def test_impossible_orders_of_stamps_are_put_right(kit: Any) -> None:
    observed = presence(
        kit,
        ("SUBSCRIBED", 10, {}),
        ("CLOSED", 5, {"last_alive_s": 3}),
        ("CONNECTED", 2, {}),
        ("CLOSED", 12, {"last_alive_s": 90}),
    )

    assert states(kit, observed, 9, 10, 11.9, 12) == [
        "CONNECTED",
        "SUBSCRIBING",
        "SUBSCRIBING",
        "OFFLINE",
    ]


@pytest.mark.parametrize(
    ("at_s", "qos", "persistent", "verdict"),
    [
        (5, 0, False, ("lost", "no-receipt")),
        (5, 1, False, ("lost", "no-receipt")),
        (5, 1, True, ("lost", "no-receipt")),
        # between the last proof of life and the observed close
        (11, 0, False, ("undetermined", "dying-connection")),
        (11, 0, True, ("undetermined", "dying-connection")),
        (11, 1, False, ("lost", "dying-connection")),
        (11, 1, True, ("lost", "no-receipt")),  # owed to the session, which came back
        # between CONNECT and SUBACK
        (0.5, 0, False, ("undetermined", "subscribing")),
        (0.5, 1, False, ("undetermined", "subscribing")),
        (0.5, 1, True, ("undetermined", "subscribing")),
        (20.5, 0, True, ("undetermined", "subscribing")),
        (20.5, 1, True, ("lost", "no-receipt")),  # the kept session kept its subscriptions
        # away
        (15, 0, False, ("missed-offline", "")),
        (15, 0, True, ("missed-offline", "")),
        (15, 1, False, ("missed-offline", "")),
        (15, 1, True, ("lost", "no-receipt")),
        (40, 1, True, ("lost", "away-at-end")),
        (40, 1, False, ("missed-offline", "")),
        (-5, 1, True, ("missed-offline", "no-session")),
    ],
)
def test_the_definitions(
    kit: Any, at_s: float, qos: int, *, persistent: bool, verdict: tuple[str, str]
) -> None:
    observed = presence(kit, *STORY)

    assert judged(kit, observed, at_s, qos=qos, persistent=persistent) == verdict


@pytest.mark.parametrize(
    ("at_s", "expiry_s", "verdict"),
    [
        (15, 5, ("expired", "")),  # it returned at 20, the message had just expired
        (15, 5.1, ("lost", "no-receipt")),
        (40, 60, ("expired", "")),  # never returned, and the run closed at 100
        (40, 60.1, ("lost", "away-at-end")),
        (5, 1, ("lost", "no-receipt")),  # it was connected: expiry is no excuse
        (-5, 1, ("missed-offline", "no-session")),
    ],
)
def test_expired_is_owed_to_an_absent_session_that_returned_too_late(
    kit: Any, at_s: float, expiry_s: float, verdict: tuple[str, str]
) -> None:
    observed = presence(kit, *STORY)

    assert judged(kit, observed, at_s, qos=1, persistent=True, expiry_s=expiry_s) == verdict


def test_a_session_that_the_broker_discarded_is_a_loss(kit: Any) -> None:
    observed = presence(kit, ("OFFLINE", 0, {}), ("CONNECTED", 10, {"session_present": False}))

    assert judged(kit, observed, 5, qos=1, persistent=True) == ("lost", "session-discarded")


def test_a_session_of_an_earlier_run_was_owed_before_its_first_connection(kit: Any) -> None:
    observed = presence(kit, ("CONNECTED", 10, {"session_present": True}))

    assert judged(kit, observed, 5, qos=1, persistent=True) == ("lost", "no-receipt")


def test_a_connection_that_was_there_from_the_start_and_never_returned(kit: Any) -> None:
    observed = presence(kit, ("OFFLINE", 0, {}))

    assert judged(kit, observed, 5, qos=1, persistent=True) == ("lost", "away-at-end")


def test_receipts_find_the_resumed_connection_they_came_on(kit: Any) -> None:
    observed = presence(kit, *STORY)
    seen = np.array([kit.T0 + at * S for at in (-1, 5, 19, 20, 25)], np.int64)

    resumed = observed.resumed_ns(seen)

    assert resumed.tolist() == [-1, -1, -1, kit.T0 + 20 * S, kit.T0 + 20 * S]
    assert presence(kit).resumed_ns(seen).tolist() == [-1] * 5


def test_who_leaves_by_plan_was_connected_but_left_before_a_delivery_had_its_time(
    kit: Any,
) -> None:
    story = [kit.change(0, kit.Change[name], at_s, **more) for name, at_s, more in STORY]
    observed = Presence.of(story, 5 * S)
    assert states(kit, observed, 24.9, 25, 29.9, 30) == [
        "CONNECTED",
        "LEAVING",
        "LEAVING",
        "OFFLINE",
    ]
    assert judged(kit, observed, 24, qos=1, persistent=False) == ("lost", "no-receipt")
    assert judged(kit, observed, 27, qos=1, persistent=False) == ("missed-offline", "leaving")
    assert judged(kit, observed, 27, qos=0, persistent=True) == ("missed-offline", "leaving")
    assert judged(kit, observed, 27, qos=1, persistent=True) == ("lost", "away-at-end")


def test_the_time_before_leaving_reaches_back_to_the_subscription_at_most(kit: Any) -> None:
    story = [kit.change(0, kit.Change[name], at_s, **more) for name, at_s, more in STORY]
    assert states(kit, Presence.of(story, 100 * S), 20.5, 21, 30) == [
        "SUBSCRIBING",
        "LEAVING",
        "OFFLINE",
    ]


def test_who_leaves_before_it_was_subscribed_is_simply_away(kit: Any) -> None:
    story = [
        kit.change(0, kit.Change[name], at_s) for name, at_s in (("CONNECTED", 1), ("OFFLINE", 2))
    ]
    assert states(kit, Presence.of(story, 5 * S), 1.5, 2) == ["SUBSCRIBING", "OFFLINE"]
