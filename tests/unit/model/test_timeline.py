import hashlib
import json
from dataclasses import FrozenInstanceError, replace
from datetime import datetime

import pytest

from simulator.measure.describe import marks
from simulator.model import Timeline, simulate
from simulator.scenario import load_scenario


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return simulate(load_scenario("tohoku-2022-11-03"), seed=7)


def test_a_timeline_reads_back_as_it_was_written(timeline: Timeline) -> None:
    assert Timeline.from_jsonl(timeline.to_jsonl()) == timeline


def test_empty_lines_do_not_matter(timeline: Timeline) -> None:
    lines = [text for line in timeline.to_jsonl() for text in (line, "\n")]
    assert Timeline.from_jsonl(lines) == timeline


def test_the_digest_is_the_hash_of_the_content_lines(timeline: Timeline) -> None:
    lines = list(timeline.to_jsonl())
    header = json.loads(lines[0])
    provenance = ("title", "seed", "replication", "version", "digest")
    content = {key: value for key, value in header.items() if key not in provenance}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    expected = hashlib.sha256("".join(f"{line}\n" for line in [text, *lines[1:]]).encode())
    assert header["digest"] == timeline.digest == expected.hexdigest()


def test_provenance_is_outside_the_digest(timeline: Timeline) -> None:
    other = replace(timeline, seed=9, replication=4, version="0.0.0", title="T")
    assert other.digest == timeline.digest


def test_content_is_inside_the_digest(timeline: Timeline) -> None:
    epoch = datetime.fromisoformat("2022-11-03T07:40:00+09:00")
    digests = {
        timeline.digest,
        replace(timeline, scenario="y").digest,
        replace(timeline, epoch=epoch).digest,
        replace(timeline, events=timeline.events[:-1]).digest,
        replace(timeline, alerts=timeline.alerts[:-1]).digest,
    }
    assert len(digests) == 5


def test_cutting_a_timeline_at_any_line_is_refused(timeline: Timeline) -> None:
    lines = list(timeline.to_jsonl())
    for count in range(len(lines)):
        with pytest.raises(ValueError, match="timeline"):
            Timeline.from_jsonl(lines[:count])


def test_cutting_a_timeline_within_any_line_is_refused(timeline: Timeline) -> None:
    lines = list(timeline.to_jsonl())
    for count, line in enumerate(lines):
        with pytest.raises(ValueError, match=r"."):
            Timeline.from_jsonl([*lines[:count], line[: len(line) // 2]])


def _altered(timeline: Timeline, number: int, **fields: object) -> list[str]:
    lines = list(timeline.to_jsonl())
    lines[number] = json.dumps({**json.loads(lines[number]), **fields})
    return lines


@pytest.mark.parametrize(
    ("number", "fields", "message"),
    [
        (0, {"record": "event"}, "header"),
        (0, {"schema": "2.0"}, "schema '2.0'"),
        (0, {"schema": None}, "schema None"),
        (0, {"digest": "0" * 64}, "digest"),
        (0, {"scenario": "other"}, "digest"),
        (1, {"at_ns": 1}, "digest"),
        (1, {"colour": "red"}, "malformed"),
        (1, {"kind": "rumour"}, "rumour"),
        (1, {"sources": None}, "malformed"),
        (-1, {"prefecture": "aomori"}, "digest"),
        (-1, {"event": "rumour"}, "rumour"),
        (-1, {"stages": [{"name": "x"}]}, "malformed"),
    ],
)
def test_an_altered_timeline_is_refused(
    timeline: Timeline, number: int, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Timeline.from_jsonl(_altered(timeline, number, **fields))


def test_a_header_without_its_fields_is_refused() -> None:
    with pytest.raises(ValueError, match="malformed"):
        Timeline.from_jsonl(['{"record":"timeline","schema":"1.0"}'])


@pytest.mark.parametrize("line", ["[1]", "3", "null"])
def test_a_line_that_is_no_object_is_refused(timeline: Timeline, line: str) -> None:
    for lines in ([line], [next(timeline.to_jsonl()), line]):
        with pytest.raises(ValueError, match="one JSON object a line"):
            Timeline.from_jsonl(lines)


def test_a_later_minor_version_may_add_records(timeline: Timeline) -> None:
    lines = [*timeline.to_jsonl(), '{"record":"comment","text":"new"}']
    assert Timeline.from_jsonl(lines) == timeline


def test_records_are_frozen(timeline: Timeline) -> None:
    with pytest.raises(FrozenInstanceError):
        timeline.alerts[0].in_force = False  # type: ignore[misc]  # the very thing refused


def test_what_came_down_outside_japan_may_have_come_down_on_land() -> None:
    flown = simulate(load_scenario("tohoku-2022-11-03-modelled"), seed=7)
    (end,) = [event for event in flown.events if event.name == "fell-in-sea"]
    assert end.note == "Computed from the flight."
    assert end.told.startswith("It came down outside Japan, at sea or on land abroad")
    assert [mark.note for mark in marks(flown) if mark.name == "fell-in-sea"] == [end.told]
    predicted = [event for event in flown.events if event.name == "predicted-passage"]
    assert [event.told for event in predicted] == ["Computed from the flight."]
    assert replace(end, note="By the ministry.").told == "By the ministry."
