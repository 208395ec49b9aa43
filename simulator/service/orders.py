"""What a run is ordered with over HTTP, and the command line that plays it.

Rule of the module: closed models whose every field says its unit, its default and an example; what
the command line would refuse is refused here, before a process is started.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from simulator.alerts.topics import check_root
from simulator.errors import ConfigurationError, ThresholdError
from simulator.scenario.document import SIZE_LIMIT_BYTES
from simulator.settings import RunSettings
from simulator.thresholds import parse_thresholds
from simulator.units import parse_duration

_LONGEST_NS: Final = 24 * 3600 * 1_000_000_000
DurationText = Annotated[
    str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(ns|us|ms|s|min|h)$", max_length=32)
]


class RunOrder(BaseModel):
    """A run to start."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"scenario": "tohoku-2022-11-03", "speed": 60, "subscribers": 300},
            ]
        },
    )

    scenario: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Name of a shipped scenario; instead of scenario_yaml.",
        examples=["tohoku-2022-11-03"],
    )
    scenario_yaml: str | None = Field(
        default=None,
        min_length=1,
        max_length=SIZE_LIMIT_BYTES,
        description="Text of a scenario file, at most 1 MiB; instead of scenario. It may extend "
        "shipped scenarios by name, never files.",
        examples=['schema: "1.0"\nid: my-drill\nextends: tohoku-2022-11-03\n'],
    )
    name: str | None = Field(
        default=None,
        min_length=1,
        max_length=80,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="What people call it; shown beside its id, need not be unique.",
        examples=["Tuesday drill"],
    )
    speed: float = Field(
        default=1.0,
        ge=0.001,
        le=1_000_000,
        description="Scenario seconds per wall second between planned events; 1 is real time.",
        examples=[60],
    )
    subscribers: int = Field(
        default=300,
        ge=0,
        description="Simulated subscribers in the alerted prefectures. The service has a limit, "
        "see limits in /api/v1/service.",
        examples=[300],
    )
    seed: int = Field(
        default=1, ge=0, lt=2**63, description="Seed of every random stream.", examples=[1]
    )
    qos: Literal[0, 1, 2] = Field(default=1, description="MQTT QoS of the publisher.", examples=[1])
    protocol: Literal["3.1.1", "5", "mixed"] = Field(
        default="mixed", description="MQTT version of the subscribers.", examples=["mixed"]
    )
    repeat: int = Field(
        default=1,
        ge=1,
        le=100_000,
        description="How often the timeline is played on one set of connections.",
        examples=[1],
    )
    thresholds: tuple[Annotated[str, StringConstraints(max_length=300)], ...] = Field(
        default=(),
        max_length=100,
        description="Pass/fail expressions on top of the scenario's own.",
        examples=[["delivery_latency{population=live}: p(99)<1s"]],
    )
    format: Literal["json", "cap-xml"] = Field(
        default="json",
        description="Payload: CloudEvents with CAP in data, or CAP 1.2 XML.",
        examples=["json"],
    )
    wait_for_clients: int = Field(
        default=0,
        ge=0,
        le=100_000,
        description="Start only after so many foreign test clients are online by their status.",
        examples=[0],
    )
    lead_in: Literal["launch"] | DurationText = Field(
        default="0s",
        description="Scenario time that passes at the run's speed before the first alert, at most "
        "24h; launch: from the first launch on, so that the stages of the chain can be watched.",
        examples=["launch"],
    )
    hold: DurationText = Field(
        default="0s",
        description="Keep states and subscribers this long after the last alert and its drain, "
        "wall; at most 24h.",
        examples=["60s"],
    )
    root: str | None = Field(
        default=None,
        max_length=128,
        description="First topic level or levels; none: the first of alertsim, alertsim-2, … that "
        "no other run uses.",
        examples=["alertsim"],
    )

    @model_validator(mode="after")
    def _one_scenario(self) -> Self:
        if (self.scenario is None) == (self.scenario_yaml is None):
            raise ValueError("give scenario or scenario_yaml, one of them")
        return self


def check_order(order: RunOrder, max_subscribers: int) -> None:
    """Refuse what a run would refuse, and what is too large for this service.

    Raises:
        InputError: naming field, value and remedy.
    """
    if order.subscribers > max_subscribers:
        raise ConfigurationError(
            f"this service plays at most {max_subscribers:,} subscribers in a run",
            field="subscribers",
            value=str(order.subscribers),
            remedy=f"give at most {max_subscribers}, or start the service with --max-subscribers",
        )
    _check_duration("hold", order.hold)
    if order.lead_in != "launch":
        _check_duration("lead_in", order.lead_in)
    if order.root is not None:
        check_root(order.root)
    parse_thresholds(_by_metric(order.thresholds))


def _check_duration(field: str, text: str) -> None:
    remedy = "write for example 60s, at most 24h"
    try:
        length_ns = parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(str(error), field=field, value=text, remedy=remedy) from None
    if length_ns > _LONGEST_NS:
        raise ConfigurationError("longer than a day", field=field, value=text, remedy=remedy)


def _by_metric(expressions: tuple[str, ...]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in expressions:
        cut = text.find(":", text.find("}") + 1)
        if cut < 0:
            raise ThresholdError(
                "a threshold needs a metric, a colon and an expression",
                field="thresholds",
                value=text,
                remedy="write for example lost: count==0",
            )
        found.setdefault(text[:cut].strip(), []).append(text[cut + 1 :].strip())
    return found


def arguments(
    order: RunOrder, *, run: str, scenario: str, root: str, broker: str, out: str
) -> list[str]:
    """What follows ``alertsim`` to play it; every setting is said, so that no variable adds one.

    Args:
        order: what to play.
        run: run id.
        scenario: name of a shipped scenario, or path of a file.
        root: topic root.
        broker: as ``--broker`` takes it; empty: from the environment.
        out: directory that holds run directories.
    """
    options: dict[str, Any] = {
        "speed": _number(order.speed),
        "subscribers": order.subscribers,
        "seed": order.seed,
        "qos": order.qos,
        "protocol": order.protocol,
        "repeat": order.repeat,
        "format": order.format,
        "wait-for-clients": order.wait_for_clients,
        "lead-in": order.lead_in,
        "hold": order.hold,
        "root": root,
        "run-id": run,
        "out": out,
        "events": "-",
        "log-format": "json",
    } | ({"broker": broker} if broker else {})
    said = [f"--{name}={value}" for name, value in options.items()]
    said += [f"--threshold={text}" for text in order.thresholds]
    return ["run", scenario, *said, "--quiet"]


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


DEFAULT_ROOT: Final = str(RunSettings.model_fields["root"].default)
