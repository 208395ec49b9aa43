"""A siren controller: sounds while its prefecture is told to take shelter.

It listens to ``alertsim/v1/alerts/{prefecture}/+``, follows updates and cancellations, ignores what
has expired, and reports a receipt for each alert, so that it stands in the ledger of an exercise.
"""

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_S = 10.0


class Siren:
    """One siren, one prefecture."""

    def __init__(self, name: str, prefecture: str) -> None:
        self.name = name
        self.sounding = False
        self.history: list[str] = []
        self._alerts = f"alertsim/v1/alerts/{prefecture}/+"
        self._status = f"alertsim/v1/status/{name}"
        self._receipts = f"alertsim/v1/receipts/{name}"
        self._ready = threading.Event()
        self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self._mqtt.will_set(self._status, '{"state":"offline"}', qos=1, retain=True)
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_subscribe = self._on_subscribe
        self._mqtt.on_message = self._on_message
        self._mqtt.suppress_exceptions = True  # anybody may publish anything on a topic

    def switch_on(self, host: str, port: int) -> None:
        """Connect; returns when the siren is subscribed."""
        self._ready.clear()
        self._mqtt.connect(host, port)
        self._mqtt.loop_start()
        if not self._ready.wait(PATIENCE_S):
            raise TimeoutError(f"{self.name}: no subscription at {host}:{port}")

    def switch_off(self) -> None:
        """Leave in order: say offline first."""
        self._mqtt.publish(self._status, '{"state":"offline"}', qos=1, retain=True)
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def _on_connect(self, client: mqtt.Client, *_: object) -> None:
        client.subscribe(self._alerts, qos=1)

    def _on_subscribe(self, client: mqtt.Client, *_: object) -> None:
        online = {
            "state": "online",
            "filters": [{"filter": self._alerts, "qos": 1}],
            "session": "persistent",
            "clock": self.name,
        }
        client.publish(self._status, json.dumps(online), qos=1, retain=True)
        self._ready.set()

    def _on_message(self, client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
        received_ns = time.monotonic_ns()
        alert = json.loads(message.payload)
        self._handle(alert["data"], message.topic.rpartition("/")[2])
        receipt = {
            "id": alert["id"],
            "received_ns": str(received_ns),
            "clock": self.name,
            "dup": message.dup,
        }
        client.publish(self._receipts, json.dumps(receipt), qos=1)

    def _handle(self, alert: dict[str, Any], event: str) -> None:
        info = alert["info"][0]
        if datetime.fromisoformat(info["expires"]) < datetime.now(UTC):
            return
        self.history.append(event)
        self.sounding = "Shelter" in info["responseType"]
