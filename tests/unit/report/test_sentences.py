"""The first screen answers its three questions from the summary."""

from collections.abc import Callable
from pathlib import Path

from simulator.measure.summary import Summary
from simulator.report.language import catalogue
from simulator.report.sentences import answers, first_warning, main_row
from simulator.report.source import ReportSource, read_source
from simulator.units import NS_PER_S
from tests.unit.report.made_run import Wanted, make_run

LATE = "the warning came 2 min after the predicted arrival (± 60 s)."

SourceOf = Callable[[str], ReportSource]


def summary(source_of: SourceOf, kind: str) -> Summary:
    found = source_of(kind).summary
    assert found is not None
    return found


def test_the_founding_case_passes_and_says_by_what(source_of: SourceOf) -> None:
    passed, _, _ = answers(summary(source_of, "complete"))
    assert passed.headline == "Passed"
    assert passed.sentences[1:] == (
        "900 of 900 expected deliveries arrived (100 %).",
        "15 control receivers in other prefectures heard nothing, as it should be.",
    )
    assert passed.sentences[0].startswith(
        "All thresholds are met: lost 0 (must be 0), unexpected 0 (must be 0) and longest delivery "
    )


def test_the_founding_case_says_who_was_warned_and_that_it_was_late(source_of: SourceOf) -> None:
    _, warned, _ = answers(summary(source_of, "complete"))
    assert warned.headline == "None of 3 prefectures in time"
    assert warned.sentences == (
        f"In Miyagi, Yamagata and Niigata {LATE}",
        "Nothing truly arrived over Miyagi, Yamagata and Niigata.",
    )


def test_the_eleven_minutes_are_split_and_the_split_is_an_assumption(source_of: SourceOf) -> None:
    _, _, time = answers(summary(source_of, "complete"))
    assert time.headline.startswith("Chain 11 min, delivery ")
    assert time.sentences[0] == (
        "Simulated, until the first warning at 07:50:00: 11 min, with sensing 4 min, assessment "
        "3 min, decision 3 min 30 s and issue 30 s. This split is an assumption: it has not been "
        "published."
    )
    assert "n = 900 from 9 alerts in 3 bursts" in time.sentences[1]
    assert time.sentences[2].startswith("On average send ")


def test_the_average_segments_are_those_of_the_summary_and_add_up(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    means = {}
    for segment in ("send", "transit", "handling", "end-to-end"):
        row = main_row(of, segment)
        assert row is not None
        assert row.mean_ns is not None
        means[segment] = row.mean_ns
    parts = means["send"] + means["transit"] + means["handling"]
    assert abs(parts - means["end-to-end"]) <= 2  # each mean is rounded to a nanosecond


def test_each_failure_is_named_with_its_value(source_of: SourceOf) -> None:
    passed, _, _ = answers(summary(source_of, "trouble"))
    assert passed.headline == "Failed"
    assert passed.sentences[0] == "0 of 3 thresholds met."
    assert "Not met: lost 10 (must be 0)." in passed.sentences
    assert "Not met: unexpected 2 (must be 0)." in passed.sentences
    assert "893 of 903 expected deliveries arrived (98.89 %); 6 late and 10 lost." in (
        passed.sentences
    )
    assert passed.sentences[-1] == (
        "15 control receivers in other prefectures should hear nothing, but 1 copy went astray."
    )


def test_an_aborted_run_is_not_judged(source_of: SourceOf) -> None:
    passed, _, _ = answers(summary(source_of, "aborted"))
    assert passed.headline == "Not judged"
    assert passed.sentences[:2] == (
        "The run is incomplete: ended by SIGINT.",
        "The thresholds were not judged.",
    )


def test_too_few_samples_are_inconclusive(tmp_path: Path) -> None:
    wanted = Wanted(subscribers=3, thresholds=(("delivery_latency{population=live}", "p(99)<1s"),))
    of = read_source(make_run(tmp_path, wanted)).summary
    assert of is not None
    passed, _, _ = answers(of)
    assert passed.headline == "Inconclusive"
    doubt = "Cannot be judged: 99th percentile of delivery latency (must be under 1 s): too few"
    assert any(sentence.startswith(doubt) for sentence in passed.sentences)


def test_an_instrument_that_was_the_bottleneck_says_so(source_of: SourceOf) -> None:
    of = summary(source_of, "trouble")
    limited = of.model_copy(
        update={
            "verdict": of.verdict.model_copy(update={"instrument_bottleneck": True}),
            "instrument": of.instrument.model_copy(update={"reasons": ("its loop lagged",)}),
        }
    )
    passed, _, _ = answers(limited)
    assert any("The instrument was the bottleneck: its loop lagged" in s for s in passed.sentences)


def test_an_overlapped_run_says_so(tmp_path: Path) -> None:
    # Copies that are 11 s late come after the next playing's alert on the same topic.
    of = read_source(make_run(tmp_path, Wanted(repeat=2, trouble=True))).summary
    assert of is not None
    assert of.verdict.overlap is not None
    passed, _, _ = answers(of)
    assert of.verdict.overlap.note.rstrip(".") in " ".join(passed.sentences)


def test_early_and_punctual_warnings(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    row = next(row for row in of.lead_times if row.applicable)
    early = row.model_copy(update={"lead_median_ns": 90 * NS_PER_S, "precision_ns": 0})
    punctual = row.model_copy(
        update={"kind": "true", "prefecture": "niigata", "lead_median_ns": 1, "precision_ns": 0}
    )
    _, warned, _ = answers(of.model_copy(update={"lead_times": (early, punctual)}))
    assert "In Miyagi the warning came 1 min 30 s before the predicted arrival." in (
        warned.sentences
    )
    assert "In Niigata the warning came at the time of the true arrival." in warned.sentences


def test_many_groups_of_lead_times_are_counted_not_listed(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    row = next(row for row in of.lead_times if row.applicable)
    rows = tuple(
        row.model_copy(update={"lead_median_ns": n * NS_PER_S, "launch": f"m{n}"})
        for n in range(6, -2, -1)
    )
    nothing = row.model_copy(update={"kind": "true", "applicable": False})
    _, warned, _ = answers(of.model_copy(update={"lead_times": (*rows, nothing)}))
    assert warned.sentences == (
        "2 of 8 first warnings did not come before the predicted arrival.",
        "In Miyagi (launch m-1) the warning came 1 s after the predicted arrival (± 60 s).",
        "In Miyagi (launch m0) the warning came at the time of the predicted arrival (± 60 s).",
        "6 further groups stand under lead time.",
        "Nothing truly arrived over Miyagi.",
    )
    _, early, _ = answers(of.model_copy(update={"lead_times": rows[:-2]}))
    assert early.sentences[0] == "Each of 6 first warnings came before the predicted arrival."
    japanese = catalogue("ja")
    assert [japanese.say(one.sentences[0]) for one in (warned, early)] == [
        "最初の警報 8 件のうち 2 件は到達予測時刻より前ではなかった。",
        "最初の警報 6 件はすべて到達予測時刻より前だった。",
    ]


def test_of_many_prefectures_those_in_time_are_counted_and_the_late_named(
    source_of: SourceOf,
) -> None:
    of = summary(source_of, "complete")
    row = next(row for row in of.lead_times if row.applicable)
    names = ("akita", "iwate", "aomori", "miyagi", "fukushima", "yamagata", "niigata")

    def headline(*leads_s: int) -> str:
        rows = tuple(
            row.model_copy(update={"prefecture": name, "lead_median_ns": lead_s * NS_PER_S})
            for name, lead_s in zip(names, leads_s, strict=True)
        )
        return answers(of.model_copy(update={"lead_times": rows}))[1].headline

    assert headline(9, 9, 9, 9, 9, -1, -2) == (
        "5 of 7 prefectures in time; too late: Niigata and Yamagata"
    )
    assert headline(9, 9, 9, 9, 9, 9, 9) == "7 of 7 prefectures in time"
    assert headline(-1, -1, -1, -1, -1, -1, -1) == "None of 7 prefectures in time"


def test_where_nothing_was_delivered_nobody_was_in_time(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    row = next(row for row in of.lead_times if row.applicable)
    early = row.model_copy(update={"lead_median_ns": 90 * NS_PER_S, "precision_ns": 0})
    unheard = {"n": 0, "lead_median_ns": None, "model_term_ns": 60 * NS_PER_S}
    silent = early.model_copy(update={"prefecture": "niigata", **unheard})
    some = answers(of.model_copy(update={"lead_times": (early, silent)}))[1]
    assert some.headline == "In time: Miyagi; nothing was delivered in Niigata"
    assert some.sentences == (
        "Nothing was delivered in Niigata.",
        "In Miyagi the warning came 1 min 30 s before the predicted arrival.",
    )
    none = answers(of.model_copy(update={"lead_times": (silent,)}))[1]
    assert none.headline == "Nothing was delivered in Niigata"
    assert none.sentences == ("Nothing was delivered in Niigata.",)
    total = of.ledger.total.model_copy(update={"expected": 0})
    ledger = of.ledger.model_copy(update={"total": total})
    sent = answers(of.model_copy(update={"lead_times": (silent,), "ledger": ledger}))[1]
    assert sent.sentences == (
        "In Niigata the warning was issued 1 min before the predicted arrival.",
    )
    japanese = catalogue("ja")
    assert japanese.say(some.headline) == "間に合った: 宮城県。新潟県には何も届かなかった"
    assert "警報が出た" in japanese.say(sent.sentences[0])
    assert not japanese.unknown


def test_without_an_arrival_it_is_said_why_nobody_can_be_in_time(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    drill = answers(of.model_copy(update={"lead_times": ()}))[1]
    assert drill.headline == "No arrival to be in time for"
    assert drill.sentences == (
        "Nothing is launched in this exercise: no arrival is predicted and none happens.",
        "Messages went to Miyagi, Yamagata and Niigata.",
    )
    none = tuple(row.model_copy(update={"applicable": False}) for row in of.lead_times)
    unpredicted = answers(of.model_copy(update={"lead_times": none}))[1]
    (sentence,) = unpredicted.sentences
    assert sentence == (
        "No arrival was predicted when the warnings went to Miyagi, Yamagata and Niigata, and "
        "nothing truly arrived."
    )


def test_nothing_at_all(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    total = of.ledger.total.model_copy(update=dict.fromkeys(("expected", "delivered"), 0))
    empty = of.model_copy(
        update={
            "timeline": (),
            "latency": (),
            "lead_times": (),
            "thresholds": (),
            "ledger": of.ledger.model_copy(update={"total": total}),
            "run": of.run.model_copy(update={"controls": 0}),
        }
    )
    passed, warned, time = answers(empty)
    assert passed.sentences == ("No thresholds were set.", "No delivery was expected.")
    assert (warned.headline, warned.sentences) == ("Nobody", ())
    assert (time.headline, time.sentences) == ("Nothing was measured", ())
    assert first_warning(()) is None


def test_stamps_are_spoken_of_where_they_leave_doubt(source_of: SourceOf) -> None:
    of = summary(source_of, "complete")
    middle_ns = next(
        quantile.value_ns
        for row in of.latency
        if row is main_row(of, "delivery")
        for quantile in row.quantiles
        if quantile.percent == 50 and quantile.value_ns is not None
    )

    def said(**clocks: int) -> list[str]:
        changed = of.model_copy(update={"clocks": of.clocks.model_copy(update=clocks)})
        return [line for line in answers(changed)[2].sentences if line.startswith("Stamps:")]

    assert said() == said(uncertainty_max_ns=middle_ns // 10) == []
    (uncertain,) = said(uncertainty_max_ns=middle_ns)
    assert "uncertain by up to" in uncertain
    (user,) = said(kernel_stamps=897, user_stamps=3)
    assert user.startswith("Stamps: 3 of 900 receipts were stamped after the read")
    assert len(said(user_stamps=3, uncertainty_max_ns=middle_ns)) == 1
