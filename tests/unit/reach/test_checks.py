from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.reach.channels import ChannelProfile
from tests.unit.reach.small import EVERYBODY, PROFILE, built, constant, network

Document = dict[str, Any]


def _radio(document: Document) -> None:
    document["channels"]["radio"] = {"hears": deepcopy(EVERYBODY)}


def _two_notices(document: Document) -> None:
    document["notices"] *= 2


def _two_networks(document: Document) -> None:
    networks = [network("one"), network("one")]
    document["channels"]["cell-broadcast"] = {"hears": EVERYBODY, "carriers": networks}


def _no_lines(document: Document) -> None:
    networks = [network("one", 0.0)]
    document["channels"]["cell-broadcast"] = {"hears": EVERYBODY, "carriers": networks}


def _two_prefectures(document: Document) -> None:
    known = {"id": "miyagi", "share": {"share": 0.5}}
    document["channels"]["loudspeaker"] = {
        "hears": EVERYBODY,
        "installed": {"elsewhere": {"share": 1.0}, "prefectures": [known, known]},
        "audible": [{"id": "all", "people_from": 0, "share": {"share": 1.0}}],
    }


def _sizes(*starts: int) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        _two_prefectures(document)
        document["channels"]["loudspeaker"]["installed"]["prefectures"] = []
        document["channels"]["loudspeaker"]["audible"] = [
            {"id": f"from-{start}", "people_from": start, "share": {"share": 1.0}}
            for start in starts
        ]

    return change


def _homes(document: Document) -> None:
    document["channels"]["indoor-receiver"] = {
        "hears": EVERYBODY,
        "coverage": {"people_to": 5, "classes": [{"id": "none", "towns": 0.9, "homes": 0.0}]},
    }


def _no_notice(document: Document) -> None:
    _radio(document)
    document["channels"]["radio"]["hears"]["asleep"] = {"share": 0.5}


def _wrong_notice(document: Document) -> None:
    _radio(document)
    document["channels"]["radio"]["hears"]["asleep"] = {"share": 0.5, "notice": "later"}


def _unknown_source(document: Document) -> None:
    document["phones"]["held"] = {"share": 0.5, "sources": ["MIC"]}


def _outside(document: Document) -> None:
    document["phones"]["held"] = {"share": 0.5, "range": [0.6, 0.7]}


def _delay_outside(document: Document) -> None:
    document["notices"][0]["delay"] = {
        "law": "lognormal", "median": "9s", "p95": "20s", "range": ["1s", "5s"],
    }  # fmt: skip


def _rate_outside(document: Document) -> None:
    document["municipal"]["failure"] |= {"range": [0.5, 0.6]}


def _part_outside(document: Document) -> None:
    _radio(document)
    document["channels"]["radio"]["hears"]["asleep"] = {
        "share": 0.5, "notice": "now", "range": [0.0, 0.1],
    }  # fmt: skip


def _unsourced(document: Document) -> None:
    document["fictional"] = False


@pytest.mark.parametrize(
    ("change", "message", "path"),
    [
        (_two_notices, "same id", "notices.1.id"),
        (_two_networks, "same id", "channels.cell-broadcast.carriers.1.id"),
        (_two_prefectures, "same id", "channels.loudspeaker.installed.prefectures.1.id"),
        (_no_lines, "no network has a share", "channels.cell-broadcast.carriers"),
        (_no_notice, "also needs a time to notice", "channels.radio.hears.asleep"),
        (_wrong_notice, "there is no such notice", "channels.radio.hears.asleep"),
        (_unknown_source, "there is no source MIC", "phones.held.sources.0"),
        (_outside, "outside its own range", "phones.held.range"),
        (_delay_outside, "outside its own range", "notices.0.delay.range"),
        (_rate_outside, "outside its own range", "municipal.failure.range"),
        (_part_outside, "outside its own range", "channels.radio.hears.asleep.range"),
        (_unsourced, "does not say where it comes from", "days.saturday"),
        pytest.param(_sizes(5), "leave a gap", None, id="no-smallest"),
        pytest.param(_sizes(0, 9, 5), "leave a gap", None, id="not-rising"),
        pytest.param(_sizes(0, 5, 5), "leave a gap", None, id="twice"),
        (_homes, "do not add up to 1", None),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(
    change: Callable[[Document], None], message: str, path: str | None
) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        built(change)
    context = caught.value.errors()[0]["ctx"]
    assert context["remedy"]
    if path is not None:
        assert ".".join(str(step) for step in context["path"]) == path


def test_an_assumption_needs_a_range_unless_all_is_made_up() -> None:
    document = deepcopy(PROFILE)
    document["phones"]["held"] = {"share": 0.5, "assumption": True}
    assert ChannelProfile.model_validate(document).phones.held.assumption


def test_a_claimed_assumption_needs_a_range() -> None:
    def change(document: Document) -> None:
        document["fictional"] = False
        source = {"id": "S", "title": "S", "address": "S", "grade": "U"}
        document["sources"] = [source]
        for name in ("saturday", "holiday"):
            document["days"][name] = constant(60) | {"sources": ["S"]}
        document["days"]["commuting_off"] = {"share": 0.5, "assumption": True}

    with pytest.raises(ValidationError, match="an assumption needs a range"):
        built(change)


def test_a_share_of_nobody_needs_no_range() -> None:
    def change(document: Document) -> None:
        _radio(document)
        document["channels"]["radio"]["hears"] = {"radio": {"share": 1.0, "notice": "now"}}

    assert built(change).channels.radio is not None
