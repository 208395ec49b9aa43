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
        "installed one), amqtt, or the URL of one that runs already",
    )
    parser.addini("alertsim_broker", "as --alertsim-broker", default="embedded")
    parser.addini("alertsim_timeout", "how long a play may take, wall, e.g. 60s", default="60s")


@pytest.fixture
def alertsim_broker(request: pytest.FixtureRequest) -> "Iterator[Broker]":
    """A broker of this test's own on loopback ports; with a URL, the one that runs there."""
    from simulator.delivery.brokers import access_of, choose_broker  # noqa: PLC0415
    from simulator.settings import load_settings  # noqa: PLC0415

    kind = _broker_setting(request.config)
    settings = load_settings({"broker": kind})
    with choose_broker(
        kind,
        allow_hosts=settings.allow_hosts,
        where="--alertsim-broker",
        access=access_of(settings),
        announce=False,
    ) as broker:
        yield broker


def _broker_setting(config: pytest.Config) -> str:
    return str(config.getoption("--alertsim-broker") or config.getini("alertsim_broker"))


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
    external = alertsim_broker.kind == "external"
    sim = AlertSim(
        alertsim_broker,
        url=_broker_setting(request.config) if external else None,
        root=f"alertsim/{worker}" if external and worker else "alertsim",
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
