"""What the run's rooms know reaches the summary."""

from typing import Any

import pytest

from simulator.delivery.aio_publisher import STAMP_NOTE
from simulator.measure.ledger import Ledger
from simulator.measure.summary import Summary
from simulator.run.accounting import account, thresholds_of
from simulator.run.exercise import Exercise
from simulator.run.observer import Silent
from simulator.run.request import RunRequest
from simulator.scenario import load_scenario
from simulator.settings import load_settings
from simulator.units import NS_PER_S


def summary_of(**request: Any) -> Summary:
    """The account of an exercise of which nothing was ever sent: no broker is needed for it."""
    exercise = Exercise(
        RunRequest(
            scenario=load_scenario("drill-minimal"),
            settings=load_settings({"subscribers": 2}),
            run="20261122t142400-k3f9",
            **request,
        ),
        Silent(),
    )
    books = exercise.books
    schedule = exercise.orders.schedule(exercise.clock.monotonic_ns())
    books.plan(exercise.subscribers)
    books.open_ledger(Ledger(schedule, books.subscribers), schedule)
    exercise.closed_ns = exercise.clock.monotonic_ns() + NS_PER_S
    return account(exercise, thresholds_of(exercise), None)[1]


@pytest.mark.parametrize(("client", "told"), [("wire", False), ("aiomqtt", True)])
def test_the_weaker_stamp_of_aiomqtt_is_told(client: str, told: bool) -> None:
    publisher = summary_of(client=client).publisher

    assert publisher.client == client
    assert any(STAMP_NOTE in note for note in publisher.notes) is told
    assert bool(publisher.notes) is told


def test_what_no_broker_can_do_for_us_is_told() -> None:
    (note,) = summary_of().broker.notes
    assert "set no MQTT 5 property" in note
    assert "expired does not occur" in note


def test_the_machine_is_watched_from_the_opening_of_the_ledger() -> None:
    instrument = summary_of().instrument
    assert instrument.limits["steal_share"] == 0.05
    assert instrument.broker_cpu_share is None  # no broker of ours ran
