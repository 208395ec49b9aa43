import re
from fractions import Fraction

import pytest

from simulator.errors import ThresholdError
from simulator.thresholds.gates import BoundKind, Gate, judge_gate, parse_gate
from simulator.thresholds.verdicts import Verdict


@pytest.mark.parametrize(
    ("text", "metric", "aggregate", "percent", "kind", "bound", "understood"),
    [
        ("alert.p95 > 1.1x", "alert", "p", 95, BoundKind.RATIO, "1.1", "alert.p95 > 1.1x"),
        (
            "warned-before-arrival<0.9x",
            "warned_before_arrival",
            "",
            None,
            BoundKind.RATIO,
            "0.9",
            "warned_before_arrival < 0.9x",
        ),
        ("alert > +30s", "alert", "", None, BoundKind.DIFFERENCE, "30e9", "alert > +30s"),
        ("alert.avg>=-5", "alert", "mean", None, BoundKind.DIFFERENCE, "-5", "alert.mean >= -5"),
        (
            "lead_time.med <= 2min",
            "lead_time",
            "p",
            50,
            BoundKind.VALUE,
            "120e9",
            "lead_time.p50 <= 2min",
        ),
        ("d.p(99.9) > 0", "d", "p", "99.9", BoundKind.VALUE, "0", "d.p99.9 > 0"),
        ("icbm.alert.max > 1s", "icbm.alert", "max", None, BoundKind.VALUE, "1e9",
         "icbm.alert.max > 1s"),
    ],
)  # fmt: skip
def test_a_gate_is_understood_and_written_again(  # noqa: PLR0917
    text: str,
    metric: str,
    aggregate: str,
    percent: int | str | None,
    kind: BoundKind,
    bound: str,
    understood: str,
) -> None:
    gate = parse_gate(text)
    assert (gate.metric, gate.aggregate, gate.kind) == (metric, aggregate, kind)
    assert gate.percent == (None if percent is None else Fraction(percent))
    assert gate.bound == Fraction(bound)
    assert gate.expression == understood
    again = parse_gate(understood)
    assert (again.metric, again.bound, again.timed) == (gate.metric, gate.bound, gate.timed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a condition"),
        ("alert", "not a condition"),
        ("alert == 1x", "not a condition"),
        ("alert > ", "not a condition"),
        ("alert > -1x", "a number and an x"),
        ("alert > fastx", "a number and an x"),
        ("alert > 5parsec", "not a duration"),
        ("alert.p100 > 1x", "strictly between"),
        ("alert.p(0) > 1x", "strictly between"),
        ("alert > +", "not a duration"),
    ],
)
def test_what_cannot_be_read_is_refused_with_an_example(text: str, said: str) -> None:
    with pytest.raises(ThresholdError, match="--fail-if") as error:
        parse_gate(text)
    assert said in str(error.value)
    for kind in ("of runs", "of scenarios and experiments"):
        assert kind in error.value.remedy or "strictly" in said
    for example in re.findall(r'"([^"]+)"', error.value.remedy):
        assert parse_gate(example).expression == example


@pytest.mark.parametrize(
    ("operator", "below", "across", "above"),
    [
        ("<", Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS),
        ("<=", Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS),
        (">", Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL),
        (">=", Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL),
    ],
)
def test_a_gate_fails_only_on_the_whole_interval(
    operator: str, below: Verdict, across: Verdict, above: Verdict
) -> None:
    gate = parse_gate(f"alert {operator} 10")
    assert judge_gate(gate, 8, 9) is below
    assert judge_gate(gate, 9, 11) is across
    assert judge_gate(gate, 11, 12) is above


def test_the_bound_itself_counts_as_its_operator_says() -> None:
    def verdict(operator: str) -> Verdict:
        gate: Gate = parse_gate(f"alert {operator} 10")
        return judge_gate(gate, 10, 10)

    assert [verdict(operator) for operator in ("<", "<=", ">", ">=")] == [
        Verdict.PASS,
        Verdict.FAIL,
        Verdict.PASS,
        Verdict.FAIL,
    ]
