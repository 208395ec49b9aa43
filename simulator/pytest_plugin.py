"""The pytest plugin: fixtures for the tests of a receiver.

Rule of the room: pytest loads this module in every project it is installed beside, so it imports
nothing but pytest; everything else is imported by a fixture when a test asks for it.

``alertsim``: a broker and scenarios to play over it. ``alertsim_broker``: the broker alone.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from simulator.delivery.brokers import Broker
    from simulator.testing.harness import AlertSim


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option and two settings."""
    parser.getgroup("alertsim", "alert exercises").addoption(
        "--alertsim-broker",
        default=None,
        metavar="BROKER",
        help="broker of the alertsim fixtures: embedded (default), mosquitto (starts the "
        "installed one), or mqtt://host[:port]",
    )
    parser.addini("alertsim_broker", "as --alertsim-broker", default="embedded")
    parser.addini("alertsim_timeout", "how long a play may take, wall, e.g. 60s", default="60s")


@pytest.fixture
def alertsim_broker(request: pytest.FixtureRequest) -> "Iterator[Broker]":
    """A broker of this test's own on loopback ports; with a URL, the one that runs there."""
    from simulator.delivery.brokers import (  # noqa: PLC0415
        EmbeddedBroker,
        ManagedMosquitto,
        choose_broker,
    )

    setting = request.config.getoption("--alertsim-broker")
    setting = setting or request.config.getini("alertsim_broker")
    broker: Broker
    if setting == "embedded":
        broker = EmbeddedBroker(announce=False)
    elif setting == "mosquitto":
        broker = ManagedMosquitto(announce=False)
    else:
        from simulator.settings import load_settings  # noqa: PLC0415

        allowed = load_settings({}).allow_hosts
        broker = choose_broker(setting, allow_hosts=allowed, where="--alertsim-broker")
    with broker:
        yield broker


@pytest.fixture
def alertsim(
    request: pytest.FixtureRequest,
    alertsim_broker: "Broker",
    tmp_path_factory: pytest.TempPathFactory,
) -> "Iterator[AlertSim]":
    """A broker, and scenarios played over it; see ``simulator.testing.harness.AlertSim``."""
    from simulator.testing.harness import AlertSim  # noqa: PLC0415

    # Tests at the same time share nothing but a broker that runs already: they part by topic.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    shared = alertsim_broker.kind == "external" and worker
    sim = AlertSim(
        alertsim_broker,
        root=f"alertsim/{worker}" if shared else "alertsim",
        folder=tmp_path_factory.mktemp("alertsim"),
        timeout=request.config.getini("alertsim_timeout"),
    )
    try:
        yield sim
    finally:
        sim.close()
    gone = alertsim_broker.alive()
    if gone is not None:
        pytest.fail(f"the broker died during the test: {gone}", pytrace=False)
