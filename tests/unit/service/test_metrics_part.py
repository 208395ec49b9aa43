"""``/metrics`` of a service: what slow pages lost is counted, whenever their feed goes."""

from pathlib import Path

from simulator.service.feed import Feed
from simulator.service.frames import Frame, frame
from simulator.service.metrics_part import MetricsPart
from tests.unit.service.application import asked


def hello() -> Frame:
    return frame("hello", b"{}")


async def test_what_a_page_lost_is_counted_after_its_feed_was_let_go(tmp_path: Path) -> None:
    async with asked(tmp_path) as (service, client):
        (part,) = (each for each in service.parts if isinstance(each, MetricsPart))
        feeds = [Feed(hello, bound=4)]
        service.more_feeds.append(lambda: feeds)
        feed = feeds[0]
        assert feed.join() is not None
        await client.get("/metrics")
        for _ in range(10):
            feed.publish(hello())
        feeds.clear()

        await client.get("/metrics")
        assert part.metrics.feed_dropped == feed.lost == 7
        await client.get("/metrics")
        assert part.metrics.feed_dropped == 7
