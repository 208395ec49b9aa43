"""Names and figures of experiments as they are written, each with its unit."""

from collections.abc import Callable
from typing import Any

import pytest

from simulator.report.experiment_words import (
    amount,
    change,
    half,
    half_change,
    name_of,
    span_of,
)
from simulator.report.words import DASH, MINUS


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("alert_ns", "launch to first alert"),
        ("stage_second-look_ns", "stage second-look"),
        ("issue_miyagi_ns", "launch to alert, Miyagi"),
        ("second.predicted_lead_time_miyagi_ns", "predicted lead time, Miyagi (second)"),
        (
            "warned_before_predicted_miyagi_people",
            "people warned before the predicted arrival, Miyagi",
        ),
        ("first_cell_broadcast_people", "people who heard it first by cell broadcast"),
        ("something_else_count", "something else"),
    ],
)
def test_columns_have_names(column: str, name: str) -> None:
    assert name_of(column) == name


def test_it_is_said_whose_figures_are_where_there_are_several_launches() -> None:
    assert name_of("alert_ns", several=True) == "launch to first alert (first launch)"
    assert name_of("stage_decision_ns", several=True) == "stage decision (first launch)"
    assert name_of("two.alert_ns", several=True) == "launch to first alert (two)"
    assert name_of("warned_people", several=True) == "people warned at all"
    shortest = "shortest predicted lead time of all launches"
    assert name_of("least_predicted_lead_time_ns", several=True) == shortest
    assert amount("least_lead_time_ns", 1.5e9) == "+1.5 s"


@pytest.mark.parametrize(
    ("write", "arguments", "text"),
    [
        (amount, ("alert_ns", 648.24e9), "10 min 48.2 s"),
        (amount, ("lead_time_ns", -90.06e9), f"{MINUS}90.1 s"),
        (amount, ("warned_people", 1234567.8), "1,234,568"),
        (amount, ("messages_count", 2.5), "2.5"),
        (amount, ("alert_ns", None), DASH),
        (change, ("alert_ns", -27.6e9), f"{MINUS}27.6 s"),
        (change, ("warned_people", 1500.0), "+1,500"),
        (change, ("warned_people", -2.0), f"{MINUS}2"),
        (change, ("alert_ns", None), DASH),
        (half, ("alert_ns", (1e9, 4e9)), "± 1.5 s"),
        (half, ("alert_ns", (0, 146e9)), "± 1 min 13 s"),
        (half, ("predicted_lead_time_ns", (0, 146e9)), "± 73.0 s"),
        (half_change, ("alert_ns", (0, 146e9)), "± 73.0 s"),
        (half_change, ("alert_ns", None), ""),
        (half, ("warned_people", (10.0, 20.0)), "± 5"),
        (half, ("alert_ns", (1e9, 1e9)), ""),
        (half, ("alert_ns", None), ""),
        (span_of, ("alert_ns", (1e9, 4e9)), "1 s to 4 s"),
        (span_of, ("alert_ns", None), DASH),
    ],
)
def test_figures_are_written_with_their_unit(
    write: Callable[..., str], arguments: tuple[Any, ...], text: str
) -> None:
    assert write(*arguments) == text
