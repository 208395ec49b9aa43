"""``/metrics`` as a part of the service: hears every live event, answers every scrape.

Rule of the module: wiring only. A run counts from its first event to its end, whoever tells the
end: its last event, or the service when its process is gone.
"""

from collections.abc import Sequence
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from simulator.service.feed import Feed
from simulator.service.metrics import OPENMETRICS, PLAIN, Exposition, Metrics, format_for
from simulator.service.service import Service

_REMEMBERED: Final = 1000


class MetricsPart:
    """Counts for one service.

    Args:
        service: whose runs and pages are counted.

    Attributes:
        metrics: the counts; other parts add theirs.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self.metrics = Metrics(version=service.version)
        self._exposition = Exposition(self.metrics, service.clock)
        self._ended: dict[str, None] = {}  # the latest, oldest first
        self._lost: dict[Feed, int] = {}  # held, so that none goes uncounted
        gauges = self.metrics.gauges
        gauges["alertsim_runs_active"] = lambda: service.runs.counts()[0]
        gauges["alertsim_runs_queued"] = lambda: service.runs.counts()[1]
        gauges["alertsim_pages_connected"] = lambda: sum(feed.pages for feed in service.feeds())
        service.runs.listen(self._heard)

    def _heard(self, run: str, event: dict[str, Any]) -> None:
        if run in self._ended:
            return
        self.metrics.totals.began(run)
        self.metrics.totals.event(run, event)
        if event.get("type") == "end":
            self._ended[run] = None
            while len(self._ended) > _REMEMBERED:
                del self._ended[next(iter(self._ended))]
            self._count_lost()  # before it pushes out an older one
            self._exposition.forget()

    def _count_lost(self) -> None:
        """Take in what feeds lost since the last look, those let go meanwhile one last time."""
        there = dict.fromkeys(self._service.feeds())
        for feed in there | self._lost:
            self.metrics.feed_dropped += feed.lost - self._lost.get(feed, 0)
        self._lost = {feed: feed.lost for feed in there}

    def routers(self) -> Sequence[APIRouter]:
        """``GET /metrics``."""
        routes = APIRouter(tags=["service"])

        @routes.get(
            "/metrics",
            summary="Metrics for Prometheus",
            response_class=Response,
            responses={
                200: {
                    "description": "Prometheus text, or OpenMetrics where the reader accepts it.",
                    "content": {
                        kind.partition(";")[0]: {"schema": {"type": "string"}}
                        for kind in (PLAIN, OPENMETRICS)
                    },
                }
            },
        )
        async def scrape(request: Request) -> Response:
            """Counts and histograms since the service started; every label has a closed list."""
            self._count_lost()
            kind = format_for(request.headers.get("accept", ""))
            text = await self._exposition.text(kind)
            return Response(text, headers={"content-type": kind, "cache-control": "no-store"})

        return [routes]

    async def start(self) -> None:
        """Nothing to start: it listens from its making on."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def kill(self) -> None:
        """Nothing plays here."""
