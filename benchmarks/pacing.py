"""How late alerts leave: the real publisher process beside a bare loop that only sleeps.

Rule of the module: lateness is the send stamp (taken immediately before the socket write) minus the
intended time. The bare sleeper's deadlines lie half way between the alerts, so that both meet the
same machine at the same time and not each other.
"""

import array
from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.harness import (
    CLOCK,
    BenchmarkError,
    Result,
    Table,
    Target,
    cpu_s,
    main,
    quantile,
)
from benchmarks.party import Party, fresh_broker, party
from benchmarks.peers import Slept, sleeper_main
from benchmarks.workload import RUN, Workload, workload
from simulator.delivery.messages import BrokerEndpoint, Play, Published, PublishOrder, Ready
from simulator.delivery.publisher import publisher_main
from simulator.measure.ledger import Ledger
from simulator.units import NS_PER_MS, NS_PER_S, NS_PER_US
from simulator.world.geography import prefectures

ALERTS: Final = 1000
EVERY_NS: Final = 100 * NS_PER_MS
_BURSTS: Final = 22
_BURST_EVERY_NS: Final = 500 * NS_PER_MS
_PREFECTURES: Final = ("miyagi", "yamagata", "niigata", "iwate", "akita")
_LEAD_NS: Final = NS_PER_S
_MARGIN_NS: Final = 20 * NS_PER_S
_LIMIT_MS: Final = 2.0
_BURST_NOTE: Final = (
    "In a burst each alert waits for the socket writes of those before it: its figures are one "
    "connection's throughput, not the timer's."
)


def play(
    times_ns: Sequence[int], places: Sequence[str], *, sleeper: bool
) -> tuple[list[float], list[float], float]:
    """Play alerts at these times.

    Returns:
        Lateness of every alert, of every bare sleep (none unless asked for), in microseconds, and
        the publisher's CPU share.
    """
    with fresh_broker() as broker, party() as members:
        endpoint = broker.endpoint("5")
        publisher = members.start("publisher", publisher_main, _order(endpoint, places))
        members.await_message("publisher", Ready)
        start_ns = CLOCK.monotonic_ns() + _LEAD_NS
        load = workload(
            times_ns=times_ns,
            prefectures=places,
            start_ns=start_ns,
            start_unix_ns=CLOCK.wall_ns() + start_ns - CLOCK.monotonic_ns(),
        )
        ledger = Ledger(load.alerts, load.subscribers)
        members.open_ledger(ledger)
        if sleeper:
            members.start(
                "sleeper",
                sleeper_main,
                tuple(alert.intended_ns + EVERY_NS // 2 for alert in load.alerts),
            )
        busy_s, began_ns = cpu_s(publisher.pid), CLOCK.monotonic_ns()
        members.child("publisher").send(Play(schedule=load.alerts, context=load.context))
        members.await_message("publisher", Published, times_ns[-1] + _MARGIN_NS)
        share = (cpu_s(publisher.pid) - busy_s) * NS_PER_S / (CLOCK.monotonic_ns() - began_ns)
        late = _late_us(members, load)
        slept: list[float] = []
        if sleeper:
            message = members.await_message("sleeper", Slept)
            slept = [late_ns / NS_PER_US for late_ns in array.array("q", message.late_ns)]
    return late, slept, share


def _order(endpoint: BrokerEndpoint, places: Sequence[str]) -> PublishOrder:
    return PublishOrder(
        endpoint=endpoint,
        context=workload(times_ns=[0]).context,
        prefectures=tuple(places),
        client=f"{RUN}-publisher",
    )


def _late_us(members: Party, load: Workload) -> list[float]:
    sent = members.sent_ns
    if len(sent) != len(load.alerts):
        raise BenchmarkError(f"{len(sent)} of {len(load.alerts)} alerts were sent")
    return [(sent[alert.number] - alert.intended_ns) / NS_PER_US for alert in load.alerts]


def measure(small: bool) -> Result:
    """Send lateness of 1,000 alerts in 100 s, and of bursts to all prefectures."""
    alerts, bursts = (50, 3) if small else (ALERTS, _BURSTS)
    late, slept, share = play(
        [number * EVERY_NS for number in range(alerts)], _PREFECTURES, sleeper=True
    )
    everywhere = [place.slug for place in prefectures()]
    times = np.repeat(np.arange(bursts) * _BURST_EVERY_NS, len(everywhere)).tolist()
    burst, _, burst_share = play(times, everywhere, sleeper=False)
    cost = (
        f"The publisher used {share:.1%} of one processor for the alerts and {burst_share:.1%} "
        "for the bursts: it spins for the last 0.3 ms before an alert."
    )
    span_s = alerts * EVERY_NS // NS_PER_S
    p50_ms, p99_ms = (quantile(slept, percent) / 1e3 for percent in (50, 99))
    bare = (
        f"A bare sleeper on this machine in this run has a p99 of {p99_ms:.3g} ms and a p50 of "
        f"{p50_ms:.3g} ms: that much is the machine's, whoever waits."
    )
    rows = {
        f"publisher, {alerts:,} alerts in {span_s} s": late,
        "bare sleep to the same spacing": slept,
        f"publisher, {bursts} bursts of {len(everywhere)} alerts": burst,
    }
    return Result(
        name="pacing",
        title="Pacing",
        how=(
            f"{alerts:,} alerts in {span_s} s at speed 1, one every {EVERY_NS // NS_PER_MS} ms, "
            "QoS 1, retained states on, through the real publisher process to an embedded broker "
            "without subscribers. Beside it, at the same time and half way between the alerts, a "
            "bare loop sleeps to deadlines of its own. Then every prefecture at once: "
            f"{bursts} bursts of {len(everywhere)} alerts intended at the same instant, "
            f"{_BURST_EVERY_NS // NS_PER_MS} ms apart. One run: every alert is a sample."
        ),
        targets=(
            Target(
                name=f"send lateness, {alerts:,} alerts in {span_s} s, p99",
                value=quantile(late, 99) / 1e3,
                limit=_LIMIT_MS,
                at_most=True,
                unit="ms",
            ),
        ),
        tables=(
            Table(
                caption="Lateness, microseconds",
                columns=("what", "n", "p50", "p99", "max"),
                rows=tuple(
                    (
                        name,
                        f"{len(values):,}",
                        *(f"{quantile(values, percent):,.0f}" for percent in (50, 99, 100)),
                    )
                    for name, values in rows.items()
                ),
            ),
        ),
        notes=(bare, _BURST_NOTE, cost),
        runs={
            f"{name}, p{percent}, us": [quantile(values, percent)]
            for name, values in rows.items()
            for percent in (50, 99, 100)
        },
    )


if __name__ == "__main__":
    main(measure)
