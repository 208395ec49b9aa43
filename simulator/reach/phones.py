"""Phones: what cell broadcast and the app do, for any offset and any silence of the networks.

Rule of the module: both channels of a phone reach only people whose phone is near, so they share
that condition; given it, they are noticed independently. Each replication draws which networks are
silent and how late each is, from streams of their names; the curve of all owners is the mean over
networks by their share of lines.
"""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.randomness import Streams
from simulator.reach.channels import Activity, CellBroadcast, ChannelProfile
from simulator.reach.curves import PhoneState, falls, grid_s, heard, middles, noticed, tables
from simulator.reach.delays import DelayTable, MeasuredDelivery
from simulator.scenario.laws import duration_ns
from simulator.units import NS_PER_S

Floats = npt.NDArray[np.float64]

_ANY_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)


class PhoneCurves:
    """What phones do, by activity and time since the issue.

    Args:
        profile: the profile.
        app: a measured distribution of delays to stand for all stages of the app, or None.
    """

    def __init__(self, profile: ChannelProfile, app: MeasuredDelivery | None = None) -> None:
        near = [getattr(profile.phones.near, activity).share for activity in Activity]
        self._reachable = profile.phones.held.share * np.asarray(near)[:, None]
        self._app_left = 1.0 - _app_shares(profile, app)
        self._app_falls, self._app_middles = falls(self._app_left), middles(self._app_left)
        broadcast = profile.channels.cell_broadcast
        self._networks = None if broadcast is None else _Networks(profile, broadcast)

    @property
    def carriers(self) -> tuple[str, ...]:
        """Names of the networks."""
        return () if self._networks is None else self._networks.carriers

    def draw(self, streams: Streams, silenced: Collection[str] = ()) -> PhoneState:
        """What phones do in one replication.

        Args:
            streams: of the replication.
            silenced: networks that are silent whatever is drawn.
        """
        app = self._app_left
        broadcast = np.ones_like(app)
        if self._networks is not None:
            broadcast -= self._networks.shares(streams, silenced)
        reachable = self._reachable
        return PhoneState(
            left=1.0 - reachable + reachable * broadcast * app,
            first=reachable
            * np.stack(
                [falls(broadcast) * self._app_middles, self._app_falls * middles(broadcast)]
            ),
            ever=reachable[:, 0] * np.stack([1.0 - broadcast[:, -1], 1.0 - app[:, -1]]),
        )


class _Networks:
    """Cell broadcast over all networks."""

    def __init__(self, profile: ChannelProfile, broadcast: CellBroadcast) -> None:
        known = tables(profile, broadcast.hears, broadcast.stages)
        noticed_as = [getattr(broadcast.hears, activity).notice for activity in Activity]
        self._tables = []
        for start_s in sorted({table.start_s for table in known.values()}):
            names = [name for name, table in known.items() if table.start_s == start_s]
            together = np.stack([known[name].reached for name in names])
            rows = [noticed_as.index(name) for name in names]
            self._tables.append((DelayTable(start_s=start_s, reached=together), rows))
        self._same = [
            noticed_as.index(name) if name in known else index
            for index, name in enumerate(noticed_as)
        ]
        self._shown = profile.phones.capable.share * heard(broadcast.hears)
        self._carriers = broadcast.carriers
        lines = np.asarray([carrier.share.share for carrier in self._carriers])
        self._lines = lines / lines.sum()

    @property
    def carriers(self) -> tuple[str, ...]:
        return tuple(carrier.id for carrier in self._carriers)

    def shares(self, streams: Streams, silenced: Collection[str]) -> Floats:
        """Share of the owners of near phones who have noticed, by activity and time."""
        sending = self._lines.copy()
        offset_s = np.zeros((len(sending), 1))
        for index, carrier in enumerate(self._carriers):
            stream = f"reach/network/{carrier.id}"
            drawn = streams.stream(f"{stream}/silent").uniform() < carrier.silent.share
            if drawn or carrier.id in silenced:
                sending[index] = 0.0
            late = streams.stream(f"{stream}/offset").uniform()
            offset_s[index] = duration_ns(carrier.offset, late, _ANY_EPOCH) / NS_PER_S
        times = grid_s() - offset_s
        found = np.zeros((len(Activity), len(grid_s())))
        for table, rows in self._tables:
            found[rows] = sending @ table.at(times)
        return self._shown[:, None] * found[self._same]


def _app_shares(profile: ChannelProfile, measured: MeasuredDelivery | None) -> Floats:
    """Share of the owners of near phones who have noticed the app, by activity and time."""
    app = profile.channels.app
    if app is None:
        return np.zeros((len(Activity), len(grid_s())))
    if measured is None:
        return app.owners.share * noticed(profile, app, app.stages)
    return app.owners.share * measured.delivered * noticed(profile, app, (), (measured,))
