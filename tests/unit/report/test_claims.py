"""Thresholds are told without the notation they are written in, and every form in Japanese."""

from typing import Literal

import pytest

from simulator.measure.summary import ThresholdResult
from simulator.report import claims
from simulator.report.language import catalogue
from simulator.thresholds.catalogue import METRICS, Metric
from simulator.thresholds.catalogue import Unit as Kind

Unit = Literal["ns", "count", "share"]


def result(metric: str, expression: str, unit: Unit, **tags: str) -> ThresholdResult:
    return ThresholdResult(
        metric=metric, expression=expression, unit=unit, tags=tags, scale="wall",
        value=2_000_000.0 if unit == "ns" else 2.0, low=None, high=None,
        default=False, verdict="fail", bound=0.0, samples=1, reason="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "told", "said"),
    [
        (("lost", "count==0", "count"), "lost 2 (must be 0)", "欠落 2 件（条件: 0 件）"),  # noqa: RUF001
        (
            ("delivery_latency", "max<5s", "ns"),
            "longest delivery latency 2 ms (must be under 5 s)",
            "配信遅延の最大 2 ms（条件: 5 秒未満）",  # noqa: RUF001
        ),
        (
            ("delivery_latency", "p(99.9)<=1m30s", "ns"),
            "99.9th percentile of delivery latency 2 ms (must be at most 1 m 30 s)",
            "",
        ),
        (
            ("predicted_lead_time", "min>0s", "ns"),
            "shortest predicted lead time 2 ms (must be over 0 s)",
            "到達予測時刻に対する最短の猶予時間 2 ms（条件: 0 秒超）",  # noqa: RUF001
        ),
        (("lost", "p(51)<1", "count"), "51st percentile of lost 2 (must be under 1)", ""),
        (("lost", "p(12)<1", "count"), "12th percentile of lost 2 (must be under 1)", ""),
        (("lost", "count!=3", "count"), "lost 2 (must be not 3)", "欠落 2 件（条件: 3以外）"),  # noqa: RUF001
        (("lost", "count>=3", "count"), "lost 2 (must be at least 3)", "欠落 2 件（条件: 3以上）"),  # noqa: RUF001
        (
            ("delivery_latency", "count>=1000", "count"),
            "samples of delivery latency 2 (must be at least 1000)",
            "配信遅延の測定数 2 件（条件: 1000以上）",  # noqa: RUF001
        ),
        (("lost", "rate<0.1", "count"), "share lost 2 (must be under 0.1)", ""),
        (("lost", "nothing known", "count"), "lost 2 (nothing known)", ""),
    ],
)
def test_a_threshold_is_told_in_words(asked: tuple[str, str, Unit], told: str, said: str) -> None:
    assert claims.claim(result(*asked)) == told
    if said:
        assert catalogue("ja").say(told) == said


def test_what_it_is_narrowed_to_is_told_unless_it_is_usual() -> None:
    narrowed = result("delivery_latency", "med<1s", "ns", population="live", prefecture="miyagi")
    assert claims.subject(narrowed) == "median delivery latency (prefecture Miyagi)"


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda one: one.name)
def test_every_metric_and_tag_is_told_in_japanese(metric: Metric) -> None:
    asked = catalogue("ja")
    unit: Unit = "ns" if metric.unit is Kind.NS else "count"
    tags = {
        name: values[-1] if values else {"prefecture": "niigata"}.get(name, "g1")
        for name, values in metric.tags.items()
    }
    for expression in ("max<5s", "p(99)<1s", "count>=3") if unit == "ns" else ("count<1",):
        said = asked.say(claims.claim(result(metric.name, expression, unit, **tags)))
        assert metric.name.replace("_", " ") not in said
        assert "niigata" not in said.lower()
        assert "must" not in said
    assert list(asked.unknown) == []
