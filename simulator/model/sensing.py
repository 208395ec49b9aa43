"""Who notices a launch, and when: early warning from space, radars on the ground.

Rule of the module: space shows that something was launched, radar where it is going, so a warning
for prefectures needs both, except where the direction was announced and the chain is watching. With
listed facts both take what their laws say; with a flight they see what geometry lets them see.
"""

from typing import TYPE_CHECKING, NamedTuple

from simulator.model.launch_script import RADAR, SATELLITE, LaunchScript
from simulator.model.play import Play, Process
from simulator.model.rows import MARK, Described, StageRow
from simulator.units import NS_PER_MS

if TYPE_CHECKING:
    from simulator.model.sights import Sights


class Report(NamedTuple):
    """What a sensor reports: its name, how that is shown, ns after the launch."""

    sensor: str
    described: Described
    after_ns: int


def sense(play: Play, launch: LaunchScript, cause: int) -> Process:
    """Wait until the chain knows enough to assess a launch.

    Args:
        play: the replication.
        launch: the launch.
        cause: number of its event.

    Returns:
        The stage passed, None if the launch or its direction is never known.
    """
    started_ns = play.now_ns
    if launch.sights is None:
        reports, silent = _by_law(play, launch), ""
    else:
        reports = _by_sight(play, launch, launch.sights)
        silent = _what_is_missing(reports)
    if launch.watch is not None and launch.watch.waits_for == SATELLITE:
        from_space = [report for report in reports if report.sensor == SATELLITE]
        if from_space:
            reports, silent = from_space, ""
    if silent:
        note = Described(note=silent)
        play.recorder.event(MARK, "not-warned", note, cause=cause, launch=launch.id)
        return None
    sensors = [play.env.process(_report(play, launch, cause, report)) for report in reports]
    slowest: StageRow = yield sensors[0]
    described = reports[0].described
    for report, sensor in zip(reports[1:], sensors[1:], strict=True):
        passed: StageRow = yield sensor
        if passed.ended_ns > slowest.ended_ns:
            slowest, described = passed, report.described
    return play.recorder.stage("sensing", described, launch.id, slowest.number, started_ns)


def _report(play: Play, launch: LaunchScript, cause: int, report: Report) -> Process:
    """One sensor reports."""
    started_ns = play.now_ns
    yield play.env.timeout(report.after_ns)
    return play.recorder.stage(report.sensor, report.described, launch.id, cause, started_ns)


def _by_law(play: Play, launch: LaunchScript) -> list[Report]:
    """When the sensors of listed facts report."""
    return [Report(step.shown, step.described, play.draw_ns(step)) for step in launch.sensors]


def _by_sight(play: Play, launch: LaunchScript, sights: "Sights") -> list[Report]:
    """When the sensors that see a flight report, ns after launch."""
    reports: list[Report] = []
    looks_ms = sights.looks_ms(play.first(launch.phase))
    if looks_ms is not None:
        relay = launch.steps["relay", ""]
        after_ns = looks_ms * NS_PER_MS + play.draw_ns(relay)
        reports.append(Report(SATELLITE, relay.described, after_ns))
    forming = launch.steps["forming", ""]
    track_ms = sights.track_ms(play.draw_ns(forming) // NS_PER_MS)
    if track_ms is not None:
        reports.append(Report(RADAR, forming.described, track_ms * NS_PER_MS))
    return reports


def _what_is_missing(reports: list[Report]) -> str:
    """Why a warning is not possible, empty if it is: radar alone shows launch and direction."""
    names = [report.sensor for report in reports]
    if RADAR in names:
        return ""
    if SATELLITE in names:
        return "No radar has a track: early warning from space does not show where it is going."
    return "Neither early warning from space nor a radar sees it for long enough."
