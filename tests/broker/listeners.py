"""A mosquitto with a listener of every kind, and certificates made for it on the spot."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from simulator.clock import SystemClock
from simulator.delivery.brokers.child import BrokerProcess
from simulator.delivery.brokers.mosquitto import find_mosquitto
from simulator.delivery.brokers.ports import await_listening, pick_ports
from simulator.units import NS_PER_S

USER, PASSWORD = "alertsim", "correct horse"
TUNING = ("set_tcp_nodelay true", "max_inflight_messages 0", "max_queued_messages 0")
WEB = ("ws", "wss")
KINDS = ("plain", "tls", "mutual", "ws", "wss", "expired", "elsewhere")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Ports by kind, and the files that a client needs."""

    ports: dict[str, int]
    ca: str
    other_ca: str
    cert: str
    key: str
    stray_cert: str
    stray_key: str

    def url(self, scheme: str, kind: str, host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.ports[kind]}"


@contextmanager
def listening(
    folder: Path,
    *,
    passwords: bool = False,
    tuned: bool = True,
    extra: Sequence[str] = (),
    plain: Sequence[str] = (),
) -> Iterator[Listeners]:
    """Run it as long as the context lasts, with further lines, and some for the plain listener."""
    ca, other = trustme.CA(), trustme.CA()
    now = datetime.now(UTC)
    servers = {
        "good": ca.issue_cert("127.0.0.1", "localhost"),
        "expired": ca.issue_cert("127.0.0.1", not_after=now - timedelta(days=1)),
        "elsewhere": ca.issue_cert("broker.example"),
    }
    for name, made in servers.items():
        made.private_key_pem.write_to_path(folder / f"{name}.key")
        made.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
    for name, authority in (("ca", ca), ("other", other)):
        authority.cert_pem.write_to_path(folder / f"{name}.pem")
    for name, client in (
        ("client", ca.issue_cert("client@alertsim.invalid")),
        ("stray", other.issue_cert("client@alertsim.invalid")),
    ):
        client.private_key_pem.write_to_path(folder / f"{name}.key")
        client.cert_chain_pems[0].write_to_path(folder / f"{name}-cert.pem")
    ports = dict(zip(KINDS, pick_ports((0,) * len(KINDS), given=False), strict=True))
    configuration = folder / "mosquitto.conf"
    lines = [
        *(TUNING if tuned else ()),
        *extra,
        _configuration(folder, ports, passwords=passwords, plain=plain),
    ]
    configuration.write_text("\n".join(lines), encoding="utf-8")
    process = BrokerProcess(["exec", find_mosquitto(), "-c", str(configuration)], folder / "log")
    process.start()
    try:
        await_listening(
            process,
            [
                ports[kind] for kind in KINDS if kind not in WEB
            ],  # its websockets are on all addresses
            clock=SystemClock(),
            timeout_ns=10 * NS_PER_S,
            name="mosquitto",
        )
        yield Listeners(
            ports=ports,
            ca=str(folder / "ca.pem"),
            other_ca=str(folder / "other.pem"),
            cert=str(folder / "client-cert.pem"),
            key=str(folder / "client.key"),
            stray_cert=str(folder / "stray-cert.pem"),
            stray_key=str(folder / "stray.key"),
        )
    finally:
        process.stop()


def _configuration(
    folder: Path, ports: dict[str, int], *, passwords: bool, plain: Sequence[str]
) -> str:
    lines = ["user root", "persistence false"]
    if passwords:
        file = folder / "passwords"
        subprocess.run(
            ["mosquitto_passwd", "-b", "-c", str(file), USER, PASSWORD],
            check=True,
            capture_output=True,
        )
        lines += ["allow_anonymous false", f"password_file {file}"]
    else:
        lines.append("allow_anonymous true")
    certificates = {
        "tls": "good",
        "mutual": "good",
        "wss": "good",
        "expired": "expired",
        "elsewhere": "elsewhere",
    }
    for kind, port in ports.items():
        lines += [f"listener {port} 127.0.0.1", *(plain if kind == "plain" else ())]
        if kind in WEB:
            lines.append("protocol websockets")
        if kind in certificates:
            name = certificates[kind]
            lines += [f"certfile {folder}/{name}.pem", f"keyfile {folder}/{name}.key"]
        if kind == "mutual":
            lines += [f"cafile {folder}/ca.pem", "require_certificate true"]
    return "\n".join([*lines, ""])
