"""Brokers that are given for one MQTT version only."""

import subprocess
from collections.abc import Callable

import pytest

from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]
FAST = ("--speed", "6000", "--subscribers", "4", "--out", "runs", "--json")

pytestmark = pytest.mark.mosquitto


@pytest.mark.parametrize("spoken", ["3.1.1", "5"])
@pytest.mark.parametrize("asked", [None, "3.1.1", "5", "mixed"])
def test_url_with_a_version(
    alertsim: Start,
    mosquitto: tuple[subprocess.Popen[bytes], int],
    spoken: str,
    asked: str | None,
) -> None:
    url = f"mqtt://127.0.0.1:{mosquitto[1]}?protocol={spoken}"
    extra = () if asked is None else ("--protocol", asked)
    run = alertsim("run", "drill-minimal", "--broker", url, *extra, *FAST)
    if asked not in {None, "mixed", spoken}:
        assert run.wait() == 104
        assert f"--protocol {spoken}" in run.stderr()
        return
    assert run.wait() == 0, run.stderr()
    assert run.document()["ledger"]["total"]["delivered"] == 4


def test_publish_and_subscribe_with_a_version(
    alertsim: Start, mosquitto: tuple[subprocess.Popen[bytes], int]
) -> None:
    url = f"mqtt://127.0.0.1:{mosquitto[1]}?protocol=3.1.1"
    publisher = alertsim(
        "publish", "drill-minimal", "--speed", "6000", "--wait-for-clients", "1", "--broker", url
    )
    publisher.wait_for("wait:")
    listener = alertsim("subscribe", "--all", "--count", "2", "--broker", url)
    assert listener.wait() == 0, listener.stderr()
    assert publisher.wait() == 0, publisher.stderr()
