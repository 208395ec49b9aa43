"""The published contract: well formed, its examples true, and the one that the code keeps."""

import copy
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, ValidationError
from ruamel.yaml import YAML

from simulator.alerts import topics
from simulator.alerts.contract import (
    ClockRequest,
    ClockResponse,
    ReceiptPayload,
    RefusedPayloadError,
    StatusPayload,
    parse_payload,
)
from simulator.alerts.recognise import identify
from simulator.alerts.schema import payload_json_schema
from simulator.model.timeline import AlertEvent
from simulator.run.asyncapi import asyncapi_document, asyncapi_text
from simulator.world.geography import prefectures

ROOT = Path(__file__).resolve().parents[2]
PARSER = ROOT / "tests" / "data" / "parse_asyncapi.mjs"
# 3.0.0 on purpose: tools that read 3.1 read it too, and those in use today read no later one.
BESIDE_THE_POINT = {"asyncapi-latest-version"}
MODELS: dict[str, Any] = {
    "status": StatusPayload,
    "receipt": ReceiptPayload,
    "clockRequest": ClockRequest,
    "clockResponse": ClockResponse,
}
BUILT = {
    "alerts": lambda part: topics.alert_topic("alertsim", part["prefecture"], part["event"]),
    "state": lambda part: topics.state_topic("alertsim", part["prefecture"]),
    "status": lambda part: topics.status_topic("alertsim", part["client"]),
    "receipts": lambda part: topics.receipts_topic("alertsim", part["client"]),
    "clockRequest": lambda part: topics.clock_request_topic("alertsim", part["client"]),
    "clockResponse": lambda part: topics.clock_response_topic("alertsim", part["client"]),
}


@pytest.fixture(scope="module", name="contract")
def _contract() -> dict[str, Any]:
    """As users read it: the file in the repository."""
    text = (ROOT / "docs" / "reference" / "asyncapi.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return read


def _follow(contract: dict[str, Any], reference: str) -> Any:
    found: Any = contract
    assert reference.startswith("#/")
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def _references(part: Any) -> Iterator[str]:
    match part:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for value in part.values():
                yield from _references(value)
        case list():
            for value in part:
                yield from _references(value)
        case _:
            pass


def _validator(contract: dict[str, Any], message: str) -> Draft7Validator:
    schema = contract["components"]["messages"][message]["payload"]
    whole = {**contract, "allOf": [schema]}  # references are resolved in the whole document
    return Draft7Validator(whole, format_checker=Draft7Validator.FORMAT_CHECKER)


def _examples(contract: dict[str, Any], message: str) -> list[Any]:
    examples = contract["components"]["messages"][message]["examples"]
    return [copy.deepcopy(each["payload"]) for each in examples]


def _compact(example: Any) -> bytes:
    """As it goes on the wire."""
    return json.dumps(example, ensure_ascii=False, separators=(",", ":")).encode()


def test_file_is_what_the_generator_writes(contract: dict[str, Any]) -> None:
    assert contract == json.loads(json.dumps(asyncapi_document()))
    written = (ROOT / "docs" / "reference" / "asyncapi.yaml").read_text(encoding="utf-8")
    assert written == asyncapi_text()


def _parsed(modules: Path, document: Path) -> tuple[list[str] | None, list[dict[str, Any]]]:
    """Ids of the messages that AsyncAPI's own parser finds, and what it has to say."""
    done = subprocess.run(
        ["node", str(PARSER), str(modules), str(document)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = json.loads(done.stdout)
    said = [each for each in found["diagnostics"] if each["code"] not in BESIDE_THE_POINT]
    return found["messages"], said


@pytest.mark.npm
def test_parser_of_asyncapi_finds_nothing_to_say(
    npm_modules: Path, contract: dict[str, Any]
) -> None:
    messages, said = _parsed(npm_modules, ROOT / "docs" / "reference" / "asyncapi.yaml")
    assert said == []
    assert set(messages or ()) == contract["components"]["messages"].keys()


@pytest.mark.npm
def test_parser_of_asyncapi_refuses_what_is_no_contract(
    npm_modules: Path, contract: dict[str, Any], tmp_path: Path
) -> None:
    wrong = copy.deepcopy(contract)
    wrong["channels"]["status"]["parameters"].clear()
    wrong["operations"]["sendAlert"]["channel"]["$ref"] = "#/channels/nowhere"
    wrong["components"]["messages"]["receipt"]["examples"][0]["body"] = {}
    (tmp_path / "wrong.json").write_text(json.dumps(wrong), encoding="utf-8")
    messages, said = _parsed(npm_modules, tmp_path / "wrong.json")
    assert messages is None
    codes = {"asyncapi3-channel-parameters", "invalid-ref", "asyncapi-document-resolved"}
    assert codes <= {each["code"] for each in said}


def test_every_reference_leads_somewhere(contract: dict[str, Any]) -> None:
    references = set(_references(contract))
    assert len(references) > 20
    for reference in references:
        assert isinstance(_follow(contract, reference), dict)


def test_nothing_is_defined_that_nothing_uses(contract: dict[str, Any]) -> None:
    references = set(_references(contract))
    for kind, parts in contract["components"].items():
        for name in parts:
            assert f"#/components/{kind}/{name}" in references
    channels = {each["channel"]["$ref"] for each in contract["operations"].values()}
    assert channels == {f"#/channels/{name}" for name in contract["channels"]}


def test_addresses_are_the_topics_that_the_code_builds(contract: dict[str, Any]) -> None:
    assert contract["channels"].keys() == BUILT.keys()
    for name, channel in contract["channels"].items():
        values = {
            parameter: _follow(contract, known["$ref"])["examples"][0]
            for parameter, known in channel["parameters"].items()
        }
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == values.keys()
        topic = channel["address"].format(**values)
        assert topic == BUILT[name](values)
        assert topics.parse_topic("alertsim", topic) is not None


def test_channels_cover_every_kind_of_topic_but_our_own_probe(contract: dict[str, Any]) -> None:
    values = {"prefecture": "miyagi", "event": "launch", "client": "c"}
    kinds = set()
    for channel in contract["channels"].values():
        topic = topics.parse_topic("alertsim", channel["address"].format(**values))
        assert topic is not None
        kinds.add(topic.kind)
    assert kinds == set(topics.TopicKind) - {topics.TopicKind.PROBE}


def test_parameters_list_all_prefectures_and_events(contract: dict[str, Any]) -> None:
    parameters = contract["components"]["parameters"]
    assert parameters["prefecture"]["enum"] == [place.slug for place in prefectures()]
    assert len(parameters["prefecture"]["enum"]) == 47
    assert parameters["event"]["enum"] == [event.value for event in AlertEvent]


def test_live_alerts_are_never_retained_and_states_always(contract: dict[str, Any]) -> None:
    kept = {
        each["channel"]["$ref"].rpartition("/")[2]: each["bindings"]["mqtt"]["retain"]
        for each in contract["operations"].values()
    }
    assert [name for name, retained in kept.items() if retained] == ["state", "status"]


def test_every_message_has_examples_that_fit_its_schema(contract: dict[str, Any]) -> None:
    for name in contract["components"]["messages"]:
        validator = _validator(contract, name)
        examples = _examples(contract, name)
        assert examples
        for example in examples:
            validator.validate(example)


def test_alert_examples_are_ones_that_a_receiver_recognises(contract: dict[str, Any]) -> None:
    examples = _examples(contract, "alert")
    assert [each["data"]["simulation"]["event"] for each in examples] == [
        "launch",
        "passage",
        "correction",
    ]
    for example in examples:
        assert identify(_compact(example)) == example["id"]
        Draft202012Validator(payload_json_schema()).validate(example)
    (xml,) = _examples(contract, "alertCapXml")
    assert identify(xml.encode()) == examples[0]["id"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("data", "status"), "Actual"),
        (("data", "info", 0, "headline"), "ミサイル発射"),
        (("data", "info", 1, "language"), "ja-JP"),
        (("data", "info"), []),
        (("data", "simulation", "at_ns"), 5),
    ],
)
def test_alert_schema_keeps_the_exercise_promise(
    contract: dict[str, Any], path: tuple[Any, ...], value: object
) -> None:
    example = _examples(contract, "alert")[0]
    inner = example
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(ValidationError):
        _validator(contract, "alert").validate(example)


def test_third_text_is_refused_as_by_the_schema_that_it_comes_from(
    contract: dict[str, Any],
) -> None:
    example = _examples(contract, "alert")[0]
    example["data"]["info"].append(example["data"]["info"][0])
    assert not _validator(contract, "alert").is_valid(example)
    assert not Draft202012Validator(payload_json_schema()).is_valid(example)


@pytest.mark.parametrize("message", list(MODELS))
def test_examples_of_clients_are_read_by_the_run(contract: dict[str, Any], message: str) -> None:
    for example in _examples(contract, message):
        read = parse_payload(MODELS[message], json.dumps(example).encode())
        assert json.loads(read.encode()) == example


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("status", {"state": "away"}),
        ("status", {"state": "online", "filters": [{"filter": "a", "qos": 3}]}),
        ("status", {"state": "online", "more": 1}),
        ("receipt", {"received_ns": "1"}),
        ("receipt", {"id": "a", "received_ns": 1}),
        ("receipt", {"id": "a", "received_ns": "-1"}),
        ("receipt", {"id": "a", "received_ns": "1" * 20}),
        ("receipt", {"id": "a", "recieved_ns": "1"}),
        ("clockRequest", {"n": -1, "t1_ns": "1"}),
        ("clockRequest", {"n": 1, "t1_ns": 1}),
        ("clockResponse", {"n": 1, "t1_ns": "1", "t2_ns": "1"}),
    ],
)
def test_what_the_run_refuses_the_contract_forbids(
    contract: dict[str, Any], message: str, payload: dict[str, Any]
) -> None:
    with pytest.raises(RefusedPayloadError):
        parse_payload(MODELS[message], json.dumps(payload).encode())
    assert not _validator(contract, message).is_valid(payload)
