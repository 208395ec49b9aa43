"""A sign board: shows the headline of what is in force. It knows nothing of receipts."""

import asyncio
import json
from collections.abc import Callable

import aiomqtt


class Board:
    """One board, one prefecture; runs in the caller's event loop."""

    def __init__(self, prefecture: str, heard: Callable[[bytes], None]) -> None:
        self.text = ""
        self.ready = asyncio.Event()
        self._alerts = f"alertsim/v1/alerts/{prefecture}/+"
        self._heard = heard

    async def run(self, host: str, port: int) -> None:
        """Listen until cancelled."""
        async with aiomqtt.Client(host, port) as client:
            await client.subscribe(self._alerts, qos=1)
            self.ready.set()
            async for message in client.messages:
                payload = bytes(message.payload)
                self._heard(payload)
                info = json.loads(payload)["data"]["info"][0]
                warning = "Shelter" in info["responseType"]
                self.text = info["headline"] if warning else ""
