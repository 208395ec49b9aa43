import re

import pytest
from prometheus_client import CollectorRegistry
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
from simulator.units import NS_PER_MS


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


def exposition(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    kind = format_for(accept)
    return Exposition(registry, ManualClock()).text(kind), kind


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in openmetrics(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
    }


def test_both_formats_parse_and_say_the_same() -> None:
    registry = played(alertsim_store_bytes=5.0).registry()
    new, new_type = exposition(registry, "application/openmetrics-text; version=1.0.0,*/*;q=0.1")
    old, old_type = exposition(registry, "text/plain")
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
def test_whoever_does_not_ask_for_openmetrics_gets_the_plain_format(accept: str) -> None:
    assert exposition(played().registry(), accept)[1] == PLAIN


def test_a_strange_version_of_openmetrics_is_no_error() -> None:
    accept = "application/openmetrics-text; version=one.two; escaping=mad"
    assert exposition(played().registry(), accept)[1] == OPENMETRICS


def test_every_sample_is_in_the_catalogue_and_every_label_value_on_its_list() -> None:
    text = exposition(played(alertsim_runs_queued=1.0).registry(), OPENMETRICS)[0].decode()
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


def test_a_gauge_nobody_knows_has_no_sample() -> None:
    text = exposition(played(alertsim_store_free_bytes=None).registry(), OPENMETRICS)[0].decode()
    assert "alertsim_store_free_bytes" not in text
    assert "alertsim_store_bytes" not in text


def test_outcomes_are_there_before_the_first_run_ends() -> None:
    known = samples(exposition(Metrics(version="1").registry(), OPENMETRICS)[0].decode())
    shown = {labels for name, labels in known if name == "alertsim_deliveries_total"}
    assert shown == {(("outcome", word),) for word in OUTCOMES}


def test_a_sum_with_negative_values_is_not_shown() -> None:
    found = played()
    found.totals.publish_delay.put(-5)
    text = exposition(found.registry(), OPENMETRICS)[0].decode()
    assert "alertsim_publish_delay_seconds_sum" not in text
    assert 'alertsim_publish_delay_seconds_bucket{le="+Inf"} 2.0' in text


def test_two_registries_do_not_share_figures() -> None:
    one, two = played(), Metrics(version="2")
    one.removed = 4
    assert "alertsim_store_removed_total 4" in exposition(one.registry(), "")[0].decode()
    assert "alertsim_store_removed_total 0" in exposition(two.registry(), "")[0].decode()


def test_the_process_itself_is_among_the_figures() -> None:
    text = exposition(Metrics(version="1").registry(), "")[0].decode()
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


def test_however_often_it_is_asked_it_writes_a_tenth_of_the_time() -> None:
    found, clock = Metrics(version="1"), SlowClock()
    written = Exposition(found.registry(), clock)
    texts = []
    for number in range(30):
        found.removed = number
        texts.append(written.text(PLAIN))
    assert len(set(texts)) == 4  # 30 looks take 300 ms or more, each text rests for 100
    found.removed = 1000
    written.forget()
    assert b"alertsim_store_removed_total 1000" in written.text(PLAIN)
    assert b"alertsim_store_removed_total 1000" in written.text(OPENMETRICS)
