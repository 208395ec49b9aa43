from simulator.report.likeness import broker_text, scenario_digest, unlike
from simulator.report.manifest import Manifest
from simulator.units import NS_PER_S

_ALIKE = Manifest(
    run="a",
    started="2026-11-22T14:24:00+00:00",
    seed=1,
    speed=60,
    scenario={"id": "drill", "title": "A drill"},
    timeline_digest="ab" * 32,
    versions={"alertsim": "0.1.0"},
    host={"system": "Linux", "processors": "2", "clock_domain": "boot-1"},
    broker={"kind": "embedded", "name": "iotcore", "version": "0.4.0", "settings": {"queue": 9}},
    settings={"subscribers": 300, "late_after": 10 * NS_PER_S, "config": "one.toml", "seed": 1},
)


def test_runs_that_differ_in_nothing_that_matters_are_alike() -> None:
    other = _ALIKE.model_copy(
        update={
            "run": "b",
            "started": "2026-11-23T14:24:00+00:00",
            "host": _ALIKE.host | {"clock_domain": "boot-2"},
            "settings": _ALIKE.settings | {"config": "two.toml"},
        }
    )
    assert unlike([_ALIKE, other]) == ()


def test_each_thing_that_differs_is_named_with_both_values() -> None:
    changes = {
        "seed": (2, "Not the same seed: A 1, B 2."),
        "speed": (600.0, "Not the same speed: A 60, B 600."),
        "timeline_digest": ("cd" * 32, "plan (digest of the timeline): A abababababab"),
        "versions": ({"alertsim": "0.2.0"}, "version of alertsim: A 0.1.0, B 0.2.0"),
        "host": ({"system": "Linux", "processors": "8"}, "machine: A system Linux, processors 2"),
        "broker": ({"kind": "mosquitto"}, "broker: A embedded iotcore 0.4.0, B mosquitto"),
        "settings": (
            _ALIKE.settings | {"late_after": 2 * NS_PER_S},
            "Not the same late after (setting): A 10s, B 2s.",
        ),
        "scenario": ({"id": "other"}, "Not the same scenario: A drill, B other."),
    }
    for field, (value, said) in changes.items():
        found = unlike([_ALIKE, _ALIKE.model_copy(update={field: value})])
        assert any(said in sentence for sentence in found), (field, found)


def test_a_changed_scenario_of_the_same_name_is_told_by_its_digest() -> None:
    changed = _ALIKE.model_copy(update={"scenario": _ALIKE.scenario | {"title": "B"}})
    (sentence,) = unlike([_ALIKE, changed])
    assert scenario_digest(_ALIKE) in sentence
    assert scenario_digest(changed) in sentence


def test_what_a_manifest_does_not_hold_is_not_known() -> None:
    bare = Manifest(run="c", started="", seed=1, speed=60)
    assert scenario_digest(bare) == ""
    assert broker_text(bare) == ""
    assert "Not the same scenario: A drill, B not known." in unlike([_ALIKE, bare])
