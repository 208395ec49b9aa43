"""The page on populations: its example is a scenario, its table has every kind."""

import re
from pathlib import Path
from typing import get_args

from simulator.run.audience import rehearse
from simulator.scenario import load_scenario
from simulator.scenario.subscribers import MODELS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "model" / "populations.md").read_text(encoding="utf-8")
KINDS = [get_args(model.model_fields["kind"].annotation)[0] for model in MODELS]


def test_the_example_can_be_played(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml .*?\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "my-audience.yaml"
    path.write_text(example, encoding="utf-8")
    plan = rehearse(load_scenario(str(path)), str(path))
    assert [(group.name, group.members) for group in plan.groups] == [
        ("receivers", 50),
        ("phones", 20),
        ("terminals", 10),
        ("controls", 10),
    ]


def test_the_table_has_every_kind_and_a_shipped_scenario_plays_it() -> None:
    assert re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE) == KINDS
    played = load_scenario("subscriber-mix").subscribers
    assert played is not None
    assert {group.kind for group in played} == set(KINDS)


def test_what_the_page_points_to_exists() -> None:
    for path in re.findall(r"`(tests/[a-z_/]+\.py)`", PAGE):
        assert (ROOT / path).exists()
    reference = (ROOT / "docs" / "reference" / "scenario.md").read_text(encoding="utf-8")
    assert all(f"## Subscribers: {kind}" in reference for kind in KINDS)
