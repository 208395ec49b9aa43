"""What docs/deploy says fits the program: its options, its metrics, its files, its ports."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from simulator.cli.app import app
from simulator.measure.running import BUCKETS_NS
from simulator.service.metrics_catalogue import catalogue
from simulator.settings import load_settings

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "deploy"
DASHBOARD = json.loads((FOLDER / "grafana" / "alertsim.json").read_text(encoding="utf-8"))
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
METRIC = re.compile(r"\b(alertsim_\w+)(?:\{([^}]*)\})?")
LABEL = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')


def _yaml(name: str) -> Any:
    return YAML(typ="safe").load(FOLDER / name)


def _samples() -> dict[str, dict[str, list[str]]]:
    """Labels with their values by the name of each sample that is scraped."""
    found: dict[str, dict[str, list[str]]] = {}
    for metric in catalogue():
        if metric["type"] == "histogram":
            for suffix in ("_bucket", "_sum", "_count"):
                found[metric["name"] + suffix] = dict(metric["labels"])
            found[metric["name"] + "_bucket"]["le"] = []
        else:
            found[metric["name"]] = dict(metric["labels"])
    return found


def _queries() -> Iterator[str]:
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["query"]["query"]
    for group in _yaml("alerts.yml")["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    page = (FOLDER.parent / "how-to" / "prometheus-and-grafana.md").read_text(encoding="utf-8")
    yield from re.findall(
        r"^\| [^|]+\| `(.*alertsim_.*)` \|$", page.replace("\\|", "¦"), re.MULTILINE
    )


def test_every_query_names_a_metric_and_labels_that_exist() -> None:
    samples = _samples()
    queries = list(_queries())
    assert len(queries) > 25
    for query in queries:
        named = METRIC.findall(query)
        assert named or 'up{job="alertsim"}' in query, query
        for name, selected in named:
            assert name in samples, f"{name} in {query}"
            for label, operator, value in LABEL.findall(selected):
                assert label in samples[name], f"{label} of {name} in {query}"
                if not value.startswith("$"):
                    wanted = re.split(r"[|¦]", value) if operator == "=~" else [value]
                    assert set(wanted) <= set(samples[name][label]), query
        for labels in re.findall(r"\bby \(([^)]*)\)", query):
            for label in re.split(r",\s*", labels):
                assert any(label in samples[name] for name, _ in named), f"{label} in {query}"


def test_every_metric_of_delivery_is_on_the_dashboard() -> None:
    shown = " ".join(_queries())
    for name in (
        "alertsim_delivery_latency_seconds",
        "alertsim_deliveries_total",
        "alertsim_publish_delay_seconds",
        "alertsim_reconnects_total",
        "alertsim_runs_total",
    ):
        assert name in shown
    assert BUCKETS_NS[-1] > 1_000_000_000  # alerts.yml speaks of one second: the buckets reach it


def test_the_dashboard_is_one() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert "EXERCISE" in DASHBOARD["title"]
    assert {v["name"] for v in DASHBOARD["templating"]["list"]} == {
        "datasource",
        "prefecture",
        "event",
    }
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def _options(words: list[str]) -> None:
    helped = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert helped.exit_code == 0
    assert "serve" in words
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in helped.output, word


def test_units_and_images_start_the_service_with_options_that_exist() -> None:
    unit = (FOLDER / "alertsim.service").read_text(encoding="utf-8")
    (start,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    _options(shlex.split(start))
    image = (FOLDER / "Containerfile").read_text(encoding="utf-8")
    (command,) = re.findall(r"^CMD (\[\"serve.*\])$", image, re.MULTILINE)
    _options(json.loads(command))
    service = _yaml("compose.yaml")["services"]["alertsim"]
    _options(service["command"])


def test_compose_mounts_files_that_are_there_and_opens_nothing_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    services = _yaml("compose.yaml")["services"]
    assert set(services) == {"alertsim", "mosquitto", "prometheus", "grafana"}
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (FOLDER / source).is_file(), volume
    for variable, value in services["alertsim"]["environment"].items():
        monkeypatch.setenv(variable, value)
    assert load_settings({}).allow_hosts == ("mosquitto",)
    context = services["alertsim"]["build"]
    assert (FOLDER / context["context"] / context["dockerfile"]).is_file()


def test_prometheus_asks_where_the_service_answers() -> None:
    (local,) = _yaml("prometheus-local.yml")["scrape_configs"]
    assert local["static_configs"] == [{"targets": ["127.0.0.1:8080"]}]
    whole = _yaml("prometheus.yml")
    (compose,) = whole["scrape_configs"]
    assert compose["static_configs"] == [{"targets": ["alertsim:8080"]}]
    assert compose["authorization"]["credentials_file"] == "/run/secrets/alertsim-token"
    assert whole["rule_files"] == ["alerts.yml"]
    assert _yaml("grafana/datasource.yml")["datasources"][0]["url"] == "http://prometheus:9090"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    text = (FOLDER / "alertsim.service").read_text(encoding="utf-8")
    unit = tmp_path / "alertsim.service"
    unit.write_text(text.replace("/opt/alertsim/bin/alertsim", sys.executable), encoding="utf-8")
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "alertsim.service" not in told.stderr


def test_the_page_lists_every_file_and_what_was_not_tried() -> None:
    for path in FOLDER.rglob("*"):
        if path.is_file() and path.name != "README.md" and path.parent.name != "grafana":
            assert f"]({path.name})" in PAGE, path.name
    assert "](grafana/alertsim.json)" in PAGE
    assert PAGE.count("**not ") == 4
