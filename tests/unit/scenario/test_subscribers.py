"""Groups of subscribers in a scenario file: what may be said, and what is refused with a remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.errors import ScenarioError
from simulator.scenario import Scenario, load_scenario
from simulator.scenario.loading import pointed
from simulator.scenario.subscribers import Flapping, Geographic, Late, Offline
from simulator.units import NS_PER_MIN, NS_PER_MS, NS_PER_S

HEAD = """\
schema: "1.0"
id: x
title: X
epoch: "2026-01-15T10:00:00+09:00"
tests: [{id: check, at: "10:01", every: 1min, count: 5, prefectures: [miyagi, niigata]}]
subscribers:
"""
LAUNCHED = """\
extends: tohoku-2022-11-03
id: x
subscribers:
"""
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(groups: str, head: str = HEAD) -> str:
        path = tmp_path / "x.yaml"
        path.write_text(head + "".join(f"  - {line}\n" for line in groups.splitlines()))
        return str(path)

    return make


def test_without_the_section_there_are_no_groups() -> None:
    scenario = load_scenario("drill-minimal")
    assert scenario.subscribers is None
    assert "subscribers" not in scenario.resolved()


def test_every_kind_is_read_with_its_defaults(write: Write) -> None:
    groups = load_scenario(
        write(
            "{id: a, kind: steady, count: 3, qos: 2}\n"
            '{id: b, kind: late, count: 3, joins_from: "10:02", joins_until: "10:04"}\n'
            '{id: c, kind: flapping, count: 3, first_outage: "10:02", outage: 20s, every: 1min, '
            "outages: 2, together: false, backoff: {first: 250ms, longest: 5s, jitter: false}}\n"
            '{id: d, kind: offline, share: 0.5, leaves: "10:02", returns: "10:04", spread: 10s}\n'
            "{id: e, kind: slow, count: 3, reads_every: 2s}\n"
            "{id: f, kind: overlapping, count: 3}\n"
            "{id: g, kind: shared, count: 3, across: all}\n"
            "{id: h, kind: geographic}"
        )
    ).subscribers
    assert groups is not None
    assert [group.kind for group in groups] == [
        "steady",
        "late",
        "flapping",
        "offline",
        "slow",
        "overlapping",
        "shared",
        "geographic",
    ]
    assert groups[0].qos == (2,)
    late, flapping, offline, geographic = groups[1], groups[2], groups[3], groups[7]
    assert isinstance(late, Late)
    assert late.state
    assert isinstance(flapping, Flapping)
    assert (flapping.outage, flapping.backoff.first) == (20 * NS_PER_S, 250 * NS_PER_MS)
    assert not flapping.backoff.jitter
    assert isinstance(offline, Offline)
    assert offline.session == "persistent"
    assert isinstance(geographic, Geographic)
    assert geographic.count is None


def test_a_resolved_scenario_reads_back(write: Write) -> None:
    path = write(
        '{id: c, kind: flapping, count: 3, first_outage: "10:02", outage: 90s, '
        "backoff: {first: 250ms, longest: 5s}, qos: [0, 1, 2]}"
    )
    scenario = load_scenario(path)
    assert Scenario.model_validate(scenario.resolved()) == scenario


def test_a_variant_changes_one_group_of_its_base(write: Write) -> None:
    groups = load_scenario(
        write("{id: boards, count: 2}", "extends: subscriber-mix\nid: x\nsubscribers:\n")
    ).subscribers
    assert groups is not None
    boards = next(group for group in groups if group.id == "boards")
    assert (boards.kind, boards.count) == ("slow", 2)
    assert len(groups) > 1


FLAP = '{id: a, kind: flapping, count: 3, first_outage: "10:02", '
OVERLAP = "{id: a, kind: overlapping, count: 3, filters: "
AWAY = "{id: a, kind: offline, count: 3, "


@pytest.mark.parametrize(
    ("groups", "field", "message", "remedy"),
    [
        ("{id: a, kind: tardy, count: 3}", "0.kind", "not one of the possible", "write steady"),
        ("{id: a, count: 3}", "0", "does not say of which kind", "kind: steady"),
        ("{id: a, kind: steady, cuont: 3}", "0.cuont", "unknown field", "did you mean count"),
        ("{id: a, kind: steady, count: -3}", "0.count", "greater than or equal to 1", "50"),
        ("{id: a, kind: steady, count: 0}", "0.count", "greater than or equal to 1", "50"),
        ("{id: a, kind: steady, count: 1000000000}", "0.count", "less than or equal", "50"),
        ("{id: a, kind: steady, count: 2.5}", "0.count", "", "50"),
        ("{id: a, kind: steady, share: 0}", "0.share", "greater than 0", "0.2"),
        ("{id: a, kind: steady, share: 1.5}", "0.share", "less than or equal to 1", "0.2"),
        ("{id: a, kind: steady}", "0", "a count or a share", "share: 0.2"),
        ("{id: a, kind: steady, count: 3, share: 0.1}", "0.share", "not both", "count: 50"),
        ("{id: a, kind: steady, count: 3, qos: 3}", "0.qos.0", "not one of the possible", "0, 1"),
        ("{id: a, kind: steady, count: 3, qos: []}", "0.qos", "at least 1", ""),
        ("{id: a, kind: steady, count: 3, prefectures: [nowhere]}", "0.prefectures.0", "", ""),
        ("{id: others, kind: steady, count: 3}", "0.id", "a group of its own", "another"),
        ("{id: controls, kind: steady, count: 3}", "0.id", "a group of its own", "another"),
        (
            "{id: a, kind: steady, count: 3}\n{id: a, kind: steady, count: 3}",
            "1.id",
            "same id",
            "its own",
        ),
        (
            "{id: a, kind: steady, share: 0.7}\n{id: b, kind: steady, share: 0.31}",
            "",
            "add up to 1.01",
            "lower them",
        ),
        (
            "{id: a, kind: steady, count: 600000}\n{id: b, kind: steady, count: 600000}",
            "",
            "1200000 subscribers are more than",
            "lower the counts",
        ),
        (
            '{id: a, kind: late, count: 3, joins_from: "10:03", joins_until: "10:02"}',
            "0.joins_until",
            "not after joins_from",
            "10:03",
        ),
        (AWAY + 'leaves: "10:03", returns: "10:03"}', "0.returns", "not after leaves", "10:03"),
        (AWAY + 'leaves: "10:03", returns: 25h}', "0.returns", "longer than 24 h", "shorter"),
        (AWAY + 'leaves: "10:03", returns: "10:04", spread: 25h}', "0.spread", "24 h", "shorter"),
        (AWAY + 'leaves: "10:06", returns: "10:07"}', "0.leaves", "after the last message", ""),
        (AWAY + 'leaves: "10:00", returns: "10:00:30"}', "0.leaves", "before anything", "first"),
        (FLAP + "outage: 0s}", "0.outage", "takes time", "20s"),
        (FLAP + "outage: 20s, outages: 2}", "0.outages", "interval", "2min"),
        (FLAP + "outage: 20s, outages: 2, every: 20s}", "0.every", "interval", "2min"),
        (FLAP + "outage: 1h, outages: 30, every: 2h}", "0.outages", "24 h", "shorter"),
        (FLAP + "outage: 1s, outages: 0}", "0.outages", "greater than or equal", "3"),
        (FLAP + "outage: 1s, backoff: {first: 9s, longest: 1s}}", "0.backoff", "longer", "so"),
        (FLAP + "outage: 1s, backoff: {first: 0s}}", "0.backoff.first", "1ms to 10min", "5s"),
        ("{id: a, kind: slow, count: 3, reads_every: 11min}", "0.reads_every", "1ms to 10min", ""),
        ("{id: a, kind: slow, count: 3, reads_every: 5}", "0.reads_every", "needs a unit", "90s"),
        (
            OVERLAP + "[alerts/+/+, alerts/+/+]}",
            "0.filters",
            "one subscription",
            "overlap",
        ),
        (
            OVERLAP + '["alerts/+/+", "state/{prefecture}"], state: true}',
            "0.state",
            "in the list already",
            "leave state out",
        ),
        ("{id: a, kind: shared, count: 3, state: true}", "0.state", "for one of several", ""),
        ("{id: a, kind: geographic, share: 0.5}", "0.share", "each municipality", "count"),
    ],
)
def test_what_contradicts_itself_is_refused(
    write: Write, groups: str, field: str, message: str, remedy: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(write(groups))
    error = caught.value
    assert error.field == ("subscribers" + ("." + field if field else ""))
    assert message in error.message
    assert remedy in error.remedy
    assert ":" in error.where


@pytest.mark.parametrize(
    "text",
    ["alerts", "receipts/x", "alerts/mi+yagi/x", "alerts/#/x", "alerts//x", "alerts/{town}/+"],
)
def test_what_is_no_filter_on_alerts_or_states_is_refused(write: Write, text: str) -> None:
    with pytest.raises(ScenarioError, match="filter") as caught:
        load_scenario(write(OVERLAP + f'["alerts/+/+", "{text}"]}}'))
    assert "alerts/{prefecture}/+" in caught.value.remedy


def test_a_threshold_names_a_group_of_the_scenario(write: Write) -> None:
    path = write("{id: a, kind: steady, count: 3}")
    text = Path(path).read_text(encoding="utf-8")
    for name in ("a", "others", "controls"):
        Path(path).write_text(text + f'thresholds: {{"lost{{group={name}}}": ["count==0"]}}\n')
        assert load_scenario(path).thresholds
    Path(path).write_text(text + 'thresholds: {"lost{group=b}": ["count==0"]}\n')
    with pytest.raises(ScenarioError, match="unknown group"):
        load_scenario(path)


def test_where_launches_decide_the_end_only_a_run_knows_it(write: Write) -> None:
    scenario = load_scenario(write(AWAY + 'leaves: "20:00", returns: "20:01"}', LAUNCHED))
    assert scenario.subscribers is not None


def test_an_error_found_later_gets_its_file_and_line(write: Write) -> None:
    path = write("{id: z, kind: steady, count: 3}\n" + AWAY + 'leaves: "10:02", returns: "10:03"}')
    error = ScenarioError("too late", "x", "subscribers.a.leaves", "10:02", "earlier")
    found = pointed(error, path)
    assert found.where == f"{path}:8"
    assert (found.message, found.field, found.value, found.remedy) == error.args[:1] + error.args[
        2:
    ]
    unknown = pointed(ScenarioError("x", field="subscribers.nobody.leaves"), path)
    assert unknown.where.startswith(path)


def _drill(**fields: Any) -> dict[str, Any]:
    return {
        "schema": "1.0",
        "id": "x",
        "title": "X",
        "epoch": "2026-01-15T23:50:00+09:00",
        "tests": [{"id": "a", "at": "23:55", "prefectures": ["miyagi"]} | fields],
    }


def test_a_time_of_day_before_the_epoch_is_refused_and_the_next_day_is_named() -> None:
    with pytest.raises(ValidationError) as caught:
        Scenario.model_validate(_drill(at="00:10"))
    context = caught.value.errors()[0]["ctx"]
    assert context["path"] == ("tests", 0, "at")
    assert "before the epoch, 23:50:00" in context["message"]
    assert '"2026-01-16T00:10:00+09:00"' in context["remedy"]
    assert "-5min" in context["remedy"]


@pytest.mark.parametrize(
    ("written", "offset_ns"),
    [
        ("2026-01-16T00:10:00+09:00", 20 * NS_PER_MIN),
        ("-5min", -5 * NS_PER_MIN),
        ("2026-01-15T23:40:00+09:00", -10 * NS_PER_MIN),
        ("23:50", 0),
    ],
)
def test_a_time_before_the_epoch_is_written_with_its_sign_or_date(
    written: str, offset_ns: int
) -> None:
    scenario = Scenario.model_validate(_drill(at=written))
    assert scenario.tests[0].at.offset_ns(scenario.epoch) == offset_ns


def test_a_mark_before_the_epoch_is_refused_too() -> None:
    document = _drill() | {
        "fictional": True,
        "marks": [{"id": "m", "at": "07:00", "text": "Early."}],
    }
    with pytest.raises(ValidationError, match="before the epoch"):
        Scenario.model_validate(document)
