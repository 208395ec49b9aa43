from typing import Any

import pytest

from simulator.measure.plan import effective_qos, filter_matches


@pytest.mark.parametrize(
    ("pattern", "topic", "matches"),
    [
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
        ("a/b/c", "a/b", False),
        ("a/+", "a/b", True),
        ("a/+", "a", False),
        ("a/+/c", "a/b/c", True),
        ("+", "a/b", False),
        ("#", "a/b/c", True),
        ("a/#", "a", True),  # MQTT 5 section 4.7.1.2: the parent level too
        ("a/#", "b", False),
        ("#", "$SYS/x", False),
        ("+/x", "$SYS/x", False),
        ("$SYS/#", "$SYS/x", True),
        ("$share/group/a/+", "a/b", True),
        ("$share/group/a/+", "b/b", False),
    ],
)
def test_filters_match_as_mqtt_says(pattern: str, topic: str, *, matches: bool) -> None:
    assert filter_matches(pattern, topic) is matches


def test_the_effective_qos_is_the_lower_of_published_and_best_subscribed(kit: Any) -> None:
    subscriber = kit.sub(0, filters=(("a/+", 0), ("a/b", 1), ("c", 2)))

    assert effective_qos(subscriber, "a/b", 2) == 1
    assert effective_qos(subscriber, "a/x", 2) == 0
    assert effective_qos(subscriber, "c", 1) == 1
    assert effective_qos(subscriber, "d", 1) is None
