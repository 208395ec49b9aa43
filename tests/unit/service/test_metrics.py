import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from simulator.clock import ManualClock
from simulator.measure.running import BUCKETS_NS
from simulator.service.metrics import (
    OPENMETRICS,
    PLAIN,
    Exposition,
    Metrics,
    format_for,
    metrics_of,
)
from simulator.service.metrics_catalogue import FREE, OUTCOMES, catalogue, metrics
from simulator.units import NS_PER_MS, NS_PER_S


def played(**gauges: float | None) -> Metrics:
    found = Metrics(version='1"\n')
    found.gauges = {name: lambda value=value: value for name, value in gauges.items()}  # type: ignore[misc]
    found.totals.began("a")
    buckets = [0, 2, 0, 1, *[0] * (len(BUCKETS_NS) - 3)]
    group = {
        "prefecture": "niigata",
        "event": "passage",
        "qos": 1,
        "segments": {"transit": {"n": 3, "sum_ns": "6000000", "buckets": buckets}},
    }
    found.totals.event("a", {"type": "progress", "groups": [group], "delivered": 3})
    sent = {"type": "sent", "prefecture": "niigata", "event": "passage", "late_ns": "2000000"}
    found.totals.event("a", sent)
    return found


async def exposition(found: Metrics, accept: str) -> tuple[bytes, str]:
    kind = format_for(accept)
    return await Exposition(found, ManualClock()).text(kind), kind


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in openmetrics(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


async def test_both_formats_parse_and_say_the_same() -> None:
    found = played(alertsim_store_bytes=5.0)
    new, new_type = await exposition(found, "application/openmetrics-text; version=1.0.0,*/*;q=0.1")
    old, old_type = await exposition(found, "text/plain")
    assert (new_type, old_type) == (OPENMETRICS, PLAIN)
    known = samples(new.decode())
    ours = {name for name, _ in known if name.startswith("alertsim_")}
    others = {
        sample.name
        for family in plain(old.decode())
        for sample in family.samples
        if sample.name.startswith("alertsim_")
    }
    assert ours == others
    assert known["alertsim_store_bytes", ()] == 5.0
    labels = {"segment": "transit", "prefecture": "niigata", "qos": "1", "event": "passage"}
    key = tuple(sorted(labels.items()))
    assert known["alertsim_delivery_latency_seconds_count", key] == 3
    assert known["alertsim_delivery_latency_seconds_sum", key] == 0.006
    at = tuple(sorted({**labels, "le": "0.001"}.items()))
    assert known["alertsim_delivery_latency_seconds_bucket", at] == 2
    at = tuple(sorted({**labels, "le": "+Inf"}.items()))
    assert known["alertsim_delivery_latency_seconds_bucket", at] == 3


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/plain;version=zero",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text ; q=0.0",
        ";;;,,,",
        "\xff" * 9000,
        "text/plain; version=" + "1." * 3000,
    ],
)
async def test_whoever_does_not_ask_for_openmetrics_gets_the_plain_format(accept: str) -> None:
    assert (await exposition(played(), accept))[1] == PLAIN


async def test_a_strange_version_of_openmetrics_is_no_error() -> None:
    accept = "application/openmetrics-text; version=one.two; escaping=mad"
    assert (await exposition(played(), accept))[1] == OPENMETRICS


async def test_every_sample_is_in_the_catalogue_and_every_label_value_on_its_list() -> None:
    text = (await exposition(played(alertsim_runs_queued=1.0), OPENMETRICS))[0].decode()
    known = {metric.name: metric for metric in metrics()}
    for family in openmetrics(text):  # type: ignore[no-untyped-call]
        if family.name.startswith("process_"):
            continue
        metric = known[family.name]
        assert family.documentation == metric.help
        assert family.unit == metric.unit
        for sample in family.samples:
            labels = {name: value for name, value in sample.labels.items() if name != "le"}
            assert list(labels) != [] or metric.labels == {}
            for name, value in labels.items():
                assert metric.labels[name] == FREE or value in metric.labels[name]


async def test_a_gauge_nobody_knows_has_no_sample() -> None:
    text = (await exposition(played(alertsim_store_free_bytes=None), OPENMETRICS))[0].decode()
    assert "alertsim_store_free_bytes" not in text
    assert "alertsim_store_bytes" not in text


async def test_outcomes_are_there_before_the_first_run_ends() -> None:
    known = samples((await exposition(Metrics(version="1"), OPENMETRICS))[0].decode())
    shown = {labels for name, labels in known if name == "alertsim_deliveries_total"}
    assert shown == {(("outcome", word),) for word in OUTCOMES}


async def test_a_sum_with_negative_values_is_not_shown() -> None:
    found = played()
    found.totals.publish_delay.put(-5)
    text = (await exposition(found, OPENMETRICS))[0].decode()
    assert "alertsim_publish_delay_seconds_sum" not in text
    assert 'alertsim_publish_delay_seconds_bucket{le="+Inf"} 2.0' in text


async def test_two_registries_do_not_share_figures() -> None:
    one, two = played(), Metrics(version="2")
    one.removed = 4
    assert "alertsim_store_removed_total 4" in (await exposition(one, ""))[0].decode()
    assert "alertsim_store_removed_total 0" in (await exposition(two, ""))[0].decode()


async def test_the_process_itself_is_among_the_figures() -> None:
    text = (await exposition(Metrics(version="1"), ""))[0].decode()
    assert re.search(r"^process_resident_memory_bytes [1-9]", text, re.MULTILINE)


def test_names_keep_to_the_conventions() -> None:
    for metric in catalogue():
        assert re.fullmatch(r"alertsim_[a-z_]+", metric["name"])
        assert metric["name"].endswith("_total") == (metric["type"] == "counter")
        assert not metric["unit"] or metric["name"].endswith(f"_{metric['unit']}")
        assert metric["help"].endswith(".")


def test_an_unknown_name_is_our_defect() -> None:
    with pytest.raises(KeyError):
        metrics_of("alertsim_unheard_of")


class SlowClock(ManualClock):
    """Every look at it takes 10 ms."""

    def monotonic_ns(self) -> int:
        self.advance(10 * NS_PER_MS)
        return super().monotonic_ns()


async def test_however_often_it_is_asked_it_writes_a_tenth_of_the_time() -> None:
    found, clock = Metrics(version="1"), SlowClock()
    written = Exposition(found, clock)
    texts = []
    for number in range(30):
        found.removed = number
        texts.append(await written.text(PLAIN))
    assert len(set(texts)) == 4  # 30 looks take 300 ms or more, each text rests for 100
    found.removed = 1000
    written.forget()
    assert b"alertsim_store_removed_total 1000" in await written.text(PLAIN)
    assert b"alertsim_store_removed_total 1000" in await written.text(OPENMETRICS)


async def test_what_is_written_is_one_instant_and_holds_up_nobody() -> None:
    found = played(alertsim_runs_queued=2.0)
    copy = found.copy()

    found.totals.event("a", {"type": "progress", "groups": [], "delivered": 1000, "reconnects": 5})
    found.totals.publish_delay.put(1)
    found.totals.latency.clear()
    found.gauges.clear()
    found.skips["missed"] = 3

    as_it_was = samples((await exposition(copy, OPENMETRICS))[0].decode())
    ours = {key: value for key, value in as_it_was.items() if key[0].startswith("alertsim")}
    again = samples((await exposition(played(alertsim_runs_queued=2.0), OPENMETRICS))[0].decode())
    assert ours == {key: value for key, value in again.items() if key[0].startswith("alertsim")}


async def test_whoever_asks_at_once_gets_one_text() -> None:
    found, clock = Metrics(version="1"), SlowClock()
    written = Exposition(found, clock)

    texts = await asyncio.gather(*(written.text(PLAIN) for _ in range(5)))

    assert len(set(texts)) == 1


async def test_a_text_that_something_ended_under_is_not_kept() -> None:
    found = Metrics(version="1")
    written = Exposition(found, ManualClock())
    writing = asyncio.create_task(written.text(PLAIN))
    await asyncio.sleep(0)
    found.removed = 7
    written.forget()
    await writing

    assert b"alertsim_store_removed_total 7" in await written.text(PLAIN)


async def test_the_wait_for_a_free_thread_is_not_work_that_a_text_rests_from() -> None:
    found, clock = Metrics(version="1"), ManualClock()
    written, free = Exposition(found, clock), threading.Event()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    other = asyncio.create_task(asyncio.to_thread(free.wait, 60))
    await asyncio.sleep(0)
    writing = asyncio.create_task(written.text(PLAIN))
    await asyncio.sleep(0)
    clock.advance(3 * NS_PER_S)
    free.set()
    await asyncio.gather(other, writing)
    found.removed = 7

    assert b"alertsim_store_removed_total 7" in await written.text(PLAIN)
