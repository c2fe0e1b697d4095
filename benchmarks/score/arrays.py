"""Scores of features, and of class probabilities, that another program extracted."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from benchmarks.score.generated import Generated, Scored
from benchmarks.score.material import ARRAYS, read_arrays
from benchmarks.score.sets import Rows, add_distances, add_inception_score
from benchmarks.tasks.official import DataError
from benchmarks.tasks.real_sets import read_real_set


def score_arrays(asked: Generated, distances: Sequence[str]) -> Scored:
    """Features by the distances of these names, and class probabilities, that another program extracted."""
    from metrics.sets.frechet import feature_rows
    from metrics.sets.metrics import KLDivergence

    unused = {"--prompts": asked.prompts, "--extractor": asked.extractors, "--resize": asked.resize}
    for option, value in unused.items():
        if value:
            raise DataError(f"{asked.predictions}: features are scored as they are; leave {option} out.")
    if asked.references is None or asked.references.suffix not in ARRAYS:
        raise DataError(
            f"{asked.predictions}: features; give features of the references too, as .npy or .npz."
        )
    sides = [read_arrays(path) for path in (asked.predictions, asked.references)]
    rows = Rows(asked.family, asked.predictions.resolve().name)
    if "mu" in sides[1] and "features" in sides[0] and "features" not in sides[1]:
        real = read_real_set(asked.references)
        predictions = feature_rows(sides[0]["features"], str(asked.predictions))
        add_distances(rows, distances, predictions, real.truth, None, real.content_hash[:8])
        return Scored(rows.results)
    shared = [name for name in ("features", "probabilities") if all(name in side for side in sides)]
    if not shared:
        raise DataError(
            f"{asked.predictions} and {asked.references}: no array in common called features or "
            f"probabilities; found {', '.join(sides[0])} and {', '.join(sides[1])}."
        )
    if "features" in shared:
        predictions, references = (
            feature_rows(side["features"], str(path))
            for side, path in zip(sides, (asked.predictions, asked.references), strict=True)
        )
        digest = hashlib.sha256(references.tobytes()).hexdigest()[:8]
        add_distances(rows, distances, predictions, references, None, digest)
    if "probabilities" in shared:
        metric = KLDivergence()
        predicted, true = (list(side["probabilities"]) for side in sides)
        rows.add_items(metric.signature, metric.statistics(predicted, true))
        add_inception_score(rows, np.asarray(predicted), None)
    return Scored(rows.results)
