from collections import Counter
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from simulator.randomness import Streams
from simulator.reach.channels import ChannelProfile
from simulator.reach.draws import beta_quantile
from simulator.reach.equipment import RATE_STREAM, SILENT, Equipment, TownKind
from simulator.reach.loading import load_profile
from simulator.world.geography import Municipality, municipalities
from tests.unit.reach.small import EVERYBODY, built, constant, town

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
NOBODY = np.zeros(5, np.bool_)


def _lag(share: float, seconds: float) -> dict[str, Any]:
    return {"share": {"share": share}, "delay": constant(seconds)}


def _full(document: dict[str, Any]) -> None:
    document["municipal"] |= {"old": _lag(0.25, 18), "mixed": _lag(0.5, 75)}
    document["channels"] = {
        "loudspeaker": {
            "hears": EVERYBODY,
            "installed": {
                "elsewhere": {"share": 0.5},
                "prefectures": [{"id": "yamagata", "share": {"share": 0.0}}],
            },
            "audible": [
                {"id": "rural", "people_from": 0, "share": {"share": 0.9}},
                {"id": "city", "people_from": 100_000, "share": {"share": 0.2}},
            ],
        },
        "indoor-receiver": {
            "hears": EVERYBODY,
            "coverage": {
                "people_to": 200_000,
                "classes": [
                    {"id": "none", "towns": 0.5, "homes": 0.0},
                    {"id": "most", "towns": 0.25, "homes": 0.9},
                    {"id": "few", "towns": 0.25, "homes": 0.3},
                ],
            },
        },
    }


def _drawn(
    profile: ChannelProfile, towns: tuple[Municipality, ...], replications: int
) -> list[list[TownKind]]:
    equipment = Equipment.build(profile, towns)
    everywhere = np.arange(len(towns))
    silenced = np.zeros(len(towns), np.bool_)
    return [
        [equipment.kinds[kind] for kind in equipment.draw(Streams(3, n), everywhere, silenced)]
        for n in range(replications)
    ]


def test_kinds_are_all_combinations_and_the_silent_town(
    towns: tuple[Municipality, ...],
) -> None:
    equipment = Equipment.build(built(_full), towns)
    assert len(equipment.lags) == 4
    assert len(equipment.kinds) == 1 + 4 * 3 * 3
    assert equipment.kinds[SILENT] == TownKind(lag=0, audible=0, homes=0)
    assert len(set(equipment.kinds[1:])) == len(equipment.kinds) - 1


def test_towns_come_by_their_equipment_as_often_as_the_profile_says(
    towns: tuple[Municipality, ...],
) -> None:
    replications = 3000
    drawn = _drawn(built(_full), towns, replications)
    village = [kinds[2] for kinds in drawn]

    def share(count: int) -> Any:
        return pytest.approx(count / replications, abs=0.035)  # 3.8 standard errors

    assert share(Counter(kind.lag for kind in village)[0]) == 0.75 * 0.5
    assert share(Counter(kind.lag for kind in village)[1]) == 0.25 * 0.5
    assert share(Counter(kind.lag for kind in village)[3]) == 0.25 * 0.5
    assert share(Counter(kind.audible for kind in village)[0.9]) == 0.5
    assert share(Counter(kind.homes for kind in village)[0.9]) == 0.25
    assert share(Counter(kind.homes for kind in village)[0.3]) == 0.25


def test_size_and_prefecture_decide_what_a_town_can_have(
    towns: tuple[Municipality, ...],
) -> None:
    drawn = _drawn(built(_full), towns, 200)
    city, town_, village, northern, empty = ({kinds[i] for kinds in drawn} for i in range(5))
    assert {kind.audible for kind in city} == {0.0, 0.2}
    assert {kind.audible for kind in town_} == {0.0, 0.2}
    assert {kind.audible for kind in village} == {0.0, 0.9}
    assert {kind.audible for kind in northern | empty} == {0.0}
    assert {kind.homes for kind in city | northern} == {0.0}
    assert {kind.homes for kind in town_} == {0.0, 0.3, 0.9}


def test_lags_add_up(towns: tuple[Municipality, ...]) -> None:
    lags = Equipment.build(built(_full), towns).lags
    totals = [sum(law.quantile_ns(0.5, EPOCH) for law in lag) / 1e9 for lag in lags]
    assert totals == [0, 18, 75, 93]


def test_receivers_fail_at_the_rate_of_the_replication() -> None:
    towns = municipalities()
    profile = load_profile("j-alert-2022")
    equipment = Equipment.build(profile, towns)
    everywhere, silenced = np.arange(len(towns)), np.zeros(len(towns), np.bool_)
    for number in range(10):
        streams = Streams(5, number)
        rate = beta_quantile(streams.stream(RATE_STREAM).uniform(), 2, 78)
        failed = np.count_nonzero(equipment.draw(streams, everywhere, silenced) == SILENT)
        spread = (len(towns) * rate * (1 - rate)) ** 0.5
        assert abs(failed - len(towns) * rate) < 4 * spread


def test_a_town_draws_the_same_whatever_else_is_alerted(
    towns: tuple[Municipality, ...],
) -> None:
    equipment = Equipment.build(built(_full), towns)
    streams = Streams(11, 4)
    together = equipment.draw(streams, np.arange(5), NOBODY)
    assert [int(equipment.draw(streams, np.asarray([n]), NOBODY[:1])[0]) for n in range(5)] == (
        together.tolist()
    )
    backwards = Equipment.build(built(_full), towns[::-1])
    assert backwards.draw(streams, np.arange(5), NOBODY)[::-1].tolist() == together.tolist()


def test_silenced_towns_are_silent_and_others_as_before(
    towns: tuple[Municipality, ...],
) -> None:
    equipment = Equipment.build(built(_full), towns)
    streams = Streams(11, 4)
    before = equipment.draw(streams, np.arange(5), NOBODY)
    after = equipment.draw(streams, np.arange(5), np.arange(5) == 2)
    assert after[2] == SILENT != before[2]
    assert np.delete(after, 2).tolist() == np.delete(before, 2).tolist()


def test_without_town_channels_there_is_nothing_to_have() -> None:
    equipment = Equipment.build(built(lambda _: None), (town(),))
    assert set(equipment.kinds) == {TownKind(lag=0, audible=0, homes=0)}
    kind = equipment.draw(Streams(1), np.asarray([0]), np.asarray([False]))
    assert equipment.kinds[kind[0]].audible == 0


def test_a_rarer_failure_silences_a_part_of_the_same_towns() -> None:
    towns = municipalities()
    often = load_profile("j-alert-2012")
    document = deepcopy(often.model_dump(mode="json", by_alias=True, exclude_none=True))
    document["municipal"]["failure"] |= {"b": 500}
    rarely = ChannelProfile.model_validate(document)
    everywhere, silenced = np.arange(len(towns)), np.zeros(len(towns), np.bool_)
    for number in range(5):
        few, many = (
            Equipment.build(profile, towns).draw(Streams(5, number), everywhere, silenced) == SILENT
            for profile in (rarely, often)
        )
        assert few.sum() < many.sum()
        assert not np.any(few & ~many)
