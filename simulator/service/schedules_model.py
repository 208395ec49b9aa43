"""Schedules: runs that start by themselves, and what has become of each.

Rule of the module: closed records. What a schedule is stands apart from how it went, because people
edit the one and the service alone writes the other.
"""

from typing import Annotated, Any, Final, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from simulator.errors import ConfigurationError
from simulator.service.metrics_catalogue import SKIP_REASONS
from simulator.service.orders import DurationText, RunOrder
from simulator.units import NS_PER_S, parse_duration, wall_datetime

ZONE: Final = "Asia/Tokyo"
MOST: Final = 100
NAME_PATTERN: Final = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
_FIELDS: Final = 5
_LONGEST_NS: Final = 24 * 3600 * NS_PER_S
_SHORTEST_PAUSE_NS: Final = NS_PER_S


def _duration(text: str) -> str:
    if parse_duration(text) > _LONGEST_NS:
        raise ValueError("at most 24h")
    return text


def _pause(text: str) -> str:
    if parse_duration(text) < _SHORTEST_PAUSE_NS:
        raise ValueError("at least 1s")
    return _duration(text)


def zone_of(name: str) -> ZoneInfo:
    """The time zone of this name.

    Raises:
        ValueError: if there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("not a time zone: write for example Asia/Tokyo or UTC") from None


def _zone(text: str) -> str:
    zone_of(text)
    return text


def _cron(text: str | None) -> str | None:
    if text is None:
        return None
    if len(text.split()) != _FIELDS:
        raise ValueError("five fields: minute, hour, day of month, month, day of week")
    try:
        next(CronSim(text, wall_datetime(0)))
    except (CronSimError, StopIteration, ValueError) as error:
        said = str(error) or "it never comes"
        raise ValueError(f"{said}: write for example 0 9 * * MON-FRI") from None
    return text


class Schedule(BaseModel):
    """A run that starts by itself: in an endless loop, or at the times of a cron expression."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {
                    "name": "weekday-drill",
                    "cron": "0 9 * * MON-FRI",
                    "zone": ZONE,
                    "run": {"scenario": "tohoku-2022-11-03", "speed": 60, "subscribers": 100},
                },
                {
                    "name": "always-something",
                    "loop": True,
                    "run": {"scenario": "drill-minimal", "speed": 60, "subscribers": 10},
                },
            ]
        },
    )

    name: str = Field(
        pattern=NAME_PATTERN,
        max_length=40,
        description="Its name in addresses: lowercase letters, digits and inner dashes.",
        examples=["weekday-drill"],
    )
    loop: bool = Field(
        default=False,
        description="Play again and again, each run after the end of the one before, so that test "
        "clients always have something to receive; instead of cron.",
        examples=[False],
    )
    cron: Annotated[str | None, AfterValidator(_cron)] = Field(
        default=None,
        max_length=100,
        description="When to start: minute, hour, day of month, month, day of week, in the zone.",
        examples=["0 9 * * MON-FRI"],
    )
    zone: Annotated[str, AfterValidator(_zone)] = Field(
        default=ZONE,
        max_length=64,
        description="Time zone of cron, by its IANA name.",
        examples=[ZONE],
    )
    pause: Annotated[DurationText, AfterValidator(_pause)] = Field(
        default="5s",
        description="Of a loop: wall time between the end of a run and the start of the next.",
        examples=["5s"],
    )
    grace: Annotated[DurationText, AfterValidator(_duration)] = Field(
        default="1h",
        description="Of cron: how much later a run may start after the clock jumped or the service "
        "was away, wall time; what is older is skipped and counted.",
        examples=["1h"],
    )
    run: RunOrder = Field(description="What is played.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.loop == (self.cron is not None):
            raise ValueError("give loop: true or cron, one of them")
        return self


class ScheduleState(BaseModel):
    """How a schedule went so far."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    since_ns: int = Field(description="When it was added, wall ns since the Unix epoch.")
    decided_ns: int = Field(description="Latest due instant that was decided upon, wall ns.")
    started: int = Field(default=0, ge=0, description="Runs that it started.")
    failures: int = Field(default=0, ge=0, description="Runs that failed at once, in a row.")
    last_run: str | None = Field(default=None, description="Id of the run it started last.")
    skipped: dict[str, int] = Field(
        default_factory=dict,
        description="Times at which it did not start a run, by why: " + ", ".join(SKIP_REASONS),
    )
    last_skip: str = Field(default="", description="Why it last did not, one sentence.")


def described(error: Any, where: str) -> ConfigurationError:  # noqa: ANN401  # of pydantic
    """The first fault of a validation, as an error of ours.

    Args:
        error: the ValidationError.
        where: the file.
    """
    first = error.errors(include_url=False)[0]
    shown = first.get("input")
    return ConfigurationError(
        str(first["msg"]).removeprefix("Value error, "),
        where=where,
        field=".".join(str(part) for part in first["loc"]),
        value=None if isinstance(shown, dict | list) else str(shown)[:200],
        remedy="mend the file by hand, or move it away; it was left as it is",
    )
