"""What the question to a broker makes of the answers of real ones, and of what is none."""

import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from simulator.delivery.brokers import ManagedMosquitto, choose_broker
from simulator.delivery.preflight import check_endpoint
from simulator.errors import BrokerUnreachableError


@pytest.fixture(autouse=True)
def _own_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.mark.mosquitto
def test_a_wrong_password_is_told_from_a_missing_broker(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    subprocess.run(["mosquitto_passwd", "-b", str(passwords), "user", "right"], check=True)
    with ManagedMosquitto(password_file=passwords) as broker:
        port = broker.endpoint("5").port
        for version in ("3.1.1", "5"):
            good = choose_broker(f"mqtt://user:right@127.0.0.1:{port}")
            check_endpoint(good.endpoint(version))
            for user in ("user:wrong@", ""):
                bad = choose_broker(f"mqtt://{user}127.0.0.1:{port}")
                with pytest.raises(BrokerUnreachableError, match="user and password") as caught:
                    check_endpoint(bad.endpoint(version))
                assert "wrong" not in str(caught.value)


@contextmanager
def listening(answer: bytes | None) -> Iterator[int]:
    """Somebody who accepts one connection and says something that is not MQTT, or nothing."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        client = f"""
            import socket, sys, time
            taken, _ = socket.socket(fileno=int(sys.argv[1])).accept()
            taken.recv(1)
            {"" if answer is None else f"taken.sendall({answer!r})"}
            time.sleep(600)
        """
        with subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(client), str(sock.fileno())],
            pass_fds=[sock.fileno()],
        ) as process:
            try:
                yield sock.getsockname()[1]
            finally:
                process.kill()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n", "not MQTT(?s:.*)ws:// instead of mqtt://"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "not MQTT(?s:.*)mqtts://"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not MQTT(?s:.*)not an MQTT broker"),
        (
            b"\x20\x08\0\0\x05\x27\0\0\x04\0",
            "at most 1024 bytes(?s:.*)raise the broker's maximum packet size",
        ),
        (None, "is this an MQTT broker"),
    ],
)
def test_what_is_not_mqtt_is_called_so(answer: bytes | None, said: str) -> None:
    with listening(answer) as port:
        endpoint = choose_broker(f"mqtt://127.0.0.1:{port}").endpoint("5")
        with pytest.raises(BrokerUnreachableError, match=said):
            check_endpoint(endpoint, 1.0)


def test_an_unknown_name_is_named() -> None:
    broker = choose_broker("mqtt://nowhere.invalid", allow_hosts=["nowhere.invalid"])

    with pytest.raises(BrokerUnreachableError, match=r"nowhere\.invalid"):
        check_endpoint(broker.endpoint("5"))
