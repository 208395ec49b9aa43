"""Locust's own MQTT user, counting what it receives; run by the interpreter of Locust's venv.

``python locust_peer.py PORT VERSION QOS FILTER CLIENTS MESSAGES`` says ``ready`` once everybody is
subscribed, then ``COUNT LAST_NS`` once everything came or nothing came for ten seconds, and ends
when its standard input closes. It fires one request event a message, as Locust's users do.
"""

import sys
import time  # not part of the product: Locust's venv does not have it

import gevent
import paho.mqtt.client as mqtt
from locust.contrib.mqtt import MqttUser
from locust.env import Environment

PORT, VERSION, QOS, FILTER, CLIENTS, MESSAGES = sys.argv[1:]
EXPECTED = int(CLIENTS) * int(MESSAGES)
SILENCE_S = 10.0
SPAWN_PER_S = 100


class Reader(MqttUser):  # type: ignore[misc]  # Locust carries no types
    """Subscribes once and counts."""

    host, port = "127.0.0.1", int(PORT)
    protocol = mqtt.MQTTv5 if VERSION == "5" else mqtt.MQTTv311
    use_loop_selectors = True
    count = last_ns = subscribed = 0

    def on_start(self) -> None:
        """Subscribe when connected, and count from then on."""
        announced = self.client.on_subscribe

        def on_subscribe(*arguments: object) -> None:
            Reader.subscribed += 1
            announced(*arguments)

        def on_message(client: object, userdata: object, message: mqtt.MQTTMessage) -> None:
            del client, userdata
            Reader.count += 1
            Reader.last_ns = time.monotonic_ns()
            self.environment.events.request.fire(
                request_type="MQTT",
                name="receive",
                response_time=0,
                response_length=len(message.payload),
                exception=None,
                context={},
            )

        self.client.on_subscribe = on_subscribe
        self.client.on_message = on_message
        while not self.client.is_connected():
            gevent.sleep(0.02)
        self.client.subscribe(FILTER, int(QOS))

    def wait_time(self) -> float:
        """Its task has nothing to do."""
        return 3600.0

    def nothing(self) -> None:
        """A user without a task is refused."""

    tasks = [nothing]  # noqa: RUF012  # Locust's own interface


def main() -> None:
    """Spawn, count, report."""
    environment = Environment(user_classes=[Reader])
    runner = environment.create_local_runner()
    runner.start(int(CLIENTS), spawn_rate=SPAWN_PER_S)
    while Reader.subscribed < int(CLIENTS):
        gevent.sleep(0.05)
    print("ready", flush=True)
    seen, silent_s = -1, 0.0
    while Reader.count < EXPECTED and silent_s < SILENCE_S * (1 if Reader.count else 6):
        silent_s = silent_s + 0.05 if Reader.count == seen else 0.0
        seen = Reader.count
        gevent.sleep(0.05)
    print(Reader.count, Reader.last_ns, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
