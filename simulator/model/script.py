"""The script: what every replication of a scenario shares, worked out once.

Rule of the module: pure; nothing is drawn here. Whatever no draw can change is found once for a
scenario and its launches, and looked up ever after.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from simulator.model.launch_script import LaunchScript, described
from simulator.model.rows import Described
from simulator.scenario.schema import Scenario

_KEPT: Final = 256


class MarkScript(NamedTuple):
    """Something worth showing beside the chain: when, its name, how it is shown."""

    at_ns: int
    name: str
    described: Described


class DrillScript(NamedTuple):
    """A test message: the first one, how often, how far apart, how it is shown, to whom."""

    at_ns: int
    turns: int
    every_ns: int
    ordered: Described
    prefectures: tuple[str, ...]


class Script:
    """A scenario, ready to be played.

    Args:
        scenario: what happens.

    Attributes:
        scenario: what happens.
        teams: how many there are.
        launches: the launches, in its order.
        drills: test messages.
        marks: what happens beside the chain.
        usual: the stages that they pass if all goes as expected.
        usual_streams: what these draw from.
        start_ns: the earliest instant that the scenario names, or its epoch.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario: Final = scenario
        self.teams = 1 if scenario.chain.teams is None else scenario.chain.teams.count
        self.launches = tuple(LaunchScript(scenario, launch) for launch in scenario.launches)
        self.usual = tuple(step for launch in self.launches for step in launch.usual)
        self.usual_streams = tuple(step.stream for step in self.usual)
        self.drills = tuple(
            DrillScript(
                drill.at.offset_ns(scenario.epoch),
                drill.count,
                drill.every,
                Described(note=drill.id),
                drill.prefectures,
            )
            for drill in scenario.tests
        )
        self.marks = tuple(
            MarkScript(
                scenario.offset_ns(mark.at), mark.id, described(scenario, mark.at, mark.text)
            )
            for mark in scenario.marks
        )
        began = [launch.at_ns for launch in self.launches]
        began += [drill.at_ns for drill in self.drills]
        began += [mark.at_ns for mark in self.marks]
        self.start_ns = min([0, *began])


_scripts: OrderedDict[int, Script] = OrderedDict()


def script_of(scenario: Scenario) -> Script:
    """The script of a scenario; those of the last scenarios played are kept."""
    found = _scripts.get(id(scenario))
    if found is None or found.scenario is not scenario:
        found = _scripts[id(scenario)] = Script(scenario)
        if len(_scripts) > _KEPT:
            _scripts.popitem(last=False)
    return found
