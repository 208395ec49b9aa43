"""Flights in scenario files: what is refused, where, and what it says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from simulator.errors import ExitCode, InputError, ScenarioError
from simulator.scenario import Scenario, load_scenario
from simulator.scenario.flight import FlightFacts
from simulator.scenario.flights import flown, planned, predicted
from simulator.units import NS_PER_S

HEAD = """\
schema: "1.0"
id: x
title: X
epoch: "2026-01-15T10:00:00+09:00"
fictional: true
chain: {profile: j-alert-2022}
launches:
  - id: a
    at: "10:00"
    flight:
"""
GOOD = {"site": "sunan", "azimuth_deg": "90", "range_km": "5500", "apogee_km": "2000"}

Refuse = Callable[..., ScenarioError]


@pytest.fixture
def refused(tmp_path: Path) -> Refuse:
    """Loads a scenario with a flight that differs from a good one; the error it ends in."""

    def load(**fields: str | None) -> ScenarioError:
        flight = {key: value for key, value in (GOOD | fields).items() if value is not None}
        path = tmp_path / "x.yaml"
        lines = [f"      {key}: {value}\n" for key, value in flight.items()]
        path.write_text(HEAD + "".join(lines), encoding="utf-8")
        with pytest.raises(ScenarioError) as caught:
            load_scenario(path)
        assert caught.value.exit_code is ExitCode.BAD_INPUT
        assert caught.value.where.startswith(f"{path}:")
        return caught.value

    return load


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"apogee_km": "-5"}, "apogee_km", "above the surface"),
        ({"apogee_km": "0"}, "apogee_km", ""),
        ({"range_km": "30000"}, "range_km", "half"),
        ({"range_km": "0"}, "range_km", ""),
        ({"azimuth_deg": "400"}, "azimuth_deg", "no such angle"),
        ({"site": "nowhere"}, "site", "no such launch site"),
        ({"site": None}, "site", "one launch point"),
        ({"latitude_deg": "39"}, "site", "one launch point"),
        ({"site": None, "latitude_deg": "39"}, "site", "one launch point"),
        (
            {"site": None, "latitude_deg": "38.3", "longitude_deg": "140.9"},
            "site",
            "inside Japan: 38.3, 140.9, in miyagi",
        ),
        (
            {"site": None, "latitude_deg": "95", "longitude_deg": "140.9"},
            "latitude_deg",
            "no such angle",
        ),
        ({"breaks_up": "-1min"}, "breaks_up", "outside the flight"),
        ({"breaks_up": '"11:59"'}, "breaks_up", "outside the flight"),
        ({"lost": '"11:59"'}, "lost", "outside the flight"),
        ({"falls_short_km": "6000"}, "falls_short_km", "outside the flight"),
        ({"falls_short_km": "700", "breaks_up": '"10:05"'}, "falls_short_km", "ends twice"),
        ({"missed_by": "[sonar]"}, "missed_by", "no such sensor"),
        ({"predicted": "{range_km: 30000}"}, "predicted.range_km", "half"),
        ({"apogee_km": "far"}, "apogee_km.value", "a number is expected"),
        ({"apogee_km": ".nan"}, "apogee_km", "not a number"),
        ({"kind": "orbital"}, "kind", "not one of the possible values"),
    ],
)
def test_what_cannot_fly_is_refused(
    refused: Refuse, fields: dict[str, str | None], field: str, message: str
) -> None:
    error = refused(**fields)
    assert error.field.endswith(f"flight.{field}")
    assert message in error.message
    assert error.remedy


def test_a_figure_of_a_flight_needs_its_source_and_its_range(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    flight = "".join(f"      {key}: {value}\n" for key, value in GOOD.items())
    true_story = HEAD.replace("fictional: true\n", "").replace(
        'at: "10:00"', 'at: {time: "10:00", sources: [Jiji-121212]}'
    )
    path.write_text(true_story + flight, encoding="utf-8")
    with pytest.raises(ScenarioError, match="does not say where it comes from") as caught:
        load_scenario(path)
    assert caught.value.field == "launches.0.flight.azimuth_deg"
    outside = flight.replace("90", "{value: 90, range: [91, 92]}")
    path.write_text(HEAD + outside, encoding="utf-8")
    with pytest.raises(ScenarioError, match="outside its own range"):
        load_scenario(path)


def _document(**launch: Any) -> dict[str, Any]:
    law = {"law": "constant", "value": "1min"}
    stages = [
        "relay",
        "forming",
        "assessment",
        "decision",
        "issue",
        "confirmation",
        "discovery",
        "correction",
        "all_clear",
        "cancellation",
    ]
    flight = {"site": "sunan", "azimuth_deg": 90, "range_km": 5500, "apogee_km": 2000}
    return {
        "schema": "1.0",
        "id": "x",
        "title": "X",
        "epoch": "2026-01-15T10:00:00+09:00",
        "fictional": True,
        "chain": {"policy": "prefectures", "teams": 1} | dict.fromkeys(stages, law),
        "launches": [{"id": "a", "at": "0s", "flight": flight} | launch],
    }


@pytest.mark.parametrize(
    "stage", ["teams", "relay", "forming", "assessment", "confirmation", "correction", "all_clear"]
)
def test_a_flight_needs_every_stage_that_it_may_come_to(stage: str) -> None:
    document = _document()
    del document["chain"][stage]
    with pytest.raises(ValidationError, match=f"needs the stage {stage}"):
        Scenario.model_validate(document)


def test_a_chain_that_notices_a_loss_needs_to_say_when() -> None:
    document = _document()
    del document["chain"]["cancellation"]
    Scenario.model_validate(document)
    document["chain"]["on_loss"] = "notices"
    with pytest.raises(ValidationError, match="needs the stage cancellation"):
        Scenario.model_validate(document)


def test_a_flight_needs_a_policy_unless_its_area_is_listed() -> None:
    document = _document()
    del document["chain"]["policy"]
    with pytest.raises(ValidationError, match="nobody knows which prefectures are warned"):
        Scenario.model_validate(document)
    Scenario.model_validate(
        _document(belief={"prefectures": ["miyagi"]}) | {"chain": document["chain"]}
    )


def test_without_a_flight_the_area_has_to_be_listed() -> None:
    document = _document(flight=None, belief={"arrival": "9min"})
    with pytest.raises(ValidationError, match="nobody knows which prefectures are warned"):
        Scenario.model_validate(document)


def test_a_mistaken_alert_needs_an_area_and_the_truth() -> None:
    faults = {"faults": {"by_mistake": True}, "flight": None}
    with pytest.raises(ValidationError, match="whom the mistaken alert warns"):
        Scenario.model_validate(_document(**faults))
    listed = faults | {"belief": {"prefectures": ["miyagi"]}}
    with pytest.raises(ValidationError, match="is a false alarm"):
        Scenario.model_validate(_document(**listed))
    passed = {"truth": {"outcome": "passed", "at": "9min"}}
    with pytest.raises(ValidationError, match="is a false alarm"):
        Scenario.model_validate(_document(**listed, **passed))


def test_a_wrongly_warned_area_has_to_be_told() -> None:
    document = _document(
        flight=None,
        belief={"prefectures": ["miyagi"], "arrival": "9min", "outcome": "passage"},
        faults={"wrong_area": ["tokyo"]},
    )
    document["chain"]["satellite"] = {"law": "constant", "value": "1min"}
    Scenario.model_validate(document)
    del document["chain"]["correction"]
    with pytest.raises(ValidationError, match="needs the stage correction"):
        Scenario.model_validate(document)


def test_what_fails_on_the_way_to_people_is_named_by_its_code() -> None:
    document = _document() | {"channel_faults": {"silent_receivers": ["1610"]}}
    with pytest.raises(ValidationError, match="silent_receivers"):
        Scenario.model_validate(document)
    document["channel_faults"] = {"silent_receivers": ["01610"], "silent_carriers": ["rakuten"]}
    assert Scenario.model_validate(document).resolved()["channel_faults"] == {
        "silent_receivers": ["01610"],
        "silent_carriers": ["rakuten"],
    }


def _facts(**fields: Any) -> FlightFacts:
    good = {"site": "sunan", "azimuth_deg": 90, "range_km": 5500, "apogee_km": 2000}
    return FlightFacts.model_validate(
        {key: value for key, value in (good | fields).items() if value is not None}
    )


def test_the_flight_is_that_of_the_world() -> None:
    facts = _facts(predicted={"range_km": 6000}, falls_short_km=750)
    assert (planned(facts).range_km, planned(facts).apogee_km) == (5500, 2000)
    assert (predicted(facts).range_km, predicted(facts).apogee_km) == (6000, 2000)
    assert predicted(_facts()) == planned(_facts())
    assert flown(facts, None, None).end_km == pytest.approx(750)
    late = flown(_facts(), None, 100 * NS_PER_S)
    assert (late.lost_at_s, late.completes) == (100, True)
    assert flown(_facts(), 90 * NS_PER_S, None).ends_at_s == 90


def test_a_launch_point_may_be_given_by_its_coordinates() -> None:
    facts = _facts(site=None, latitude_deg=39.24, longitude_deg=125.67)
    assert planned(facts) == planned(_facts())


def test_the_world_names_the_field_that_it_refuses() -> None:
    with pytest.raises(InputError) as caught:
        planned(_facts(range_km=30000))
    assert caught.value.field == "range_km"
