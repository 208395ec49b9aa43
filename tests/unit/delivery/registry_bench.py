"""A registry with a manual clock, and what it registered: shared by its tests."""

import json

from simulator.clock import ManualClock
from simulator.delivery.aio import Incoming
from simulator.delivery.registry import ForeignClient, ForeignRegistry, Reply
from simulator.measure.receipts import ReceiptBatch, ReceiptFlag

HERE = "boot/1"
ALERT_ID = "run-miyagi-1"
USER, TRIP = ReceiptFlag.USER_STAMP, ReceiptFlag.ROUND_TRIP


class Bench:
    """A registry, its clock, and what it registered."""

    def __init__(self, drift_ppm: int = 0, bound_limit_ns: int = 10**9) -> None:
        self.clock = ManualClock(monotonic=1_000_000)
        self.registered: list[ForeignClient] = []
        self.registry = ForeignRegistry(
            root="alertsim",
            domain=HERE,
            identifiers={ALERT_ID: 7, "run-miyagi-2": 8},
            register=self._register,
            clock=self.clock,
            drift_ppm=drift_ppm,
            bound_limit_ns=bound_limit_ns,
        )

    def _register(self, client: ForeignClient) -> int:
        self.registered.append(client)
        return 99 + len(self.registered)

    def hear(
        self, topic: str, payload: bytes | dict[str, object], *, retain: bool = False
    ) -> Reply | None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return self.registry.take(
            Incoming(
                topic=f"alertsim/v1/{topic}",
                payload=body,
                qos=1,
                retain=retain,
                dup=False,
                at_ns=self.clock.monotonic_ns(),
            )
        )

    def online(self, client: str = "siren", **more: object) -> None:
        self.hear(f"status/{client}", {"state": "online", **more}, retain=True)

    def receipt(self, client: str = "siren", identifier: str = ALERT_ID, **more: object) -> None:
        self.hear(f"receipts/{client}", {"id": identifier, **more})


def rows(batch: ReceiptBatch) -> list[tuple[int, ...]]:
    return [tuple(int(value) for value in row) for row in batch.rows]
