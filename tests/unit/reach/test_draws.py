import math

import numpy as np
import pytest
from numpy.random import PCG64

from simulator.randomness import Streams
from simulator.reach.draws import ROOM, TOWN_STREAM, beta_quantile, leaps, town_uniforms

CODES = tuple(f"{code:05d}" for code in range(0, 48_000, 137))


@pytest.mark.parametrize(("seed", "replication"), [(0, 0), (7, 3), (2**70, 10**9)])
def test_a_town_draws_what_the_stream_of_all_towns_draws_at_its_code(
    seed: int, replication: int
) -> None:
    streams = Streams(seed, replication)
    codes = ("00000", "00001", "01101")
    drawn = town_uniforms(streams, leaps(codes, 4))
    stream = streams.stream(TOWN_STREAM)
    one_by_one = [stream.uniform() for _ in range(ROOM * 1101 + 4)]
    for column, code in enumerate(codes):
        start = ROOM * int(code)
        assert drawn[:, column].tolist() == one_by_one[start : start + 4]


def test_leaps_are_those_of_another_generator() -> None:
    """NumPy's own PCG64, advanced to each place."""
    streams = Streams(7, 3)
    start = streams.stream(TOWN_STREAM)
    drawn = town_uniforms(streams, leaps(CODES, 4))
    generator = PCG64()
    for column, code in enumerate(CODES):
        generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": start.state, "inc": start.increment},
            "has_uint32": 0,
            "uinteger": 0,
        }
        raw = generator.advance(ROOM * int(code)).random_raw(4)
        expected = ((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52
        assert drawn[:, column].tolist() == expected.tolist()


def test_towns_and_their_numbers_do_not_go_together() -> None:
    """Neighbours in the list, and the numbers of a town, over many replications."""
    leap = leaps(("04100", "04202", "04203"), 4)
    drawn = np.stack([town_uniforms(Streams(5, number), leap).ravel() for number in range(4000)])
    correlation = np.corrcoef(drawn.T) - np.eye(12)
    assert np.abs(correlation).max() < 4.5 / 4000**0.5
    assert np.abs(drawn.mean(axis=0) - 0.5).max() < 4.5 * (1 / 12) ** 0.5 / 4000**0.5


def test_no_towns_no_numbers() -> None:
    assert town_uniforms(Streams(1), leaps((), 4)).shape == (4, 0)


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
