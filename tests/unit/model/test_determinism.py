"""Same scenario, seed and version: the same digest, whatever the processor and the hash seed."""

import os
import subprocess
import sys

import pytest

from simulator.model import simulate
from simulator.scenario import load_scenario

SCRIPT = """
import sys
from simulator.model import simulate
from simulator.scenario import load_scenario
scenario = load_scenario("tohoku-2022-11-03-modelled")
print(*(simulate(scenario, 7, number).digest for number in range(5)))
assert "polars" not in sys.modules and "plotly" not in sys.modules and "asyncio" not in sys.modules
"""


def _digests(**environment: str) -> list[str]:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split()


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4242"},
        {"NPY_DISABLE_CPU_FEATURES": "X86_V4"},
        {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"},
        {"TZ": "America/New_York", "LC_ALL": "C"},
    ],
    ids=str,
)
def test_the_digest_is_the_same_in_any_environment(environment: dict[str, str]) -> None:
    scenario = load_scenario("tohoku-2022-11-03-modelled")
    here = [simulate(scenario, 7, number).digest for number in range(5)]
    assert len(set(here)) == 5
    assert _digests(**environment) == here
