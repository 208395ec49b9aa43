"""``validate`` says whom a run would play to; what cannot be played ends with 104 and its line."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

HEAD = """\
extends: tohoku-2022-11-03
id: mine
subscribers:
  - {id: first, kind: steady, count: 3}
"""


def test_validate_explains_who_and_how_many_and_why(run: Run) -> None:
    result = run("validate", "subscriber-mix", "reconnect-storm", "drill-minimal")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "subscriber-mix: valid (subscriber-mix)"
    assert lines[-1] == "drill-minimal: valid (drill-minimal)"
    for part in ("12 terminals", "queued for them", "100 municipalities", "10 controls"):
        assert part in result.stdout
    assert "note: receivers asks for QoS 2 and --qos is 1" in result.stdout


def test_scripts_get_the_same(run: Run) -> None:
    result = run("validate", "reconnect-storm", "--json", ALERTSIM_QOS="2")
    plan = json.loads(result.stdout)["checked"][0]["subscribers"]
    members = {group["name"]: group["members"] for group in plan["groups"]}
    assert members == {
        "receivers": 30,
        "in-step": 120,
        "spread-out": 120,
        "kept": 60,
        "controls": 17,
    }
    assert plan["total"] == sum(members.values())
    assert plan["cautions"] == []


@pytest.mark.parametrize("command", [("validate",), ("run", "--speed", "6000")])
@pytest.mark.parametrize(
    ("group", "said"),
    [
        (
            '{id: a, kind: offline, count: 2, leaves: "09:30", returns: "09:40"}',
            ("subscribers.a.leaves", "(got 09:30)", "from 07:50:00 to 09:24:00"),
        ),
        (
            "{id: a, kind: steady, count: 2, prefectures: [tokyo]}",
            ("subscribers.a.prefectures", "(got tokyo)", "name some of miyagi"),
        ),
        (
            "{id: a, kind: slow, count: 2, reads_every: 1min}",
            ("subscribers.a.reads_every", "(got 1min)", "half of the keep alive"),
        ),
        (
            "{id: a, kind: steady, share: 0.001}",
            ("subscribers.a.share", "a share of 300 subscribers is nobody"),
        ),
        (
            "{id: a, kind: steady, count: 999998}",
            ("subscribers", "1000001 subscribers are more than"),
        ),
    ],
)
def test_what_only_a_plan_shows_is_refused_with_its_line(
    call: Run, tmp_path: Path, command: tuple[str, ...], group: str, said: tuple[str, ...]
) -> None:
    (tmp_path / "mine.yaml").write_text(HEAD + f"  - {group}\n", encoding="utf-8")
    result = call(command[0], "mine.yaml", *command[1:])
    assert result.returncode == 104, (result.stdout, result.stderr)
    assert "Traceback" not in result.stderr
    assert "mine.yaml:" in result.stderr
    for part in (*said, "remedy:"):
        assert part in result.stderr, result.stderr
    if "a." in said[0]:
        assert "mine.yaml:5" in result.stderr
    assert not (tmp_path / "runs").exists()
