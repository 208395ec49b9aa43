"""The page on brokers and its files: what can be tried here is tried."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from ruamel.yaml import YAML

from simulator.clock import SystemClock
from simulator.delivery.brokers.child import BrokerProcess
from simulator.delivery.brokers.mosquitto import find_mosquitto
from simulator.delivery.brokers.ports import await_listening, pick_ports
from simulator.delivery.brokers.url import PORTS
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.preflight import check_endpoint
from simulator.delivery.wire.handshake import NEEDED_PACKET_BYTES
from simulator.units import NS_PER_S

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "brokers"
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")
SERVICES = YAML(typ="safe").load(FOLDER / "compose.yaml")["services"]


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_mosquitto_runs_with_the_configuration_given(tmp_path: Path, protocol: str) -> None:
    port, web = pick_ports((0, 0), given=False)
    text = (FOLDER / "mosquitto.conf").read_text(encoding="utf-8")
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1")
    text = text.replace("listener 8083", f"listener {web} 127.0.0.1")
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"user root\n{text}", encoding="utf-8")
    process = BrokerProcess(
        ["exec", find_mosquitto(), "-c", str(configuration)], tmp_path / "output.txt"
    )
    process.start()
    try:
        await_listening(
            process, [port], clock=SystemClock(), timeout_ns=10 * NS_PER_S, name="mosquitto"
        )
        for where, path in ((port, ""), (web, "/mqtt")):
            endpoint = BrokerEndpoint(host="127.0.0.1", port=where, protocol=protocol, path=path)
            assert check_endpoint(endpoint) > 0
    finally:
        process.stop()


def test_every_service_is_on_this_host_only_and_in_the_table() -> None:
    ports = {}
    for name, service in SERVICES.items():
        published = [each.rpartition(":")[0] for each in service["ports"]]
        assert all(each.startswith("127.0.0.1:") for each in published), name
        ports[name] = tuple(each.rpartition(":")[2] for each in published)
        for volume in service.get("volumes", ()):
            assert (FOLDER / volume.partition(":")[0]).is_file()
    rows = re.findall(r"^\| .+? \| (\d+) \| (\d+)", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(ports.values())


def test_the_pages_figures_and_links_hold() -> None:
    for scheme, port in PORTS.items():
        assert re.search(rf"^\| `{scheme}` \| .+ \| {port} \|", PAGE, re.MULTILINE), scheme
    assert f"{NEEDED_PACKET_BYTES:,} bytes" in PAGE
    assert f"{NEEDED_PACKET_BYTES:,} bytes" in (FOLDER / "nanomq.conf").read_text()
    assert ET.parse(FOLDER / "hivemq.xml").getroot().tag == "hivemq"  # noqa: S314  # ours
    for link in re.findall(r"\]\(([^)#:]+)\)", PAGE):
        assert (FOLDER / link).exists(), link
