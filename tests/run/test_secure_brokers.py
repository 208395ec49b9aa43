"""Whole runs over TLS and WebSocket, and what a user is told when they cannot be."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.broker.listeners import PASSWORD, USER, Listeners, listening
from tests.run.processes import Alertsim

pytestmark = pytest.mark.mosquitto

Start = Callable[..., Alertsim]
DRILL = ("drill-minimal", "--speed", "600", "--subscribers", "40", "--json")


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    with listening(tmp_path_factory.mktemp("broker"), passwords=True) as started:
        yield started


def written(folder: Path) -> str:
    """Everything that the run left, tables too."""
    return "".join(
        path.read_bytes().decode(errors="replace") for path in folder.rglob("*") if path.is_file()
    )


@pytest.mark.parametrize("kind", ["mutual", "ws", "wss"])
def test_every_delivery_is_accounted_for_and_the_password_is_nowhere(
    alertsim: Start,
    listeners: Listeners,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    scheme = {"mutual": "mqtts"}.get(kind, kind)
    options = ["--username", USER]
    if kind == "mutual":
        options += ["--cert", listeners.cert, "--key", listeners.key]
        secret = tmp_path / "secret"
        secret.write_text(f"{PASSWORD}\n")
        options += ["--password-file", str(secret)]
    else:
        monkeypatch.setenv("ALERTSIM_PASSWORD", PASSWORD)
    if kind != "ws":
        options += ["--cafile", listeners.ca]
    run = alertsim("run", *DRILL, "--broker", listeners.url(scheme, kind), *options)

    assert run.wait() == 0, run.stderr()
    summary = run.document()
    ledger = summary["ledger"]["total"]
    assert ledger["expected"] == ledger["delivered"] > 0
    (folder,) = (tmp_path / "runs").iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["broker"]["settings"]["transport"] == scheme
    assert manifest["broker"]["settings"]["own_certificate"] == (kind == "mutual")
    assert sorted(manifest["broker"]["addresses"]) == ["3.1.1", "5"]
    for text in (run.stdout(), run.stderr(), written(folder)):
        assert PASSWORD not in text


def test_publish_and_subscribe_over_tls(
    alertsim: Start, listeners: Listeners, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTSIM_USERNAME", USER)
    monkeypatch.setenv("ALERTSIM_PASSWORD", PASSWORD)
    monkeypatch.setenv("ALERTSIM_CAFILE", listeners.ca)
    secure = alertsim(
        "subscribe", "--all", "--count", "2", "--broker", listeners.url("mqtts", "tls")
    )
    web = alertsim(
        "subscribe", "--all", "--count", "2", "--protocol", "5",
        "--broker", listeners.url("wss", "wss"),
    )  # fmt: skip
    for each in (secure, web):
        each.wait_for("listening at")
    sender = alertsim(
        "publish", "drill-minimal", "--speed", "600", "--client", "aiomqtt", "--json",
        "--wait-for-clients", "2", "--broker", listeners.url("mqtts", "tls"),
    )  # fmt: skip

    assert sender.wait() == 0, sender.stderr()
    for each in (secure, web):
        assert each.wait() == 0, each.stderr()
        assert "EXERCISE" in each.stdout()
    assert sender.document()["ledger"]["total"]["delivered"] > 0


@pytest.mark.parametrize(
    ("scheme", "kind", "ca", "secret", "code", "words"),
    [
        ("mqtts", "expired", "ca", PASSWORD, 106, "has expired"),
        ("mqtts", "tls", "ca", "wrong secret", 106, "ALERTSIM_PASSWORD"),
        ("mqtts", "plain", "ca", PASSWORD, 106, "speak TLS"),
        ("mqtts", "tls", "missing", PASSWORD, 104, "--cafile"),
        ("mqtt", "plain", "ca", PASSWORD, 104, "mqtts:// instead of mqtt://"),
    ],
)
def test_what_cannot_be_is_told_and_ends_at_once(
    alertsim: Start,
    listeners: Listeners,
    tmp_path: Path,
    *,
    scheme: str,
    kind: str,
    ca: str,
    secret: str,
    code: int,
    words: str,
) -> None:
    file = tmp_path / "secret"
    file.write_text(secret)
    files = {"ca": listeners.ca, "missing": "missing.pem"}
    run = alertsim(
        "run", *DRILL, "--broker", listeners.url(scheme, kind), "--cafile", files[ca],
        "--username", USER, "--password-file", str(file),
    )  # fmt: skip

    assert run.wait(30) == code, run.stderr()
    assert words in run.stderr()
    assert "remedy: " in run.stderr()
    assert "wrong secret" not in run.stderr() + run.stdout()
