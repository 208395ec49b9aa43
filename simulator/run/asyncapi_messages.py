"""The messages of the MQTT contract, each with examples as they go on the wire.

Rule of the module: examples are made by the composer and the models, from the founding case; none
is written by hand.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel
from ruamel.yaml.scalarstring import LiteralScalarString

from simulator.alerts import topics
from simulator.alerts.compose import ExerciseContext, compose, encode, sent_for
from simulator.alerts.contract import (
    ClockRequest,
    ClockResponse,
    ReceiptPayload,
    StatusPayload,
)
from simulator.delivery.pacer import schedule
from simulator.measure.plan import ScheduledAlert
from simulator.model import simulate
from simulator.model.timeline import AlertEvent
from simulator.scenario import load_scenario
from simulator.units import NS_PER_S

Document = dict[str, Any]

ROOT: Final = "alertsim"
CLIENT: Final = "siren-controller-7"
_RUN: Final = "20261122t142400-k3f9"
_SCENARIO: Final = "tohoku-2022-11-03"
_START_NS: Final = 5_000 * NS_PER_S
_START_UNIX_NS: Final = 1_795_325_040 * NS_PER_S  # 2026-11-22T14:24:00+09:00
_COMPOSING_NS: Final = 180_000
_DOMAIN: Final = "3f1c7a52-0000-4000-8000-1c2d3e4f5a6b/4026531834"


def messages() -> Document:
    """Every message by name: its schema and its examples."""
    examples = dict(_payloads("json"))
    (_, xml), *_ = _payloads("cap-xml")
    identifier = json.loads(examples[AlertEvent.LAUNCH])["id"]
    cap = {"name": AlertEvent.LAUNCH.value, "payload": LiteralScalarString(xml.decode())}
    said = [
        ("online", StatusPayload.model_validate(_online())),
        ("last will", StatusPayload(state="offline")),
    ]
    return {
        "alert": {
            "title": "Alert, as CloudEvents 1.0 JSON with CAP 1.2 in data",
            "contentType": "application/cloudevents+json",
            "correlationId": {"location": "$message.payload#/id"},
            "payload": ref("schemas", "Alert"),
            "examples": [
                {"name": event.value, "payload": json.loads(payload)}
                for event, payload in examples.items()
            ],
        },
        "alertCapXml": {
            "title": "Alert, as CAP 1.2 XML (--format cap-xml)",
            "contentType": "application/cap+xml",
            "payload": {"type": "string", "pattern": "^<\\?xml "},
            "examples": [cap],
        },
        "cleared": {
            "title": "The empty payload: no alert in force, or a client gone for good",
            "contentType": "application/octet-stream",
            "payload": {"type": "string", "maxLength": 0},
            "examples": [{"name": "cleared", "payload": ""}],
        },
        "status": _message("A client is there, or gone", StatusPayload, said),
        "receipt": _message(
            "A message reached a client",
            ReceiptPayload,
            [
                (
                    "with stamps",
                    ReceiptPayload(
                        id=identifier,
                        received_ns=_START_NS + 1_400_000,
                        handled_ns=_START_NS + 1_900_000,
                        clock=CLIENT,
                    ),
                ),
                ("without a clock", ReceiptPayload(id=identifier)),
            ],
            "id",
        ),
        "clockRequest": _message(
            "What time is it?",
            ClockRequest,
            [("first", ClockRequest(n=1, t1_ns=71_000_000))],
            "n",
        ),
        "clockResponse": _message(
            "The time",
            ClockResponse,
            [
                (
                    "first",
                    ClockResponse(n=1, t1_ns=71_000_000, t2_ns=_START_NS, t3_ns=_START_NS + 40_000),
                )
            ],
            "n",
        ),
    }


def _message(
    title: str,
    model: type[BaseModel],
    examples: list[tuple[str, Any]],
    correlation: str = "",
) -> Document:
    found: Document = {"title": title, "payload": ref("schemas", model.__name__)}
    if correlation:
        found["correlationId"] = {"location": f"$message.payload#/{correlation}"}
    found["examples"] = [
        {"name": name, "payload": json.loads(payload.encode())} for name, payload in examples
    ]
    return found


def _online() -> Document:
    wanted = topics.alerts_filter(ROOT, "miyagi")
    return {"state": "online", "filters": [{"filter": wanted, "qos": 1}], "clock": CLIENT}


def _payloads(payload_format: str) -> Iterator[tuple[AlertEvent, bytes]]:
    """What the first prefecture of the founding case gets, at 600 times the speed."""
    timeline = simulate(load_scenario(_SCENARIO), 7)
    context = ExerciseContext(
        run=_RUN,
        scenario=timeline.scenario,
        title=timeline.title,
        seed=timeline.seed,
        epoch=timeline.epoch.isoformat(),
        root=ROOT,
        payload_format=payload_format,
        clock_domain=_DOMAIN,
        start_scenario_ns=timeline.alerts[0].at_ns,
        start_wall_ns=_START_NS,
        start_unix_ns=_START_UNIX_NS,
        speed=600.0,
    )
    planned = schedule(
        timeline,
        run=_RUN,
        root=ROOT,
        qos=1,
        speed=Decimal(600),
        repeat=1,
        gap_ns=0,
        start_ns=_START_NS,
    )
    for alert in planned:
        if alert.planned.prefecture == planned[0].planned.prefecture:
            yield alert.planned.event, _encoded(alert, planned, context)


def _encoded(
    alert: ScheduledAlert, planned: tuple[ScheduledAlert, ...], context: ExerciseContext
) -> bytes:
    earlier = [planned[number] for number in alert.references]
    message = compose(
        planned=alert.planned,
        identifier=alert.identifier,
        sequence=alert.sequence,
        repetition=alert.repetition,
        references=[
            (each.identifier, sent_for(context, each.planned, each.intended_ns)) for each in earlier
        ],
        intended_ns=alert.intended_ns,
        composed_ns=alert.intended_ns + _COMPOSING_NS,
        context=context,
    )
    return encode(message, context.payload_format)


def ref(kind: str, name: str) -> Document:
    """A reference to a component of the document."""
    return {"$ref": f"#/components/{kind}/{name}"}
