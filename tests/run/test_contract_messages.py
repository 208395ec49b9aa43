"""The published contract against what really goes over a broker: every message on every topic."""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import paho.mqtt.publish as paho
import pytest
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from tests.run.cast import EXAMPLES, on_stage
from tests.run.ear import listening
from tests.run.processes import Alertsim, wait_until

Start = Callable[..., Alertsim]
Message = tuple[str, bytes, bool]
CONTRACT = EXAMPLES.parent / "reference" / "asyncapi.yaml"
RECEIVER = {"paho-miyagi": [sys.executable, str(EXAMPLES / "receipt_client_paho.py")]}
ASKED = b'{"n":1,"t1_ns":"71000000"}'


class Contract:
    """The document as users read it, ready to judge messages."""

    def __init__(self) -> None:
        text = CONTRACT.read_text(encoding="utf-8")
        self.document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
        self.addresses = {
            name: re.compile(re.sub(r"\{(\w+)\}", self._level, channel["address"]))
            for name, channel in self.document["channels"].items()
        }
        self.judges = {
            name: Draft7Validator({**self.document, "allOf": [message["payload"]]})
            for name, message in self.document["components"]["messages"].items()
        }

    def _level(self, found: re.Match[str]) -> str:
        """One level of a topic: one of the values listed, or anything."""
        listed = self.document["components"]["parameters"][found[1]].get("enum")
        return f"({'|'.join(map(re.escape, listed))})" if listed else "([^/]+)"

    def judge(self, topic: str, payload: bytes) -> tuple[str, str]:
        """The channel and the one message of it that this is."""
        (channel,) = (name for name, one in self.addresses.items() if one.fullmatch(topic))
        text = payload.decode()
        value = json.loads(text) if text.startswith("{") else text
        fits = [
            name
            for name in self.document["channels"][channel]["messages"]
            if self.judges[name].is_valid(value)
        ]
        assert len(fits) == 1, f"{topic}: {fits}: {text}"
        return channel, fits[0]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract()


@pytest.fixture
def play(alertsim: Start) -> Callable[[str, str], list[Message]]:
    """A run with a client that asks for the time and a receiver that reports, all of it heard."""

    def played(broker: str, form: str) -> list[Message]:
        receivers = RECEIVER if form == "json" else {}  # the example reads JSON
        run = alertsim(
            *("run", "tohoku-2022-11-03", "--speed", "3000", "--subscribers", "6", "--out", "runs"),
            *("--broker", broker, "--format", form, "--json"),
            *("--wait-for-clients", str(1 + len(receivers))),
        )
        run.wait_for("wait:")
        port = run.port("3.1.1")
        with listening(port) as ear:
            topic = "alertsim/v1/clock/asker/request"
            paho.single(topic, ASKED, hostname="127.0.0.1", port=port, client_id="asker")
            wait_until(lambda: bool(ear.below("/clock/asker/response")), 20)
            with on_stage(receivers, "127.0.0.1", port):
                assert run.wait() == 0, run.stderr()
            return list(ear.heard)

    return played


@pytest.mark.parametrize(
    "broker", ["embedded", pytest.param("mosquitto", marks=pytest.mark.mosquitto)]
)
def test_every_message_of_a_run_is_one_that_the_contract_describes(
    play: Callable[[str, str], list[Message]], contract: Contract, broker: str
) -> None:
    heard = [one for one in play(broker, "json") if "/probe/" not in one[0]]  # ours alone
    found = Counter(contract.judge(topic, payload) for topic, payload, _ in heard)

    assert {channel for channel, _ in found} == contract.addresses.keys(), "each topic was used"
    assert found["alerts", "alert"] == 9
    assert found["receipts", "receipt"] == 3
    assert found["state", "alert"] + found["state", "cleared"] >= 9
    assert {name for _, name in found} == contract.judges.keys() - {"alertCapXml"}
    for topic, payload, _ in heard:
        if contract.judge(topic, payload)[1] == "alert":
            _conforms(payload)
    examples = {
        one["name"]: one["payload"]
        for one in contract.document["components"]["messages"]["alert"]["examples"]
    }
    real = {
        topic.rpartition("/")[2]: json.loads(payload)
        for topic, payload, _ in heard
        if topic.startswith("alertsim/v1/alerts/miyagi/")
    }
    assert real.keys() == examples.keys() == {"launch", "passage", "correction"}
    for event, example in examples.items():
        assert _shape(real[event]) == _shape(example), f"the example of {event} is as it comes"


def _shape(value: Any) -> Any:  # any part of a message
    """Names and kinds of values, in order, without what differs between two runs."""
    match value:
        case dict():
            return [(name, _shape(inner)) for name, inner in value.items()]
        case list():
            return [_shape(inner) for inner in value]
        case _:
            return type(value).__name__


def _conforms(payload: bytes) -> None:
    """By the reader of the CloudEvents project, which checks every attribute."""
    form = JSONFormat()
    event = form.read(CloudEvent, payload)
    assert json.loads(form.write(event)) == json.loads(payload), "nothing added, nothing lost"
    data = event.get_data()
    assert isinstance(data, dict)
    assert event.get_id() == data["identifier"]
    assert event.get_source().startswith("https://alertsim.invalid/runs/")


def test_a_reader_of_cloudevents_refuses_what_is_none() -> None:
    with pytest.raises(CloudEventValidationError):
        _conforms(b'{"specversion":"1.0","id":"a","type":"t","data":{}}')


def test_every_message_of_a_run_in_cap_xml_is_one_that_the_contract_describes(
    play: Callable[[str, str], list[Message]], contract: Contract
) -> None:
    heard = [one for one in play("embedded", "cap-xml") if "/probe/" not in one[0]]
    found = Counter(contract.judge(topic, payload) for topic, payload, _ in heard)

    assert found["alerts", "alertCapXml"] == 9
    assert {name for channel, name in found if channel == "state"} == {"alertCapXml", "cleared"}
