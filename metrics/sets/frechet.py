"""Distances between two sets of features that need no sampling: Fréchet, and its limit for many samples.

Distances know no networks: they take arrays of features, one row per item, and say nothing about
where those came from (`metrics/extractors` does).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import FloatArray, MetricInputError

BLOCK = 1024  # rows that are centred at a time
EPSILON = float(np.finfo(np.float64).eps)


class Measured(float):
    """A number that carries how it was sampled and how sure it is.

    Attributes:
        standard_error: of the number, as an estimate of what infinitely many samples would give.
        spread: standard deviation over the subsets or splits it is the mean of (what papers print
            behind the plus-minus sign), or 0.0 where there are none.
        method: the sampling scheme in words.
    """

    standard_error: float
    spread: float
    method: str

    def __new__(cls, value: float, standard_error: float, spread: float, method: str) -> Measured:
        """The number and what goes with it."""
        measured = super().__new__(cls, value)
        measured.standard_error, measured.spread, measured.method = standard_error, spread, method
        return measured

    def __reduce__(self) -> tuple[type[Measured], tuple[float, float, float, str]]:
        return Measured, (float(self), self.standard_error, self.spread, self.method)


def feature_rows(features: ArrayLike, name: str) -> NDArray[np.floating]:
    """A set of features as a float array [N, D], in single precision if it came so.

    Raises:
        MetricInputError: not two-dimensional, fewer than two rows, no columns, or a value that is not
            finite; the message names the set and the row.
    """
    rows = np.asarray(features)
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise MetricInputError(f"{name} has shape {rows.shape}; give one row of features per item, [N, D]")
    if len(rows) < 2:
        raise MetricInputError(
            f"{name} has {len(rows)} sample; a distance between sets needs at least 2 in each"
        )
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(rows.sum())  # cheap; an overflow is looked at again
    if not finite and not np.isfinite(rows).all():
        row = int(np.argmin(np.isfinite(rows).all(axis=1)))
        raise MetricInputError(
            f"{name}[{row}] holds a value that is not finite; leave the item out or extract it again"
        )
    return rows


def feature_pair(a: ArrayLike, b: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Two checked sets of features of the same width.

    Raises:
        MetricInputError: as `feature_rows`, and for different widths.
    """
    first, second = feature_rows(a, "the first set"), feature_rows(b, "the second set")
    if first.shape[1] != second.shape[1]:
        raise MetricInputError(
            f"features of {first.shape[1]} and {second.shape[1]} dimensions; use one extractor for both sets"
        )
    return first, second


@dataclass(frozen=True, eq=False)
class Moments:
    """What is left of a set of features whose items cannot be given away: FID's published statistics.

    Attributes:
        mean: float64 [D].
        covariance: float64 [D, D].

    >>> Moments(np.zeros(2), np.eye(3))
    Traceback (most recent call last):
    metrics.metric.MetricInputError: a mean of shape (2,) and a covariance of (3, 3); give [D] and [D, D]
    """

    mean: FloatArray
    covariance: FloatArray

    def __post_init__(self) -> None:
        mean, covariance = (np.asarray(each, np.float64) for each in (self.mean, self.covariance))
        if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)) or not len(mean):
            raise MetricInputError(
                f"a mean of shape {mean.shape} and a covariance of {covariance.shape}; give [D] and [D, D]"
            )
        if not (np.isfinite(mean).all() and np.isfinite(covariance).all()):
            raise MetricInputError("a mean or covariance holds a value that is not finite; make them again")
        if not np.allclose(covariance, covariance.T, rtol=1e-4, atol=1e-6 * np.abs(covariance).max()):
            raise MetricInputError("a covariance is symmetric, and this one is not; is it another matrix?")
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "covariance", (covariance + covariance.T) / 2)

    @cached_property
    def factor(self) -> FloatArray:
        """A matrix F [D, D] with F' F = covariance."""
        # What is below zero by rounding, in a covariance kept in single precision, is nothing.
        spread, axes = np.linalg.eigh(self.covariance)
        return np.asarray((axes * np.sqrt(np.maximum(spread, 0.0))).T)


def frechet_distance(a: ArrayLike, b: ArrayLike | Moments) -> float:
    """The Fréchet distance of the Gaussians fitted to two sets of features (FID, FAD, FVD).

    |mean_a - mean_b|^2 + Tr(S_a) + Tr(S_b) - 2 Tr sqrt(S_a S_b), with unbiased covariances in double
    precision. The last term is the nuclear norm of the product of the covariances' factors, which is real
    whatever their rank: no square root of a matrix, no epsilon on the diagonal, never below zero. Infinite
    where the squares of the features overflow.

    Args:
        a: features, [N, D].
        b: features, [M, D], or their moments.

    Raises:
        MetricInputError: fewer than two samples, values that are not finite, different dimensions.

    >>> frechet_distance([[0.0], [2.0]], [[3.0], [7.0]])  # means 1 and 5, variances 2 and 8
    18.0
    >>> frechet_distance([[0.0], [2.0]], Moments(np.array([5.0]), np.array([[8.0]])))
    18.0
    """
    if isinstance(b, Moments):
        return _distance_to(feature_rows(a, "the first set"), b)
    first, second = feature_pair(a, b)
    means = first.mean(axis=0, dtype=np.float64), second.mean(axis=0, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        shift = float(np.square(means[0] - means[1]).sum())
    dimensions = first.shape[1]
    if min(len(first), len(second)) > dimensions:
        covariances = _covariance(first, means[0]), _covariance(second, means[1])
        spread = float(np.trace(covariances[0]) + np.trace(covariances[1]))
        if not math.isfinite(shift + spread):
            return math.inf
        overlap = _overlap(*covariances)
        if overlap is not None:
            return max(0.0, shift + spread - 2 * overlap)
    factors = _factor(first, means[0]), _factor(second, means[1])
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.square(factors[0]).sum() + np.square(factors[1]).sum())
    if not math.isfinite(shift + spread):
        return math.inf
    overlap = float(np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum())
    return max(0.0, shift + spread - 2 * overlap)


def _distance_to(rows: NDArray[np.floating], moments: Moments) -> float:
    """The Fréchet distance of a set of features to the moments of another."""
    if rows.shape[1] != len(moments.mean):
        raise MetricInputError(
            f"features of {rows.shape[1]} dimensions and moments of {len(moments.mean)}; use one extractor"
        )
    mean = rows.mean(axis=0, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        apart = float(np.square(mean - moments.mean).sum() + np.square(rows - mean).sum() / (len(rows) - 1))
    if not math.isfinite(apart):
        return math.inf
    full = len(rows) > rows.shape[1]
    overlap = _overlap(_covariance(rows, mean), moments.covariance) if full else None
    if overlap is None:
        product = _factor(rows, mean) @ moments.factor.T
        overlap = float(np.linalg.svd(product, compute_uv=False).sum())
    return max(0.0, apart + float(np.trace(moments.covariance)) - 2 * overlap)


@dataclass(frozen=True)
class Extrapolation:
    """A distance extrapolated to infinitely many samples.

    Attributes:
        value: the intercept of the line through distance against 1/n.
        r_squared: how well the line fits; far from 1 the extrapolation means little.
        sizes: the subset sizes the line was fitted to.
        method: the sampling scheme in words.
    """

    value: float
    r_squared: float
    sizes: tuple[int, ...]
    method: str


def frechet_distance_infinity(
    predictions: ArrayLike,
    references: ArrayLike,
    *,
    points: int = 15,
    smallest: int | None = None,
    seed: int = 0,
) -> Extrapolation:
    """The Fréchet distance that infinitely many predictions would have (Chong & Forsyth 2020).

    The distance's bias falls like 1/n. It is measured for subsets of growing size, each drawn from all
    predictions without replacement and independently of the others, against all references; a
    straight line over 1/n gives the value at 1/n = 0.

    Args:
        predictions: features, [N, D].
        references: features, [M, D].
        points: number of subset sizes, evenly spaced from `smallest` to N.
        smallest: the smallest size; a tenth of N by default, as in the paper's 5,000 of 50,000.
        seed: of the draws.

    Raises:
        MetricInputError: as `frechet_distance`, and for fewer predictions than sizes to draw.

    >>> features = np.random.default_rng(0).normal(size=(2000, 4))
    >>> few = features[:200]
    >>> frechet_distance_infinity(few, features).value < frechet_distance(few, features)
    True
    """
    first, second = feature_pair(predictions, references)
    low = max(2, len(first) // 10) if smallest is None else smallest
    if points < 2 or not 2 <= low <= len(first) - points:
        raise MetricInputError(
            f"{len(first)} predictions are too few for {points} subset sizes from {low} up"
        )
    rng = np.random.default_rng(seed)
    sizes = np.linspace(low, len(first), points).astype(int)
    distances = np.array(
        [frechet_distance(first[rng.permutation(len(first))[:size]], second) for size in sizes]
    )
    method = f"{points} subsets of {low} to {len(first)}, each without replacement, seed {seed}"
    if not np.isfinite(distances).all():
        return Extrapolation(math.inf, math.nan, tuple(sizes.tolist()), method)
    slope, intercept = np.polyfit(1 / sizes, distances, 1)
    unexplained = float(np.square(distances - intercept - slope / sizes).sum())
    total = float(np.square(distances - distances.mean()).sum())
    fit = 1 - unexplained / total if total else 1.0
    return Extrapolation(float(intercept), fit, tuple(sizes.tolist()), method)


def _covariance(rows: NDArray[np.floating], mean: FloatArray) -> FloatArray:
    """The unbiased covariance in double precision; its lower triangle only."""
    from scipy.linalg.blas import dsyrk

    dimensions = rows.shape[1]
    covariance = np.zeros((dimensions, dimensions), order="F")
    buffer = np.empty((min(BLOCK, len(rows)), dimensions))
    for start in range(0, len(rows), BLOCK):
        block = rows[start : start + BLOCK]
        centred = np.subtract(block, mean, out=buffer[: len(block)])
        covariance = dsyrk(
            1 / (len(rows) - 1), centred.T, beta=1.0, c=covariance, lower=True, overwrite_c=True
        )
    return covariance


def _cholesky(covariance: FloatArray) -> FloatArray | None:
    """The lower Cholesky factor, or None for a covariance that is singular to working precision."""
    from scipy.linalg.lapack import dpotrf

    factor, failed = dpotrf(covariance, lower=True, clean=True)
    least, largest = np.square(factor.diagonal()).min(), covariance.diagonal().max()
    return None if failed or least <= len(factor) * EPSILON * largest else factor


def _overlap(first: FloatArray, second: FloatArray) -> float | None:
    """Tr sqrt(first second) from lower triangles, or None where this route would lose digits.

    With first = L L', the eigenvalues of first second are those of the symmetric L' second L. They
    come with an absolute error of about epsilon times the largest, which their square root amplifies.
    """
    from scipy.linalg import eigh
    from scipy.linalg.lapack import dsygst

    factor = _cholesky(first)
    if factor is None:
        return None
    product, _ = dsygst(second, factor, itype=2, lower=True)
    squares = np.maximum(
        eigh(product, lower=True, eigvals_only=True, driver="ev", overwrite_a=True, check_finite=False), 0.0
    )
    noise = EPSILON * squares[-1]
    overlap = float(np.sqrt(squares).sum())
    lost = float((noise / np.sqrt(np.maximum(squares, noise))).sum()) if noise else 0.0
    return overlap if lost <= 1e-10 * overlap else None


def _factor(rows: NDArray[np.floating], mean: FloatArray) -> FloatArray:
    """A matrix F [min(N, D), D] with F' F = covariance, exact in rank."""
    centred = np.subtract(rows, mean, dtype=np.float64)
    scale = np.sqrt(len(rows) - 1)
    if len(rows) <= rows.shape[1]:
        return np.asarray(centred / scale)
    factor = _cholesky(_covariance(rows, mean))
    return np.linalg.qr(centred, mode="r") / scale if factor is None else factor.T
