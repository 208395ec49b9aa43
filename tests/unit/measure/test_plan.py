import pytest

from simulator.measure.plan import filter_matches


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
