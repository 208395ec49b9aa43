"""Populations: from the groups of a scenario to planned subscribers. Pure and deterministic.

Rule of the module: who is in which group, where it stands and when it is away depend on the
scenario and the seed alone; each member draws from a stream named after its group and its place in
it, so that another group changes nothing. Scenario time becomes wall time here, by the rule of
``pacer``; waits of devices are wall time and stay as they are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NamedTuple

from simulator.delivery.absences import Pace, conduct_of
from simulator.delivery.group_words import why
from simulator.delivery.placement import (
    CONTROLS_MIN,
    CONTROLS_SHARE,
    PROTOCOLS,
    apportion,
    quiet_stands,
)
from simulator.errors import ConfigurationError, ScenarioError
from simulator.measure.plan import PlannedGroup, PlannedSubscriber, Session, SubscriberKind
from simulator.randomness import Streams
from simulator.scenario.subscriber_checks import CONTROLS, REST
from simulator.scenario.subscribers import (
    MOST_SUBSCRIBERS,
    AnyGroup,
    Geographic,
    Overlapping,
    Shared,
    Slow,
    Steady,
)
from simulator.units import NS_PER_S, format_duration
from simulator.world.geography import municipalities

DEFAULT_SUBSCRIBERS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a run decides about its subscribers, besides the scenario.

    Attributes:
        run: run id; client ids begin with it.
        root: topic root.
        seed: seed of the run.
        subscribers: what shares are of, and how many stand steadily beside counted groups; None:
            not said. 0: nobody at all.
        qos: QoS asked for by groups that name none.
        protocol: MQTT version, or ``mixed``, of groups that name none.
        spoken: MQTT versions of the broker.
        session: of groups that name none.
        keep_alive_s: MQTT keep alive, wall seconds.
    """

    run: str
    root: str
    seed: int = 1
    subscribers: int | None = None
    qos: int = 1
    protocol: str = "mixed"
    spoken: tuple[str, ...] = ("3.1.1", "5")
    session: Session = Session.CLEAN
    keep_alive_s: int = 60


class Stand(NamedTuple):
    """Where a subscriber stands: prefecture, and municipality if it is one's receiver."""

    prefecture: str
    municipality: str = ""


class Audience(NamedTuple):
    """Everybody that a run plays to, and in which groups."""

    subscribers: tuple[PlannedSubscriber, ...]
    groups: tuple[PlannedGroup, ...]


def populate(
    groups: Sequence[AnyGroup],
    pace: Pace,
    prefectures: Sequence[str],
    populations: Mapping[str, int],
    setting: Setting,
) -> Audience:
    """Plan the members of each group, those in no group, and controls elsewhere.

    Args:
        groups: as the scenario has them.
        pace: when the scenario's messages go out, and how fast.
        prefectures: slugs of the alerted prefectures.
        populations: slug to inhabitants, of every prefecture.
        setting: what the run decides.

    Raises:
        ScenarioError: for a group that this run cannot have: no message where or while it is
            there, nobody in it, a version that the broker does not speak.
    """
    if not prefectures or setting.subscribers == 0:
        return Audience((), ())
    sizes, rest = sizes_of(groups, setting.subscribers)
    _check_total(sum(sizes.values()) + rest)
    planned: list[PlannedSubscriber] = []
    facts: list[PlannedGroup] = []
    streams = Streams(setting.seed)
    everybody: list[AnyGroup] = [*groups]
    if rest:
        everybody.append(Steady(id=REST, kind="steady", count=rest))
        sizes[REST] = rest
    for group in everybody:
        check_group(group, setting)
        stands = list(_stands(group, sizes.get(group.id), prefectures, populations))
        for place, stand in enumerate(stands):
            stream = streams.stream(f"subscribers/{group.id}/{place}")
            planned.append(
                PlannedSubscriber(
                    number=len(planned),
                    client=f"{setting.run}-{group.id}-{len(planned):05d}",
                    kind=SubscriberKind.SWARM,
                    prefecture=stand.prefecture,
                    filters=_filters(group, stand.prefecture, _qos(group, place, setting), setting),
                    session=_session(group, setting),
                    protocol=_protocol(group, place, setting),
                    group=group.id,
                    municipality=stand.municipality,
                    conduct=conduct_of(group, pace, stream),
                )
            )
        facts.append(
            PlannedGroup(
                name=group.id,
                kind=group.kind,
                members=len(stands),
                why=why(group, pace.epoch, _session(group, setting), _all_qos(group, setting)),
            )
        )
    controls = _controls(planned, prefectures, populations, setting)
    if controls:
        facts.append(
            PlannedGroup(
                name=CONTROLS,
                kind="control",
                members=len(controls),
                why="stand where no message goes: owed nothing, and must receive nothing",
            )
        )
    return Audience((*planned, *controls), tuple(facts))


def sizes_of(groups: Sequence[AnyGroup], subscribers: int | None) -> tuple[dict[str, int], int]:
    """How many are in each group that says so, and how many stand steadily besides.

    Shares are of ``subscribers`` (300 if not said) and divided by largest remainder; what they
    leave over is the rest. Without any share the rest is ``subscribers``, if said.

    Raises:
        ScenarioError: if a share is nobody.
    """
    sizes = {group.id: group.count for group in groups if group.count is not None}
    shares = {group.id: Fraction(str(group.share)) for group in groups if group.share is not None}
    if not shares:
        return sizes, subscribers or 0
    total = DEFAULT_SUBSCRIBERS if subscribers is None else subscribers
    quotas = {name: share * total for name, share in shares.items()}
    quotas[REST] = total - sum(quotas.values(), Fraction(0))
    taken = {name: int(quota) for name, quota in quotas.items()}
    left = total - sum(taken.values())
    by_remainder = sorted(quotas, key=lambda name: taken[name] - quotas[name])
    for name in by_remainder[:left]:
        taken[name] += 1
    rest = taken.pop(REST)
    for name, members in taken.items():
        if not members:
            raise ScenarioError(
                f"a share of {total} subscribers is nobody",
                field=f"subscribers.{name}.share",
                value=f"{float(shares[name]):g}",
                remedy="raise the share or --subscribers, or write a count",
            )
    return sizes | taken, rest


def check_group(group: AnyGroup, setting: Setting) -> None:
    """Refuse what this broker or this run's keep alive cannot carry.

    Raises:
        ScenarioError: naming the field.
    """
    if group.protocol is not None:
        for version in PROTOCOLS[group.protocol]:
            if version not in setting.spoken:
                raise ScenarioError(
                    "the broker was not given for this MQTT version",
                    field=f"subscribers.{group.id}.protocol",
                    value=group.protocol,
                    remedy=f'write protocol: "{setting.spoken[0]}", or leave it out',
                )
    if isinstance(group, Slow) and 2 * group.reads_every > setting.keep_alive_s * NS_PER_S:
        raise ScenarioError(
            "who reads so seldom cannot tell a silent broker from a dead one",
            field=f"subscribers.{group.id}.reads_every",
            value=format_duration(group.reads_every),
            remedy=f"at most half of the keep alive, {setting.keep_alive_s} s: write less, or "
            "raise keep_alive",
        )


def _check_total(total: int) -> None:
    if total > MOST_SUBSCRIBERS:
        raise ConfigurationError(
            f"{total} subscribers are more than the {MOST_SUBSCRIBERS} of one run",
            field="--subscribers",
            remedy="ask for fewer, or lower the counts of the scenario",
        )


def _stands(
    group: AnyGroup,
    count: int | None,
    alerted: Sequence[str],
    populations: Mapping[str, int],
) -> Iterator[Stand]:
    """Where the members of a group stand, prefecture by prefecture."""
    wanted = alerted if group.prefectures is None else group.prefectures
    there = [slug for slug in alerted if slug in set(wanted)]
    if not there:
        raise ScenarioError(
            "no message goes to where this group stands",
            field=f"subscribers.{group.id}.prefectures",
            value=", ".join(wanted),
            remedy=f"name some of {', '.join(alerted)}",
        )
    if isinstance(group, Geographic):
        towns = [town for town in municipalities() if town.prefecture in there and town.population]
        towns.sort(key=lambda town: (-town.population, town.code))
        chosen = {town.code for town in towns[:count]}
        for slug in there:
            yield from (
                Stand(slug, town.code)
                for town in towns
                if town.prefecture == slug and town.code in chosen
            )
        return
    for slug, share in apportion(count or 0, there, populations).items():
        yield from [Stand(slug)] * share


def _controls(
    planned: Sequence[PlannedSubscriber],
    alerted: Sequence[str],
    populations: Mapping[str, int],
    setting: Setting,
) -> tuple[PlannedSubscriber, ...]:
    versions = PROTOCOLS[setting.protocol]
    return tuple(
        PlannedSubscriber(
            number=number,
            client=f"{setting.run}-control-{number:05d}",
            kind=SubscriberKind.CONTROL,
            prefecture=slug,
            filters=((f"{setting.root}/v1/alerts/{slug}/+", setting.qos),),
            session=setting.session,
            protocol=versions[number % len(versions)],
            group=CONTROLS,
        )
        for number, slug in enumerate(
            quiet_stands(len(planned), alerted, populations, CONTROLS_SHARE, CONTROLS_MIN),
            start=len(planned),
        )
    )


def _filters(
    group: AnyGroup, prefecture: str, qos: int, setting: Setting
) -> tuple[tuple[str, int], ...]:
    base = f"{setting.root}/v1/"
    own = f"alerts/{prefecture}/+"
    if isinstance(group, Shared):
        # The run's id keeps two runs on one broker from sharing each other's messages; the
        # prefecture, because the embedded broker takes one name for one subscription whatever the
        # filters are, and gives members messages of filters that they do not have.
        name, inner = f"{setting.run}-{group.id}", "alerts/+/+"
        if group.across == "prefecture":
            name, inner = f"{name}-{prefecture}", own
        return ((f"$share/{name}/{base}{inner}", qos),)
    texts = [own]
    if isinstance(group, Overlapping):
        texts = [text.replace("{prefecture}", prefecture) for text in group.filters]
    if group.state:
        texts.append(f"state/{prefecture}")
    return tuple((base + text, qos) for text in texts)


def _all_qos(group: AnyGroup, setting: Setting) -> tuple[int, ...]:
    return group.qos or (setting.qos,)


def _qos(group: AnyGroup, place: int, setting: Setting) -> int:
    every = _all_qos(group, setting)
    return every[place % len(every)]


def _protocol(group: AnyGroup, place: int, setting: Setting) -> str:
    """Versions take turns one round of QoS after the other, so that all pairs of both occur."""
    versions = PROTOCOLS[group.protocol or setting.protocol]
    return versions[place // len(_all_qos(group, setting)) % len(versions)]


def _session(group: AnyGroup, setting: Setting) -> Session:
    return setting.session if group.session is None else Session(group.session)
