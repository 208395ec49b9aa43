"""Which parts the service has beside its core.

Rule of the module: one line for each; a part hooks in as :class:`simulator.service.service.Part`
says.
"""

from simulator.service.experiments_part import ExperimentsPart
from simulator.service.metrics_part import MetricsPart
from simulator.service.retention_part import RetentionPart
from simulator.service.schedules_part import SchedulesPart
from simulator.service.schedules_times import Skip
from simulator.service.service import Part, Service


def parts_of(service: Service) -> list[Part]:
    """The parts of a service, in the order in which they start."""
    counts = MetricsPart(service)

    def skipped(skip: Skip) -> None:
        skips = counts.metrics.skips
        skips[skip.reason] = skips.get(skip.reason, 0) + skip.times

    schedules = SchedulesPart(service, skipped=skipped)
    counts.metrics.gauges["alertsim_schedules"] = lambda: schedules.keeper.count
    experiments = ExperimentsPart(service)
    retention = RetentionPart(service, counts.metrics, experiments)
    experiments.on_end(retention.look_soon)
    return [counts, experiments, schedules, retention]
