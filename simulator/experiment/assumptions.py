"""What a scenario assumes: its own figures, and those of the world that it leaves as they are.

Rule of the module: pure but for the tables of ``config/``. A scenario comes in, plain data with
sensors, corridor and channels written out goes out, so that a path leads to any of them and a
factor has something to multiply.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from simulator.experiment.people import profile_of
from simulator.reach.changes import FIELD as CHANNELS
from simulator.reach.changes import changed_profile, laid_open
from simulator.reach.channels import ChannelProfile
from simulator.scenario.assumptions import RadarAssumptions, SatelliteAssumptions, WarnedArea
from simulator.scenario.schema import Scenario
from simulator.world.figures import Figure, figures
from simulator.world.powered import Regime
from simulator.world.warning_area import AreaPolicy

SENSING: Final = "sensing"
AREA: Final = "area"
EVERYTHING: Final = (SENSING, AREA, CHANNELS)


def whole_document(
    scenario: Scenario, channels: str | None, paths: Collection[str] = EVERYTHING
) -> dict[str, Any]:
    """A scenario as plain data, with what it assumes of the world written out.

    Args:
        scenario: the scenario.
        channels: name or path of the channel profile, None for that of the scenario's time.
        paths: which are asked for; what none of them starts with is left as it is.
    """
    document = scenario.resolved()
    groups = {path.partition(".")[0] for path in paths}
    if SENSING in groups:
        document[SENSING] = _over(_sensing(), document.get(SENSING, {}))
    if AREA in groups:
        document[AREA] = _area(scenario) | document.get(AREA, {})
    if CHANNELS in groups:
        document[CHANNELS] = laid_open(profile_with_changes(scenario, channels))
    return document


def profile_with_changes(scenario: Scenario, channels: str | None) -> ChannelProfile:
    """The channels of a scenario with what it assumes of them.

    Args:
        scenario: the scenario.
        channels: name or path of the profile, None for that of the scenario's time.

    Raises:
        ConfigurationError: if they cannot be so.
    """
    return changed_profile(channels or profile_of(scenario), scenario.channels)


def _sensing() -> dict[str, Any]:
    known = figures("sensing.json")
    groups: dict[str, type[BaseModel]] = {
        "satellite": SatelliteAssumptions,
        "radar": RadarAssumptions,
    }
    return {
        group: {name: _written(known[f"{group}.{name}"]) for name in model.model_fields}
        for group, model in groups.items()
    }


def _area(scenario: Scenario) -> dict[str, Any]:
    """The corridor of the policy; of a space launch the wider one."""
    known = figures("warning_areas.json")
    flights = [launch.flight for launch in scenario.launches if launch.flight is not None]
    groups = [str(scenario.chain.policy or AreaPolicy.PREFECTURES)]
    groups += {flight.kind for flight in flights if flight.kind == str(Regime.SPACE_LAUNCH)}
    return {
        name: _written(_widest(known[f"{group}.{name}"] for group in groups))
        for name in WarnedArea.model_fields
    }


def _widest(found: Iterable[Figure]) -> Figure:
    return max(found, key=lambda figure: figure.value)


def _written(figure: Figure) -> dict[str, Any]:
    return {"value": figure.value, "assumption": True, "range": [figure.low, figure.high]}


def _over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Two levels of plain data, one over the other."""
    return {group: {**fields, **own.get(group, {})} for group, fields in base.items()}
