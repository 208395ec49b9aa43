"""The script: what every replication of a scenario shares, worked out once.

Rule of the module: pure; nothing is drawn here. Whatever no draw can change (when moments are, what
a launch will be taken for, which law a stage follows and how it is described) is found once for a
scenario, and looked up ever after.
"""

from collections import OrderedDict
from typing import Final, NamedTuple

from simulator.errors import InternalError
from simulator.model.outlook import Outlook, outlook
from simulator.scenario.chain import Moment, Watch
from simulator.scenario.laws import Law, Provenance
from simulator.scenario.schema import Launch, Scenario

_KEPT: Final = 256


class Described(NamedTuple):
    """How a figure is shown beside what rests on it."""

    assumption: bool
    sources: tuple[str, ...]
    note: str


class Step(NamedTuple):
    """A stage of a launch.

    Attributes:
        shown: its name, as written.
        law: how long it takes.
        described: how that is shown.
        stream: what the names of its streams start with.
    """

    shown: str
    law: Law
    described: Described
    stream: str


class Script:
    """A scenario, ready to be played.

    Args:
        scenario: what happens.

    Attributes:
        scenario: what happens.
        chain: who works, and how long each stage takes.
        start_ns: the earliest instant that the scenario names, or its epoch.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.chain = scenario.chain
        # By identity; what is kept here stays alive, so no identity is ever used again.
        self._offsets: dict[int, tuple[Moment, int]] = {}
        self._outlooks: dict[str, Outlook | None] = {}
        self._steps: dict[tuple[str, str], Step] = {}
        self._described: dict[int, tuple[Provenance, Described]] = {}
        moments = [launch.at for launch in scenario.launches] + [mark.at for mark in scenario.marks]
        offsets = [self.at_ns(moment) for moment in moments]
        offsets += [drill.at.offset_ns(scenario.epoch) for drill in scenario.tests]
        self.start_ns = min([0, *offsets])

    def at_ns(self, moment: Moment) -> int:
        """Scenario time of one of the scenario's moments."""
        found = self._offsets.get(id(moment))
        if found is None:
            found = self._offsets[id(moment)] = (moment, self.scenario.offset_ns(moment))
        return found[1]

    def outlook(self, launch: Launch) -> Outlook | None:
        """What a launch will be taken for; None if the chain will not see it."""
        if launch.id not in self._outlooks:
            self._outlooks[launch.id] = outlook(self.scenario, launch)
        return self._outlooks[launch.id]

    def watch(self, launch: Launch) -> Watch | None:
        """How the chain watches a launch that was announced, None if it does not."""
        return self.chain.announced if launch.announced else None

    def step(self, launch: Launch, name: str) -> Step:
        """A stage of a launch.

        Raises:
            InternalError: if the scenario has no law for it; its checks should have refused it.
        """
        found = self._steps.get((launch.id, name))
        if found is None:
            watching: Law | None = getattr(self.watch(launch), name, None)
            law: Law | None = watching or getattr(self.chain, name)
            if law is None:
                raise InternalError(f"the stage {name} has no law in scenario {self.scenario.id}")
            found = Step(name.replace("_", "-"), law, self.described(law), f"launch/{launch.id}/")
            self._steps[launch.id, name] = found
        return found

    def described(self, figure: Provenance) -> Described:
        """How one of the scenario's figures is shown."""
        found = self._described.get(id(figure))
        if found is None:
            described = Described(
                assumption=figure.assumption or self.scenario.fictional,
                sources=figure.sources,
                note=figure.note or "",
            )
            found = self._described[id(figure)] = (figure, described)
        return found[1]


_scripts: OrderedDict[int, Script] = OrderedDict()


def script_of(scenario: Scenario) -> Script:
    """The script of a scenario; those of the last scenarios played are kept."""
    found = _scripts.get(id(scenario))
    if found is None or found.scenario is not scenario:
        found = _scripts[id(scenario)] = Script(scenario)
        if len(_scripts) > _KEPT:
            _scripts.popitem(last=False)
    return found
