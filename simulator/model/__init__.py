"""The discrete-event model: ``simulate(scenario, seed) -> Timeline``. Pure; never sees MQTT.

The engine is imported when first asked for: publisher and subscribers need only the records.
"""

from typing import TYPE_CHECKING

from simulator.model.timeline import Timeline

if TYPE_CHECKING:
    from simulator.model.engine import simulate

__all__ = ["Timeline", "simulate"]


def __getattr__(name: str) -> object:
    if name == "simulate":
        from simulator.model.engine import simulate  # noqa: PLC0415

        return simulate
    raise AttributeError(name)
