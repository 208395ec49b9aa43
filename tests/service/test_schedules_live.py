"""Schedules of a real service, across restarts."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.service.serving import Serving, refused, serving

LOOP = {
    "name": "again",
    "loop": True,
    "pause": "1s",
    "run": {"scenario": "drill-minimal", "speed": 6000, "subscribers": 1},
}
NEW_YEAR = {"name": "new-year", "cron": "0 0 1 1 *", "run": {"scenario": "drill-minimal"}}


def _port(service: Serving) -> int:
    line = next(each for each in service.said().splitlines() if "(MQTT 3.1.1)" in each)
    return int(line.partition("127.0.0.1:")[2].partition(" ")[0].strip("/"))


def test_with_a_loop_a_test_client_always_has_something_to_receive(tmp_path: Path) -> None:
    options = ("--loop", "drill-minimal", "--loop-speed", "6000", "--loop-subscribers", "1")
    with serving(tmp_path, *options) as service:
        received: list[str] = []
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="siren")
        client.on_message = lambda _client, _data, message: received.append(message.topic)
        client.connect("127.0.0.1", _port(service))
        client.subscribe("+/v1/alerts/#", qos=1)
        client.loop_start()
        try:
            service.until(lambda: len(service.runs()) >= 2, 90)
        finally:
            client.loop_stop()
            client.disconnect()
        assert len(received) >= 1
        (shown,) = service.get("/api/v1/schedules")["schedules"]
        assert (shown["schedule"]["name"], shown["kept"]) == ("loop", False)
        assert shown["started"] >= 2
        playing = [run for run in service.runs().values() if run["exit_code"] is None]
        assert len(playing) <= 1


def test_schedules_are_added_listed_removed_and_survive_a_restart(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        assert service.http.post("/api/v1/schedules", json=NEW_YEAR).status_code == 201
        answer = service.http.post("/api/v1/schedules", json=LOOP)
        assert answer.headers["location"] == "/api/v1/schedules/again"
        service.until(lambda: service.get("/api/v1/schedules/again")["started"] >= 1, 90)
        assert {run["name"] for run in service.runs().values()} == {"again"}
        kept = json.loads((service.store / "schedules.json").read_text())
        assert {each["run"]["speed"] for each in kept["schedules"]} == {1.0, 6000.0}
        with pytest.raises(httpx.HTTPStatusError):
            service.http.delete("/api/v1/schedules/%2e%2e").raise_for_status()
        again = service.http.post("/api/v1/schedules", json=LOOP)
        assert (again.status_code, again.headers["content-type"]) == (
            409,
            "application/problem+json",
        )
        service.until(lambda: service.total("alertsim_schedules") == 2)
    with serving(tmp_path) as service:
        shown = {each["schedule"]["name"]: each for each in _listed(service)}
        assert set(shown) == {"again", "new-year"}
        assert shown["new-year"]["next_at"].endswith("-01-01T00:00:00+09:00")
        before = shown["again"]["started"]
        assert before >= 1
        service.until(lambda: service.get("/api/v1/schedules/again")["started"] > before, 90)
        assert service.http.delete("/api/v1/schedules/again").status_code == 204
        assert service.http.get("/api/v1/schedules/again").status_code == 404
        assert service.http.delete("/api/v1/schedules/again").status_code == 404


def _listed(service: Serving) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get("/api/v1/schedules")["schedules"]
    return found


def test_a_file_damaged_by_hand_stops_the_start_and_stays_as_it_is(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        service.http.post("/api/v1/schedules", json=NEW_YEAR)
        path = service.store / "schedules.json"
        whole = path.read_text()
        damaged = whole.replace('"cron"', "cron", 1)
        path.write_text(damaged)
        answer = service.http.post("/api/v1/schedules", json=LOOP)
        assert answer.status_code == 422
        assert f"{path.name}:" in answer.json()["where"]
        assert [each["schedule"] for each in _listed(service)] != []  # what is in force stays so
    said = refused(tmp_path)
    assert re.search(r"schedules\.json:\d+: not JSON", said)
    assert "remedy" in said
    assert path.read_text() == damaged
    path.write_text(whole)
    with serving(tmp_path) as service:
        assert [each["schedule"]["name"] for each in _listed(service)] == ["new-year"]
