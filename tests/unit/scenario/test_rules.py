import pytest

from simulator.scenario.rules import danger_remains, says_wrong, stays_in_force
from simulator.scenario.schema import Outcome


@pytest.mark.parametrize(
    ("outcome", "believed", "wrong"),
    [
        ("passed", "passage", False),
        ("passed", None, False),
        ("passed", "fell-in-sea", True),
        ("vanished", "passage", True),
        ("vanished", "fell-in-sea", False),
        ("vanished", None, True),
        ("fell-in-sea", "not-coming", False),
        ("fell-on-land", "fell-on-land", False),
        ("fell-on-land", "passage", True),
        ("intercepted", "intercepted", False),
        ("intercepted", "fell-on-land", True),
        ("false-alarm", "not-coming", True),
        ("false-alarm", None, True),
    ],
)
def test_a_closing_message_is_right_or_wrong(
    outcome: str, believed: str | None, wrong: bool
) -> None:
    assert says_wrong(believed, Outcome(outcome)) is wrong
    assert not says_wrong(believed, None)


@pytest.mark.parametrize(
    ("outcome", "closing", "stays"),
    [
        (None, None, True),
        (None, "passage", False),
        (None, "fell-on-land", True),
        ("passed", "passage", False),
        ("passed", None, True),
        ("vanished", "passage", False),
        ("fell-on-land", "passage", True),
        ("intercepted", "intercepted", True),
        ("false-alarm", None, False),
    ],
)
def test_a_warning_stays_in_force_where_danger_remains_or_nothing_ends_it(
    outcome: str | None, closing: str | None, stays: bool
) -> None:
    found = None if outcome is None else Outcome(outcome)
    assert stays_in_force(closing, found) is stays


def test_danger_remains_after_what_came_down() -> None:
    dangerous = [outcome for outcome in Outcome if danger_remains(outcome)]
    assert dangerous == [Outcome.FELL_ON_LAND, Outcome.INTERCEPTED]
    assert not danger_remains(None)
