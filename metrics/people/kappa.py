"""Kappa: how much more two raters (Cohen) or several (Fleiss) agree than by chance.

Krippendorff's alpha (`metrics.people.agreement`) also takes missing ratings; these are what papers print.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from metrics.metric import Estimate, FloatArray, MetricInputError, check_lengths, check_name
from metrics.resampling import percentile_interval, resampled_values

Weights = Literal["none", "linear", "quadratic"]


def cohen_kappa(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    *,
    weights: Weights = "none",
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """Cohen's kappa of two raters: 1 for perfect agreement, 0 for chance, with its 95 % interval over items.

    Args:
        first: one rater's ratings, [N]; any labels, or numbers where `weights` count how far apart they are.
        second: the other's of the same items, [N].
        weights: a disagreement counts fully (`none`), by the number of grades between (`linear`), or by its
            square (`quadratic`); grades are the values that occur, in order.
        resamples: number of bootstrap draws, of items.
        seed: of the draws.

    Raises:
        MetricInputError: unknown weights, different lengths, no items, or a single label throughout, which
            leaves nothing to agree on.

    >>> round(cohen_kappa(["y", "y", "n", "n"], ["y", "n", "n", "n"], resamples=50).value, 3)
    0.5
    """
    check_name("weights", weights, get_args(Weights))
    check_lengths("cohen_kappa", first, second)
    names = _grades([*first, *second], ordered=weights != "none")
    place = {name: number for number, name in enumerate(names)}
    rows = np.array([place[each] for each in first], dtype=np.intp)
    columns = np.array([place[each] for each in second], dtype=np.intp)
    apart = np.abs(np.subtract.outer(np.arange(len(names)), np.arange(len(names)))).astype(np.float64)
    cost = {"none": (apart > 0).astype(np.float64), "linear": apart, "quadratic": apart**2}[weights]

    def kappa(times: FloatArray) -> float:
        table = np.zeros_like(cost)
        np.add.at(table, (rows, columns), times / times.sum())
        chance = float((np.outer(table.sum(axis=1), table.sum(axis=0)) * cost).sum())
        return 1.0 - float((table * cost).sum()) / chance if chance else float("nan")

    return _estimated(kappa, len(first), resamples, seed)


def fleiss_kappa(ratings: ArrayLike, *, resamples: int = 1000, seed: int = 0) -> Estimate:
    """Fleiss' kappa of as many raters for each item, not necessarily the same ones, with its interval.

    Args:
        ratings: one row per rater, one column per item, numbers that stand for labels, [raters, N].
        resamples: number of bootstrap draws, of items.
        seed: of the draws.

    Raises:
        MetricInputError: fewer than two raters, a missing rating, no items, or a single label throughout.

    >>> round(fleiss_kappa([[1, 1, 2, 2], [1, 2, 2, 2], [1, 1, 2, 1]], resamples=50).value, 3)
    0.333
    """
    table = np.asarray(ratings, dtype=np.float64)
    if table.ndim != 2 or len(table) < 2 or not np.isfinite(table).all():
        raise MetricInputError(
            f"ratings of shape {table.shape}; give every rating, [raters, items], of two raters or more; "
            "krippendorff_alpha takes missing ones"
        )
    values = np.unique(table)
    if table.shape[1] and len(values) == 1:
        raise MetricInputError(f"all ratings are {values[0]:g}; without variation agreement has no meaning")
    counts: NDArray[np.float64] = (table[:, :, None] == values).sum(axis=0).astype(np.float64)
    raters = len(table)
    alike = (np.square(counts).sum(axis=1) - raters) / (raters * (raters - 1))

    def kappa(times: FloatArray) -> float:
        shares = times @ counts / (times.sum() * raters)
        chance = float(np.square(shares).sum())
        return (float(times @ alike / times.sum()) - chance) / (1 - chance) if chance < 1 else float("nan")

    return _estimated(kappa, table.shape[1], resamples, seed)


def _estimated(kappa: Callable[[FloatArray], float], n: int, resamples: int, seed: int) -> Estimate:
    if n == 0:
        raise MetricInputError("no item was rated; give at least one")
    value = kappa(np.ones(n))
    if n == 1:
        return Estimate(value, -np.inf, np.inf, n, "no interval: a single item")
    replicates = resampled_values(kappa, np.arange(n), n, resamples, np.random.default_rng(seed))
    replicates = replicates[np.isfinite(replicates)]  # a draw of one label alone says nothing
    if len(replicates) < 2:
        return Estimate(value, -np.inf, np.inf, n, "no interval: too few items")
    low, high = percentile_interval(replicates, n)
    error = float(replicates.std(ddof=1))
    return Estimate(value, low, min(1.0, high), n, f"bootstrap {len(replicates)} over items", error)


def _grades(labels: Sequence[Hashable], *, ordered: bool) -> list[Hashable]:
    if not labels:
        return []
    try:
        found: list[Hashable] = sorted(set(labels)) if ordered else list(dict.fromkeys(labels))  # type: ignore[type-var]
    except TypeError:
        raise MetricInputError("weights need ratings that can be put in order, such as numbers") from None
    if len(found) == 1:
        raise MetricInputError(f"all ratings are {found[0]!r}; without variation agreement has no meaning")
    return found
