import math

import pytest

from simulator.randomness import Streams
from simulator.reach.draws import beta_quantile, first_uniforms


@pytest.mark.parametrize(("seed", "replication"), [(0, 0), (7, 3), (2**70, 10**9)])
def test_columns_draw_what_streams_draw_one_by_one(seed: int, replication: int) -> None:
    streams = Streams(seed, replication)
    names = [f"reach/{code:05d}/receiver" for code in range(2000)]
    column = first_uniforms(streams, [name.encode() for name in names])
    assert column.tolist() == [streams.stream(name).uniform() for name in names]


def test_no_names_no_numbers() -> None:
    assert not len(first_uniforms(Streams(1), []))


def test_the_beta_law_of_one_and_one_is_uniform() -> None:
    assert [beta_quantile(share, 1, 1) for share in (0.1, 0.5, 0.9)] == pytest.approx(
        [0.1, 0.5, 0.9]
    )


def test_the_beta_law_of_one_and_b_is_a_power() -> None:
    assert beta_quantile(0.3, 1, 78) == pytest.approx(1 - 0.7 ** (1 / 78), rel=1e-9)


def test_the_beta_law_is_symmetric() -> None:
    assert beta_quantile(0.2, 2, 5) == pytest.approx(1 - beta_quantile(0.8, 5, 2), rel=1e-9)


def test_the_beta_law_of_receivers_has_its_mean() -> None:
    shares = [(number + 0.5) / 2000 for number in range(2000)]
    mean = math.fsum(beta_quantile(share, 2, 78) for share in shares) / len(shares)
    assert mean == pytest.approx(2 / 80, rel=1e-3)
