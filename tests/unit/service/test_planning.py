"""From an order to a run: refused before anything is kept, and brief once it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.clock import ManualClock
from simulator.errors import InputError
from simulator.service.options import ServiceOptions
from simulator.service.orders import RunOrder, arguments
from simulator.service.planning import free_root, planned
from simulator.service.store import Store

TEXT = 'schema: "1.0"\nid: mine\nextends: drill-minimal\ntitle: My own\n'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "runs", ManualClock())
    made.open()
    yield made
    made.close()


def plan(store: Store, order: RunOrder) -> str:
    return planned(order, ServiceOptions(), store, ManualClock()).model_dump_json()


def test_a_text_is_kept_once_in_a_file_of_its_own(store: Store) -> None:
    record = planned(RunOrder(scenario_yaml=TEXT, name="x"), ServiceOptions(), store, ManualClock())

    assert (record.scenario, record.title) == ("mine", "My own")
    assert store.own("scenarios", f"{record.run}.yaml").read_text() == TEXT
    assert "drill-minimal" not in record.model_dump_json()


@pytest.mark.parametrize(
    "order",
    [
        RunOrder(scenario="nowhere"),
        RunOrder(scenario="drill-minimal", subscribers=20_001),
        RunOrder(scenario_yaml="extends: drill-minimal\n"),
        RunOrder(scenario_yaml=TEXT + "spede: 3\n"),
    ],
    ids=["unknown", "many", "nameless", "misspelt"],
)
def test_what_is_refused_leaves_nothing(store: Store, order: RunOrder) -> None:
    with pytest.raises(InputError):
        plan(store, order)
    assert not list(store.path.glob(".service/scenarios/*"))


def test_ids_are_never_used_twice(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["a-1", "a-1", "a-2"])
    monkeypatch.setattr("simulator.service.planning.new_run_id", lambda _ns: next(drawn))
    order = RunOrder(scenario="drill-minimal")
    store.save(planned(order, ServiceOptions(), store, ManualClock()))
    assert planned(order, ServiceOptions(), store, ManualClock()).run == "a-2"


def test_roots_are_taken_in_order() -> None:
    assert free_root([]) == "alertsim"
    assert free_root(["alertsim", "alertsim-3"]) == "alertsim-2"
    assert free_root(["alertsim-2"]) == "alertsim"


def test_every_setting_is_said_so_that_no_variable_adds_one() -> None:
    order = RunOrder(scenario="drill-minimal", speed=0.5, thresholds=("lost: count==0",))

    said = arguments(order, run="r", scenario="drill-minimal", root="x", broker="", out="o")

    assert said[:2] == ["run", "drill-minimal"]
    assert "--speed=0.5" in said
    assert "--threshold=lost: count==0" in said
    assert "--events=-" in said
    assert not [each for each in said if each.startswith("--broker")]
    fields = RunOrder.model_fields.keys() - {"scenario", "scenario_yaml", "name", "thresholds"}
    names = {each.partition("=")[0].removeprefix("--").replace("-", "_") for each in said}
    assert fields <= names
