"""Changes to a channel profile: what a scenario or an experiment assumes otherwise.

Rule of the module: plain data laid over a profile by the merging of files, checked as a file. The
channels stand beside the other groups of the profile: ``cell-broadcast``, ``phones``,
``municipal``. What names the profile itself cannot be changed.
"""

import json
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from simulator.errors import ConfigurationError
from simulator.reach.channels import ChannelProfile
from simulator.reach.loading import PROFILES, load_profile, validate
from simulator.scenario.document import marked
from simulator.scenario.merging import merge
from simulator.scenario.values import ChannelName

GROUPS: Final = ("days", "notices", "phones", "municipal")
FIELD: Final = "channels"
_WHERE: Final = "channels:1"
_B_MOST: Final = 1000
_KEPT: Final = 256


def changed_profile(name: str, changes: Mapping[str, Any] | None) -> ChannelProfile:
    """A shipped profile, or that of a file, with what is assumed otherwise.

    Args:
        name: of the profile, or path of its file.
        changes: by group or channel; None or empty for the profile as it is.

    Raises:
        ConfigurationError: if the profile has no such field, or it cannot be so.
    """
    if not changes:
        return load_profile(name)
    if name in PROFILES:
        return _kept(name, json.dumps(changes, sort_keys=True))
    return _changed(name, changes)


@lru_cache(maxsize=_KEPT)
def _kept(name: str, changes: str) -> ChannelProfile:
    """Of the shipped profiles, as an experiment asks for the same few again and again."""
    return _changed(name, json.loads(changes))


def _changed(name: str, changes: Mapping[str, Any]) -> ChannelProfile:
    laid_out: dict[str, Any] = {}
    for key, change in changes.items():
        if key in GROUPS:
            laid_out[key] = change
        elif key in set(ChannelName):
            laid_out.setdefault(FIELD, {})[key] = change
        else:
            raise _unknown(key)
    document = load_profile(name).model_dump(mode="json", by_alias=True, exclude_none=True)
    try:
        return validate(merge(marked(document, _WHERE), marked(laid_out, _WHERE)))
    except ConfigurationError as error:
        field = error.field.removeprefix(f"{FIELD}.")
        raise ConfigurationError(
            error.message, field=f"{FIELD}.{field}", value=error.value, remedy=error.remedy
        ) from None


def laid_open(profile: ChannelProfile) -> dict[str, Any]:
    """All of a profile that may be changed, as plain data by group and channel."""
    document = profile.model_dump(mode="json", by_alias=True, exclude_none=True)
    channels: dict[str, Any] = document[FIELD]
    return {group: document[group] for group in GROUPS} | channels


def _unknown(key: str) -> ConfigurationError:
    known = (*ChannelName, *GROUPS)
    near = get_close_matches(key, known, n=1)
    return ConfigurationError(
        "unknown channel",
        field=f"{FIELD}.{key}",
        remedy=f"did you mean {near[0]}?" if near else f"one of {', '.join(known)}",
    )


def is_spread(figure: Mapping[str, Any]) -> bool:
    """Whether a figure is spread over towns, so that its range is of its mean."""
    return "a" in figure or "classes" in figure


def spread_mean(figure: Mapping[str, Any]) -> float:
    """Mean of a figure that is spread over towns: silent receivers, homes with receivers."""
    if "a" in figure:
        return float(figure["a"] / (figure["a"] + figure["b"]))
    return float(sum(entry["towns"] * entry["homes"] for entry in figure["classes"]))


def with_mean(figure: Mapping[str, Any], mean: float) -> dict[str, Any]:
    """The fields that give such a figure another mean; the law of silent receivers keeps its form.

    Raises:
        ConfigurationError: if there is no such spread.
    """
    if "a" in figure:
        low, high = figure["a"] / (figure["a"] + _B_MOST), figure["a"] / (figure["a"] + 1)
        if not low <= mean <= high:
            raise _no_such_mean(mean, low, high)
        return {"b": round(figure["a"] / mean - figure["a"])}
    classes = figure["classes"]
    some = sum(entry["towns"] for entry in classes if entry["homes"] > 0)
    none = [entry for entry in classes if entry["homes"] == 0]
    high = spread_mean(figure) / some if some else 0.0
    if not 0 <= mean <= high or not none or not some:
        raise _no_such_mean(mean, 0, high)
    factor = mean / spread_mean(figure)
    changed = [
        {**entry, "towns": entry["towns"] * factor} for entry in classes if entry["homes"] > 0
    ]
    rest = max(0.0, 1.0 - some * factor)
    shared = [{**entry, "towns": rest / len(none)} for entry in none]
    return {"classes": [*shared, *changed]}


def _no_such_mean(mean: float, low: float, high: float) -> ConfigurationError:
    return ConfigurationError(
        "no spread over towns has this mean",
        field="--vary",
        value=f"{mean:g}",
        remedy=f"write {low:.3g} to {high:.3g}",
    )
