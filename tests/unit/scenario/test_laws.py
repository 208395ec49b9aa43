from datetime import datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from simulator.scenario.laws import Law, duration_ns
from simulator.scenario.values import Instant
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S, parse_duration

EPOCH = datetime.fromisoformat("2022-11-03T07:39:00+09:00")
LAWS: TypeAdapter[Law] = TypeAdapter(Law)
EXAMPLES = [
    {"law": "constant", "value": "3min"},
    {"law": "recorded", "starts": "07:50", "ends": "08:00"},
    {"law": "uniform", "low": "1s", "high": "30s"},
    {"law": "triangular", "low": "1min", "mode": "2min", "high": "6min"},
    {"law": "lognormal", "median": "3min", "p95": "7min", "floor": "30s"},
    {"law": "gamma", "mean": "4min", "shape": 2.5, "floor": "30s"},
    {"law": "empirical", "values": ["3min", "5min", "11min"], "weights": [1, 1, 2]},
]


def _law(**fields: object) -> Law:
    return LAWS.validate_python(fields)


def _at(law: Law, share: float) -> int:
    return duration_ns(law, share, EPOCH)


@pytest.mark.parametrize("fields", EXAMPLES, ids=lambda fields: str(fields["law"]))
def test_every_law_reads_back_as_written(fields: dict[str, object]) -> None:
    law = LAWS.validate_python(fields)
    written = LAWS.dump_python(law, mode="json", exclude_defaults=True)
    assert LAWS.validate_python(written) == law
    assert written["law"] == fields["law"]


@pytest.mark.parametrize("fields", EXAMPLES, ids=lambda fields: str(fields["law"]))
def test_durations_are_whole_milliseconds_that_grow_with_the_share(
    fields: dict[str, object],
) -> None:
    law = LAWS.validate_python(fields)
    durations = [_at(law, step / 50) for step in range(1, 50)]
    assert all(duration % NS_PER_MS == 0 and duration >= 0 for duration in durations)
    assert durations == sorted(durations)


def test_constant_and_recorded_are_the_same_for_every_share() -> None:
    assert {_at(_law(law="constant", value="3min"), share) for share in (0.1, 0.9)} == {
        3 * NS_PER_MIN
    }
    assert _at(_law(law="recorded", starts="07:50", ends="8min 30s"), 0.5) == 0
    assert _at(_law(law="recorded", starts="07:50", ends="21min"), 0.5) == 10 * NS_PER_MIN


def test_uniform_and_triangular_stay_within_their_bounds() -> None:
    assert _at(_law(law="uniform", low="10s", high="20s"), 0.25) == 12_500 * NS_PER_MS
    triangular = _law(law="triangular", low="0s", mode="0s", high="16s")
    assert _at(triangular, 0.75) == 8 * NS_PER_S


def test_lognormal_is_given_by_median_and_95th_percentile() -> None:
    law = _law(law="lognormal", median="3min", p95="7min", floor="1min")
    assert _at(law, 0.5) == 3 * NS_PER_MIN
    assert _at(law, 0.95) == 7 * NS_PER_MIN
    assert _at(law, 1e-9) == NS_PER_MIN


def test_gamma_has_its_mean_and_floor() -> None:
    law = _law(law="gamma", mean="60s", shape=4, floor="5s")
    mean = sum(_at(law, (step + 0.5) / 4000) for step in range(4000)) / 4000
    assert mean == pytest.approx(60 * NS_PER_S, rel=2e-3)
    assert _at(law, 1e-12) == 5 * NS_PER_S


def test_empirical_without_weights_takes_all_equally_often() -> None:
    law = _law(law="empirical", values=["3min", "5min", "11min"])
    shares = [(step + 0.5) / 300 for step in range(300)]
    drawn = [_at(law, share) for share in shares]
    assert {
        parse_duration(text): drawn.count(parse_duration(text))
        for text in ("3min", "5min", "11min")
    } == {180 * NS_PER_S: 100, 300 * NS_PER_S: 100, 660 * NS_PER_S: 100}


def test_no_duration_is_negative() -> None:
    backwards = _law(law="recorded", starts="08:00", ends="07:50")
    assert backwards.quantile_ns(0.5, EPOCH) < 0
    assert _at(backwards, 0.5) == 0
    assert Instant("07:50").offset_ns(EPOCH) == 11 * NS_PER_MIN


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"law": "uniform", "low": "3s", "high": "2s"}, "low is longer than high"),
        (
            {"law": "triangular", "low": "3s", "mode": "2s", "high": "4s"},
            "low, mode and high are out of order",
        ),
        (
            {"law": "triangular", "low": "1s", "mode": "5s", "high": "4s"},
            "low, mode and high are out of order",
        ),
        (
            {"law": "lognormal", "median": "3s", "p95": "2s"},
            "the 95th percentile is below the median",
        ),
        ({"law": "lognormal", "median": "0s", "p95": "2s"}, "greater than 0"),
        ({"law": "gamma", "mean": "0s", "shape": 2}, "greater than 0"),
        ({"law": "gamma", "mean": "3s", "shape": 0.01}, "greater than or equal to 0.1"),
        ({"law": "gamma", "mean": "3s", "shape": "2"}, "valid number"),
        ({"law": "gamma", "mean": "3s", "shape": float("nan")}, "finite"),
        ({"law": "empirical", "values": []}, "at least 1"),
        (
            {"law": "empirical", "values": ["3s"], "weights": [1, 2]},
            "values and weights differ in number",
        ),
        ({"law": "empirical", "values": ["3s"], "weights": [0]}, "greater than 0"),
        ({"law": "constant", "value": "-3s"}, "cannot be negative"),
        ({"law": "constant", "value": 3}, "needs a unit"),
        (
            {"law": "constant", "value": "3s", "range": ["4s", "2s"]},
            "the range is upside down",
        ),
        ({"law": "constant", "value": "3s", "typical": True}, "Extra inputs"),
        ({"law": "normal", "mean": "3s"}, "does not match any of the expected tags"),
        ({"law": "constant", "value": "3s", "assumption": "yes"}, "valid boolean"),
    ],
)
def test_impossible_laws_are_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        LAWS.validate_python(fields)


def test_laws_are_frozen() -> None:
    law = _law(law="constant", value="3s")
    with pytest.raises(ValidationError, match="frozen"):
        law.assumption = True  # type: ignore[misc]  # the very thing refused
