"""What really becomes of a planned flight: it completes, breaks up, falls short, or is lost.

Rule of the module: truth only. What the chain believes is another flight, planned from what it
knew; nothing here looks at it.
"""

from dataclasses import dataclass

from simulator.errors import InputError
from simulator.world.earth import Place
from simulator.world.flight import Flight


@dataclass(frozen=True, slots=True, kw_only=True)
class FlownFlight:
    """A flight as it went.

    Attributes:
        flight: the plan that it followed while it flew.
        ends_at_s: seconds after launch at which it ends: the impact of the plan, or earlier where
            it breaks up or falls short. Nothing of it arrives anywhere later.
        lost_at_s: when the radars lose it though it flies on, None if they do not.
    """

    flight: Flight
    ends_at_s: float
    lost_at_s: float | None = None

    @property
    def completes(self) -> bool:
        """Whether it reaches the impact of the plan."""
        return self.ends_at_s >= self.flight.duration_s

    @property
    def seen_until_s(self) -> float:
        """Until when there is something for a radar to follow."""
        return self.ends_at_s if self.lost_at_s is None else min(self.ends_at_s, self.lost_at_s)

    @property
    def end_km(self) -> float:
        """How far from the launch it ends, along its track."""
        return self.flight.ground_km(self.ends_at_s)

    @property
    def end(self) -> Place:
        """The place that it ends over, or falls on."""
        return self.flight.place_at(self.ends_at_s)

    def arrives(self, at_s: float) -> bool:
        """Whether what the plan has at that time still happens."""
        return at_s <= self.ends_at_s


def fly(
    flight: Flight,
    *,
    ends_at_s: float | None = None,
    ends_over_km: float | None = None,
    lost_at_s: float | None = None,
) -> FlownFlight:
    """The flight as it went; without options it completes and is never lost.

    Args:
        flight: the plan.
        ends_at_s: it breaks up so many seconds after launch.
        ends_over_km: it falls short, so many kilometres from the launch along its track.
        lost_at_s: the radars lose it so many seconds after launch.

    Raises:
        InputError: if it ends twice, or an option lies outside the flight.
    """
    if ends_at_s is not None and ends_over_km is not None:
        raise InputError(
            "the flight ends twice",
            field="ends_over_km",
            value=f"{ends_over_km:g}",
            remedy="write ends_at_s or ends_over_km, not both",
        )
    _check("ends_at_s", ends_at_s, flight.duration_s)
    _check("ends_over_km", ends_over_km, flight.range_km)
    _check("lost_at_s", lost_at_s, flight.duration_s)
    if ends_over_km is not None:
        ends_at_s = flight.when_over_km(ends_over_km)
    return FlownFlight(
        flight=flight,
        ends_at_s=flight.duration_s if ends_at_s is None else ends_at_s,
        lost_at_s=lost_at_s,
    )


def _check(field: str, given: float | None, most: float) -> None:
    if given is not None and not 0 <= given <= most:
        raise InputError(
            "this lies outside the flight",
            field=field,
            value=f"{given:g}",
            remedy=f"write a number between 0 and {most:.0f}",
        )
