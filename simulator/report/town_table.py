"""``municipalities.csv``: people warned and lead time of every municipality that was warned.

Rule of the module: what :mod:`simulator.report.town_map` draws, as a table for other programs; one
row for each municipality in which somebody was warned. What is not known is empty, never zero.
"""

import csv
import io
import math
from typing import Final

from simulator.experiment.town_leads import TownLeads
from simulator.world.geography import municipalities

TOWNS_NAME: Final = "municipalities.csv"
COLUMNS: Final = (
    "code",
    "name_en",
    "name_ja",
    "prefecture",
    "population",
    "warned_people",
    "warned_before_arrival_people",
    "warned_before_predicted_people",
    "lead_time_s",
    "replications",
)


def _known(value: float) -> str:
    """One decimal; empty if it is not known."""
    return "" if math.isnan(value) else f"{value:.1f}"


def town_table(leads: TownLeads) -> str:
    """The file's text: means of the replications looked at."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for place, town in enumerate(municipalities()):
        if not leads.people[place]:
            continue
        writer.writerow(
            (
                town.code,
                town.name_en,
                town.name_ja,
                town.prefecture,
                town.population,
                f"{leads.people[place]:.1f}",
                _known(leads.before_arrival[place]),
                _known(leads.before_predicted[place]),
                _known(leads.seconds[place]),
                leads.replications,
            )
        )
    return text.getvalue()
