"""A process of the instrument is stopped and goes on: what the figures say, and the verdict."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import psutil

from simulator.units import NS_PER_S
from tests.run.processes import Alertsim

Start = Callable[..., Alertsim]
STALL_S = 2.0
BURSTS = 40
PLAY = (
    *("run", "drill-minimal", "--repeat", str(BURSTS), "--gap", "100ms", "--subscribers", "20"),
    "--json",
    *("--threshold", "delivery_latency{population=live}: max<500ms"),
    *("--threshold", "delivery_latency: max<50s"),
)


def children(run: Alertsim) -> list[psutil.Process]:
    """Worker and publisher, in the order in which they were started."""
    found = [each for each in run.descendants() if "simulator.delivery.boot" in str(each.cmdline())]
    return sorted(found, key=psutil.Process.create_time)


def stall(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGSTOP)
    time.sleep(STALL_S)
    os.kill(process.pid, signal.SIGCONT)


def live(summary: dict[str, Any], segment: str) -> dict[str, Any]:
    row: dict[str, Any] = next(
        row
        for row in summary["latency"]
        if (row["population"], row["segment"]) == ("live", segment)
        and row["prefecture"] is row["event"] is row["qos"] is None
    )
    return row


def verdicts(summary: dict[str, Any]) -> dict[str, str]:
    return {each["expression"]: each["verdict"] for each in summary["thresholds"]}


def test_a_stalled_publisher_shows_in_what_counts_from_the_plan_and_not_from_the_sending(
    alertsim: Start,
) -> None:
    run = alertsim(*PLAY)
    run.wait_for("sent: ")
    worker, publisher = children(run)
    stall(publisher)
    assert worker.is_running()

    assert run.wait() == 98, run.stderr()
    summary = run.document()
    total = summary["ledger"]["total"]
    assert total["delivered"] == total["expected"] == 20 * BURSTS  # late by plan, none lost
    # From the plan the stall is there, as it is for whoever waits for the alert; what counts from
    # the sending leaves it out. The difference is the publisher's, and is shown as its own.
    delivery, transit, send = (live(summary, name) for name in ("delivery", "transit", "send"))
    assert delivery["n"] == transit["n"] == send["n"] == total["delivered"]
    assert delivery["max_ns"] - transit["max_ns"] >= NS_PER_S
    assert send["max_ns"] >= NS_PER_S
    assert summary["publisher"]["lateness_max_ns"] == send["max_ns"]
    # It was the instrument that was slow: a pass stands, a fail says nothing about the path.
    assert summary["verdict"]["instrument_bottleneck"]
    assert any(reason.startswith("publisher: ") for reason in summary["instrument"]["reasons"])
    assert verdicts(summary)["max<500ms"] == "inconclusive"
    assert verdicts(summary)["max<50s"] == "pass"


def test_a_stalled_worker_says_how_uncertain_its_stamps_are_and_is_the_bottleneck(
    alertsim: Start,
) -> None:
    run = alertsim(*PLAY)
    run.wait_for("sent: ")
    stall(children(run)[0])

    assert run.wait() == 98, run.stderr()
    summary = run.document()
    delivered = summary["ledger"]["total"]["delivered"]
    assert delivered == summary["ledger"]["total"]["expected"]
    # The kernel stamped what arrived meanwhile. Of several messages in one read it gives the last
    # one's stamp: by how much the others may have been earlier is stated, and no more than that.
    clocks, transit = summary["clocks"], live(summary, "transit")
    assert clocks["kernel_stamps"] == delivered
    assert NS_PER_S // 2 <= clocks["uncertainty_max_ns"] <= transit["max_ns"]
    health = {each["name"]: each for each in summary["instrument"]["processes"]}
    assert health["worker-0"]["batch_max"] > 1
    assert health["worker-0"]["loop_lag_max_ns"] >= NS_PER_S // 4
    assert summary["verdict"]["instrument_bottleneck"]
    assert any(reason.startswith("worker-0: ") for reason in summary["instrument"]["reasons"])
    assert verdicts(summary)["max<500ms"] == "inconclusive"
    assert verdicts(summary)["max<50s"] == "pass"
