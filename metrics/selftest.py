"""Checks that ship with the code: known values and directions, to run when a version or weight changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.answers.accuracy import ExactMatch, VqaAccuracy, VqaAccuracyLmmsEval
from metrics.answers.choices import Choice, ChoiceAccuracy
from metrics.captions import meteor
from metrics.captions.java import JavaError
from metrics.captions.scores import caption_metrics, caption_scores
from metrics.metric import ArrayMetric, Metric
from metrics.pairs.similarity import clip_score
from metrics.people.agreement import Level, krippendorff_alpha
from metrics.sets.coverage import precision_recall
from metrics.sets.divergences import inception_score, kl_divergence
from metrics.sets.frechet import frechet_distance
from metrics.sets.kernels import cmmd, kernel_distance
from metrics.sets.metrics import CMMD, FID, KAD, Extractor
from metrics.sets.sounds import FAD, WindowKAD
from metrics.statistics import compare, estimate

Pictures = list[NDArray[np.uint8]]
Square = NDArray[np.float64]
CAPTION_METRICS = ("bleu_4", "rouge_l", "cider_d")

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": four raters, twelve units, 0: not rated.
_RATED = ("123321412000", "123322412503", "033323422510", "123324412510")
_RATINGS = [[float(rating) if rating != "0" else float("nan") for rating in row] for row in _RATED]
_ALPHAS: dict[Level, float] = {"nominal": 0.743, "ordinal": 0.815, "interval": 0.849}

_PERFECT = (
    ("a dog runs on the grass", ["a dog runs on the grass"]),
    ("two cats sleep on a bed", ["two cats sleep on a bed", "cats on a bed"]),
    ("a red bus in town", ["a red bus in town"]),
)
_OTHERS = (
    ("runs the dog on a lawn", ["a dog runs on the grass", "the dog is running"]),
    ("the dogs are running across the meadow", ["a dog runs across the field", "dogs run in a meadow"]),
    ("bench", ["an old wooden bench"]),
    ("", ["a red bus"]),
)
CORPORA = {
    "all are perfect": _PERFECT,
    "one is perfect": (_PERFECT[0], *_OTHERS[:2]),
    "one is perfect, one a word, one empty": (_PERFECT[0], *_OTHERS),
}
# What pycocoevalcap 1.2 makes of these corpora, METEOR 1.5 by its own program included.
CORPUS_VALUES: Mapping[str, Sequence[float]] = {
    "bleu_1": (0.999999999882, 0.789473684169, 0.623040626395),
    "bleu_2": (0.999999999876, 0.587702932443, 0.46074475673),
    "bleu_3": (0.999999999867, 0.47367171454, 0.370528206196),
    "bleu_4": (0.999999999855, 0.422560017909, 0.330181597173),
    "meteor": (1.0, 0.390694870109, 0.299386500466),
    "rouge_l": (1.0, 0.586209319409, 0.423914940758),
    "cider_d": (8.95948234516, 3.9401827875, 2.66886460315),
}


@dataclass(frozen=True)
class Check:
    """One check: what should hold, whether it does, and the numbers that were found."""

    name: str
    passed: bool
    found: str


def selftest(extractor: Extractor | None = None) -> list[Check]:
    """Runs all checks; some ten seconds without a network, most of them METEOR's start.

    A metric that raises fails its group of checks, whose later ones are not reached, and no other.

    Args:
        extractor: what to take pictures' features from, when its weights are to be tested too; without
            one, features are the pixels themselves.

    >>> [check.name for check in selftest() if not check.passed]
    []
    """
    groups: dict[str, Callable[[], Iterator[Check]]] = {
        "identities": _identities,
        "known values": _known_values,
        "directions": _directions,
        "degraded pictures": lambda: _degraded_pictures(extractor),
        "shuffled captions": _shuffled_captions,
        "sets as metrics": _sets_as_metrics,
        "answers as metrics": _answers_as_metrics,
        "corpora of captions": _caption_corpora,
    }
    checks: list[Check] = []
    with suppress(JavaError):
        meteor.start()  # in the background; where it cannot, the check of its values says why
    for name, group in groups.items():
        try:
            for check in group():
                checks.append(check)  # noqa: PERF402 - keeps what there is when the next one raises
        except Exception as error:  # noqa: BLE001 - whatever breaks a metric is what this looks for
            checks.append(Check(f"all checks of {name} can run", False, f"{type(error).__name__}: {error}"))
    return checks


def _near(name: str, found: float, expected: float, tolerance: float = 1e-9) -> Check:
    return Check(name, bool(abs(found - expected) <= tolerance), f"{found:.10g}, expected {expected:g}")


def _growing(name: str, values: Sequence[float]) -> Check:
    rising = all(before < after for before, after in pairwise(values))
    return Check(name, rising, " < ".join(f"{value:.4g}" for value in values))


def _identities() -> Iterator[Check]:
    rng = np.random.default_rng(0)
    wide, tall = rng.normal(size=(40, 64)), rng.normal(size=(400, 16))
    yield _near("a set's Fréchet distance from itself is 0", frechet_distance(tall, tall), 0, 1e-8)
    yield _near(
        "a Fréchet distance from itself is 0 with fewer samples than dimensions, too",
        frechet_distance(wide, wide),
        0,
        1e-8,
    )
    yield _near("a set's CMMD from itself is 0", cmmd(tall, tall), 0, 1e-8)
    found = precision_recall(tall, tall)
    yield Check(
        "a set covers itself: precision and recall are 1", found == (1, 1), f"{found[0]:g}, {found[1]:g}"
    )
    yield _near("a picture that equals its text has a CLIPScore of 2.5", clip_score(tall, tall), 2.5)
    captions, references = _captions()
    scores = caption_scores(captions, references, CAPTION_METRICS)
    for name, expected in zip(CAPTION_METRICS, (1, 1, 10), strict=True):
        yield _near(
            f"captions that equal all their references reach {name} {expected}",
            scores.values[name],
            expected,
            1e-6,
        )
    same = compare(tall[:, 0], tall[:, 0])
    yield Check(
        "a system does not differ from itself", (same.difference, same.p) == (0, 1), f"p = {same.p:g}"
    )


def _known_values() -> Iterator[Check]:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(200, 8))
    rows = (rows - rows.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    shifted = frechet_distance(rows, rows + 0.5)
    yield _near("Gaussians .5 apart in each of 8 dimensions have a Fréchet distance of 2", shifted, 2, 1e-8)
    scaled = frechet_distance(rows, 3 * rows)
    yield _near(
        "the Fréchet distance of a Gaussian from one three times as wide, in 8 dimensions, is 32",
        scaled,
        32,
        1e-8,
    )
    yield _near("the Inception Score of no opinion is 1", inception_score(np.full((20, 5), 0.2)), 1)
    yield _near(
        "the Inception Score of five sure and balanced classes is 5", inception_score(np.eye(5), splits=1), 5
    )
    for level, expected in _ALPHAS.items():
        yield _near(
            f"Krippendorff's example has an alpha of {expected} ({level})",
            krippendorff_alpha(_RATINGS, level=level, resamples=1).value,
            expected,
            5e-4,
        )
    ladder = []
    for agreeing in range(5):
        answers = ["yes"] * agreeing + ["no"] * (10 - agreeing)
        annotation = {"answers": [{"answer": a, "answer_id": n + 1} for n, a in enumerate(answers)]}
        ladder.append(VqaAccuracy().statistics(["yes"], [annotation])[0])
    passed = np.allclose(ladder, [0, 0.3, 0.6, 0.9, 1], atol=1e-12)
    yield Check("VQA accuracy climbs 0, .3, .6, .9, 1", passed, ", ".join(f"{step:g}" for step in ladder))


def _directions() -> Iterator[Check]:
    sure, open_minded = np.array([[0.98, 0.01, 0.01]]), np.array([[0.4, 0.3, 0.3]])
    there, back = kl_divergence(sure, open_minded, epsilon=0), kl_divergence(open_minded, sure, epsilon=0)
    expected = 0.98 * np.log(0.98 / 0.4) + 0.02 * np.log(0.01 / 0.3)
    yield _near("kl_divergence(p, q) is the divergence of p from q", there, expected)
    yield Check(
        "kl_divergence(p, q) is not the divergence of q from p",
        back > 1.5 * there,
        f"{there:.4g} there, {back:.4g} back",
    )


def _degraded_pictures(extractor: Extractor | None) -> Iterator[Check]:
    pictures = _pictures()

    def features(items: Pictures) -> NDArray[np.floating]:
        if extractor is not None:
            return extractor.features(items)
        return np.stack([item.ravel() / 255 for item in items])

    clean = features(pictures)
    degradations: dict[str, Callable[[Pictures, int], Pictures]] = {"blur": _blurred, "noise": _noisy}
    for name, degrade in degradations.items():
        sets = [features(degrade(pictures, strength)) for strength in (1, 3, 9)]
        yield _growing(
            f"the Fréchet distance grows with {name}", [0, *(frechet_distance(clean, rows) for rows in sets)]
        )
        kid = [kernel_distance(clean, rows, subsets=1, subset_size=len(clean)) for rows in sets]
        yield _growing(f"the kernel distance grows with {name}", [float(value) for value in kid])


def _shuffled_captions() -> Iterator[Check]:
    captions, references = _captions()
    rows = []
    for moved in (40, 20, 10, 1):  # the first captions each take the next one's place; moving one moves none
        mixed = captions[1:moved] + captions[:1] + captions[moved:]
        rows.append(caption_scores(mixed, references, CAPTION_METRICS).values)
    for name in CAPTION_METRICS:
        yield _growing(f"{name} grows as fewer captions are shuffled", [row[name] for row in rows])


def _valued(metric: Metric[Any], statistics: Any, expected: float, what: str) -> Iterator[Check]:
    """Whether a metric's value is the expected one, and its interval around it and not around another."""
    yield _near(f"{metric.name} of {what}", metric.value(statistics), expected)
    if isinstance(metric, ArrayMetric):  # ten times as many items of the same value, for an even interval
        statistics = metric.merge([statistics] * 10)
    found = estimate(metric, statistics, resamples=200)
    middle, width = (found.low + found.high) / 2, found.high - found.low
    near = 1 / 2 if found.method.startswith("Wilson") else 1 / 3  # Wilson's leans away from 0 and 1
    yield Check(
        f"the interval of {metric.name} of {what} lies around it",
        abs(found.value - expected) <= 1e-9 and abs(middle - expected) <= near * width + 1e-9,
        f"{found.value:.6g} in {found.low:.4g} to {found.high:.4g}, expected {expected:.6g}",
    )


def _caption_corpora() -> Iterator[Check]:
    for metric in caption_metrics(CORPUS_VALUES):
        for (name, corpus), expected in zip(CORPORA.items(), CORPUS_VALUES[metric.name], strict=True):
            statistics = metric.statistics([said for said, _ in corpus], [group for _, group in corpus])
            yield from _valued(metric, statistics, expected, f"captions of which {name}")


def _sets_as_metrics() -> Iterator[Check]:
    """Distances through statistics and intervals, against their definitions written out."""
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(60, 3)), rng.normal(0.8, 1.2, size=(60, 3))
    roots = np.sqrt(np.linalg.eigvals(np.cov(a.T) @ np.cov(b.T)).real)
    frechet = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(np.cov(a.T) + np.cov(b.T)) - 2 * roots.sum()
    pairs = ((a, a), (a, b), (b, b))
    squares = [np.square(x[:, None] - y).sum(axis=-1) for x, y in pairs]
    distances = np.sort(np.sqrt(squares[0])[np.triu_indices(60, 1)])
    width = distances[(len(distances) - 1) // 2]  # the lower median
    gaussian = [np.exp(-square / (2 * width**2 + 1e-8)) for square in squares]
    cubic = [(x @ y.T / 3 + 1) ** 3 for x, y in pairs]
    windows = [list(rows.reshape(20, 3, 3)) for rows in (a, b)]
    apart: tuple[tuple[Metric[Any], Any, Any], ...] = (
        (FID(), [a, b], frechet),
        (FAD(), windows, frechet),
        (KAD(), [a, b], 100 * _discrepancy(*gaussian)),
        (WindowKAD(), windows, 100 * _discrepancy(*gaussian)),
    )
    for metric, sets, expected in apart:
        yield from _valued(metric, metric.statistics(*sets), float(expected), "two sets")
    kid = float(kernel_distance(a, b, subsets=1, subset_size=60))
    yield _near("kid of two sets", kid, _discrepancy(*cubic))
    same: tuple[tuple[Metric[Any], Any], ...] = ((FID(), a), (FAD(), windows[0]), (CMMD(), a))
    for metric, rows in same:
        yield _near(
            f"{metric.name} of a set and itself", metric.value(metric.statistics(rows, rows)), 0, 1e-8
        )


def _discrepancy(within: Square, across: Square, other: Square) -> float:
    """The unbiased squared discrepancy of two sets of n items from their kernel matrices, [n, n] each."""
    pairs = len(within) * (len(within) - 1)
    inner = (within.sum() - np.trace(within) + other.sum() - np.trace(other)) / pairs
    return float(inner - 2 * across.mean())


def _answers_as_metrics() -> Iterator[Check]:
    people = [{"answers": [{"answer": "yes" if n < k else "no"} for n in range(10)]} for k in (10, 3, 2, 0)]
    choice = [Choice(("a cat", "a dog"), answer=1)] * 4
    checked: Sequence[tuple[Metric[Any], Sequence[str], Sequence[Any], Sequence[float]]] = (
        (VqaAccuracy(), ["yes"] * 4, people, (1, 0.9, 0.6, 0)),
        (VqaAccuracyLmmsEval(), ["yes"] * 4, people, (1, 0.9, 0.6, 0)),
        (ExactMatch(), ["yes"] * 4, ["yes", "no", "Yes", "yes"], (1, 0, 0, 1)),
        (ChoiceAccuracy(), ["B", "(A) or (B)", "a cat", "It's B."], choice, (1, 0, 0, 1)),
    )
    for metric, said, true, worth in checked:
        yield from _valued(metric, metric.statistics(said[:1], true[:1]), 1, "a right answer")
        yield from _valued(
            metric, metric.statistics(said, true), float(np.mean(worth)), "answers, some right"
        )


def _pictures(count: int = 400, size: int = 8) -> Pictures:
    """One bright square each, somewhere on a dark ground, and slight grain."""
    rng = np.random.default_rng(2)
    pictures = rng.integers(0, 30, size=(count, size, size, 3))
    for picture, row, column, channel in zip(
        pictures, *rng.integers(0, size - 3, size=(2, count)), rng.integers(0, 3, count), strict=True
    ):
        picture[row : row + 4, column : column + 4, channel] += 200
    return list(pictures.astype(np.uint8))


def _blurred(pictures: Pictures, strength: int) -> Pictures:
    """Each pixel the mean of itself and its neighbours, `strength` times over."""
    stack = np.stack(pictures).astype(float)
    for _ in range(strength):
        for axis in (1, 2):
            stack = (np.roll(stack, 1, axis) + stack + np.roll(stack, -1, axis)) / 3
    return list(stack.round().astype(np.uint8))


def _noisy(pictures: Pictures, strength: int) -> Pictures:
    stack = np.stack(pictures)
    noise = np.random.default_rng(3).normal(0, 8 * strength, stack.shape)
    return list((stack + noise).clip(0, 255).round().astype(np.uint8))


def _captions() -> tuple[list[str], list[list[str]]]:
    """Sixty different captions, each its own two references."""
    scenes = [
        f"a {size} {colour} {thing} beside the {place}"
        for size in ("small", "large")
        for colour in ("red", "green", "blue", "white", "yellow")
        for thing, place in zip(
            ("dog", "boat", "kite", "chair", "lamp", "bird"),
            ("river", "house", "tree", "road", "wall", "gate"),
            strict=True,
        )
    ]
    return scenes, [[scene, scene] for scene in scenes]
