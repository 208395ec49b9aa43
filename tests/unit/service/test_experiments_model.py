from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.errors import ConfigurationError
from simulator.service.experiments_model import ExperimentOrder, arguments, check_order

OUT = Path("/store/result")


def made(**fields: Any) -> ExperimentOrder:
    given = {"kind": "simulate", "scenario": "drill-minimal"} | fields
    return ExperimentOrder.model_validate(given)


def said(order: ExperimentOrder) -> list[str]:
    return arguments(order, OUT, lambda kind, name: Path("/store") / kind / name)


def test_replications_are_always_many_so_that_it_is_an_experiment() -> None:
    command = said(made())
    assert command[0] == "simulate"
    assert command[-1] == "drill-minimal"
    assert "--replications=200" in command
    assert {"--json", "--log-format=json", f"--out={OUT}", "--seed=1", "--workers=1"} <= {*command}


def test_a_sweep_says_its_axes_and_leaves_its_default_to_the_command() -> None:
    command = said(made(kind="sweep", vary=["a=1,2"], design="lhs", points=9, chain_only=True))
    assert {"--vary=a=1,2", "--design=lhs", "--points=9", "--chain-only"} <= {*command}
    assert not any(each.startswith("--replications") for each in command)


def test_a_comparison_of_what_was_played_says_nothing_of_playing() -> None:
    command = said(
        made(kind="compare", scenario=None, experiments=["x", "y#3"], fail_if=["alert > 1x"])
    )
    assert command[-2:] == ["/store/experiment/x", "/store/experiment/y#3"]
    assert "--fail-if=alert > 1x" in command
    assert not any(each.startswith(("--seed", "--workers", "--set")) for each in command)
    runs = said(made(kind="compare", scenario=None, runs=["a", "b"]))
    assert runs[-2:] == ["/store/run/a", "/store/run/b"]


def test_a_text_from_outside_stands_behind_an_equals_sign() -> None:
    command = said(made(settings=["--out=/etc", "a=1"]))
    assert "--set=--out=/etc" in command
    assert "--out=/etc" not in command


@pytest.mark.parametrize(
    "fields",
    [
        {"scenario": None},
        {"scenarios": ["a", "b"]},
        {"kind": "compare"},
        {"kind": "compare", "scenario": None},
        {"kind": "compare", "scenario": None, "scenarios": ["a"]},
        {"kind": "compare", "scenario": None, "scenarios": ["a", "b"], "runs": ["c", "d"]},
        {"kind": "compare", "scenario": None, "runs": ["../a", "b"]},
        {"kind": "compare", "scenario": None, "runs": ["a#x", "b"]},
        {"kind": "compare", "scenario": None, "runs": ["-a", "b"]},
        {"vary": ["a=1"]},
        {"design": "lhs"},
        {"points": 3},
        {"fail_if": ["a > 1"]},
        {"settings": [""]},
        {"settings": ["a\n"]},
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        made(**fields)


@pytest.mark.parametrize("field", ["scenario", "scenarios"])
def test_scenarios_are_shipped_ones(field: str) -> None:
    fields: dict[str, Any] = {"scenario": "/etc/passwd"}
    if field == "scenarios":
        names = ["drill-minimal", "/etc/passwd"]
        fields = {"kind": "compare", "scenario": None, "scenarios": names}
    with pytest.raises(ConfigurationError, match="no shipped scenario") as error:
        check_order(made(**fields))
    assert (error.value.field, error.value.value) == (field, "/etc/passwd")
    check_order(made())
