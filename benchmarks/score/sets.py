"""From features to rows of a table: distances between two sets, each with its interval and signature.

How an interval is made depends on the metric, and its row says how: a jackknife for Fréchet distances, the
closed form for kernel distances, Wilson's for shares. A value that does not exist has a reason instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.columns import finite
from benchmarks.harness.records import Result

if TYPE_CHECKING:
    from metrics.metric import Estimate
    from metrics.sets.frechet import Moments

Features = NDArray[np.floating]
Truth: TypeAlias = "Features | Moments"
Measure = Callable[[], "Estimate"]
Lines = Iterator[tuple[str, Measure]]

KID_SUBSET = 1000  # items in each of the usual hundred subsets, where there are as many
NEIGHBOUR = 3  # whose distance is a ball's radius in precision and recall


class Rows:
    """The rows of one scoring, in the order in which they are added.

    Args:
        family: what stands in the column of the benchmark.
        system: whose predictions these are.
        failed: predictions that are missing or can't be read, and are left out.
    """

    def __init__(self, family: str, system: str, failed: int = 0) -> None:
        self.family, self.system, self.failed = family, system, failed
        self.results: list[Result] = []

    def add(self, signature: str, n: int, measure: Measure) -> None:
        """Measure, and add a row; the metric's name is the signature's first word.

        A `MetricInputError` makes a row without a value that says why.
        """
        from metrics.metric import MetricInputError

        value = low = high = error = None
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what overflows is undefined, and says so
                found = measure()
            value, low, high = (finite(number) for number in (found.value, found.low, found.high))
            method, error = found.method, finite(found.standard_error)
        except MetricInputError as reason:
            method = f"undefined: {reason}"
        if self.failed:
            method += f"; {self.failed} without an answer, left out"
        metric = signature.partition("|")[0]
        row = Result(
            self.family, self.system, metric, signature, value, low, high, n, self.failed, None, method
        )
        self.results.append(replace(row, standard_error=error))

    def add_items(self, signature: str, items: Features) -> None:
        """Add the mean of items' values, with a bootstrap's interval."""
        from metrics.statistics import bootstrap

        self.add(signature, len(items), lambda: bootstrap(items))


def add_distances(
    rows: Rows, names: Sequence[str], predictions: Features, references: Truth, source: Any, known: str
) -> None:
    """Add the distances of these names between two sets of features.

    Args:
        rows: where they go.
        names: keys of `DISTANCES`; an extrapolation to infinitely many predictions is made only where
            there are ten for each dimension.
        predictions: [N, D].
        references: [M, D]; or their moments, which Fréchet distances alone are measured to.
        source: the extractor, for signatures; None for features that were given.
        known: what tells these references from others, for signatures.

    Raises:
        MetricInputError: features of different widths, which have no distance at all.
    """
    from metrics.sets.frechet import Moments, feature_pair, frechet_distance

    if isinstance(references, Moments):
        frechet_distance(predictions, references)
        names, there = [name for name in names if DISTANCES[name] is _frechet], "moments"
    else:
        feature_pair(predictions, references)
        there = str(len(references))
    numbers = f"|n:{len(predictions)}/{there}|ref:{known}|v:"
    for name in names:
        for signature, measure in DISTANCES[name](name, source, predictions, references):
            rows.add(signature.replace("|v:", numbers), len(predictions), measure)


def add_inception_score(rows: Rows, probabilities: Features, source: Any) -> None:
    """Add the Inception Score of class probabilities [N, C], in ten splits as published."""
    from metrics.sets.divergences import inception_score

    signature = f"inception_score|features:{_signed(source)}|splits:10|n:{len(probabilities)}|v:1"
    rows.add(
        signature,
        len(probabilities),
        lambda: _closed(inception_score(probabilities), 1.0, len(probabilities)),
    )


def _frechet(name: str, source: Any, predictions: Features, references: Truth) -> Lines:
    from metrics.sets.frechet import Moments
    from metrics.sets.metrics import FID, FeatureSets
    from metrics.statistics import estimate

    metric = FID(source)
    metric.name = name
    sets = FeatureSets(predictions, references, given=isinstance(references, Moments))
    yield metric.signature, lambda: estimate(metric, sets)


def _infinity(name: str, source: Any, predictions: Features, references: Features) -> Lines:
    """The extrapolation, where even the smallest subset, a tenth, has covariances of full rank."""
    if len(predictions) < 10 * (predictions.shape[1] + 1):
        return
    from metrics.metric import Estimate
    from metrics.sets.frechet import frechet_distance_infinity

    def measure() -> Estimate:
        found = frechet_distance_infinity(predictions, references)
        method = f"no interval: a line through {found.method}, R² {found.r_squared:.3f}"
        return Estimate(found.value, -np.inf, np.inf, len(predictions), method)

    yield f"{name}|features:{_signed(source)}|cov:ddof1-f64|line:15-sizes|v:1", measure


def _kernel(name: str, source: Any, predictions: Features, references: Features) -> Lines:
    from metrics.sets.metrics import CMMD, KAD, KID, JEDi, SetMetric

    kid = KID(source, subset_size=min(KID_SUBSET, len(predictions), len(references)))
    kid.name = name  # its own over another network than Inception
    others: dict[str, SetMetric] = {"cmmd": CMMD(source), "kad": KAD(source), "jedi": JEDi(source)}
    metric = others.get(name, kid)
    n = len(predictions)
    yield metric.signature, lambda: _closed(metric.distance(predictions, references), metric.least, n)


def _shares(name: str, source: Any, predictions: Features, references: Features) -> Lines:
    from metrics.sets.coverage import precision_recall
    from metrics.statistics import proportion

    both = cache(partial(precision_recall, predictions, references, k=NEIGHBOUR))

    def measure(place: int) -> Estimate:
        share, n = both()[place], len((predictions, references)[place])
        return replace(proportion(round(share * n), n), method="Wilson, the balls as given")

    for place, share in enumerate(name.split("_")):
        yield f"{share}|features:{_signed(source)}|k:{NEIGHBOUR}|v:1", partial(measure, place)


DISTANCES: Mapping[str, Callable[[str, Any, Features, Any], Lines]] = {
    **dict.fromkeys(("fid", "fad", "fvd", "fd_dinov2"), _frechet),
    **dict.fromkeys(("frechet_efficientnet_lite0", "frechet_yamnet"), _frechet),
    **dict.fromkeys(("fid_infinity", "fad_infinity", "fvd_infinity"), _infinity),
    **dict.fromkeys(("kid", "cmmd", "kad", "jedi"), _kernel),
    **dict.fromkeys(("kernel_efficientnet_lite0", "kernel_yamnet"), _kernel),
    "precision_recall": _shares,
}
"""What is measured between two sets, by name; `precision_recall` makes two rows."""


def _closed(found: float, least: float, n: int) -> Estimate:
    """A value with the interval that its own standard error gives it."""
    from metrics.metric import Estimate
    from metrics.resampling import Z95
    from metrics.sets.frechet import Measured

    assert isinstance(found, Measured)
    half, method = Z95 * found.standard_error, f"standard error, {found.method}"
    ends = max(least, found - half), found + half
    return Estimate(float(found), *ends, n, method, found.standard_error)


def _signed(source: Any) -> str:
    return "given" if source is None else str(source.signature)
