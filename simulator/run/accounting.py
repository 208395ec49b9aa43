"""From an exercise that ended, somehow, to its account and summary.

Rule of the module: it gathers what the rooms know and hands it to the measure room; it computes no
figure of its own.
"""

from typing import Final

from simulator.delivery.aio_publisher import STAMP_NOTE
from simulator.delivery.remote import RemoteChild
from simulator.errors import AlertsimError, ExitCode
from simulator.measure.account import Account
from simulator.measure.foreign_clocks import describe_clock
from simulator.measure.plan import SubscriberKind
from simulator.measure.summarise import Ending, Sending, Surroundings, summarise
from simulator.measure.summary import (
    BrokerSummary,
    ForeignClock,
    Provenance,
    RunFacts,
    Summary,
)
from simulator.run.exercise import Exercise
from simulator.run.provenance import alertsim_version, as_shell, host_facts, package_versions
from simulator.thresholds import Thresholds, parse_thresholds, with_defaults
from simulator.units import wall_datetime
from simulator.world.geography import prefectures

_STAMP_NOTES: Final = {"aiomqtt": (f"With --client aiomqtt, {STAMP_NOTE}.",)}
_NO_PROPERTIES: Final = (
    "This run set no MQTT 5 property, the message expiry interval among them: the broker lets none "
    "of its messages expire, and the outcome expired does not occur."
)


def thresholds_of(exercise: Exercise) -> Thresholds:
    """What to judge: the command line's expressions, the scenario's, then the defaults.

    An expression of the command line replaces the scenario's for the same metric and tags.

    Raises:
        ThresholdError: if an expression of the command line is not understood.
    """
    slugs = tuple(entry.slug for entry in prefectures())
    request = exercise.request
    groups = [group.name for group in exercise.orders.groups]
    given = parse_thresholds(request.thresholds, "--threshold", slugs, groups)
    said = {threshold.key for threshold in given}
    scenario = parse_thresholds(request.scenario.thresholds, request.scenario.id, slugs)
    return with_defaults(given + tuple(each for each in scenario if each.key not in said))


def account(
    exercise: Exercise, thresholds: Thresholds, failure: AlertsimError | None
) -> tuple[Account, Summary]:
    """Close the ledger and say everything about the run.

    Args:
        exercise: ended; its ledger was opened.
        thresholds: what to judge.
        failure: why it ended early, or None.

    Raises:
        UnbalancedLedgerError: if the two equations of the ledger do not hold.
    """
    books = exercise.books
    if books.ledger is None:
        raise AssertionError("an exercise without a ledger has no account")
    closed = books.ledger.close(exercise.closed_ns)
    ending = Ending()
    if failure is not None:
        ending = Ending(code=failure.exit_code, reason=str(failure))
    books.machine.end()
    settings = exercise.settings
    summary = summarise(
        closed,
        exercise.timeline,
        thresholds,
        run=_facts(exercise),
        broker=_broker(exercise),
        provenance=_provenance(exercise),
        ending=ending,
        sending=Sending(
            payload_format=settings.payload_format,
            payload_max_bytes=max(books.sizes, default=0),
            gap_ns=settings.gap,
            client=exercise.request.client,
            notes=_STAMP_NOTES.get(exercise.request.client, ()),
        ),
        surroundings=Surroundings(
            domain=exercise.domain,
            log=books.health,
            overflows=books.overflows(),
            foreign_clocks=_foreign_clocks(exercise),
            steal_share=books.machine.steal_share,
            broker_cpu_share=books.machine.broker_cpu_share,
        ),
        groups=exercise.orders.groups,
    )
    return closed, summary


def worst(failure: AlertsimError | None, summary: Summary) -> ExitCode:
    """The exit code: an early end outranks any verdict."""
    judged = ExitCode(summary.verdict.exit_code)
    return max(failure.exit_code, judged) if failure is not None else judged


def _facts(exercise: Exercise) -> RunFacts:
    settings, timeline = exercise.settings, exercise.timeline
    duration_ns = exercise.closed_ns - exercise.start_ns
    planned = exercise.subscribers
    return RunFacts(
        run=exercise.request.run,
        scenario=timeline.scenario,
        title=timeline.title,
        epoch=timeline.epoch.isoformat(),
        seed=timeline.seed,
        speed=float(settings.speed),
        repeat=settings.repeat,
        subscribers=len(planned),
        controls=sum(each.kind is SubscriberKind.CONTROL for each in planned),
        late_after_ns=settings.late_after,
        timeline_digest=timeline.digest,
        started=wall_datetime(exercise.start_unix_ns).isoformat(),
        ended=wall_datetime(exercise.start_unix_ns + duration_ns).isoformat(),
        start_monotonic_ns=str(exercise.start_ns),
        start_unix_ns=str(exercise.start_unix_ns),
        duration_ns=duration_ns,
        lead_precision_ns=exercise.request.scenario.precision,
    )


def _broker(exercise: Exercise) -> BrokerSummary:
    facts, expiry_s = exercise.broker_facts, exercise.orders.message_expiry_s
    expiry = (
        f"Alerts and retained states expire at the broker {expiry_s} s after they were sent (MQTT "
        "5): what was owed to a client that came back later is expired, not lost."
        if expiry_s
        else _NO_PROPERTIES
    )
    return BrokerSummary(
        kind=str(facts["kind"]),
        name=str(facts["name"]),
        version=str(facts["version"]),
        addresses=_texts(facts["addresses"]),
        settings=_texts(facts["settings"]) | _texts(facts.get("stated")),
        notes=(*_left_behind(exercise), expiry),
    )


def _left_behind(exercise: Exercise) -> tuple[str, ...]:
    left = exercise.books.sessions_left
    if not left:
        return ()
    return (
        f"{left} persistent sessions of this run could not be discarded and stay on the broker",
    )


def _texts(values: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in values.items()} if isinstance(values, dict) else {}


def _provenance(exercise: Exercise) -> Provenance:
    host = host_facts()
    return Provenance(
        command=as_shell(exercise.request.command),
        version=alertsim_version(),
        python=host["python"],
        packages=package_versions(),
        host=host,
    )


def _foreign_clocks(exercise: Exercise) -> tuple[ForeignClock, ...]:
    """Clocks of clients in other domains, as known at the end."""
    registry, window = exercise.books.registry, (exercise.start_ns, exercise.closed_ns)
    limit_ns = exercise.settings.clock_bound
    known = [] if registry is None else list(registry.clocks(*window))
    for worker in exercise.workers:
        clock = worker.known_clock(*window) if isinstance(worker, RemoteChild) else None
        known += [] if clock is None else [clock]
    return tuple(describe_clock(each, bound_limit_ns=limit_ns) for each in known)
