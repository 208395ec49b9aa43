"""A swarm of several workers, and machines that have no room for it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]

COMMAND = f"{sys.executable} -m simulator run drill-minimal --speed 600 --quiet --json --drain 30s"

ALONE = ("unshare", "--net", "--map-root-user")


def _in_shell(script: str, where: Path, *before: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*before, "sh", "-c", script],
        cwd=where,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_three_workers_share_a_swarm_and_nothing_is_lost(alertsim: Start, tmp_path: Path) -> None:
    run = alertsim(
        *("run", "drill-minimal", "--speed", "600", "--subscribers", "200", "--repeat", "5"),
        *("--gap", "20ms", "--swarm-workers", "3", "--ramp", "500/s", "--json", "--out", "runs"),
    )
    run.wait_for("probe")
    assert len([each for each in run.descendants() if each.is_running()]) == 1 + 3 + 1
    assert run.wait() in {0, 98}, run.stderr()  # a busy machine makes a latency inconclusive
    summary = run.document()
    total = summary["ledger"]["total"]
    assert (total["expected"], total["delivered"], total["receipts"]) == (1_000, 1_000, 1_000)
    names = {each["name"] for each in summary["instrument"]["processes"]}
    assert {"worker-0", "worker-1", "worker-2"} <= names
    (directory,) = (tmp_path / "runs").iterdir()
    assert json.loads((directory / "manifest.json").read_text())["state"] == "complete"


def test_too_few_descriptors_are_told_before_anybody_connects(tmp_path: Path) -> None:
    script = f"ulimit -Sn 300; ulimit -Hn 450; {COMMAND} --subscribers 250 --out runs"
    result = _in_shell(script, tmp_path)
    assert result.returncode == 104
    assert "the hard limit of open files is 450" in result.stderr
    assert "ulimit -Hn" in result.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.netns
@pytest.mark.mosquitto
def test_a_swarm_larger_than_the_ports_connects_from_several_loopback_addresses(
    tmp_path: Path,
) -> None:
    ports = "ip link set lo up && echo '40000 41199' > /proc/sys/net/ipv4/ip_local_port_range"
    script = f"{ports} && {COMMAND} --subscribers 1200 --broker mosquitto --swarm-workers 2"
    result = _in_shell(f"{script} --out runs", tmp_path, *ALONE)
    assert result.returncode in {0, 98}, result.stderr
    total = json.loads(result.stdout)["ledger"]["total"]
    assert (total["expected"], total["delivered"]) == (1_200, 1_200)
