"""A receiver on paho-mqtt 2 that registers itself and reports a receipt for each alert.

python receipt_client_paho.py HOST PORT PREFECTURE     (pip install paho-mqtt)
"""

import json
import sys
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

HOST, PORT, PREFECTURE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
NAME, ALERTS = f"paho-{PREFECTURE}", f"alertsim/v1/alerts/{PREFECTURE}/+"  # one NAME per client
STATUS, RECEIPTS = f"alertsim/v1/status/{NAME}", f"alertsim/v1/receipts/{NAME}"
# Any name will do for the clock: the run estimates its offset from the stamps in the receipts.
ONLINE = {"state": "online", "filters": [{"filter": ALERTS, "qos": 1}], "clock": NAME}


def on_connect(client: mqtt.Client, *_: Any) -> None:  # noqa: ANN401
    """Subscribe, then say online: from here on alerts are owed to this client."""
    client.subscribe(ALERTS, qos=1)
    client.publish(STATUS, json.dumps(ONLINE), qos=1, retain=True)


def on_message(client: mqtt.Client, _: object, message: mqtt.MQTTMessage) -> None:
    """Report what arrived, in nanoseconds of a monotonic clock, as text."""
    receipt = {"received_ns": str(time.monotonic_ns()), "clock": NAME, "dup": message.dup}
    receipt["id"] = json.loads(message.payload)["id"]
    client.publish(RECEIPTS, json.dumps(receipt), qos=1)
    print(message.topic, receipt["id"], flush=True)


client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=NAME)
client.on_connect, client.on_message = on_connect, on_message
client.suppress_exceptions = True  # anybody may publish anything: skip what is not an alert
client.will_set(STATUS, '{"state":"offline"}', qos=1, retain=True)
client.connect(HOST, PORT)
client.loop_forever()
