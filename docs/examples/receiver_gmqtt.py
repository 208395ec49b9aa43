"""A receiver on gmqtt that registers itself and reports a receipt for each alert.

python receiver_gmqtt.py HOST PORT PREFECTURE     (pip install gmqtt)
"""

import asyncio
import json
import sys
import time

import gmqtt
from gmqtt.mqtt.constants import MQTTv311

HOST, PORT, PREFECTURE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
NAME = f"gmqtt-{PREFECTURE}"  # MQTT client id: one per client on the broker
ALERTS = f"alertsim/v1/alerts/{PREFECTURE}/+"
STATUS, RECEIPTS = f"alertsim/v1/status/{NAME}", f"alertsim/v1/receipts/{NAME}"
ONLINE = {"state": "online", "filters": [{"filter": ALERTS, "qos": 1}], "clock": NAME}


def on_connect(client: gmqtt.Client, *_: object) -> None:
    """Subscribe; what follows waits for the acknowledgement."""
    client.subscribe(ALERTS, qos=1)


def on_subscribe(client: gmqtt.Client, *_: object) -> None:
    """Say online: from here on alerts are owed to this client."""
    client.publish(STATUS, json.dumps(ONLINE), qos=1, retain=True)


def on_message(
    client: gmqtt.Client, topic: str, payload: bytes, _qos: int, _properties: object
) -> int:
    """Report what arrived, in nanoseconds of a monotonic clock, as text."""
    received = time.monotonic_ns()
    try:
        identifier = json.loads(payload)["id"]
    except (ValueError, KeyError, TypeError):
        return 0  # not an alert: anything may be published on a topic
    print(topic, identifier, flush=True)
    receipt = {"id": identifier, "received_ns": str(received), "clock": NAME}
    client.publish(RECEIPTS, json.dumps(receipt), qos=1)
    return 0


async def main() -> None:
    """Connect and stay."""
    gone = gmqtt.Message(STATUS, json.dumps({"state": "offline"}), qos=1, retain=True)
    client = gmqtt.Client(NAME, will_message=gone)
    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    # gmqtt speaks MQTT 5 by itself and adds properties, which the embedded broker does not bear.
    await client.connect(HOST, PORT, version=MQTTv311)
    await asyncio.Event().wait()


asyncio.run(main())
