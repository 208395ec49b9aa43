"""The app channel from a run: deliveries that were measured, in place of a law.

Rule of the module: reads a run directory, changes nothing. Every delivery that was owed counts:
those that came with their delay, those that never came as lost; what is undetermined or was never
sent says nothing about the path and is left out.
"""

from pathlib import Path
from typing import Final

from simulator.errors import ConfigurationError, OutputError
from simulator.measure.outcomes import RECEIVED, Outcome
from simulator.reach import MeasuredDelivery
from simulator.report.run_directory import RunDirectory

_NEVER_CAME: Final = (Outcome.EXPIRED, Outcome.MISSED_OFFLINE, Outcome.LOST)


def measured_app(path: Path) -> MeasuredDelivery:
    """How long messages took over the real path of a run, and how many never came.

    Args:
        path: a run directory.

    Raises:
        OutputError: if it is no run directory or its deliveries cannot be read.
        ConfigurationError: if nothing was delivered, or clocks disagree by more than the delays.
    """
    import polars as pl  # noqa: PLC0415  (0.4 s to import)

    directory = RunDirectory.open(path)
    words = [outcome.word for outcome in (*RECEIVED, *_NEVER_CAME)]
    try:
        owed = (
            directory.scan_deliveries()
            .filter(pl.col("outcome").is_in(words))
            .select("outcome", "delivery_ns")
            .collect()
        )
    except (OSError, pl.exceptions.PolarsError) as error:
        raise OutputError(f"cannot be read: {error}", where=str(path)) from error
    lost = owed["outcome"].is_in([outcome.word for outcome in _NEVER_CAME]).sum()
    delays = owed["delivery_ns"].drop_nulls().to_numpy()
    try:
        return MeasuredDelivery.from_sample(delays, int(lost))
    except ConfigurationError as error:
        raise ConfigurationError(
            error.message,
            where=str(path),
            field="--app-channel-from",
            value=error.value,
            remedy=error.remedy,
        ) from None
