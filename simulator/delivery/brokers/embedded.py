"""The broker we carry: iotcore (rumqttd) in a child process on loopback.

Rule of the module: two listeners, because rumqttd serves one MQTT version a port; MQTT 3.1.1 is
announced first, since every client speaks it. Its known gaps shape what we do: nothing of ours sets
an MQTT 5 property here, and its 3.1.1 listener is watched, because one such property from anybody
kills it while the other listener goes on as if healthy.
"""

from importlib.metadata import version
from pathlib import Path
from typing import ClassVar, Final

from simulator.clock import Clock
from simulator.delivery.brokers.base import LOOPBACK
from simulator.delivery.brokers.started import StartedBroker

PREFERRED_PORTS: Final = (18831, 18835)

_SETTINGS: Final = {
    # rumqttd keeps one commit log per filter. Smaller segments lost messages in floods, the
    # defaults grew without bound; these level off near 310 MB.
    "max_segment_size": 16_777_216,
    "max_segment_count": 4,
    "max_connections": 20_000,
    "max_outgoing_packet_count": 200,
    "max_payload_size": 1_048_576,
    "max_inflight_count": 100,
    "connection_timeout_ms": 60_000,
    "next_connection_delay_ms": 0,
}
_PANICS: Final = {
    "packets with Properties": "an MQTT 5 message with properties met an MQTT 3.1.1 subscriber, "
    "which it cannot serve; such subscribers are cut off",
    "PoisonError": "its MQTT 3.1.1 or 5 listener refuses every new connection",
}


class EmbeddedBroker(StartedBroker):
    """The embedded broker.

    Args:
        ports: (MQTT 3.1.1, MQTT 5) ports of 127.0.0.1; None: 18831 and 18835 if free, else free
            ones.
        root: topic root, for whoever looks the broker up in the runtime file.
        clock: where time comes from.
        announce: keep an entry in the runtime file while it runs.
    """

    kind: ClassVar[str] = "embedded"
    called: ClassVar[str] = "the embedded broker"
    preferred: ClassVar[tuple[int, ...]] = PREFERRED_PORTS
    start_ns: ClassVar[int] = 15_000_000_000
    properties_allowed: ClassVar[bool] = False
    watched: ClassVar[tuple[str, ...]] = ("3.1.1",)
    has_websocket: ClassVar[bool] = True

    def __init__(
        self,
        *,
        ports: tuple[int, int] | None = None,
        root: str = "alertsim",
        clock: Clock | None = None,
        announce: bool = True,
    ) -> None:
        super().__init__(ports=ports, root=root, clock=clock, announce=announce)

    def _command(self, folder: Path, ports: tuple[int, ...]) -> list[str]:
        configuration = folder / "rumqttd.toml"
        configuration.write_text(rumqttd_toml(*ports), encoding="ascii")
        return ["serve", str(configuration)]

    def alive(self) -> str | None:
        """The child's end, or the two panics that end its MQTT 3.1.1 listener without it."""
        ended = super().alive()
        if ended is not None or self._process is None:
            return ended
        said = self._process.said()
        for mark, meaning in _PANICS.items():
            if mark in said:
                return f"the embedded broker failed: {meaning}"
        return None

    def describe(self) -> dict[str, object]:
        """What the manifest says of it."""
        return {
            "kind": self.kind,
            "name": "iotcore (rumqttd)",
            "version": version("iotcore"),
            "addresses": self.addresses() if self._ports else {},
            "properties_allowed": self.properties_allowed,
            "settings": dict(_SETTINGS),
        }


def rumqttd_toml(port_311: int, port_5: int, websocket: int | None = None) -> str:
    """The configuration file: one listener per MQTT version, all on loopback.

    The one for browsers speaks MQTT 3.1.1 alone, and greets them one after the other: one that
    says nothing keeps the next waiting.
    """
    tables = [("v4", port_311), ("v5", port_5)]
    if websocket is not None:
        tables.append(("ws", websocket))
    router = "\n".join(
        f"{name} = {_SETTINGS[name]}"
        for name in (
            "max_connections",
            "max_outgoing_packet_count",
            "max_segment_size",
            "max_segment_count",
        )
    )
    listeners = "\n".join(
        f"""
[{table}.1]
name = "{table}-1"
listen = "{LOOPBACK}:{port}"
next_connection_delay_ms = {_SETTINGS["next_connection_delay_ms"]}

[{table}.1.connections]
connection_timeout_ms = {_SETTINGS["connection_timeout_ms"]}
max_payload_size = {_SETTINGS["max_payload_size"]}
max_inflight_count = {_SETTINGS["max_inflight_count"]}
dynamic_filters = true"""
        for table, port in tables
    )
    return f"id = 0\n\n[router]\nid = 0\n{router}\n{listeners}\n"
