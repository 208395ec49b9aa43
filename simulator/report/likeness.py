"""Whether runs are alike: what was not the same when they were played.

Rule of the module: from manifests alone. Runs that are not alike may be compared, but never in
silence: a difference may be of what is named here. What cannot touch a figure is left out.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simulator.report.comparison_words import letter
from simulator.report.manifest import Manifest
from simulator.report.provenance import named

_SHORT: Final = 12  # digits of a digest, for people
_NO_MATTER: Final = frozenset(
    {"seed", "speed", "config", "root", "allow_hosts", "wait_timeout", "hold", "broker", "cafile"}
    | {"username", "password", "cert", "key", "server_name", "cluster"}
)
_HOST: Final = ("system", "machine", "python", "processors", "processor", "memory_bytes")
_BROKER: Final = ("kind", "name", "version")


def unlike(manifests: Sequence[Manifest]) -> tuple[str, ...]:
    """What is not the same in all runs, one sentence each; empty if they are alike.

    Args:
        manifests: of the runs, the baseline first.
    """
    facts = [_facts(manifest) for manifest in manifests]
    names = dict.fromkeys(name for one in facts for name in one)
    found = []
    for name in names:
        values = [one.get(name, "") for one in facts]
        if len(set(values)) > 1:
            told = ", ".join(
                f"{letter(number)} {value or 'not known'}" for number, value in enumerate(values)
            )
            found.append(f"Not the same {name}: {told}.")
    return tuple(found)


def scenario_digest(manifest: Manifest) -> str:
    """The first digits of the SHA-256 of the scenario as resolved; empty if it is not known."""
    if not manifest.scenario:
        return ""
    text = json.dumps(manifest.scenario, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT]


def broker_text(manifest: Manifest) -> str:
    """The broker in a few words: ``embedded iotcore 0.1.4``."""
    parts = [str(manifest.broker.get(name) or "") for name in _BROKER]
    return " ".join(dict.fromkeys(part for part in parts if part)) or str(
        manifest.settings.get("broker") or ""
    )


def host_text(manifest: Manifest) -> str:
    """The machine in a few words; the same text is the same kind of machine."""
    return named({name: manifest.host.get(name) for name in _HOST})


def _facts(manifest: Manifest) -> dict[str, str]:
    """What may touch a figure, as text by name."""
    scenario = str(manifest.scenario.get("id", ""))
    digest = scenario_digest(manifest)
    facts = {
        "scenario": scenario,
        "content of the scenario (digest)": digest,
        "plan (digest of the timeline)": manifest.timeline_digest[:_SHORT],
        "seed": str(manifest.seed),
        "speed": f"{manifest.speed:g}",
        "broker": broker_text(manifest),
        "settings of the broker": _text(manifest.broker.get("settings")),
        "version of alertsim": manifest.versions.get("alertsim", ""),
        "machine": host_text(manifest),
    }
    for name, value in manifest.settings.items():
        if name not in _NO_MATTER:
            shown = name.replace("_", " ")
            facts[f"{shown} (setting)"] = named({name: value}).removeprefix(f"{shown} ") or "none"
    return facts


def _text(value: Any) -> str:  # noqa: ANN401  (from JSON)
    return named(value) if isinstance(value, Mapping) else str(value or "")
