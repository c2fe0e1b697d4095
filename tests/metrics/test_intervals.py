"""BCa, Clopper-Pearson and Benjamini-Hochberg against independent implementations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.stats import norm

from metrics import MetricInputError, benjamini_hochberg, bootstrap, bootstrap_bca, clopper_pearson

SKEWED = np.random.default_rng(5).exponential(size=40) ** 2
GROUPS = np.repeat(np.arange(20), 2)


def efron(sums: ArrayLike, sizes: ArrayLike, resamples: int, seed: int) -> tuple[float, float]:
    """BCa of a ratio of sums over drawn clusters, after Efron (1987), step by step."""
    sums, sizes = np.asarray(sums, float), np.asarray(sizes, float)
    n = len(sums)
    drawn = np.random.default_rng(seed).integers(0, n, (resamples, n))
    replicates = sums[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)
    mean = sums.sum() / sizes.sum()
    below = ((replicates < mean).sum() + (replicates <= mean).sum()) / (2 * resamples)
    bias = norm.ppf(below)
    without = np.array([np.delete(sums, k).sum() / np.delete(sizes, k).sum() for k in range(n)])
    pull = without.mean() - without
    acceleration = (pull**3).sum() / (6 * (pull**2).sum() ** 1.5)
    levels = [
        bias + (bias + z) / (1 - acceleration * (bias + z))
        for z in (float(norm.ppf(0.025)), float(norm.ppf(0.975)))
    ]
    low, high = np.quantile(replicates, [float(norm.cdf(level)) for level in levels])
    return float(low), float(high)


@pytest.mark.parametrize("clustered", [False, True])
def test_bca_is_efron_s(clustered: bool) -> None:
    groups = GROUPS if clustered else None
    sums = SKEWED.reshape(20, 2).sum(axis=1) if clustered else SKEWED
    sizes = np.full(len(sums), 2.0 if clustered else 1.0)
    found = bootstrap_bca(SKEWED, groups, resamples=999, seed=4)
    assert (found.low, found.high) == pytest.approx(efron(sums, sizes, 999, 4), rel=1e-9)
    assert found.value == pytest.approx(SKEWED.mean())
    plain = bootstrap(SKEWED, groups)
    assert found.standard_error == plain.standard_error
    assert found.high - found.value > plain.high - plain.value  # a long tail above


def test_bca_says_where_nothing_is_known() -> None:
    assert bootstrap_bca([1.0, 2.0], [0, 0]).method.startswith("no interval")
    assert bootstrap_bca([1.0, 1.0]).method == "no interval: all values are equal"


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (3, 10), (10, 10), (45, 500)])
def test_clopper_pearson_equals_statsmodels(successes: int, n: int) -> None:
    from statsmodels.stats.proportion import proportion_confint

    independent = proportion_confint(successes, n, method="beta")
    found = clopper_pearson(successes, n)
    assert found[0] == pytest.approx(np.nan_to_num(independent[0]), rel=1e-9)
    assert found[1] == pytest.approx(independent[1], rel=1e-9)


def test_benjamini_hochberg_equals_statsmodels() -> None:
    from statsmodels.stats.multitest import multipletests

    p = np.random.default_rng(0).uniform(size=40) ** 3
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], rel=1e-12)
    assert benjamini_hochberg([]).tolist() == []


def test_what_is_no_proportion_or_p_value_is_refused() -> None:
    for wrong in ((11, 10), (0, 0), (1.5, 10)):
        with pytest.raises(MetricInputError, match="whole numbers"):
            clopper_pearson(*wrong)
    with pytest.raises(MetricInputError, match="between 0 and 1"):
        benjamini_hochberg([0.5, 1.5])
