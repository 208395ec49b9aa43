"""A client that hears everything a broker passes on, in order: the messages as users get them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.run.processes import wait_until

ALERTS, STATES = "/v1/alerts/", "/v1/state/"


class Ear:
    """What was heard so far: (topic, payload, retain flag), in the order of arrival."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.listening = threading.Event()

    def below(self, part: str) -> list[tuple[str, bytes, bool]]:
        """Messages with this in their topic."""
        return [message for message in list(self.heard) if part in message[0]]

    def alerts(self) -> list[dict[str, Any]]:
        """CloudEvents of the live alerts."""
        return [json.loads(payload) for _, payload, _ in self.below(ALERTS)]


@contextmanager
def listening(port: int, *, root: str = "alertsim") -> Iterator[Ear]:
    """Listen to all topics; once subscribed, register so that a waiting run begins."""
    ear = Ear()

    # The callbacks take the client as an argument: a cycle would keep its sockets open.
    def connected(client: mqtt.Client, *_: Any) -> None:
        client.subscribe("#", qos=1)

    def subscribed(client: mqtt.Client, *_: Any) -> None:
        client.publish(f"{root}/v1/status/ear", '{"state":"online"}', qos=1, retain=True)
        ear.listening.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="ear")
    client.on_connect, client.on_subscribe = connected, subscribed
    client.on_message = lambda _c, _u, message: ear.heard.append(
        (message.topic, bytes(message.payload), message.retain)
    )
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        wait_until(ear.listening.is_set, 20)
        yield ear
    finally:
        client.disconnect()
        client.loop_stop()
