"""alertsim: scenario → timeline → pacer → MQTT broker → subscribers → ledger → latency report.

For notebooks and scripts, six names of :mod:`simulator.api`, imported when first asked for:
``load_scenario``, ``simulate``, ``timeline_frame``, ``run_scenario``, ``read_run`` and ``Run``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.api import (
        Run,
        load_scenario,
        read_run,
        run_scenario,
        simulate,
        timeline_frame,
    )

__all__ = ["Run", "load_scenario", "read_run", "run_scenario", "simulate", "timeline_frame"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from simulator import api  # noqa: PLC0415

        return getattr(api, name)
    raise AttributeError(f"module 'simulator' has no attribute {name!r}")
