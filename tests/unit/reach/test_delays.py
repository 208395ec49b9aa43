import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from simulator.errors import ConfigurationError
from simulator.reach.channels import DelayLaw, Stage
from simulator.reach.delays import HORIZON_S, MeasuredDelivery, delay_table, share_by
from simulator.units import NS_PER_S

LAWS: TypeAdapter[DelayLaw] = TypeAdapter(DelayLaw)
TIMES = np.asarray([0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 600.0])


def _law(**fields: Any) -> DelayLaw:
    return LAWS.validate_python(fields)


def _stage(name: str, share: float | None = None, **fields: Any) -> Stage:
    part = None if share is None else {"share": share}
    return Stage.model_validate({"id": name, "delay": fields, "share": part})


def test_a_lognormal_is_that_of_the_normal_distribution() -> None:
    law = _law(law="lognormal", median="8s", p95="21.5s")
    sigma = math.log(21.5 / 8) / NormalDist().inv_cdf(0.95)
    expected = [NormalDist().cdf(math.log(t / 8) / sigma) if t else 0.0 for t in TIMES]
    assert share_by(law, TIMES) == pytest.approx(expected, abs=3e-6)


def test_the_sum_of_two_exponentials_is_a_gamma_of_two_steps() -> None:
    exponential = _law(law="gamma", shape=1, mean="6s")
    table = delay_table((), exponential, exponential)
    expected = 1 - np.exp(-TIMES / 6) * (1 + TIMES / 6)
    assert table.at(TIMES) == pytest.approx(expected, abs=1e-4)


def test_the_sum_of_two_uniforms_is_a_triangle() -> None:
    uniform = _law(law="uniform", low="0s", high="8s")
    table = delay_table((), uniform, uniform)
    times = np.asarray([0.0, 1.0, 4.0, 8.0, 12.0, 15.0, 16.0, 20.0])
    expected = np.where(times <= 8, times**2 / 128, 1 - (16 - np.minimum(times, 16)) ** 2 / 128)
    assert table.at(times) == pytest.approx(expected, abs=1e-5)


def test_constants_move_the_table_exactly() -> None:
    stages = (
        _stage("siren", law="constant", value="14s"),
        _stage("digital", law="constant", value="1.95s"),
    )
    uniform = _law(law="uniform", low="0s", high="8s")
    table = delay_table(stages, uniform)
    assert table.start_s == 15.95
    times = np.asarray([15.9, 15.95, 17.95, 23.95, 500])
    assert table.at(times) == pytest.approx([0, 0, 0.25, 1, 1], abs=1e-9)
    assert delay_table(stages).at(times).tolist() == [0, 1, 1, 1, 1]


def test_a_stage_can_delay_only_a_share_of_people() -> None:
    late = _stage("late", 0.25, law="uniform", low="60s", high="180s")
    first = _stage("first", law="uniform", low="0s", high="8s")
    table = delay_table((first, late))
    assert table.at(np.asarray([4.0, 8.0, 59.0, 124.0, 188.0])) == pytest.approx(
        [0.375, 0.75, 0.75, 0.875, 1.0], abs=1e-4
    )
    some = _stage("some", 0.25, law="constant", value="10s")
    assert delay_table((some,)).at(np.asarray([0.0, 9.9, 10.0])) == pytest.approx([0.75, 0.75, 1])


def test_an_empirical_law_has_its_weights() -> None:
    law = _law(law="empirical", values=["3s", "5s", "11s"], weights=[1, 1, 2])
    times = np.asarray([2.9, 3.1, 4.9, 5.1, 10.9, 11.1])
    assert share_by(law, times) == pytest.approx([0, 0.25, 0.25, 0.5, 0.5, 1], abs=2e-3)


def test_beyond_the_horizon_nobody_is_added() -> None:
    law = _law(law="uniform", low="0s", high="3600s")
    table = delay_table((), law)
    assert table.at(np.asarray([1e6])) == pytest.approx([HORIZON_S / 3600], abs=1e-4)
    assert delay_table((), law, law).at(np.asarray([1e6])) == pytest.approx([1 / 8], abs=1e-4)


def test_a_sample_steps_at_each_delay() -> None:
    measured = MeasuredDelivery.from_sample([3 * NS_PER_S, NS_PER_S, NS_PER_S, 9 * NS_PER_S])
    assert measured.delivered == 1
    times = np.asarray([0.0, 0.99, 1.0, 2.0, 3.0, 9.0, 99.0])
    assert measured.share_by(times).tolist() == [0, 0, 0.5, 0.5, 0.75, 1, 1]
    assert share_by(measured, times).tolist() == measured.share_by(times).tolist()


def test_lost_messages_are_counted() -> None:
    assert MeasuredDelivery.from_sample([NS_PER_S] * 3, lost=1).delivered == 0.75


def test_a_table_of_quantiles_is_linear_in_between() -> None:
    measured = MeasuredDelivery.from_quantiles(
        [0.0, 0.5, 1.0], [NS_PER_S, 2 * NS_PER_S, 6 * NS_PER_S], delivered=0.9
    )
    assert measured.delivered == 0.9
    assert measured.share_by(np.asarray([0.5, 1.5, 2.0, 4.0, 7.0])) == pytest.approx(
        [0, 0.25, 0.5, 0.75, 1]
    )


@pytest.mark.parametrize(
    ("delays", "lost", "field", "message"),
    [
        ([], 0, "app-channel-from", "no delivery"),
        ([-1, 5], 0, "delays", "before it is due"),
        ([1], -1, "lost", "not negative"),
    ],
)
def test_a_sample_that_cannot_be_used_is_refused(
    delays: list[int], lost: int, field: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        MeasuredDelivery.from_sample(delays, lost)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("shares", "delays", "delivered", "field"),
    [
        ([], [], 1, "shares"),
        ([0, 1], [5], 1, "shares"),
        ([0.5, 0.2, 1], [1, 2, 3], 1, "shares"),
        ([0, 1], [5, 4], 1, "shares"),
        ([-0.5, 1], [1, 2], 1, "shares"),
        ([0, 0.9], [1, 2], 1, "shares"),
        ([0, 1], [1, 2], 1.5, "delivered"),
        ([0, 1], [-2, 2], 1, "delays"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    shares: list[float], delays: list[int], delivered: float, field: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        MeasuredDelivery.from_quantiles(shares, delays, delivered)
    assert caught.value.field == field
