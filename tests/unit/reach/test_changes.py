import pytest

from simulator.errors import ConfigurationError
from simulator.reach import load_profile
from simulator.reach.changes import (
    changed_profile,
    is_spread,
    laid_open,
    spread_mean,
    with_mean,
)

NAME = "j-alert-2022"
NETWORK = {"id": "network", "delay": {"law": "constant", "value": "9s", "sources": ["Donga-2018"]}}


def test_without_changes_a_profile_is_itself() -> None:
    assert changed_profile(NAME, None) is load_profile(NAME)
    assert changed_profile(NAME, {}) is load_profile(NAME)


def test_changes_replace_what_they_name_and_nothing_else() -> None:
    changes = {
        "phones": {"held": {"share": 0.82}},
        "cell-broadcast": {"stages": [NETWORK]},
    }
    before, after = load_profile(NAME), changed_profile(NAME, changes)
    assert after.phones.held.share == 0.82
    assert after.phones.near == before.phones.near
    old, new = before.channels.cell_broadcast, after.channels.cell_broadcast
    assert old is not None
    assert new is not None
    assert [stage.id for stage in new.stages] == [stage.id for stage in old.stages]
    assert new.stages[0].delay.quantile_ns(0.3, None) == 9_000_000_000  # type: ignore[arg-type]
    assert new.stages[1:] == old.stages[1:]
    assert changed_profile(NAME, changes) is after


def test_a_file_can_be_changed_too(tmp_path: object) -> None:
    path = f"{tmp_path}/mine.yaml"
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write("extends: j-alert-2022\nid: mine\n")
    assert changed_profile(path, {"phones": {"held": {"share": 0.9}}}).phones.held.share == 0.9


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"loudspeakers": {}}, "channels.loudspeakers", "did you mean loudspeaker"),
        ({"xxxxxxxxxx": {}}, "channels.xxxxxxxxxx", "one of cell-broadcast"),
        ({"phones": {"held": {"share": 1.2}}}, "channels.phones.held.share", "between 0 and 1"),
        ({"radio": {"speed": 1}}, "channels.radio.speed", "spelling"),
    ],
)
def test_what_cannot_be_is_refused_with_its_field(
    changes: dict[str, object], field: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        changed_profile(NAME, changes)
    assert caught.value.field == field
    assert said in caught.value.remedy


def test_all_that_may_be_changed_stands_side_by_side() -> None:
    opened = laid_open(load_profile(NAME))
    assert {"days", "notices", "phones", "municipal", "cell-broadcast", "radio"} <= set(opened)
    assert not {"id", "sources", "channels"} & set(opened)
    assert changed_profile(NAME, opened) == load_profile(NAME)


def test_a_spread_takes_another_mean() -> None:
    opened = laid_open(load_profile(NAME))
    failure, coverage = opened["municipal"]["failure"], opened["indoor-receiver"]["coverage"]
    assert is_spread(failure)
    assert is_spread(coverage)
    assert not is_spread(opened["phones"]["held"])
    assert spread_mean(failure) == 0.025
    rarer = {**failure, **with_mean(failure, 0.005)}
    assert spread_mean(rarer) == pytest.approx(0.005)
    assert rarer["a"] == failure["a"]
    wider = {**coverage, **with_mean(coverage, 0.35)}
    assert spread_mean(wider) == pytest.approx(0.35)
    assert sum(entry["towns"] for entry in wider["classes"]) == pytest.approx(1)
    changed_profile(NAME, {"indoor-receiver": {"coverage": {**wider, "range": [0.1, 0.4]}}})


@pytest.mark.parametrize("mean", [-0.1, 0.9])
def test_a_mean_that_no_spread_has_is_refused(mean: float) -> None:
    opened = laid_open(load_profile(NAME))
    for figure in (opened["municipal"]["failure"], opened["indoor-receiver"]["coverage"]):
        with pytest.raises(ConfigurationError, match="no spread over towns has this mean"):
            with_mean(figure, mean)
    everywhere = {"classes": [{"id": "all", "towns": 1.0, "homes": 0.5}]}
    nowhere = {"classes": [{"id": "none", "towns": 1.0, "homes": 0.0}]}
    for figure in (everywhere, nowhere):
        with pytest.raises(ConfigurationError, match="no spread"):
            with_mean(figure, 0.2)
