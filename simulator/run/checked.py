"""Loading a scenario with all that is claimed about it: the door for whoever plays it.

Rule of the module: what the room of scenarios cannot know, because it lies above it, is checked
here: whether there are such channels.
"""

from pathlib import Path

from simulator.errors import ConfigurationError, ScenarioError
from simulator.scenario import Scenario, load_scenario, pointed


def load_checked(name_or_path: str | Path) -> Scenario:
    """Read and validate a shipped scenario or a file, what it assumes of channels included.

    Args:
        name_or_path: a shipped name, or a path (recognised by a slash or by .yaml).

    Raises:
        ScenarioError: naming file, line, field, value and remedy.
    """
    scenario = load_scenario(name_or_path)
    try:
        return check_channels(scenario)
    except ConfigurationError as error:
        found = ScenarioError(error.message, "", error.field, error.value, error.remedy)
        raise pointed(found, str(name_or_path)) from None


def check_channels(scenario: Scenario) -> Scenario:
    """The scenario, once there are such channels as it assumes.

    Raises:
        ConfigurationError: if there are not.
    """
    if scenario.channels:
        from simulator.experiment.assumptions import profile_with_changes  # noqa: PLC0415  # NumPy

        profile_with_changes(scenario, None)
    return scenario
