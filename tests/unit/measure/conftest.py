"""A small exercise to account for: alerts, subscribers and receipts in a line each."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.measure.account import Account
from simulator.measure.ledger import Ledger
from simulator.measure.measured import Measured
from simulator.measure.plan import PlannedSubscriber, ScheduledAlert, SubscriberKind
from simulator.measure.receipts import (
    NO_TIME,
    ConnectionChange,
    ConnectionEvent,
    ReceiptBatch,
    ReceiptFlag,
)
from simulator.measure.summary import BrokerSummary, Provenance, RunFacts
from simulator.model.timeline import AlertEvent, MsgType, PlannedAlert, Timeline

S = 1_000_000_000
MS = 1_000_000
T0 = 1_000 * S
ROOT = "alertsim/v1"


class Kit:
    """Builders; every time is in seconds or nanoseconds after T0, the first intended send."""

    S = S
    MS = MS
    T0 = T0
    Flag = ReceiptFlag
    Change = ConnectionChange
    Kind = SubscriberKind

    def alert(self, number: int, at_s: float = 0, **changes: Any) -> ScheduledAlert:
        prefecture = changes.pop("prefecture", "miyagi")
        event = changes.pop("event", AlertEvent.LAUNCH)
        fields: dict[str, Any] = {
            "number": number,
            "repetition": 0,
            "sequence": number + 1,
            "identifier": f"run-{prefecture}-{number + 1}",
            "references": (),
            "topic": f"{ROOT}/alerts/{prefecture}/{event.value}",
            "state_topic": f"{ROOT}/state/{prefecture}",
            "qos": 1,
            "burst": number,
            "intended_ns": T0 + round(at_s * S),
        }
        planned: dict[str, Any] = {
            "number": number,
            "event_number": number,
            "at_ns": 660 * S + round(at_s * S),
            "launch": "first",
            "prefecture": prefecture,
            "event": event,
            "msg_type": MsgType.ALERT,
            "sequence": 1,
            "in_force": True,
            "believed_arrival_ns": 540 * S,
            "true_arrival_ns": None,
            "reason": "",
            "stages": (),
            "cause": 0,
        }
        plan = {k: changes.pop(k) for k in list(changes) if k in planned and k not in fields}
        made = changes.pop("planned", None) or PlannedAlert(**{**planned, **plan})
        return ScheduledAlert(planned=made, **{**fields, **changes})

    def sub(self, number: int, prefecture: str = "miyagi", **changes: Any) -> PlannedSubscriber:
        qos = changes.pop("qos", 1)
        fields: dict[str, Any] = {
            "number": number,
            "client": f"client-{number}",
            "kind": SubscriberKind.SWARM,
            "prefecture": prefecture,
            "filters": ((f"{ROOT}/alerts/{prefecture}/+", qos),),
        }
        return PlannedSubscriber(**{**fields, **changes})

    def row(
        self,
        subscriber: int,
        alert: int,
        received_ns: int | None = MS,
        *,
        flags: int = 0,
        uncertainty_ns: int = 0,
        handled_ns: int | None = None,
    ) -> tuple[int, int, int, int, int, int]:
        received = NO_TIME if received_ns is None else T0 + received_ns
        if handled_ns is not None:
            handled = T0 + handled_ns
        else:
            handled = received if received == NO_TIME else received + 100
        return (subscriber, alert, received, uncertainty_ns, handled, int(flags))

    def batch(self, *rows: tuple[int, int, int, int, int, int]) -> ReceiptBatch:
        return ReceiptBatch.from_rows(list(rows))

    def change(
        self, subscriber: int, change: ConnectionChange, at_s: float, **more: Any
    ) -> ConnectionEvent:
        alive = more.pop("last_alive_s", None)
        return ConnectionEvent(
            subscriber=subscriber,
            change=change,
            at_ns=T0 + round(at_s * S),
            last_alive_ns=NO_TIME if alive is None else T0 + round(alive * S),
            **more,
        )

    def ledger(
        self, alerts: Sequence[ScheduledAlert], subs: Sequence[PlannedSubscriber], **more: Any
    ) -> Ledger:
        return Ledger(alerts, subs, **more)

    def send(self, ledger: Ledger, *numbers: int, late_ns: int = 1000) -> None:
        """Send alerts, each ``late_ns`` after its intended time."""
        for number in numbers:
            intended = ledger.alerts[number].intended_ns
            ledger.sent(number, intended, intended + late_ns)

    def close(self, ledger: Ledger, at_s: float = 100, *, drained: bool = True) -> Account:
        if drained:
            ledger.drain_ended(T0 + round((at_s - 1) * S))
        return ledger.close(T0 + round(at_s * S))

    def measured(
        self,
        latencies_ms: Sequence[float],
        *,
        bursts: int = 1,
        uncertainty_ns: int = 0,
        **changes: Any,
    ) -> Measured:
        """Deliveries to as many subscribers as it takes, spread evenly over the bursts."""
        alerts = [self.alert(number, at_s=number, **changes) for number in range(bursts)]
        per_burst = -(-len(latencies_ms) // bursts)
        ledger = self.ledger(alerts, [self.sub(number) for number in range(per_burst)])
        self.send(ledger, *range(bursts))
        ledger.receipts(
            self.batch(
                *(
                    self.row(
                        index % per_burst,
                        index // per_burst,
                        (index // per_burst) * S + round(latency * MS),
                        uncertainty_ns=uncertainty_ns,
                    )
                    for index, latency in enumerate(latencies_ms)
                )
            )
        )
        return Measured(self.close(ledger, at_s=bursts + 100))

    def timeline(self, alerts: Sequence[ScheduledAlert], events: Sequence[Any] = ()) -> Timeline:
        planned = {alert.planned.number: alert.planned for alert in alerts}
        return Timeline(
            scenario="drill",
            title="Drill",
            epoch=datetime(2022, 11, 3, 7, 39, tzinfo=UTC),
            seed=7,
            replication=0,
            version="0",
            events=tuple(events),
            alerts=tuple(planned.values()),
        )

    def facts(self, **changes: Any) -> RunFacts:
        fields: dict[str, Any] = {
            "run": "run",
            "scenario": "drill",
            "title": "Drill",
            "epoch": "2022-11-03T07:39:00+00:00",
            "seed": 7,
            "speed": 1.0,
            "repeat": 1,
            "subscribers": 1,
            "controls": 0,
            "late_after_ns": 10 * S,
            "timeline_digest": "",
            "started": "",
            "ended": "",
            "start_monotonic_ns": str(T0),
            "start_unix_ns": "0",
            "duration_ns": 0,
        }
        return RunFacts(**{**fields, **changes})

    def broker(self) -> BrokerSummary:
        return BrokerSummary(
            kind="embedded", name="", version="", addresses={}, settings={}, notes=()
        )

    def provenance(self) -> Provenance:
        return Provenance(command="", version="", python="", packages={}, host={})


@pytest.fixture(scope="session")
def kit() -> Kit:
    return Kit()
