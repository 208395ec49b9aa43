"""Run directories for the report's tests, made through the real model, ledger and summary.

Only the receipts are made up: latencies are drawn from a fixed seed, and trouble is dealt out on
request. No figure of a summary is written by hand.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np

from simulator.delivery.messages import Health
from simulator.delivery.pacer import schedule
from simulator.delivery.placement import place
from simulator.errors import ExitCode
from simulator.measure.account import Account
from simulator.measure.instrument import InstrumentLog
from simulator.measure.ledger import Ledger
from simulator.measure.plan import PlannedSubscriber, ScheduledAlert, SubscriberKind, filter_matches
from simulator.measure.receipts import (
    UNKNOWN,
    ConnectionChange,
    ConnectionEvent,
    ReceiptBatch,
    ReceiptFlag,
)
from simulator.measure.summarise import Ending, Sending, Surroundings, summarise
from simulator.measure.summary import BrokerSummary, Provenance, RunFacts, Summary
from simulator.model import simulate
from simulator.model.timeline import Timeline
from simulator.report.manifest import Manifest
from simulator.report.run_directory import RunDirectory
from simulator.report.writing import write_histogram
from simulator.scenario import load_scenario
from simulator.thresholds import parse_thresholds, with_defaults
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S
from simulator.world.geography import prefectures

START = 5_000 * NS_PER_S
UNIX = 1_795_357_440 * NS_PER_S
RUN = "20261122t142400-k3f9"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What kind of run to make up."""

    scenario: str = "tohoku-2022-11-03"
    title: str | None = None
    subscribers: int = 300
    repeat: int = 1
    trouble: bool = False
    foreign: str | None = None
    thresholds: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending()  # noqa: RUF009  (frozen)
    client_prefix: str = RUN


def make_run(parent: Path, wanted: Wanted | None = None, *, killed: bool = False) -> Path:
    """A run directory, complete unless it was killed or its ending says otherwise."""
    wanted = wanted or Wanted()
    timeline = timeline_of(wanted)
    account, plan = account_of(wanted, timeline)
    directory = RunDirectory.create(parent, RUN)
    directory.write_timeline(timeline)
    directory.write_manifest(manifest_of(timeline))
    if killed:
        for columns in account.rows(chunk=200):
            directory.write_part(columns)
            break
        return directory.path
    summary = summary_of(wanted, timeline, account, plan)
    directory.replace_deliveries(account.rows())
    directory.write_summary(summary.model_dump_json(indent=2).encode())
    write_histogram(directory, summary.run)
    directory.write_manifest(
        manifest_of(timeline).model_copy(
            update={
                "state": summary.completeness.state,
                "reason": summary.completeness.reason,
                "ended": summary.run.ended,
                "exit_code": summary.verdict.exit_code,
            }
        )
    )
    return directory.path


def timeline_of(wanted: Wanted) -> Timeline:
    timeline = simulate(load_scenario(wanted.scenario), 7)
    return timeline if wanted.title is None else replace(timeline, title=wanted.title)


def manifest_of(timeline: Timeline) -> Manifest:
    return Manifest(
        run=RUN,
        started="2026-11-22T14:24:00+00:00",
        command=("alertsim", "run", timeline.scenario, "--speed", "600", "--seed", "7"),
        seed=7,
        speed=600,
        scenario=load_scenario(timeline.scenario).resolved() | {"title": timeline.title},
        timeline_digest=timeline.digest,
        versions={"alertsim": "0.1.0", "python": "3.11.7"},
        host={"system": "Linux", "processors": 2, "memory_bytes": 25_276_514_304},
        broker={"kind": "embedded", "addresses": {"5": "mqtt://127.0.0.1:18835"}},
        settings={"subscribers": 300, "late_after": 10 * NS_PER_S, "config": None, "state": True},
    )


def plan_of(
    wanted: Wanted, timeline: Timeline
) -> tuple[tuple[ScheduledAlert, ...], tuple[PlannedSubscriber, ...]]:
    alerts = schedule(
        timeline,
        run=RUN,
        root="alertsim",
        qos=1,
        speed=Decimal(600),
        repeat=wanted.repeat,
        start_ns=START,
    )
    subscribers = place(
        wanted.subscribers,
        timeline.prefectures,
        {entry.slug: entry.population for entry in prefectures()},
        run=wanted.client_prefix,
        root="alertsim",
        protocol="mixed",
    )
    if wanted.foreign is not None:
        slug = timeline.prefectures[0]
        guest = PlannedSubscriber(
            number=len(subscribers),
            client=wanted.foreign,
            kind=SubscriberKind.FOREIGN,
            prefecture="",
            filters=((f"alertsim/v1/alerts/{slug}/#", 1),),
        )
        subscribers = (*subscribers, guest)
    return alerts, subscribers


def account_of(wanted: Wanted, timeline: Timeline) -> tuple[Account, tuple[PlannedSubscriber, ...]]:
    alerts, subscribers = plan_of(wanted, timeline)
    ledger = Ledger(alerts, subscribers)
    for subscriber in subscribers:
        for change in (ConnectionChange.CONNECTED, ConnectionChange.SUBSCRIBED):
            ledger.connection(
                ConnectionEvent(
                    subscriber=subscriber.number, change=change, at_ns=START - 2 * NS_PER_S
                )
            )
    draw = np.random.Generator(np.random.PCG64(7))
    rows: list[tuple[int, int, int, int, int, int]] = []
    last = START
    for alert in alerts:
        sent = alert.intended_ns + int(draw.lognormal(12.4, 0.4))
        ledger.sent(alert.number, sent - 40_000, sent)
        ledger.acknowledged(alert.number, sent + NS_PER_MS)
        for subscriber in subscribers:
            if any(filter_matches(pattern, alert.topic) for pattern, _ in subscriber.filters):
                received = sent + int(draw.lognormal(14.8, 0.5))
                handled = received + int(draw.lognormal(10.6, 0.3))
                flags = int(ReceiptFlag.QOS_1)
                rows.append((subscriber.number, alert.number, received, 700, handled, flags))
                last = max(last, handled)
    if wanted.trouble:
        rows = troubled(rows, subscribers)
        last = max(last, *(row[4] for row in rows))
    for start in range(0, len(rows), 500):
        ledger.receipts(ReceiptBatch.from_rows(rows[start : start + 500]))
    ledger.drain_ended(last + NS_PER_S)
    return ledger.close(last + 2 * NS_PER_S), subscribers


def troubled(
    rows: list[tuple[int, int, int, int, int, int]], subscribers: tuple[PlannedSubscriber, ...]
) -> list[tuple[int, int, int, int, int, int]]:
    """Lose some, delay some, double some, add strays: each kind a few times."""
    found: list[tuple[int, int, int, int, int, int]] = []
    for index, row in enumerate(rows):
        number, alert, received, uncertainty, handled, flags = row
        if index % 90 == 17:
            continue
        if index % 150 == 31:
            received, handled = received + 11 * NS_PER_S, handled + 11 * NS_PER_S
        found.append((number, alert, received, uncertainty, handled, flags))
        if index % 120 == 53:
            again = flags | int(ReceiptFlag.DUP)
            found.append(
                (number, alert, received + NS_PER_MS, uncertainty, handled + NS_PER_MS, again)
            )
    control = next(s.number for s in subscribers if s.kind is SubscriberKind.CONTROL)
    received = rows[0][2]
    found.append((control, 0, received, 0, received, int(ReceiptFlag.QOS_1)))
    found.append((0, UNKNOWN, received, 0, received, int(ReceiptFlag.MALFORMED)))
    return found


def summary_of(
    wanted: Wanted,
    timeline: Timeline,
    account: Account,
    subscribers: tuple[PlannedSubscriber, ...],
) -> Summary:
    slugs = tuple(entry.slug for entry in prefectures())
    asked: dict[str, list[str]] = {}
    for key, expression in wanted.thresholds:
        asked.setdefault(key, []).append(expression)
    thresholds = with_defaults(parse_thresholds(asked, "test", slugs))
    log = InstrumentLog()
    for name, cpu in (("publisher", 200), ("worker-0", 700)):
        for second in (0, 1, 8):
            log.observe(
                Health(
                    name=name,
                    cpu_ns=cpu * NS_PER_MS * second // 8,
                    lag_max_ns=3 * NS_PER_MS,
                    reads=100 * second,
                    messages=110 * second,
                    rss_bytes=41 << 20,
                    clock_error_ns=800,
                ),
                START + second * NS_PER_S,
            )
    ended = account.evidence.closed_ns or START
    return summarise(
        account,
        timeline,
        thresholds,
        run=RunFacts(
            run=RUN,
            scenario=timeline.scenario,
            title=timeline.title,
            epoch=timeline.epoch.isoformat(),
            seed=7,
            speed=600,
            repeat=wanted.repeat,
            subscribers=sum(s.kind is not SubscriberKind.FOREIGN for s in subscribers),
            controls=sum(s.kind is SubscriberKind.CONTROL for s in subscribers),
            late_after_ns=10 * NS_PER_S,
            timeline_digest=timeline.digest,
            started="2026-11-22T14:24:00+00:00",
            ended="2026-11-22T14:24:12+00:00",
            start_monotonic_ns=str(START),
            start_unix_ns=str(UNIX),
            duration_ns=ended - START,
            lead_precision_ns=NS_PER_MIN,
        ),
        broker=BrokerSummary(
            kind="embedded",
            name="iotcore",
            version="0.4.0",
            addresses={"5": "mqtt://127.0.0.1:18835"},
            settings={"max_segment_count": "4"},
            notes=("one MQTT 5 property ends its 3.1.1 listener",),
        ),
        provenance=Provenance(
            command="alertsim run",
            version="0.1.0",
            python="3.11.7",
            packages={"simpy": "4.1.2"},
            host={"system": "Linux"},
        ),
        ending=wanted.ending,
        sending=Sending(payload_max_bytes=3_288, gap_ns=NS_PER_S),
        surroundings=Surroundings(domain="boot/1", log=log),
    )


ABORTED = Ending(code=ExitCode.ABORTED, reason="ended by SIGINT")
