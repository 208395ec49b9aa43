import pytest

from simulator.errors import ConfigurationError
from simulator.experiment.axes import Axis, Kind, parse_axes, parse_axis, parse_setting


def _steps(axis: Axis) -> list[str]:
    return [axis.at_step(step).shown for step in range(axis.steps)]


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("a.b=60s,2min", Kind.DURATION, ["1min", "2min"]),
        ("a.b=60s..240s:4", Kind.DURATION, ["1min", "2min", "3min", "4min"]),
        ("a.b=1,2,3", Kind.COUNT, ["1", "2", "3"]),
        ("a.b=1..9:5", Kind.COUNT, ["1", "3", "5", "7", "9"]),
        ("a.b=0.5,1", Kind.NUMBER, ["0.5", "1"]),
        ("a.b=-1.5..1.5:3", Kind.NUMBER, ["-1.5", "0", "1.5"]),
        ("a.b=0.5x..1.5x:3", Kind.FACTOR, ["0.5x", "1x", "1.5x"]),
        ("a.b = blocks , prefectures", Kind.WORD, ["blocks", "prefectures"]),
        ("a.b=07:48,07:50", Kind.WORD, ["07:48", "07:50"]),
    ],
)
def test_lists_and_ranges(text: str, kind: Kind, shown: list[str]) -> None:
    axis = parse_axis(text)
    assert (axis.path, axis.kind) == ("a.b", kind)
    assert _steps(axis) == shown


def test_values_know_what_they_are_varied_over() -> None:
    setting = parse_axis("a=4min,60s,2min").at_step(1)
    assert (setting.value, setting.low, setting.high) == ("1min", "1min", "4min")
    factor = parse_axis("a=0.5x..2x").at_share(0.5)
    assert factor.factor
    assert factor.value == 1.25


def test_shares_cover_an_axis() -> None:
    words = parse_axis("a=x,y,z")
    assert [words.at_share(share).value for share in (0.0, 0.34, 0.99, 1.0)] == ["x", "y", "z", "z"]
    span = parse_axis("a=0s..10s")
    assert [span.at_share(share).value for share in (0.0, 0.25, 1.0)] == ["0s", "2s 500ms", "10s"]
    count = parse_axis("a=1..4")
    assert {count.at_share(share / 100).value for share in range(100)} == {1, 2, 3, 4}
    assert [words.end(high=high).value for high in (False, True)] == ["x", "z"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("chain.decision", "a field and its values"),
        ("=5", "a field and its values"),
        ("a=", "a field and its values"),
        ("a=1,,2", "an empty value"),
        ("a=1,1", "twice"),
        ("a=60s..1min", "not below"),
        ("a=5..2", "not below"),
        ("a=1s..2s:1", "from 2 to"),
        ("a=1s..2s:many", "from 2 to"),
        ("a=blocks..prefectures:2", "two numbers or two multiples"),
        ("a=1..10:5", "do not divide"),
        ("a=-0.5x..2x:3", "two numbers or two multiples"),
        ("a=1s..5:3", "two numbers or two multiples"),
    ],
)
def test_what_cannot_be_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        parse_axis(text)
    assert caught.value.value == text
    assert caught.value.remedy


def test_a_field_is_varied_once() -> None:
    assert [axis.path for axis in parse_axes(["a=1,2", "b=1,2"])] == ["a", "b"]
    with pytest.raises(ConfigurationError, match="varied twice"):
        parse_axes(["a=1,2", "a=3,4"])


def test_one_setting() -> None:
    setting = parse_setting("chain.decision=90s")
    assert setting.text == "chain.decision=1min 30s"
    assert not setting.factor
    for text in ("a=1,2", "a=1s..2s:3", "a=1s..2s"):
        with pytest.raises(ConfigurationError, match="one value"):
            parse_setting(text)
