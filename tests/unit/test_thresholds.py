from fractions import Fraction
from typing import get_args

import pytest

from simulator.errors import ExitCode, ThresholdError
from simulator.measure.outcomes import Duplicate, Outcome, Unexpected
from simulator.measure.plan import SubscriberKind
from simulator.measure.segments import Segment
from simulator.measure.summary import VerdictWord
from simulator.model.timeline import AlertEvent
from simulator.thresholds import (
    DEFAULTS,
    METRICS,
    Judgement,
    Observation,
    Threshold,
    Verdict,
    as_incomplete,
    judge,
    not_judged,
    overall,
    parse_thresholds,
    samples_needed,
    with_defaults,
    worst_exit,
)
from simulator.thresholds.catalogue import (
    DUPLICATE_CAUSES,
    EVENTS,
    KINDS,
    UNEXPECTED_CAUSES,
    Unit,
)

S = 1_000_000_000


def one(key: str, expression: str) -> Threshold:
    (threshold,) = parse_thresholds({key: [expression]})
    return threshold


def between(low: float, high: float, samples: int = 10_000) -> Observation:
    if low == high:
        return Observation.exact(low, samples)
    return Observation(value=high, low=low, high=high, samples=samples)


# --- the catalogue speaks the words of the rooms above it ---------------------------------------


def test_the_catalogues_words_are_those_of_the_rooms_they_come_from() -> None:
    assert set(EVENTS) == {event.value for event in AlertEvent}
    assert set(KINDS) == {kind.value for kind in SubscriberKind}
    assert set(DUPLICATE_CAUSES) == {cause.word for cause in Duplicate}
    assert set(UNEXPECTED_CAUSES) == {cause.word for cause in Unexpected}
    assert {outcome.name.lower() for outcome in Outcome} < set(METRICS)
    segments = {segment.value for segment in Segment} - {"round-trip"}
    assert set(METRICS["delivery_latency"].tags["segment"]) == segments
    assert {verdict.value for verdict in Verdict} == set(get_args(VerdictWord))


# --- grammar ------------------------------------------------------------------------------------


def test_the_three_examples_of_the_design_are_understood() -> None:
    parsed = parse_thresholds(
        {
            "delivery_latency{population=live}": ["p(99)<1s"],
            "lost": ["count==0"],
            "predicted_lead_time{prefecture=niigata}": ["min>0s"],
        }
    )

    assert parsed == (
        Threshold(
            metric="delivery_latency",
            tags=(("population", "live"),),
            aggregate="p",
            percent=Fraction(99),
            operator="<",
            bound=Fraction(S),
        ),
        Threshold(
            metric="lost", tags=(), aggregate="count", percent=None, operator="==", bound=Fraction()
        ),
        Threshold(
            metric="predicted_lead_time",
            tags=(("prefecture", "niigata"),),
            aggregate="min",
            percent=None,
            operator=">",
            bound=Fraction(),
        ),
    )


def test_a_colon_stands_for_an_equals_sign_and_order_of_tags_does_not_matter() -> None:
    colon = one("delivery_latency{ event:launch , population: live }", "p( 99.9 ) <= 250ms")
    equals = one('delivery_latency{population="live",event=launch}', "p(99.9)<=250ms")

    assert colon == equals
    assert colon.key == "delivery_latency{event=launch,population=live}"
    assert colon.expression == "p(99.9)<=250ms"


@pytest.mark.parametrize(
    ("key", "expression", "aggregate", "operator", "bound"),
    [
        ("delivery_latency", "med<=5ms", "med", "<=", 5_000_000),
        ("delivery_latency", "avg < 1h 30min", "avg", "<", 5_400 * S),
        ("predicted_lead_time", "max>-120s", "max", ">", -120 * S),
        ("delivery_latency", "count>=1000", "count", ">=", 1000),
        ("lost", "count===0", "count", "==", 0),
        ("lost", "count!=1", "count", "!=", 1),
        ("lost{kind=swarm}", "rate<0.1%", "rate", "<", Fraction(1, 1000)),
        ("lost", "rate<=0.25", "rate", "<=", Fraction(1, 4)),
        ("missed-offline", "count<3", "count", "<", 3),
        ("lost{}", "count==0", "count", "==", 0),
    ],
)
def test_aggregates_operators_and_bounds(
    key: str, expression: str, aggregate: str, operator: str, bound: Fraction | int
) -> None:
    threshold = one(key, expression)

    assert (threshold.aggregate, threshold.operator, threshold.bound) == (
        aggregate,
        operator,
        bound,
    )
    again = one(threshold.key, threshold.expression)
    assert again == threshold, "what is written back means the same"


def test_the_median_is_a_quantile_and_needs_its_samples() -> None:
    assert one("delivery_latency", "med<1s").percent == 50


def test_a_single_expression_may_stand_alone() -> None:
    assert parse_thresholds({"lost": "count==0"}) == parse_thresholds({"lost": ["count==0"]})


@pytest.mark.parametrize(
    ("key", "expression", "value", "remedy"),
    [
        ("delivry_latency", "p(99)<1s", "delivry_latency", "did you mean delivery_latency?"),
        ("qqq", "p(99)<1s", "qqq", "known: delivery_latency"),
        ("delivery latency", "p(99)<1s", "delivery latency", "write it as"),
        ("delivery_latency{popul=live}", "p(99)<1s", "popul", "did you mean population?"),
        ("delivery_latency{population=life}", "p(99)<1s", "life", "did you mean live?"),
        ("delivery_latency{population=retained}", "p(99)<1s", "retained", "use alert_age"),
        ("delivery_latency{population}", "p(99)<1s", "population", "write tags as"),
        ("delivery_latency{qos=1,qos=2}", "p(99)<1s", "qos", "keep one"),
        ("receipts{qos=1}", "count>0", "qos", "leave it out"),
        ("delivery_latency{prefecture=niigatta}", "max<1s", "niigatta", "did you mean niigata?"),
        ("delivery_latency", "p(99)<1sec", "sec", "did you mean s?"),
        ("delivery_latency", "p(99)<1", "1", "write 250ms"),
        ("delivery_latency", "p(99)<", "p(99)<", '"p(99)<1s"'),
        ("lost", "count==", "count==", '"count==0"'),
        ("lost", "", '""', "write aggregate"),
        ("", "count==0", '""', "write it as"),
        ("lost", "count==x", "x", "without a unit"),
        ("delivery_latency", "p(99)<s", "s", "write 250ms"),
        ("delivery_latency", "average<1s", "average", "known: p(q), med, avg"),
        ("delivery_latency", "mex<1s", "mex", "did you mean"),
        ("delivery_latency", "rate<1s", "rate", "known: p(q)"),
        ("delivery_latency", "p<1s", "p", "known: p(q)"),
        ("delivery_latency", "p(100)<1s", "p(100)", "use min and max"),
        ("delivery_latency", "p(0)<1s", "p(0)", "use min and max"),
        ("delivery_latency", "p(x)<1s", "p(x)", "use min and max"),
        ("delivery_latency", "p(99) 1s", "p(99) 1s", "write aggregate"),
        ("lost", "max<1", "max", "known: count, rate"),
        ("lost", "p(99)<1", "p", "known: count, rate"),
        ("lost", "count<1s", "1s", "without a unit"),
        ("lost", "count<-1", "-1", "0 or more"),
        ("lost", "rate<2", "2", "0.1%"),
        ("lost", "rate<x%", "x%", "a share"),
        ("lost", "count<5%", "5%", "without a unit"),
    ],
)
def test_what_is_not_understood_is_refused_with_place_value_and_remedy(
    key: str, expression: str, value: str, remedy: str
) -> None:
    with pytest.raises(ThresholdError) as caught:
        parse_thresholds({key: [expression]}, "drill.yaml", ["miyagi", "niigata"])

    error = caught.value
    assert error.where == "drill.yaml"
    assert error.value == value
    assert remedy in error.remedy
    assert error.exit_code is ExitCode.BAD_INPUT


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(ThresholdError, match="no expression") as caught:
        parse_thresholds({"lost": []})
    assert (caught.value.value, "write a list" in caught.value.remedy) == ("[]", True)


def test_without_known_prefectures_any_slug_is_taken() -> None:
    assert one("lost{prefecture=atlantis}", "count==0").tags == (("prefecture", "atlantis"),)


def test_the_defaults_apply_unless_something_was_said_about_the_same() -> None:
    assert [(d.key, d.expression) for d in with_defaults(())] == [
        ("lost", "count==0"),
        ("unexpected", "count==0"),
        ("delivery_latency{population=live}", "max<5s"),
    ]
    said = parse_thresholds({"lost": "count<10", "lost{kind=foreign}": "count==0"})
    keys = [threshold.key for threshold in with_defaults(said)]
    assert keys == [
        "lost",
        "lost{kind=foreign}",
        "unexpected",
        "delivery_latency{population=live}",
    ]
    assert all(default.default for default in DEFAULTS)
    assert not said[0].default


# --- judging ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("percent", "needed"), [("50", 20), ("90", 100), ("99", 1000), ("99.9", 10_000), ("33.3", 15)]
)
def test_a_quantile_needs_ten_over_one_minus_q_samples(percent: str, needed: int) -> None:
    assert samples_needed(Fraction(percent)) == needed


@pytest.mark.parametrize(
    ("expression", "low", "high", "verdict"),
    [
        ("max<1s", 0, S - 1, "pass"),
        ("max<1s", S - 1, S, "inconclusive"),
        ("max<1s", S, S, "fail"),
        ("max<=1s", S, S, "pass"),
        ("max<=1s", S, S + 1, "inconclusive"),
        ("max<=1s", S + 1, S + 2, "fail"),
        ("min>1s", S + 1, S + 1, "pass"),
        ("min>1s", S, S + 1, "inconclusive"),
        ("min>1s", S - 1, S, "fail"),
        ("min>=1s", S, S + 1, "pass"),
        ("min>=1s", S - 1, S, "inconclusive"),
        ("min>=1s", S - 2, S - 1, "fail"),
        ("avg==1s", S, S, "pass"),
        ("avg==1s", S - 1, S + 1, "inconclusive"),
        ("avg==1s", S + 1, S + 1, "fail"),
        ("avg!=1s", S + 1, S + 2, "pass"),
        ("avg!=1s", S - 1, S + 1, "inconclusive"),
        ("avg!=1s", S, S, "fail"),
    ],
)
def test_the_whole_interval_decides(expression: str, low: int, high: int, verdict: str) -> None:
    judgement = judge(one("delivery_latency", expression), between(low, high))

    assert judgement.verdict.value == verdict
    assert judgement.reason


@pytest.mark.parametrize(("samples", "verdict"), [(999, "inconclusive"), (1000, "pass")])
def test_too_few_samples_are_inconclusive(samples: int, verdict: str) -> None:
    judgement = judge(one("delivery_latency", "p(99)<1s"), between(0, 0, samples))

    assert judgement.verdict.value == verdict


def test_nothing_measured_is_inconclusive_and_says_why() -> None:
    told = judge(one("lead_time", "min>0s"), Observation.missing("nothing arrived"))
    untold = judge(one("lead_time", "min>0s"), Observation.missing(""))

    assert (told.verdict, told.reason) == (Verdict.INCONCLUSIVE, "nothing arrived")
    assert untold.reason == "nothing was measured"


@pytest.mark.parametrize(
    ("key", "expression", "low", "verdict"),
    [
        ("delivery_latency", "max<1s", 0, "pass"),  # it can only have made it longer
        ("delivery_latency", "max<1s", 2 * S, "inconclusive"),
        ("delivery_latency", "min>1s", 2 * S, "inconclusive"),  # perhaps long because of it
        ("delivery_latency", "avg!=1s", 2 * S, "inconclusive"),
        ("delivery_latency", "count>5", 6, "pass"),
        ("predicted_lead_time", "min>0s", 2 * S, "pass"),
        ("predicted_lead_time", "min>0s", -S, "inconclusive"),
        ("predicted_lead_time", "max<1s", 0, "inconclusive"),  # perhaps short because of it
        ("lost", "count==0", 0, "pass"),
        ("lost", "count==0", 1, "inconclusive"),
    ],
)
def test_a_limited_instrument_leaves_a_pass_and_softens_a_fail(
    key: str, expression: str, low: int, verdict: str
) -> None:
    judgement = judge(one(key, expression), between(low, low), instrument_limited=True)

    assert judgement.verdict.value == verdict


@pytest.mark.parametrize(
    ("key", "expression", "verdict"),
    [
        ("delivery_latency", "max<1s", "inconclusive"),
        ("alert_age", "max<1s", "inconclusive"),
        ("delivery_latency", "count>=0", "pass"),
        ("predicted_lead_time", "max<1s", "pass"),
        ("lost", "count==0", "pass"),
    ],
)
def test_overlap_makes_latencies_inconclusive_and_nothing_else(
    key: str, expression: str, verdict: str
) -> None:
    judgement = judge(one(key, expression), between(0, 0), overlapped="played too fast")

    assert judgement.verdict.value == verdict


def test_an_early_end_leaves_thresholds_unjudged_or_passes_open() -> None:
    threshold = one("lost", "count==0")
    met, broken = judge(threshold, between(0, 0)), judge(threshold, between(1, 1))

    assert not_judged(threshold, between(0, 0), "aborted").verdict is Verdict.NOT_JUDGED
    assert as_incomplete(met, "the broker died").verdict is Verdict.INCONCLUSIVE
    assert as_incomplete(met, "the broker died").reason == "the broker died"
    assert as_incomplete(broken, "the broker died") is broken


def test_a_run_is_as_good_as_its_worst_threshold() -> None:
    threshold = one("lost", "count==0")

    def with_verdict(*words: str) -> list[Judgement]:
        return [
            Judgement(threshold=threshold, verdict=Verdict(w), observation=between(0, 0), reason="")
            for w in words
        ]

    assert overall([]) is Verdict.PASS
    assert overall(with_verdict("pass", "pass")) is Verdict.PASS
    assert overall(with_verdict("pass", "inconclusive")) is Verdict.INCONCLUSIVE
    assert overall(with_verdict("fail", "inconclusive", "pass")) is Verdict.FAIL
    assert overall(with_verdict("fail", "not-judged")) is Verdict.NOT_JUDGED


def test_exit_codes_in_order_of_precedence() -> None:
    order = [
        ExitCode.PASS,
        ExitCode.INCONCLUSIVE,
        ExitCode.THRESHOLD_FAILED,
        ExitCode.ABORTED,
        ExitCode.BROKER,
        ExitCode.INTERNAL,
    ]
    for index, code in enumerate(order):
        assert worst_exit(order[: index + 1]) is code
    assert worst_exit([]) is ExitCode.PASS


def test_every_metric_can_be_parsed_with_every_aggregate_of_its_unit() -> None:
    for metric in METRICS.values():
        expressions = ["count>=0"]
        expressions += ["p(90)<1s", "max<1s"] if metric.unit is Unit.NS else ["rate<=1"]
        for expression in expressions:
            assert one(metric.name, expression).definition is metric
        assert metric.description.endswith(".")


def test_a_group_is_one_of_the_scenarios_own() -> None:
    def parse(groups: tuple[str, ...] | None) -> object:
        (found,) = parse_thresholds(
            {"lost{group=phones}": "count==0"}, "--threshold", groups=groups
        )
        return found.tags

    assert parse(None) == parse(("phones", "others")) == (("group", "phones"),)
    with pytest.raises(ThresholdError, match="unknown group") as caught:
        parse(("phone", "others"))
    assert "did you mean phone?" in caught.value.remedy
    with pytest.raises(ThresholdError, match="declares no groups") as caught:
        parse(())
    assert (caught.value.where, caught.value.value) == ("--threshold", "phones")
    assert parse_thresholds({"lost": "count==0"}, groups=())
