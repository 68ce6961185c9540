"""Distances and tests from counts, held against SciPy and against their laws."""

# ruff: noqa: S311 (draws of a simulation)

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml_gitops.monitoring.statistics import (
    benjamini_hochberg,
    chi_square,
    chi_square_tail,
    jensen_shannon,
    kolmogorov_smirnov,
    kolmogorov_tail,
    normal_tail,
    pool,
    population_stability,
)

quick = settings(max_examples=60, derandomize=True, deadline=None)
counts = st.lists(st.integers(0, 1000), min_size=1, max_size=12)
pairs = st.integers(1, 12).flatmap(
    lambda size: st.tuples(
        *[st.lists(st.integers(0, 1000), min_size=size, max_size=size) for _ in range(2)]
    )
)


@pytest.mark.parametrize("degrees", [1, 2, 5, 49, 100, 999])
@pytest.mark.parametrize("ratio", [0.01, 0.5, 0.99, 1.0, 1.01, 1.5, 3.0, 10.0])
def test_chi_square_tail_equals_scipy(degrees: int, ratio: float) -> None:
    """The tail of the chi-square distribution agrees with SciPy to ten digits."""
    from scipy.stats import chi2

    expected = chi2.sf(ratio * degrees, degrees)

    assert chi_square_tail(ratio * degrees, degrees) == pytest.approx(expected, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("distance", [0.001, 0.01, 0.03, 0.1, 0.5, 1.0])
def test_kolmogorov_tail_is_near_scipy(distance: float) -> None:
    """The asymptotic KS p-value lies within .01 of SciPy's exact one at a thousand rows."""
    from scipy.stats import kstwo

    n = m = 2000
    expected = kstwo.sf(distance, n * m // (n + m))

    assert kolmogorov_tail(distance, n, m) == pytest.approx(expected, abs=0.01)


def test_normal_tail_equals_scipy() -> None:
    """The tail of the normal distribution agrees with SciPy far out."""
    from scipy.stats import norm

    for z in (-3.0, 0.0, 1.96, 8.0):
        assert normal_tail(z) == pytest.approx(norm.sf(z), rel=1e-12)


def test_benjamini_hochberg_equals_scipy() -> None:
    """Adjusted p-values agree with SciPy, whatever the order and the ties."""
    from scipy.stats import false_discovery_control

    draw = random.Random(3)
    p_values = [draw.random() ** 3 for _ in range(40)] + [0.02, 0.02, 0.0, 1.0]

    expected = false_discovery_control(p_values)

    assert benjamini_hochberg(p_values) == pytest.approx(list(expected))
    assert benjamini_hochberg([]) == []


def test_chi_square_equals_scipy_where_no_cell_is_small() -> None:
    """With large cells the statistic is that of SciPy's contingency table."""
    from scipy.stats import chi2_contingency

    reference, current = [120, 300, 80, 500], [60, 170, 30, 190]

    found = chi_square(reference, current)
    expected = chi2_contingency([reference, current], correction=False)

    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)


def test_a_tiny_pool_joins_a_real_cell() -> None:
    """Small cells whose pool is small too never stand alone: alone they raised 20% false alarms."""
    reference, current = [50_000, 49_000, 1_000, 2, 1], [500, 490, 10, 1, 1]

    cells = pool(reference, current)

    assert cells == [(50_000, 500), (49_000, 490), (1_003, 12)]
    assert chi_square(reference, current).p > 0.5


@quick
@given(counts, st.integers(1, 5))
def test_equal_shares_have_no_distance(reference: list[int], times: int) -> None:
    """Multiplying every count by one number leaves every distance at zero."""
    current = [count * times for count in reference]

    assert population_stability(reference, current) == pytest.approx(0, abs=1e-12)
    assert jensen_shannon(reference, current) == pytest.approx(0, abs=1e-7)
    assert kolmogorov_smirnov(reference, current) == pytest.approx(0, abs=1e-12)
    assert chi_square(reference, current).effect == 0


@quick
@given(pairs)
def test_distances_keep_their_ranges(pair: tuple[list[int], list[int]]) -> None:
    """PSI is never negative, JS and KS stay within 0 and 1, p-values too, for any counts."""
    reference, current = pair
    found = chi_square(reference, current)

    assert population_stability(reference, current) >= 0
    assert 0 <= jensen_shannon(reference, current) <= 1 + 1e-9
    assert 0 <= kolmogorov_smirnov(reference, current) <= 1 + 1e-9
    assert 0 <= found.p <= 1
    assert found.effect >= 0
    assert found.statistic == pytest.approx(chi_square(current, reference).statistic)


@quick
@given(pairs)
def test_pooling_loses_no_row(pair: tuple[list[int], list[int]]) -> None:
    """Pooling keeps the number of rows of both sides."""
    reference, current = pair
    if not sum(reference) or not sum(current):
        return

    cells = pool(reference, current)

    assert sum(a for a, _ in cells) == sum(reference)
    assert sum(b for _, b in cells) == sum(current)


def test_disjoint_counts_are_as_far_as_can_be() -> None:
    """Counts without a common cell have distance 1."""
    assert jensen_shannon([5, 0], [0, 7]) == pytest.approx(1)
    assert kolmogorov_smirnov([5, 0], [0, 7]) == pytest.approx(1)
    assert kolmogorov_tail(1.0, 500, 500) < 1e-9
