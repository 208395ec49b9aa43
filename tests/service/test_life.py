"""The service's own life: two of them, ends of every kind, and what a restart remembers."""

import signal
import socket
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import psutil
import pytest

from simulator.errors import ExitCode
from tests.run.processes import Alertsim, gone, wait_until
from tests.service.client import LONG, QUICK, Served, problem
from tests.service.conftest import Serve


def test_a_second_one_on_the_port_says_so(service: Served, tmp_path: Path) -> None:
    port = service.url.rpartition(":")[2]

    second = Alertsim(("serve", "--port", port, "--out", str(tmp_path / "b")), tmp_path, 9)

    assert second.wait(30) == ExitCode.BAD_INPUT
    taken = "--port: something else listens there, perhaps another alertsim serve"
    assert f"{taken} (got 127.0.0.1:{port})" in second.stderr()
    assert "--port 0" in second.stderr()
    assert service.get("/healthz")["status"] == "ok"


def test_a_second_one_on_the_store_says_so(service: Served, tmp_path: Path) -> None:
    second = Alertsim(("serve", "--port", "0", "--out", str(service.store)), tmp_path, 9)

    assert second.wait(30) == ExitCode.BAD_INPUT
    assert "another alertsim serve uses this directory" in second.stderr()
    assert "Traceback" not in second.stderr()


def test_other_hosts_need_a_token(serve: Serve, tmp_path: Path) -> None:
    refused = Alertsim(("serve", "--host", "0.0.0.0", "--port", "0"), tmp_path, 9)  # noqa: S104
    assert refused.wait(30) == ExitCode.BAD_INPUT
    assert "--token-file" in refused.stderr()
    secret = token_urlsafe()
    (tmp_path / "token").write_text(f"{secret}\n")

    served = serve("--token-file", str(tmp_path / "token"), "--log-level", "debug", token=secret)

    assert served.get("/api/v1/service")["token"] is True
    with httpx.Client(base_url=served.url, trust_env=False) as stranger:
        assert problem(stranger.get("/api/v1/runs"))["status"] == 401
        wrong = {"authorization": "Bearer wrong"}
        assert problem(stranger.get("/metrics", headers=wrong))["status"] == 401
        assert stranger.get("/healthz").status_code == 200
        assert problem(stranger.post("/api/v1/session", json={"token": "x"}))["status"] == 401
        assert stranger.post("/api/v1/session", json={"token": secret}).status_code == 204
        assert stranger.get("/api/v1/runs").status_code == 200
        assert secret not in str(stranger.cookies)
    run = served.start(**QUICK)
    served.wait_for(run, "complete")
    said = served.process.stdout() + served.process.stderr()
    assert secret not in said
    kept = [each for each in served.store.rglob("*") if each.is_file()]
    assert kept
    assert not [each for each in kept if secret.encode() in each.read_bytes()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_runs_in_order(serve: Serve, number: signal.Signals) -> None:
    served = serve()
    run = served.start(**LONG)
    served.wait_for(run, "running")
    family = served.process.descendants()
    with served.http.stream("GET", f"/api/v1/runs/{run}/events") as watching:
        lines = watching.iter_lines()
        next(lines)

        served.process.send(number)

        assert served.process.wait(40) == 0
    assert gone(family)
    assert "Traceback" not in served.process.stderr()
    again = serve(store=served.store)
    info = again.info(run)
    assert (info["state"], info["exit_code"]) == ("incomplete", ExitCode.ABORTED)
    assert "summary.json" in info["files"]


def test_a_kill_ends_its_runs_and_a_restart_forgets_nothing(serve: Serve) -> None:
    served = serve("--max-runs", "1")
    ended = served.start(**QUICK)
    served.wait_for(ended, "complete")
    plays = served.start(**LONG, name="cut short")
    served.wait_for(plays, "running")
    waits = served.start(**QUICK, name="next")
    assert served.info(waits)["waiting"] == 0
    family = served.process.descendants()

    served.process.send(signal.SIGKILL)

    wait_until(lambda: gone(family), 10)
    again = serve(store=served.store)
    assert again.info(ended)["state"] == "complete"
    cut = again.info(plays)
    assert (cut["state"], cut["name"]) == ("incomplete", "cut short")
    assert cut["reason"]
    assert again.wait_for(waits, "complete")["name"] == "next"
    listed = {each["run"] for each in again.get("/api/v1/runs")["runs"]}
    assert listed == {ended, plays, waits}
    ((_, kind, whole),) = again.events(ended)
    assert (kind, whole["end"]["exit_code"]) == ("snapshot", 0)


def test_runs_wait_for_their_turn_and_too_many_are_refused(serve: Serve) -> None:
    served = serve("--max-runs", "1", "--max-waiting", "2")
    plays, second, third = (served.start(**LONG) for _ in range(3))
    served.wait_for(plays, "starting", "running")

    full = served.http.post("/api/v1/runs", json=QUICK)

    found = problem(full)
    assert (found["status"], found["type"]) == (503, "urn:alertsim:problem:queue-full")
    assert "retry-after" in full.headers
    assert [served.info(run)["waiting"] for run in (second, third)] == [0, 1]
    assert served.http.post(f"/api/v1/runs/{second}/stop").status_code == 202
    assert served.info(second)["exit_code"] == ExitCode.ABORTED
    assert served.info(third)["waiting"] == 0
    served.http.post(f"/api/v1/runs/{plays}/stop")
    served.wait_for(third, "running")


def test_a_broker_that_dies_is_said_and_comes_back(serve: Serve) -> None:
    served = serve()
    run = served.start(**LONG)
    served.wait_for(run, "running")
    before = served.get("/api/v1/service")["broker"]
    broker = next(each for each in served.process.descendants() if _is_broker(each))

    broker.kill()

    seen: list[dict[str, Any]] = []
    wait_until(lambda: _is_down(served, seen), 30)
    assert (seen[-1]["status"], seen[-1]["broker"]["alive"]) == ("degraded", False)
    assert "signal 9" in seen[-1]["broker"]["reason"]
    assert served.wait_for(run, "incomplete")["exit_code"] == ExitCode.BROKER
    wait_until(lambda: served.http.get("/healthz").status_code == 200, 30)
    after = served.get("/api/v1/service")["broker"]
    assert (after["restarts"], after["addresses"]) == (1, before["addresses"])
    again = served.start(**QUICK)
    assert served.wait_for(again, "complete")["outcome"] == "pass"


def _is_down(served: Served, seen: list[dict[str, Any]]) -> bool:
    answer = served.http.get("/healthz")
    seen.append(answer.json())
    return answer.status_code == 503


def _is_broker(process: psutil.Process) -> bool:
    command = process.cmdline()
    return "serve" in command and any(part.endswith("guard.py") for part in command)


def test_a_run_whose_process_is_killed_is_incomplete(serve: Serve) -> None:
    served = serve()
    run = served.start(**LONG)
    served.wait_for(run, "running")
    child = next(each for each in served.process.descendants() if run in str(each.cmdline()))

    child.kill()

    info = served.wait_for(run, "incomplete")
    assert "killed (signal 9)" in info["reason"]
    assert info["exit_code"] == ExitCode.INTERNAL
    *_, (_, kind, end) = served.events(run)
    assert (end["end"] if kind == "snapshot" else end)["exit_code"] == ExitCode.INTERNAL
    assert served.get("/healthz")["status"] == "ok"


def test_a_disk_that_fills_up_costs_the_note_and_not_the_end(serve: Serve) -> None:
    served = serve()
    run = served.start(**LONG)
    served.wait_for(run, "running")
    for kind in ("runs", "snapshots"):  # /dev/full is the one disk that is always full
        (served.store / ".service" / kind / f".{run}.json.tmp").symlink_to("/dev/full")

    served.http.post(f"/api/v1/runs/{run}/stop")

    *_, (_, kind, _) = served.events(run)
    assert kind in {"end", "snapshot"}
    info = served.wait_for(run, "incomplete")
    assert (info["exit_code"], info["outcome"]) == (ExitCode.ABORTED, "aborted")
    assert "not written down" in served.process.stderr()
    assert served.get("/healthz")["playing"] == 0
    assert served.wait_for(served.start(**QUICK), "complete")["outcome"] == "pass"


def test_browsers_are_told_where_to_connect(service: Served) -> None:
    told = service.get("/api/v1/service")

    assert told["websocket"].startswith("ws://127.0.0.1:")
    port = int(told["websocket"].rpartition(":")[2].partition("/")[0])
    with socket.create_connection(("127.0.0.1", port), 5) as browser:
        browser.sendall(
            b"GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        )
        assert browser.recv(64).startswith(b"HTTP/1.1 101")
