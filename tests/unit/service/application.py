"""The application in this process, over a store of its own: no broker, no socket, no run."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from simulator.service.app import create_app
from simulator.service.options import ServiceOptions
from simulator.service.parts import parts_of
from simulator.service.service import Service

MANIFEST: dict[str, Any] = {
    "schema_version": "1.0",
    "run": "one",
    "state": "complete",
    "reason": "",
    "started": "2022-11-03T07:39:00+00:00",
    "ended": "2022-11-03T07:50:00+00:00",
    "command": ["alertsim", "run", "drill-minimal"],
    "seed": 1,
    "speed": 60.0,
    "scenario": {"id": "drill-minimal", "title": "A drill"},
    "settings": {"subscribers": 300, "root": "alertsim", "repeat": 1},
    "exit_code": 0,
}


def keep_run(store: Path, run: str, **changed: object) -> Path:
    """The directory of a run that has ended."""
    folder = store / run
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps(MANIFEST | {"run": run} | changed))
    return folder


@asynccontextmanager
async def asked(
    store: Path, base: str = "http://127.0.0.1", **options: Any
) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    """A service whose store is open and that is not started, and a client of its application."""
    service = Service(ServiceOptions(store=store, **options))
    for part in parts_of(service):
        service.add(part)
    service.store.open()
    transport = httpx.ASGITransport(create_app(service))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            yield service, client
    finally:
        service.store.close()
