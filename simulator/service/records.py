"""What the service keeps of a run beside its directory, so that a restart forgets nothing.

Rule of the module: closed records, small, whole on disk at every instant; no secret in them.
"""

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from simulator.service.orders import RunOrder

RECORD_SCHEMA: Final = "1.0"
Kept = Literal["queued", "started", "ended"]
State = Literal[
    "queued",
    "starting",
    "running",
    "stopping",
    "complete",
    "incomplete",
    "failed",
    "writing",
    "unreadable",
]
Outcome = Literal["pass", "fail", "inconclusive", "aborted", "error"]
_OUTCOMES: Final[dict[int, Outcome]] = {
    0: "pass",
    98: "inconclusive",
    99: "fail",
    104: "error",
    105: "aborted",
    106: "error",
    107: "error",
}


class RunRecord(BaseModel):
    """A run that the service was asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: str = RECORD_SCHEMA
    run: str
    order: RunOrder
    scenario: str
    title: str
    root: str | None = None
    created: datetime
    state: Kept = "queued"
    started: datetime | None = None
    ended: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    sentence: str = ""


class ScenarioName(BaseModel):
    """Which scenario is played."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="Its id.", examples=["tohoku-2022-11-03"])
    title: str = Field(description="Its title.", examples=["3 November 2022"])


class RunInfo(BaseModel):
    """A run as the service shows it: waiting, playing, or kept as a directory."""

    model_config = ConfigDict(frozen=True)

    exercise: Literal[True] = Field(
        default=True, description="Always true: everything sent is marked as an exercise."
    )
    run: str = Field(
        description="Run id, the name of its directory.", examples=["20261122t142400-3f9a"]
    )
    name: str | None = Field(default=None, description="What people call it.")
    state: State = Field(
        description="queued: waits for its turn. starting: its process plans and connects. "
        "running: alerts are being sent. stopping: asked to end. complete: ended, whole. "
        "incomplete: stopped, killed or ended early; what was measured is kept. failed: ended "
        "before anything was sent, so there is no directory. writing: another process writes it. "
        "unreadable: damaged, or of another version of alertsim."
    )
    outcome: Outcome | None = Field(
        default=None, description="How it ended; null while it has not."
    )
    exit_code: int | None = Field(
        default=None,
        description="0 pass, 98 inconclusive, 99 threshold failed, 104 bad input, 105 aborted, "
        "106 broker, 107 internal; null if not known.",
    )
    reason: str = Field(default="", description="Why it is not complete, one sentence.")
    sentence: str = Field(default="", description="What it came to, one sentence.")
    scenario: ScenarioName | None = Field(default=None, description="What is played.")
    speed: float | None = Field(default=None, description="Scenario seconds per wall second.")
    subscribers: int | None = Field(default=None, description="Simulated subscribers.")
    seed: int | None = Field(default=None, description="Seed of every random stream.")
    repeat: int | None = Field(default=None, description="How often the timeline is played.")
    root: str | None = Field(default=None, description="Topic root; null while it has none.")
    created: datetime | None = Field(default=None, description="When it was asked for, UTC.")
    started: datetime | None = Field(default=None, description="When it was started, UTC.")
    ended: datetime | None = Field(default=None, description="When it ended, UTC.")
    waiting: int | None = Field(
        default=None, description="Runs before it in the queue; null if it does not wait."
    )
    files: tuple[str, ...] = Field(
        default=(), description="Files that can be had under /api/v1/runs/{run}/files/."
    )
    command: tuple[str, ...] = Field(
        default=(), description="Arguments that repeat it, the program's name first."
    )


def outcome_of(exit_code: int | None) -> Outcome | None:
    """The outcome that an exit code says; an unknown one is an error."""
    return None if exit_code is None else _OUTCOMES.get(exit_code, "error")
