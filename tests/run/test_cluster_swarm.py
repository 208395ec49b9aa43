"""A swarm on other hosts: network namespaces with addresses of their own, and their own clocks."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]

AHEAD_S = {1: 5_000, 2: -20}  # of the hosts' clocks: time namespaces tell the truth exactly
SCRIPT = """
set -e
ip link set lo up
mosquitto -c broker.conf & broker=$!
DASK scheduler --port 8786 --dashboard-address 127.0.0.1:0 > scheduler.log 2>&1 & scheduler=$!
hosts=
trap 'kill $broker $scheduler $hosts; wait' EXIT
host() {
    unshare --net --time --monotonic $2 --fork --kill-child sh -c "
        until ip route show default | grep -q via; do sleep 0.05; done
        exec DASK worker tcp://10.77.$1.1:8786 --nthreads 1 --no-nanny \
            --dashboard-address 127.0.0.1:0" > host$1.log 2>&1 & pid=$!
    hosts="$hosts $pid"
    until [ "$(readlink /proc/$pid/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
    ip link add to$1 type veth peer name eth0 netns $pid
    ip addr add 10.77.$1.1/24 dev to$1
    ip link set to$1 up
    nsenter -t $pid -n sh -c "ip link set lo up && ip addr add 10.77.$1.2/24 dev eth0 &&
        ip link set eth0 up && ip route add default via 10.77.$1.1"
}
host 1 AHEAD1
host 2 AHEAD2
for _ in $(seq 300); do
    [ "$(grep -c 'Register worker' scheduler.log)" = 2 ] && break
    sleep 0.1
done
ALERTSIM run drill-minimal --speed 600 --subscribers 60 --repeat 5 --gap 50ms --quiet --json \
    --broker 'mqtt://10.77.1.1:1883?protocol=5' --protocol 5 --allow-host 10.77.1.1 \
    --cluster tcp://10.77.1.1:8786 --out runs --drain 30s > summary.json
"""


@pytest.mark.netns
@pytest.mark.mosquitto
def test_hosts_with_their_own_addresses_and_clocks_share_a_swarm(tmp_path: Path) -> None:
    (tmp_path / "broker.conf").write_text(
        "listener 1883 0.0.0.0\nallow_anonymous true\nlog_dest file broker.log\nuser root\n"
        "set_tcp_nodelay true\n"
    )
    script = SCRIPT.replace("DASK", f"{sys.executable} -m dask")
    script = script.replace("ALERTSIM", f"{sys.executable} -m simulator")
    for host, ahead_s in AHEAD_S.items():
        script = script.replace(f"AHEAD{host}", str(ahead_s))
    result = subprocess.run(
        ["unshare", "--net", "--map-root-user", "sh", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert result.returncode in {0, 98}, result.stderr
    summary = json.loads((tmp_path / "summary.json").read_text())
    total = summary["ledger"]["total"]
    assert (total["expected"], total["delivered"], total["receipts"]) == (300, 300, 300)
    assert summary["ledger"]["untimed"] == 0
    clocks = sorted(summary["clocks"]["foreign"], key=lambda each: str(each["client"]))
    assert [each["client"].partition(" on ")[0] for each in clocks] == ["worker-0", "worker-1"]
    found = {round(each["offset_ns"] / 1e9): each for each in clocks}
    assert sorted(found) == sorted(AHEAD_S.values())
    for ahead_s, clock in found.items():
        assert abs(clock["offset_ns"] - ahead_s * 10**9) <= clock["error_ns"]
        assert clock["one_way"] == 150
    log = (tmp_path / "broker.log").read_text()
    assert "10.77.1.2" in log
    assert "10.77.2.2" in log


def test_a_cluster_that_is_not_there_is_told(alertsim: Start, tmp_path: Path) -> None:
    run = alertsim(
        *("run", "drill-minimal", "--speed", "600", "--subscribers", "5", "--out", "runs"),
        *("--cluster", "tcp://127.0.0.1:1"),
    )
    assert run.wait() == 104
    assert "no Dask scheduler answers" in run.stderr()
    assert not (tmp_path / "runs").exists()
