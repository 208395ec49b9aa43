"""aedes, a broker for Node, by its address: MQTT 3.1.1 only, and somebody else's."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from simulator.run.doctor_brokers import examine_broker
from simulator.settings import load_settings
from tests.run.processes import Alertsim

pytestmark = pytest.mark.npm

# It ends with its standard input, that is, with this test.
BROKER = """\
import { createServer } from "node:net";
import { Aedes } from "aedes";
const aedes = await Aedes.createBroker();
const server = createServer({ noDelay: true }, aedes.handle);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
"""


@pytest.fixture(scope="module")
def aedes(npm_modules: Path) -> Iterator[str]:
    """Its address."""
    with subprocess.Popen(
        [shutil.which("node") or "node", "--input-type=module", "--eval", BROKER],
        cwd=npm_modules.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield f"mqtt://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()
        assert process.wait(10) == 0


def test_the_founding_case_is_accounted_for(aedes: str, alertsim: Callable[..., Alertsim]) -> None:
    run = alertsim(
        *("run", "tohoku-2022-11-03", "--speed", "6000", "--subscribers", "40", "--json"),
        *("--broker", f"{aedes}?protocol=3.1.1"),
    )
    assert run.wait() == 0, run.stderr()
    total = run.document()["ledger"]["total"]
    assert total["expected"] == total["delivered"] == total["receipts"] == 40 * 3
    assert total["duplicates"] == total["unexpected"] == 0


def test_the_doctor_says_which_version_it_speaks(aedes: str) -> None:
    found = examine_broker(load_settings({"broker": aedes}))

    assert [each.level for each in found] == ["ok", "error"]
    assert "(MQTT 3.1.1) delivers" in found[0].text
    assert "(MQTT 5): connection refused: unsupported protocol version" in found[1].text
    assert found[1].remedy.startswith("write ?protocol=3.1.1 behind its address")
