"""Who notices a launch, and when: early warning from space, radars on the ground.

Rule of the module: space shows that something was launched, radar where it is going, so a warning
for prefectures needs both, except where the direction was announced and the chain is watching. With
listed facts both take what their laws say; with a flight they see what geometry lets them see.
"""

from typing import TYPE_CHECKING, Final

from simulator.model.outlook import Outlook
from simulator.model.play import Passed, Play, Process
from simulator.model.timeline import EventKind
from simulator.scenario.laws import Law
from simulator.scenario.schema import Launch
from simulator.units import NS_PER_MS

if TYPE_CHECKING:
    from simulator.model.geometry import Geometry

SATELLITE: Final = "satellite"
RADAR: Final = "radar"

Report = tuple[str, Law, int]


def sense(play: Play, launch: Launch, outlook: Outlook, cause: int) -> Process:
    """Wait until the chain knows enough to assess a launch.

    Args:
        play: the replication.
        launch: the launch.
        outlook: what it will be taken for.
        cause: number of its event.

    Returns:
        The stage passed, None if the launch or its direction is never known.
    """
    started_ns = play.now_ns
    if outlook.geometry is None:
        reports, silent = _by_law(play, launch), ""
    else:
        reports = _by_sight(play, launch, outlook.geometry)
        silent = _what_is_missing(reports)
    names = [name for name, _, _ in reports]
    watching = play.watch(launch)
    if watching is not None and watching.waits_for == SATELLITE and SATELLITE in names:
        reports = [report for report in reports if report[0] == SATELLITE]
        silent = ""
    if silent:
        play.recorder.event(
            EventKind.MARK, "not-warned", cause=cause, launch=launch.id, note=silent
        )
        return None
    sensors = [play.env.process(_report(play, launch, cause, report)) for report in reports]
    slowest: Passed = yield sensors[0]
    for sensor in sensors[1:]:
        passed: Passed = yield sensor
        slowest = max(slowest, passed, key=lambda one: one.stage.ended_ns)
    figure = next(law for name, law, _ in reports if name == slowest.stage.name)
    return play.passed(launch, "sensing", slowest.number, figure, started_ns=started_ns)


def _report(play: Play, launch: Launch, cause: int, report: Report) -> Process:
    """One sensor reports."""
    name, law, after_ns = report
    started_ns = play.now_ns
    yield play.env.timeout(after_ns)
    return play.passed(launch, name, cause, law, started_ns=started_ns)


def _by_law(play: Play, launch: Launch) -> list[Report]:
    """When the sensors of listed facts report."""
    return [
        (name, play.law(name, launch), play.draw_ns(launch, name))
        for name in (SATELLITE, RADAR)
        if getattr(play.chain, name) is not None
    ]


def _by_sight(play: Play, launch: Launch, geometry: "Geometry") -> list[Report]:
    """When the sensors that see a flight report, ns after launch."""
    from simulator.model.sights import radar_track_ms, satellite_looks_ms  # noqa: PLC0415

    reports: list[Report] = []
    looks_ms = satellite_looks_ms(geometry, play.share(launch, "phase"))
    if looks_ms is not None:
        relay_ns = play.draw_ns(launch, "relay")
        reports.append((SATELLITE, play.law("relay", launch), looks_ms * NS_PER_MS + relay_ns))
    forming_ns = play.draw_ns(launch, "forming")
    track_ms = radar_track_ms(geometry, forming_ns // NS_PER_MS)
    if track_ms is not None:
        reports.append((RADAR, play.law("forming", launch), track_ms * NS_PER_MS))
    return reports


def _what_is_missing(reports: list[Report]) -> str:
    """Why a warning is not possible, empty if it is: radar alone shows launch and direction."""
    names = [name for name, _, _ in reports]
    if RADAR in names:
        return ""
    if SATELLITE in names:
        return "No radar has a track: early warning from space does not show where it is going."
    return "Neither early warning from space nor a radar sees it for long enough."
