"""Experiments over HTTP: what is ordered, the command that plays it, what is kept and shown of it.

Rule of the module: closed models. What an order names is a shipped scenario or a thing of this
store, never a path; every text from outside stands behind an option's equals sign, so that none
becomes an option of its own.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from simulator.errors import ConfigurationError
from simulator.resources import scenario_names

SCHEMA: Final = "1.0"
ID_PATTERN: Final = r"^[0-9]{8}t[0-9]{6}-[0-9a-f]{4}$"
_FEWEST: Final = 2
_MOST: Final = 26
_POINT: Final = "#"

Kind = Literal["simulate", "sweep", "compare"]
State = Literal["queued", "running", "stopping", "complete", "incomplete", "failed"]
Text = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f]+$")]
ScenarioName = Annotated[str, StringConstraints(min_length=1, max_length=200)]
ThingName = Annotated[
    str, StringConstraints(max_length=140, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(#[0-9]{1,6})?$")
]


class ExperimentOrder(BaseModel):
    """An experiment to play: replications of a scenario, a sweep, or a comparison."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"kind": "simulate", "scenario": "drill-minimal", "replications": 100},
                {
                    "kind": "sweep",
                    "scenario": "tohoku-2022-11-03-modelled",
                    "vary": ["chain.decision=60s..240s:5"],
                    "replications": 100,
                },
                {
                    "kind": "compare",
                    "scenarios": ["tohoku-2022-11-03-modelled", "tohoku-2022-11-03-rules-2023"],
                    "replications": 200,
                },
            ]
        },
    )

    kind: Kind = Field(
        description="simulate: replications of one scenario. sweep: variants of one scenario. "
        "compare: scenarios under the same random numbers, or experiments or runs of this store.",
        examples=["simulate"],
    )
    scenario: ScenarioName | None = Field(
        default=None, description="Name of a shipped scenario; for simulate and sweep."
    )
    scenarios: tuple[ScenarioName, ...] = Field(
        default=(), max_length=_MOST, description="Of compare: the baseline first."
    )
    experiments: tuple[ThingName, ...] = Field(
        default=(),
        max_length=_MOST,
        description="Of compare: ids of experiments, ID#3 for point 3 of a sweep.",
    )
    runs: tuple[ThingName, ...] = Field(
        default=(), max_length=_MOST, description="Of compare: ids of runs."
    )
    replications: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Replications of each point; the command's own default if not given.",
        examples=[100],
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="Seed of every random stream.")
    chain_only: bool = Field(
        default=False, description="Play the chain alone, without counting people."
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Processes that play; runs measure more quietly beside few. The result does "
        "not depend on it.",
    )
    settings: tuple[Text, ...] = Field(
        default=(),
        max_length=50,
        description="Fields of the scenario that are set: PATH=VALUE.",
        examples=[["chain.decision=90s"]],
    )
    vary: tuple[Text, ...] = Field(
        default=(),
        max_length=50,
        description="Of sweep: a field and its values, PATH=a,b,c or PATH=LOW..HIGH:COUNT.",
        examples=[["chain.teams.count=1,2"]],
    )
    design: Literal["grid", "lhs", "tornado", "sobol"] = Field(
        default="grid", description="Of sweep: how variants are chosen."
    )
    points: int = Field(
        default=0, ge=0, le=1_000_000, description="Of a sweep by lhs: points of the hypercube."
    )
    fail_if: tuple[Text, ...] = Field(
        default=(),
        max_length=50,
        description="Of compare: conditions under which it fails.",
        examples=[["alert.p95 > 1.1x"]],
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        compared = [names for names in (self.scenarios, self.experiments, self.runs) if names]
        if self.kind == "compare":
            if self.scenario is not None or len(compared) != 1 or len(compared[0]) < _FEWEST:
                raise ValueError("compare takes two or more scenarios, experiments or runs")
        elif self.scenario is None or compared:
            raise ValueError(f"{self.kind} takes one scenario")
        if self.kind != "sweep" and (self.vary or self.points or self.design != "grid"):
            raise ValueError("vary, design and points are of a sweep")
        if self.kind != "compare" and self.fail_if:
            raise ValueError("fail_if is of a comparison")
        return self


class ExperimentRecord(BaseModel):
    """What is kept of an experiment beside its directory."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: str = SCHEMA
    id: str = Field(pattern=ID_PATTERN)
    order: ExperimentOrder
    created: datetime
    state: Literal["queued", "started", "ended"] = "queued"
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    remedy: str = ""
    done: int = 0
    total: int | None = None


class ExperimentInfo(BaseModel):
    """An experiment as the service shows it."""

    model_config = ConfigDict(frozen=True)

    exercise: Literal[True] = Field(
        default=True, description="Always true: simulated replications, no real event."
    )
    id: str = Field(description="Its id, the name of its directory.")
    state: State = Field(
        description="queued: waits for its turn. running. stopping: asked to end. complete: every "
        "replication was played. incomplete: it was stopped or the service ended; finished "
        "replications are kept, and it can be continued. failed: it could not be played."
    )
    order: ExperimentOrder = Field(description="What was ordered.")
    done: int = Field(description="Replications that are finished, over all points.")
    total: int | None = Field(description="Replications in all; null before it began.")
    exit_code: int | None = Field(
        description="0; 98 and 99 for a comparison whose fail_if is in doubt or met; 104 bad "
        "input, 105 stopped, 107 internal; null while it has not ended."
    )
    reason: str = Field(description="Why it is not complete, one sentence.")
    remedy: str = Field(description="What to do about it.")
    created: datetime = Field(description="When it was asked for, UTC.")
    started: datetime | None = Field(description="When it was started, UTC.")
    ended: datetime | None = Field(description="When it ended, UTC.")
    files: tuple[str, ...] = Field(
        description="Files that can be had under /api/v1/experiments/{id}/files/."
    )


def check_order(order: ExperimentOrder) -> None:
    """Refuse scenarios that are not shipped.

    Raises:
        ConfigurationError: naming the scenario.
    """
    known = scenario_names()
    for name in (*filter(None, [order.scenario]), *order.scenarios):
        if name not in known:
            raise ConfigurationError(
                "no shipped scenario has this name",
                field="scenario" if order.scenario else "scenarios",
                value=name,
                remedy="choose one of /api/v1/scenarios",
            )


def arguments(order: ExperimentOrder, out: Path, place: Callable[[str, str], Path]) -> list[str]:
    """What follows ``alertsim`` to play it.

    Args:
        order: what to play.
        out: directory to keep it in.
        place: directory of an experiment or a run, by kind and id.

    Raises:
        ProblemError: if a thing that is compared is not there.
    """
    said: list[str] = [order.kind]
    played = not (order.experiments or order.runs)
    options: list[str] = [f"--out={out}", "--json", "--log-format=json"]
    if played:
        options += [f"--seed={order.seed}", f"--workers={order.workers}"]
        options += [f"--set={text}" for text in order.settings]
        options += ["--chain-only"] if order.chain_only else []
        replications = order.replications or (200 if order.kind == "simulate" else None)
        options += [f"--replications={replications}"] if replications else []
    if order.kind == "sweep":
        options += [f"--design={order.design}", *(f"--vary={text}" for text in order.vary)]
        options += [f"--points={order.points}"] if order.points else []
    options += [f"--fail-if={text}" for text in order.fail_if]
    names = [*filter(None, [order.scenario]), *order.scenarios]
    names += [_placed(place, "experiment", name) for name in order.experiments]
    names += [_placed(place, "run", name) for name in order.runs]
    return [*said, *options, *names]


def _placed(place: Callable[[str, str], Path], kind: str, name: str) -> str:
    head, mark, point = name.partition(_POINT)
    return f"{place(kind, head)}{mark}{point}"
