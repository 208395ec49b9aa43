"""What a run is asked to do, and what it gives back.

Rule of the module: frozen records, no behaviour beyond naming.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simulator.errors import ExitCode
from simulator.measure.summary import Summary
from simulator.run.baselines import Baseline, Judged
from simulator.scenario import Scenario
from simulator.settings import RunSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """One exercise to play.

    Attributes:
        scenario: what to play, validated.
        settings: how to play it.
        run: run id; the name of the run directory and the first part of every identifier.
        command: arguments that repeat the run, the program's name first; no password in it.
        out: directory in which the run directory is made; None: nothing is written.
        thresholds: expressions by metric, on top of the scenario's.
        baseline: what to compare it with once it was played, or None; needs ``out``.
        client: ``wire`` (our measured publisher) or ``aiomqtt``.
        ports: fixed ports of the embedded broker by MQTT version, empty: as free.
    """

    scenario: Scenario
    settings: RunSettings
    run: str
    command: tuple[str, ...] = ()
    out: Path | None = None
    thresholds: Mapping[str, Sequence[str]] = field(default_factory=dict)
    client: str = "wire"
    baseline: Baseline | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """How it ended.

    Attributes:
        exit_code: as the process should end.
        summary: the account; None if nothing was sent.
        directory: the run directory; None if nothing was written.
        report: ``report.html`` in it; None if it was not made.
        reason: why the run is incomplete; empty if it is complete.
        judged: what came of the comparison with its baseline; None if none was asked for.
    """

    exit_code: ExitCode
    summary: Summary | None
    directory: Path | None
    report: Path | None
    reason: str = ""
    judged: Judged | None = None
