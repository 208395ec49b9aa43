"""The load that benchmarks play: alerts like those of the founding case, in any number.

Rule of the module: pure. The messages are those that a run would send, composed by
``simulator.alerts`` from the first alert of ``tohoku-2022-11-03``, each with an identifier of its
own; only their number and their times are made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from simulator.alerts.compose import ExerciseContext, compose, encode
from simulator.alerts.topics import alerts_filter, probe_topic
from simulator.clock import clock_domain
from simulator.delivery.messages import BrokerEndpoint, SwarmOrder
from simulator.delivery.pacer import schedule
from simulator.measure.plan import PlannedSubscriber, ScheduledAlert, SubscriberKind
from simulator.model import simulate
from simulator.model.timeline import Timeline
from simulator.scenario import load_scenario

RUN: Final = "bench"
ROOT: Final = "alertsim"
SEED: Final = 7
KEEP_ALIVE_S: Final = 600  # no pings among the figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Alerts, who is to get them, and what every message shares."""

    timeline: Timeline
    alerts: tuple[ScheduledAlert, ...]
    subscribers: tuple[PlannedSubscriber, ...]
    context: ExerciseContext

    @property
    def deliveries(self) -> int:
        """First copies expected."""
        places = [subscriber.prefecture for subscriber in self.subscribers]
        return sum(places.count(alert.planned.prefecture) for alert in self.alerts)

    def payloads(self) -> tuple[bytes, ...]:
        """Every message, composed now."""
        return tuple(payload(alert, self.context) for alert in self.alerts)


def workload(
    *,
    times_ns: Sequence[int],
    prefectures: Sequence[str] = ("miyagi",),
    subscribers: int = 0,
    qos: int = 1,
    protocol: str = "5",
    start_ns: int = 0,
    start_unix_ns: int = 0,
) -> Workload:
    """Alerts at these times, round robin over the prefectures, to subscribers in the first.

    Args:
        times_ns: one alert each, ns after the start, in order.
        prefectures: slugs.
        subscribers: how many, all in the first prefecture.
        qos: of publisher and subscribers.
        protocol: MQTT version of the subscribers.
        start_ns: monotonic ns of time zero.
        start_unix_ns: the same instant on the wall clock.
    """
    founding = simulate(load_scenario("tohoku-2022-11-03"), SEED)
    first = founding.alerts[0]
    timeline = replace(
        founding,
        alerts=tuple(
            replace(
                first,
                number=number,
                at_ns=first.at_ns + time_ns,
                prefecture=prefectures[number % len(prefectures)],
                sequence=1 + number // len(prefectures),
            )
            for number, time_ns in enumerate(times_ns)
        ),
    )
    return Workload(
        timeline=timeline,
        alerts=schedule(
            timeline, run=RUN, root=ROOT, qos=qos, speed=Fraction(1), start_ns=start_ns
        ),
        subscribers=tuple(
            PlannedSubscriber(
                number=number,
                client=f"{RUN}-swarm-{number:05d}",
                kind=SubscriberKind.SWARM,
                prefecture=prefectures[0],
                filters=((alerts_filter(ROOT, prefectures[0]), qos),),
                protocol=protocol,
            )
            for number in range(subscribers)
        ),
        context=ExerciseContext(
            run=RUN,
            scenario=founding.scenario,
            title=founding.title,
            seed=SEED,
            epoch=founding.epoch.isoformat(),
            root=ROOT,
            clock_domain=clock_domain(),
            start_scenario_ns=first.at_ns,
            start_wall_ns=start_ns,
            start_unix_ns=start_unix_ns,
        ),
    )


def payload(alert: ScheduledAlert, context: ExerciseContext) -> bytes:
    """One message as the publisher would compose it."""
    message = compose(
        planned=alert.planned,
        identifier=alert.identifier,
        sequence=alert.sequence,
        repetition=0,
        references=[],
        intended_ns=alert.intended_ns,
        composed_ns=alert.intended_ns,
        context=context,
    )
    return encode(message, "json")


def swarm_order(load: Workload, endpoints: dict[str, BrokerEndpoint]) -> SwarmOrder:
    """What the run would tell its one worker."""
    return SwarmOrder(
        worker=0,
        endpoints=endpoints,
        subscribers=load.subscribers,
        identifiers={alert.identifier: alert.number for alert in load.alerts},
        topics=tuple(alert.topic for alert in load.alerts),
        state_topics=tuple(alert.state_topic for alert in load.alerts),
        probe_topic=probe_topic(ROOT, RUN),
        keep_alive_s=KEEP_ALIVE_S,
    )
