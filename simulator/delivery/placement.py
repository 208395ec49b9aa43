"""Placement: which simulated subscriber stands in which prefecture. Pure and deterministic.

Rule of the module: a number of subscribers and the population come in, planned subscribers go out,
the same ones for the same arguments. Subscribers are shared out by population; controls stand where
nothing is to be heard, because an instrument that cannot show a wrong delivery proves nothing by
showing none.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from simulator.alerts.topics import alerts_filter
from simulator.errors import ConfigurationError
from simulator.measure.plan import PlannedSubscriber, Session, SubscriberKind

CONTROLS_SHARE: Final = Fraction(5, 100)
CONTROLS_MIN: Final = 10
PROTOCOLS: Final = {"3.1.1": ("3.1.1",), "5": ("5",), "mixed": ("3.1.1", "5")}


def place(
    count: int,
    prefectures: Sequence[str],
    populations: Mapping[str, int],
    *,
    run: str,
    root: str,
    qos: int = 1,
    protocol: str = "5",
    session: Session = Session.CLEAN,
    controls_share: Fraction = CONTROLS_SHARE,
    controls_min: int = CONTROLS_MIN,
) -> tuple[PlannedSubscriber, ...]:
    """Plan ``count`` subscribers in the alerted prefectures, and controls elsewhere.

    Args:
        count: subscribers in alerted prefectures; 0 plans nobody, controls included.
        prefectures: slugs of the alerted prefectures.
        populations: slug to inhabitants, of every prefecture that a control may stand in too.
        run: run id; client ids begin with it.
        root: topic root.
        qos: QoS asked for, 0 to 2.
        protocol: ``3.1.1``, ``5`` or ``mixed`` (alternating).
        session: clean or persistent.
        controls_share: controls per subscriber, rounded up.
        controls_min: fewest controls.

    Returns:
        Subscribers first, prefecture by prefecture, then controls, round robin over the
        prefectures that get no alert; numbered from 0. No controls if every prefecture is alerted.

    Raises:
        ConfigurationError: for a negative count, an unknown protocol, or a prefecture without
            population.
    """
    if count < 0:
        raise ConfigurationError(
            "the number of subscribers is negative", field="subscribers", value=str(count)
        )
    if protocol not in PROTOCOLS:
        raise ConfigurationError(
            "unknown MQTT version",
            field="protocol",
            value=protocol,
            remedy=f"one of {', '.join(PROTOCOLS)}",
        )
    stands = [
        (SubscriberKind.SWARM, prefecture)
        for prefecture, share in apportion(count, prefectures, populations).items()
        for _ in range(share)
    ]
    stands += [
        (SubscriberKind.CONTROL, prefecture)
        for prefecture in quiet_stands(
            len(stands), prefectures, populations, controls_share, controls_min
        )
    ]
    versions = PROTOCOLS[protocol]
    return tuple(
        PlannedSubscriber(
            number=number,
            client=f"{run}-{kind.value}-{number:05d}",
            kind=kind,
            prefecture=prefecture,
            filters=((alerts_filter(root, prefecture), qos),),
            session=session,
            protocol=versions[number % len(versions)],
        )
        for number, (kind, prefecture) in enumerate(stands)
    )


def quiet_stands(
    count: int,
    prefectures: Sequence[str],
    populations: Mapping[str, int],
    share: Fraction = CONTROLS_SHARE,
    least: int = CONTROLS_MIN,
) -> tuple[str, ...]:
    """Prefectures of the controls of ``count`` subscribers, round robin over those not alerted.

    None if there are no subscribers, or every prefecture is alerted.
    """
    quiet = [slug for slug in populations if slug not in set(prefectures)]
    if not count or not quiet:
        return ()
    controls = max(least, int(-(-count * share // 1)))
    return tuple(quiet[place % len(quiet)] for place in range(controls))


def apportion(
    count: int, prefectures: Sequence[str], populations: Mapping[str, int]
) -> dict[str, int]:
    """Share ``count`` out by population: largest remainder, at least one each.

    A prefecture whose exact share is below one gets one and leaves the division; the others divide
    what is left. If there are fewer subscribers than prefectures, the most populous get one each
    and the others none. Ties go to the prefecture named first.

    Returns:
        Slug to number, in the order of ``prefectures``; the numbers add up to ``count`` (to 0
        without prefectures).

    Raises:
        ConfigurationError: for a prefecture without population.
    """
    order = list(dict.fromkeys(prefectures))
    for slug in order:
        if populations.get(slug, 0) <= 0:
            raise ConfigurationError(
                "no population is known for the prefecture", field="prefecture", value=slug
            )
    largest_first = sorted(order, key=lambda slug: -populations[slug])
    if count <= len(order):
        chosen = set(largest_first[:count])
        return {slug: int(slug in chosen) for slug in order}
    sharing = order
    while True:
        seats = count - (len(order) - len(sharing))
        people = sum(populations[slug] for slug in sharing)
        whole = [slug for slug in sharing if seats * populations[slug] >= people]
        if len(whole) == len(sharing):
            break
        sharing = whole
    shares = dict.fromkeys(order, 1)
    remainders: dict[str, int] = {}
    for slug in sharing:
        shares[slug], remainders[slug] = divmod(seats * populations[slug], people)
    left = seats - sum(shares[slug] for slug in sharing)
    for slug in sorted(sharing, key=lambda slug: -remainders[slug])[:left]:
        shares[slug] += 1
    return shares
