"""``alertsim doctor``: what this machine offers a run, and which known traps are near.

Rule of the module: each finding is looked at, not assumed; nothing is changed. Figures about
brokers come from ``config/broker_gaps.json``.
"""

import json
import resource
import socket
import subprocess
import sys
from typing import Final

from simulator import resources
from simulator.clock import SystemClock, clock_domain
from simulator.delivery.brokers.amqtt import INSTEAD
from simulator.delivery.brokers.amqtt import is_installed as amqtt_is_installed
from simulator.delivery.brokers.base import PROTOCOLS
from simulator.delivery.brokers.embedded import PREFERRED_PORTS
from simulator.delivery.brokers.mosquitto import find_mosquitto, mosquitto_version
from simulator.delivery.capacity import subscribers_within
from simulator.delivery.room import SPARE_DESCRIPTORS
from simulator.delivery.runtime_file import running_brokers
from simulator.delivery.wire.stamps import kernel_stamps_available
from simulator.errors import BrokerUnreachableError
from simulator.run.doctor_brokers import SUBSCRIBERS, capacities, fewer
from simulator.run.findings import Finding
from simulator.run.provenance import alertsim_version, host_facts, package_versions

_ABSENT: Final = "not installed"


def examine() -> list[Finding]:
    """Look at everything, in the order in which a run would need it."""
    return [
        *_versions(),
        _descriptors(),
        *capacities(),
        _stamps(),
        *_ports(),
        *_embedded(),
        _mosquitto(),
        *_running(),
    ]


def _versions() -> list[Finding]:
    host = host_facts()
    missing = [
        name
        for name, found in package_versions().items()
        if found == _ABSENT and name != "iotcore"  # amqtt takes its place
    ]
    found = [
        Finding(level="ok", subject="alertsim", text=f"{alertsim_version()}, {host['python']}"),
        Finding(
            level="ok",
            subject="machine",
            text=f"{host['system']}, {host['processors']} processors, clock {clock_domain()}",
        ),
    ]
    if missing:
        found.append(
            Finding(
                level="error",
                subject="packages",
                text=f"missing: {', '.join(missing)}",
                remedy="install alertsim again: python -m pip install alertsim",
            )
        )
    return found


def _descriptors() -> Finding:
    """By the hard limit: workers and brokers raise their soft limit to it themselves."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return Finding(level="ok", subject="open files", text="the hard limit is unlimited")
    room = max(0, hard - SPARE_DESCRIPTORS)
    text = (
        f"hard limit {hard} (soft {soft}, which a run raises itself): room for about {room} "
        "connections in one worker, controls included"
    )
    if subscribers_within(room) < SUBSCRIBERS:
        return Finding(
            level="warning",
            subject="open files",
            text=f"{text}, fewer than the {SUBSCRIBERS} subscribers of a run without --subscribers",
            remedy="raise the hard limit (ulimit -Hn shows it): as root a line such as "
            "'* hard nofile 65536' in /etc/security/limits.conf, then log in again" + fewer(room),
        )
    return Finding(level="ok", subject="open files", text=text)


def _stamps() -> Finding:
    if kernel_stamps_available(SystemClock()):
        return Finding(
            level="ok", subject="receive stamps", text="the kernel stamps received TCP data"
        )
    return Finding(
        level="warning",
        subject="receive stamps",
        text="this kernel gives no receive stamps on TCP: stamps are taken after the read",
        remedy="measure on Linux 4.13 or newer; reports say which stamps they rest on",
    )


def _ports() -> list[Finding]:
    wanted = list(zip(PROTOCOLS, PREFERRED_PORTS, strict=True))
    taken = [f"{port} (MQTT {version})" for version, port in wanted if _used(port)]
    if taken:
        return [
            Finding(
                level="note",
                subject="embedded ports",
                text=f"in use: {', '.join(taken)}; a run takes free ports and prints them",
            )
        ]
    ports = ", ".join(f"{port} (MQTT {version})" for version, port in wanted)
    return [Finding(level="ok", subject="embedded ports", text=f"free: {ports}")]


def _used(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def _embedded() -> list[Finding]:
    gaps = json.loads(resources.config_text("broker_gaps.json"))
    version = package_versions()["iotcore"]
    if version == _ABSENT:
        return [_instead()]
    found = [Finding(level="ok", subject="embedded broker", text=f"iotcore {version}")]
    found += [
        Finding(level="note", subject="embedded broker", text=gap["text"], remedy=gap["remedy"])
        for gap in gaps["iotcore"]
    ]
    return found


def _instead() -> Finding:
    """What takes the embedded broker's place."""
    if amqtt_is_installed():
        return Finding(level="note", subject="embedded broker", text=INSTEAD)
    return Finding(
        level="warning",
        subject="embedded broker",
        text="neither iotcore nor amqtt is installed: --broker embedded is not available",
        remedy="python -m pip install 'alertsim[amqtt]', or use --broker mosquitto",
    )


def _mosquitto() -> Finding:
    try:
        version = mosquitto_version(find_mosquitto())
    except BrokerUnreachableError as error:
        _, _, remedy = str(error).partition("remedy: ")
        return Finding(
            level="note",
            subject="mosquitto",
            text="not installed; --broker mosquitto is not available",
            remedy=remedy,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            level="warning",
            subject="mosquitto",
            text=f"found, but it does not start: {error}",
            remedy="install it again, or use --broker embedded",
        )
    return Finding(
        level="ok",
        subject="mosquitto",
        text=f"mosquitto {version}; runs started by alertsim lift its queue limits and Nagle delay",
    )


def _running() -> list[Finding]:
    return [
        Finding(
            level="note",
            subject="running",
            text=f"{broker.kind} broker of process {broker.pid}, root {broker.root}, "
            + ", ".join(
                f"mqtt://127.0.0.1:{port} (MQTT {version})"
                for version, port in broker.ports.items()
            ),
        )
        for broker in running_brokers()
    ] or [
        Finding(
            level="ok",
            subject="running",
            text=f"no broker of alertsim runs on this host ({sys.platform})",
        )
    ]
