"""Clients that send what they should not: counted by reason, shown, and the run ends as ever."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.run.processes import Alertsim, wait_until

Start = Callable[..., Alertsim]
ROOT = "alertsim/v1"
HOUR_NS = 3_600_000_000_000
STATUS = {"state": "online", "filters": [{"filter": f"{ROOT}/alerts/miyagi/+", "qos": 1}]}
PLAY = (
    *("run", "tohoku-2022-11-03", "--speed", "900", "--subscribers", "6", "--out", "runs"),
    *("--json", "--wait-for-clients", "1"),
)


class Villain:
    """A client called ``siren`` that hears Miyagi's alerts and reports what it likes.

    Attributes:
        alerts: CloudEvents heard, in order.
        domain: the run's clock domain, once an alert told it.
    """

    def __init__(self, port: int, name: str = "siren") -> None:
        self.alerts: list[dict[str, Any]] = []
        self.up = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self._client.will_set(f"{ROOT}/status/siren", '{"state":"offline"}', qos=1, retain=True)
        self._client.on_connect = lambda client, *_: client.subscribe(
            f"{ROOT}/alerts/miyagi/+", qos=1
        )
        self._client.on_subscribe = lambda *_: self.up.set()
        self._client.on_message = lambda _c, _u, message: self.alerts.append(
            json.loads(message.payload)
        )
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self.up.wait(20)

    def say(self, topic: str, body: object, *, retain: bool = False) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._client.publish(f"{ROOT}/{topic}", data, qos=1, retain=retain).wait_for_publish(20)

    def hear(self, count: int) -> None:
        wait_until(lambda: len(self.alerts) >= count, 60)

    def leave(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()


@contextmanager
def villain(port: int, name: str = "siren") -> Iterator[Villain]:
    made = Villain(port, name)
    try:
        yield made
    finally:
        made.leave()


def test_what_clients_must_not_send_is_counted_by_reason(alertsim: Start) -> None:
    run = alertsim(*PLAY)
    run.wait_for("wait:")
    with villain(run.port("3.1.1")) as siren:
        siren.say("status/siren", STATUS, retain=True)
        siren.hear(1)
        first = siren.alerts[0]
        here = first["data"]["simulation"]["clock"]
        siren.say("status/siren", STATUS | {"clock": here}, retain=True)
        name, prefix = first["id"], first["id"].rpartition("-")[0]
        report = {"id": name, "clock": here}
        now = time.monotonic_ns()
        bodies: list[object] = [
            {"id": "nobody-knows-this"},
            b"\xff\xfe",
            b"[" * 8000,
            b"x" * 15_000,
            {"id": name, "recieved_ns": "5"},
            {"id": name, "received_ns": 5},
            {"id": f"{prefix}-2"},  # not sent yet: it foresees
            report | {"received_ns": "5"},  # before it was sent
            report | {"received_ns": str(now + HOUR_NS)},  # in the future
            report | {"received_ns": "9" * 30},
            report | {"received_ns": str(now - 1), "handled_ns": str(now)},  # honest
        ]
        for body in bodies:
            siren.say("receipts/siren", body)
        siren.say("receipts/siren", b"")
        siren.say("receipts/stranger", {"id": name})
        siren.say("status/other", {"state": "asleep"})
        siren.say("clock/siren/request", {"n": -1, "t1_ns": "1"})
        code = run.wait()

    assert code == 99, run.stderr()  # an unknown alert was reported: unexpected
    summary = run.document()
    total = summary["ledger"]["total"]
    assert total["unexpected"] == 1
    (foreign,) = (each for each in summary["foreign_clients"] if each["counts"]["receipts"])
    assert foreign["client"] == "siren"
    refused = {
        name.removeprefix("foreign: "): count
        for name, count in summary["instrument"]["overflows"].items()
    }
    assert refused == {
        "impossible stamp": 2,
        "malformed clock request": 1,
        "malformed receipt": 7,
        "malformed status": 1,
        "receipt before its alert was sent": 1,
        "receipt of an unregistered client": 1,
    }
    (directory,) = (run.out.parent / "runs").iterdir()
    page = (directory / "report.html").read_text(encoding="utf-8")
    assert all(reason in page for reason in refused)


def test_two_clients_with_one_id_take_turns_and_are_accounted_for(alertsim: Start) -> None:
    run = alertsim(*PLAY)
    run.wait_for("wait:")
    port = run.port("3.1.1")
    with villain(port) as one:
        one.say("status/siren", STATUS, retain=True)
        one.hear(1)
        with villain(port) as other:  # the broker ends the first connection, and it comes back
            other.say("status/siren", STATUS, retain=True)
            deadline = time.monotonic() + 60
            while run.process.poll() is None and time.monotonic() < deadline:
                for each in (one, other):
                    for alert in list(each.alerts):
                        each._client.publish(
                            f"{ROOT}/receipts/siren", json.dumps({"id": alert["id"]}), qos=1
                        )
                time.sleep(0.3)
            code = run.wait(30)

    assert code in {0, 99}, run.stderr()
    summary = run.document()
    total = summary["ledger"]["total"]
    seen = total["delivered"] + total["late"] + total["queued"]
    assert total["receipts"] == seen + total["duplicates"] + total["unexpected"]
    assert total["duplicates"] > 0
    clients = [each for each in summary["foreign_clients"] if each["client"] == "siren"]
    assert sum(each["returns"] for each in clients) > 0  # they took the name from each other
    assert sum(each["counts"]["duplicates"] for each in clients) == total["duplicates"]
