"""People warned by time, modelled, for whoever watches a run.

Rule of the module: the reach room computes; here its curve is thinned out for a picture. A figure
of the model, drawn once with the run's seed, never a measurement.
"""

from typing import Any, Final

import numpy as np

from simulator.experiment.figures import launch_times
from simulator.experiment.people import People, PeopleOrder
from simulator.model.timeline import Timeline
from simulator.randomness import Streams
from simulator.scenario import Scenario
from simulator.units import NS_PER_S

_AFTER_S: Final = 600  # shown beyond the last message
_POINTS: Final = 181


def people_of(scenario: Scenario, timeline: Timeline, seed: int) -> dict[str, Any] | None:
    """Curves of people warned, or None where no launch warns anybody.

    Args:
        scenario: what is played.
        timeline: what the chain did.
        seed: of the run.

    Returns:
        ``at_s``: seconds after the first launch; ``warned``: people by then; ``alerted``: who live
        where an alert was issued; ``by_prefecture``: both for each.
    """
    launches = [*launch_times(timeline).values()]
    if not launches or not timeline.alerts:
        return None
    streams = Streams(seed, timeline.replication)
    result = People(PeopleOrder()).reached(scenario, timeline, launches[0], streams)
    last_s = max(0, timeline.alerts[-1].at_ns - launches[0]) // NS_PER_S + _AFTER_S
    at_s = np.unique(np.linspace(0, last_s, _POINTS).astype(np.int64))
    at_ns = launches[0] + at_s * NS_PER_S
    return {
        "launch_ns": str(launches[0]),
        "at_s": at_s.tolist(),
        "warned": _whole(result.warned_by(at_ns)),
        "alerted": round(result.totals().alerted),
        "by_prefecture": {
            slug: {
                "alerted": round(result.totals(slug).alerted),
                "warned": _whole(result.warned_by(at_ns, slug)),
            }
            for slug in timeline.prefectures
        },
    }


def _whole(people: Any) -> list[int]:  # noqa: ANN401  # an array of people
    return [int(value) for value in np.rint(people).tolist()]
