"""What `subscribe` says of a broker that does not let it in, or says nothing."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker.listeners import Listeners, listening


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    with listening(tmp_path_factory.mktemp("b"), passwords=True) as up:
        yield up


def _subscribe(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "simulator", "subscribe", "--all", "--count", "1", *arguments],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if "ALERTSIM" not in name},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_time_that_ends_before_the_first_connection_is_106(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        result = _subscribe(tmp_path, "--broker", f"mqtt://127.0.0.1:{port}", "--timeout", "500ms")

    assert result.returncode == 106, result.stderr
    assert result.stderr.startswith(f"error: 127.0.0.1:{port} (MQTT 3.1.1): not connected within")
    assert "remedy:" in result.stderr
    assert "listening" not in result.stderr


@pytest.mark.mosquitto
def test_a_refusal_and_a_port_of_tls_get_the_remedies_of_a_run(
    tmp_path: Path, guarded: Listeners
) -> None:
    plain = guarded.url("mqtt", "plain").replace("://", "://u:wrong@")
    refused = _subscribe(tmp_path, "--broker", plain)
    secure = _subscribe(tmp_path, "--broker", guarded.url("mqtt", "tls"), "--timeout", "20s")

    assert (refused.returncode, secure.returncode) == (106, 106)
    assert "remedy: give a user and password that the broker knows" in refused.stderr
    assert "[code" not in refused.stderr
    assert "mqtts://" in secure.stderr.partition("remedy: ")[2]
