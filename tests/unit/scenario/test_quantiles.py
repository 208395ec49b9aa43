import math

import pytest

from simulator.scenario import quantiles

SHARES = (1e-12, 1e-6, 0.001, 0.05, 0.25, 0.5, 0.75, 0.95, 0.999, 1 - 1e-9)


def test_uniform() -> None:
    assert [quantiles.uniform(2, 10)(share) for share in (0, 0.25, 1)] == [2, 4, 10]


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("low", "mode", "high"), [(1, 2, 6), (1, 1, 6), (1, 6, 6)])
def test_triangular_inverts_its_distribution(
    share: float, low: float, mode: float, high: float
) -> None:
    value = quantiles.triangular(low, mode, high)(share)
    if value <= mode and mode > low:
        reached = (value - low) ** 2 / ((high - low) * (mode - low))
    else:
        reached = 1 - (high - value) ** 2 / ((high - low) * (high - mode))
    assert reached == pytest.approx(share, rel=1e-9, abs=1e-15)


def test_a_triangle_without_width_is_a_point() -> None:
    assert quantiles.triangular(5, 5, 5)(0.3) == 5


def test_lognormal_meets_its_median_and_95th_percentile() -> None:
    assert quantiles.lognormal(180, 420)(0.5) == pytest.approx(180, rel=1e-12)
    assert quantiles.lognormal(180, 420)(0.95) == pytest.approx(420, rel=1e-12)
    assert quantiles.lognormal(180, 180)(0.7) == 180


@pytest.mark.parametrize("share", SHARES)
def test_lognormal_inverts_its_distribution(share: float) -> None:
    value = quantiles.lognormal(180, 420)(share)
    # The 95th percentile of the standard normal distribution: 1.6448536269514722.
    sigma = math.log(420 / 180) / 1.6448536269514722
    reached = 0.5 * math.erfc(-math.log(value / 180) / (sigma * math.sqrt(2)))
    assert reached == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "value", "share"),
    [
        # NIST Handbook of Mathematical Functions (Abramowitz and Stegun), table 26.7: upper
        # percentage points of chi-square, which is gamma of shape nu/2 and twice the value.
        (0.5, 3.841458820694124 / 2, 0.95),
        (5, 18.307038053275146 / 2, 0.95),
        (50, 124.34211340400408 / 2, 0.95),
        (0.5, 7.879438576622417 / 2, 0.995),
        (15, 13.786719859502711 / 2, 0.005),
    ],
)
def test_gamma_meets_published_chi_square_points(shape: float, value: float, share: float) -> None:
    assert quantiles.gamma_share(shape, value) == pytest.approx(share, abs=1e-12)
    assert quantiles.gamma(shape, shape)(share) == pytest.approx(value, rel=1e-11)


@pytest.mark.parametrize("share", SHARES)
def test_gamma_of_shape_1_is_the_exponential_law(share: float) -> None:
    assert quantiles.gamma(1, 4)(share) == pytest.approx(-4 * math.log1p(-share), rel=1e-7)


@pytest.mark.parametrize("share", SHARES)
def test_gamma_of_whole_shape_is_the_erlang_law(share: float) -> None:
    value = quantiles.gamma(3, 3)(share)
    beyond = math.exp(-value) * (1 + value + value**2 / 2)
    assert 1 - beyond == pytest.approx(share, rel=1e-4 if share < 1e-9 else 1e-7)


@pytest.mark.parametrize("shape", [0.1, 0.3, 1, 2.5, 40, 1000, 10_000])
def test_gamma_inverts_its_distribution(shape: float) -> None:
    for share in (2.0**-53, *SHARES, 1 - 2.0**-52):
        value = quantiles.gamma(shape, shape)(share)
        assert value >= 0
        assert quantiles.gamma_share(shape, value) == pytest.approx(share, rel=1e-6, abs=1e-14)


def test_gamma_grows_with_the_share() -> None:
    values = [quantiles.gamma(0.7, 60)(step / 1000) for step in range(1, 1000)]
    assert values == sorted(values)
    assert len(set(values)) == len(values)


def test_nothing_lies_below_zero() -> None:
    assert quantiles.gamma_share(2, 0) == 0
    assert quantiles.gamma_share(2, -1) == 0


def test_empirical_takes_the_values_in_order_of_size() -> None:
    values, weights = (30.0, 10.0, 20.0), (1.0, 1.0, 2.0)
    taken = [quantiles.empirical(values, weights)(share) for share in (0.1, 0.25, 0.3, 0.75, 0.8)]
    assert taken == [10, 10, 20, 20, 30]


def test_empirical_reaches_the_largest_value_at_the_end() -> None:
    assert quantiles.empirical((1.0, 2.0), (0.1, 0.2))(1 - 2.0**-53) == 2
    # Added one by one, ten tenths are less than one.
    assert quantiles.empirical(tuple(range(10)), (0.1,) * 10)(1.0) == 9


def test_what_does_not_converge_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantiles, "_TERMS_MAX", 3)
    monkeypatch.setattr(quantiles, "_STEPS_MAX", 3)
    for shape in (0.5, 3, 30):
        assert math.isfinite(quantiles.gamma(shape, 1)(0.3))
        assert 0 <= quantiles.gamma_share(shape, 2 * shape + 2) <= 1
