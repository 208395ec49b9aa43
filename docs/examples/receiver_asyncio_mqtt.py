"""A receiver on the legacy asyncio-mqtt 0.16.2, for programs that have not moved to aiomqtt yet.

python receiver_asyncio_mqtt.py HOST PORT PREFECTURE

It needs an environment of its own: pip install asyncio-mqtt==0.16.2 paho-mqtt==1.6.1
"""

import asyncio
import json
import sys
import time

import asyncio_mqtt

HOST, PORT, PREFECTURE = sys.argv[1], int(sys.argv[2]), sys.argv[3]
NAME = f"asyncio-mqtt-{PREFECTURE}"  # MQTT client id: one per client on the broker
ALERTS = f"alertsim/v1/alerts/{PREFECTURE}/+"
STATUS, RECEIPTS = f"alertsim/v1/status/{NAME}", f"alertsim/v1/receipts/{NAME}"


async def main() -> None:
    """Subscribe, say online, report what arrives."""
    gone = asyncio_mqtt.Will(STATUS, json.dumps({"state": "offline"}), qos=1, retain=True)
    online = {"state": "online", "filters": [{"filter": ALERTS, "qos": 1}], "clock": NAME}
    async with (
        asyncio_mqtt.Client(HOST, PORT, client_id=NAME, will=gone) as client,
        client.messages() as messages,
    ):
        await client.subscribe(ALERTS, qos=1)
        # Only now: from here on alerts are owed to this client.
        await client.publish(STATUS, json.dumps(online), qos=1, retain=True)
        async for message in messages:
            # Taken when the message leaves asyncio-mqtt's queue: behind a burst it is late.
            received = time.monotonic_ns()
            try:
                identifier = json.loads(message.payload)["id"]
            except (ValueError, KeyError, TypeError):
                continue  # not an alert: anything may be published on a topic
            print(message.topic, identifier, flush=True)
            receipt = {"id": identifier, "received_ns": str(received), "clock": NAME}
            await client.publish(RECEIPTS, json.dumps(receipt), qos=1)


asyncio.run(main())
