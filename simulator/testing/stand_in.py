"""A stand-in: speaks the receipt protocol for a receiver that does not.

Rule of the module: it never subscribes; it reports only what the receiver hands it. Its stamp is
taken in that call, so it includes the receiver's own way from the socket to there.
"""

import json
import re
from collections.abc import Sequence
from typing import Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from simulator.alerts.topics import alerts_filter, receipts_topic, status_topic
from simulator.clock import Clock, SystemClock, clock_domain
from simulator.delivery.messages import BrokerEndpoint
from simulator.delivery.preflight import check_admitted
from simulator.delivery.wire.tls import named_context
from simulator.errors import BrokerUnreachableError

_PATIENCE_S: Final = 10.0
_CAP_ID: Final = re.compile(r"<(?:\w+:)?identifier>([^<]+)</")


class StandIn:
    """Reports a receiver's receipts; made by ``alertsim.stand_in``.

    Args:
        client: what the receiver is called in the ledger.
        prefectures: slugs it is subscribed to, at least one.
        endpoint: of the broker.
        root: topic root.
        qos: QoS of its subscriptions.
        clock: where time comes from.

    Raises:
        ValueError: if no prefecture is given, or a name cannot stand in a topic.
        ConnectionError: if the broker cannot be reached, or does not take the status in time.
    """

    def __init__(
        self,
        client: str,
        prefectures: Sequence[str],
        *,
        endpoint: BrokerEndpoint,
        root: str,
        qos: int = 1,
        clock: Clock | None = None,
    ) -> None:
        if not prefectures:
            raise ValueError("say which prefectures it is subscribed to, for example miyagi")
        self.client = client
        self._clock = clock or SystemClock()
        self._domain = clock_domain()
        self._status = status_topic(root, client)
        self._receipts = receipts_topic(root, client)
        online = {
            "state": "online",
            "filters": [{"filter": alerts_filter(root, each), "qos": qos} for each in prefectures],
            "clock": self._domain,
        }
        self._mqtt = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"stand-in-{client}",
            transport="websockets" if endpoint.path else "tcp",
        )
        if endpoint.path:
            self._mqtt.ws_set_options(path=endpoint.path)
        if (tls := named_context(endpoint)) is not None:
            self._mqtt.tls_set_context(tls)
        self._mqtt.max_inflight_messages_set(1000)
        self._mqtt.will_set(self._status, '{"state":"offline"}', qos=1, retain=True)
        if endpoint.username is not None:
            self._mqtt.username_pw_set(endpoint.username, endpoint.password)
        self._connect(endpoint)
        self._mqtt.loop_start()
        self._open = True
        self._say(json.dumps(online))

    def _connect(self, endpoint: BrokerEndpoint) -> None:
        try:
            if endpoint.scheme != "mqtt":  # paho leaves a socket open where a handshake fails
                check_admitted(endpoint, _PATIENCE_S)
            self._mqtt.connect(endpoint.host, endpoint.port)
        except (OSError, BrokerUnreachableError) as error:
            where = f"{endpoint.scheme}://{endpoint.host}:{endpoint.port}"
            raise ConnectionError(f"the broker at {where} cannot be reached: {error}") from error

    def received(
        self,
        message: str | bytes | bytearray | dict[str, object],
        *,
        dup: bool = False,
        retain: bool = False,
    ) -> None:
        """The receiver got a message: report it.

        Args:
            message: its payload as it came, or already parsed.
            dup: its DUP flag.
            retain: its retain flag.

        Raises:
            ValueError: if it is no alert of alertsim: it has no id.
        """
        received_ns = self._clock.monotonic_ns()
        receipt = {
            "id": _identifier(message),
            "received_ns": str(received_ns),
            "clock": self._domain,
            "dup": dup,
            "retain": retain,
        }
        self._mqtt.publish(self._receipts, json.dumps(receipt), qos=1)

    def close(self) -> None:
        """Say offline and leave; may be called twice."""
        if not self._open:
            return
        self._open = False
        try:
            self._say('{"state":"offline"}')
        except ConnectionError:
            pass  # the broker ended first, and the status with it
        finally:
            self._mqtt.disconnect()
            self._mqtt.loop_stop()

    def _say(self, status: str) -> None:
        said = self._mqtt.publish(self._status, status, qos=1, retain=True)
        try:
            said.wait_for_publish(_PATIENCE_S)
        except RuntimeError as error:
            raise ConnectionError(f"the broker is gone: {error}") from error
        if not said.is_published():
            raise ConnectionError(f"the broker did not take {self._status} in {_PATIENCE_S:g} s")


def _identifier(message: str | bytes | bytearray | dict[str, object]) -> str:
    if isinstance(message, dict):
        found = message.get("id")
    else:
        text = message if isinstance(message, str) else message.decode(errors="replace")
        if text.lstrip().startswith("<"):
            match = _CAP_ID.search(text)
            found = match[1] if match else None
        else:
            document = json.loads(text)
            found = document.get("id") if isinstance(document, dict) else None
    if not isinstance(found, str):
        raise ValueError("not an alert of alertsim: it has no id")  # noqa: TRY004  # its content
    return found
