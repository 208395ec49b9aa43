"""What a request means for everybody who takes part: schedule, subscribers, orders.

Rule of the module: pure; settings and timeline come in, records for the other processes go out.
"""

from math import ceil

from simulator.alerts.compose import ExerciseContext
from simulator.alerts.topics import probe_topic
from simulator.delivery.brokers import Broker
from simulator.delivery.messages import PublishOrder, SwarmOrder
from simulator.delivery.pacer import schedule
from simulator.errors import ConfigurationError
from simulator.experiment.clusters import scheduler_place
from simulator.measure.plan import PlannedSubscriber, ScheduledAlert
from simulator.model.timeline import Timeline
from simulator.run.audience import audience
from simulator.run.request import RunRequest
from simulator.run.shards import shards, worker_count
from simulator.settings import spoken
from simulator.units import NS_PER_S, format_duration


class Orders:
    """The plan of one run.

    Args:
        request: what to play.
        timeline: the model's plan.
        domain: clock domain of the run.
        broker: where it goes; not yet started.

    Raises:
        ConfigurationError: if the broker does not speak the version asked for, the ramp is too
            slow for the wait, messages cannot expire that are to, or the cluster's address is none.

    Attributes:
        subscribers: our own, controls included, numbered from 0.
        groups: those of the scenario, and who is in none of them; empty if it has none.
        probe_topic: where the probe goes through the broker to the swarm.
    """

    def __init__(
        self, request: RunRequest, timeline: Timeline, domain: str, broker: Broker
    ) -> None:
        self._request = request
        self._settings = request.settings
        self._timeline = timeline
        self._domain = domain
        self._broker = broker
        self._audience = audience(
            request.scenario,
            timeline,
            self._settings,
            run=request.run,
            spoken=broker.protocols,
            protocol=self._protocol(),
        )
        self.subscribers = self._audience.subscribers
        self.groups = self._audience.groups
        self._check_ramp()
        self._check_expiry()
        if self._settings.cluster is not None:
            scheduler_place(self._settings.cluster)
        self.probe_topic = probe_topic(self._settings.root, request.run)

    @property
    def protocols(self) -> tuple[str, ...]:
        """MQTT versions in use: the subscribers' and our own."""
        used = [subscriber.protocol for subscriber in self.subscribers]
        return tuple(dict.fromkeys([*used, self._broker.control_protocol]))

    def _protocol(self) -> str:
        """Version of the subscribers: as asked for, as far as the broker speaks it."""
        asked, spoken = self._settings.protocol, self._broker.protocols
        if asked == "mixed":
            return "mixed" if len(spoken) > 1 else spoken[0]
        if asked not in spoken:
            given = self._broker.kind == "external"
            raise ConfigurationError(
                "the broker was not given for this MQTT version"
                if given
                else f"{self._broker.kind} speaks MQTT {' and '.join(spoken)} only",
                field="--protocol",
                value=asked,
                remedy=f"use --protocol {spoken[0]}, or "
                + ("change ?protocol= in --broker" if given else "--broker mosquitto"),
            )
        return asked

    def schedule(self, start_ns: int) -> tuple[ScheduledAlert, ...]:
        """Every alert of the run with its intended time, for a start (monotonic ns)."""
        settings = self._settings
        return schedule(
            self._timeline,
            run=self._request.run,
            root=settings.root,
            qos=settings.qos,
            speed=settings.speed,
            repeat=settings.repeat,
            gap_ns=settings.gap,
            start_ns=start_ns,
        )

    def identifiers(self) -> dict[str, int]:
        """CloudEvents id of each alert to its number in the schedule."""
        return {alert.identifier: alert.number for alert in self.schedule(0)}

    def context(self, start_ns: int, start_unix_ns: int) -> ExerciseContext:
        """What every message shares, for a start on both clocks."""
        settings, timeline = self._settings, self._timeline
        return ExerciseContext(
            run=self._request.run,
            scenario=timeline.scenario,
            title=timeline.title,
            seed=timeline.seed,
            epoch=timeline.epoch.isoformat(),
            root=settings.root,
            payload_format=settings.payload_format,
            cap_clock=settings.cap_clock,
            status=settings.status or self._request.scenario.status,
            expires_after_ns=settings.expires_after,
            clock_domain=self._domain,
            start_scenario_ns=timeline.alerts[0].at_ns if timeline.alerts else 0,
            start_wall_ns=start_ns,
            start_unix_ns=start_unix_ns,
            speed=float(settings.speed),
        )

    def swarm(self, hosts: int | None = None) -> tuple[SwarmOrder, ...]:
        """The orders of the swarm's workers, who share subscribers and ramp evenly.

        Args:
            hosts: that may carry one each, unless the settings say how many; None: this one.
        """
        settings, planned = self._settings, self.schedule(0)
        versions = dict.fromkeys(subscriber.protocol for subscriber in self.subscribers)
        whole = SwarmOrder(
            worker=0,
            endpoints={version: self._broker.endpoint(version) for version in versions},
            subscribers=self.subscribers,
            identifiers=self.identifiers(),
            topics=tuple(alert.topic for alert in planned),
            state_topics=tuple(alert.state_topic for alert in planned),
            probe_topic=self.probe_topic,
            keep_alive_s=self._keep_alive_s,
            ramp_per_s=settings.ramp,
            kernel_stamps=settings.kernel_stamps,
            seed=settings.seed,
        )
        return shards(whole, worker_count(len(self.subscribers), settings.swarm_workers or hosts))

    def publisher(self) -> PublishOrder:
        """The publisher's order; the start is not known yet."""
        return PublishOrder(
            endpoint=self._broker.endpoint(self._broker.control_protocol),
            context=self.context(0, 0),
            prefectures=self._timeline.prefectures,
            client=f"{self._request.run}-publisher",
            keep_alive_s=self._keep_alive_s,
            state=self._settings.state,
            message_expiry_s=self.message_expiry_s,
        )

    @property
    def message_expiry_s(self) -> int:
        """After how long the broker lets a message expire, wall seconds; 0: it does not.

        MQTT counts it in whole seconds; a message lives no shorter than it says of itself.
        """
        wanted, broker = self._settings.message_expiry, self._broker
        if wanted == "never" or (wanted == "auto" and broker.kind != "mosquitto"):
            return 0
        return max(1, ceil(self._settings.expires_after / NS_PER_S))

    def _check_expiry(self) -> None:
        """Refuse message expiry where it cannot be.

        Raises:
            ConfigurationError: with the remedy.
        """
        broker = self._broker
        if self._settings.message_expiry != "always":
            return
        if not broker.properties_allowed or broker.control_protocol != "5":
            by_url = broker.kind == "external"
            raise ConfigurationError(
                "messages cannot be made to expire on this broker",
                field=spoken("message_expiry"),
                value="always, with " + ("a broker for MQTT 3.1.1 only" if by_url else broker.kind),
                remedy="use --broker mosquitto, or a broker by URL that speaks MQTT 5; or leave it "
                "at auto",
            )

    def _check_ramp(self) -> None:
        """Refuse a ramp that is still opening connections when the wait for them is over.

        Raises:
            ConfigurationError: with the ramp that is enough.
        """
        settings = self._settings
        here = sum(not _comes_later(each) for each in self.subscribers)
        least = max(1, worker_count(here, settings.swarm_workers))  # each opens one a second
        limit_ns = settings.wait_timeout
        if (here - 1) * NS_PER_S <= limit_ns * max(settings.ramp, least):
            return
        remedy = f"a longer --wait-timeout than {format_duration(limit_ns)}"
        if limit_ns:
            needed = -(-(here - 1) * NS_PER_S // limit_ns)
            remedy = f"--ramp {needed} or more, or {remedy}"
        raise ConfigurationError(
            f"too slow to open {here} connections, controls included, before --wait-timeout ends",
            field="--ramp",
            value=str(settings.ramp),
            remedy=f"give {remedy}",
        )

    @property
    def _keep_alive_s(self) -> int:
        return max(1, self._settings.keep_alive // NS_PER_S)


def _comes_later(subscriber: PlannedSubscriber) -> bool:
    """Whether it joins during the run, and is not waited for."""
    return subscriber.conduct is not None and subscriber.conduct.joins_ns is not None
