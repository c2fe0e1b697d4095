"""Distances between sets, against scipy, torchmetrics, published formulas and closed forms."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from metrics.metric import MetricInputError
from metrics.sets import frechet as distances
from metrics.sets.coverage import precision_recall
from metrics.sets.divergences import inception_score, kl_divergence
from metrics.sets.frechet import frechet_distance, frechet_distance_infinity
from metrics.sets.kernels import cmmd, kernel_audio_distance, kernel_distance
from metrics.sets.metrics import CMMD, FID, KAD, KID, FeatureSets, KLDivergence, SetMetric
from metrics.statistics import compare_metric, estimate

Array = NDArray[np.float64]


def _features(n: int, dimensions: int, seed: int, scale: float = 1.0) -> Array:
    """Rectified, correlated, unevenly scaled: what a network's last pool gives."""
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(dimensions, dimensions)) * np.exp(
        -np.arange(dimensions) / 20
    )
    return np.maximum(scale * rng.normal(size=(n, dimensions)) @ mix + 0.1, 0)


def _gaussian(n: int, covariance: Array, mean: Array, seed: int) -> Array:
    """Samples whose mean and covariance are exactly these."""
    rows = np.random.default_rng(seed).normal(size=(n, len(mean)))
    rows -= rows.mean(axis=0)
    whitened = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows, rowvar=False))).T
    return np.asarray(whitened @ np.linalg.cholesky(covariance).T + mean)


def _sqrtm_distance(a: Array, b: Array) -> float:
    """As TTUR and pytorch-fid compute it."""
    from scipy.linalg import sqrtm

    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.real(sqrtm(first @ second))
    return float(np.square(a.mean(0) - b.mean(0)).sum() + np.trace(first + second - 2 * root))


@pytest.mark.parametrize(("n", "m", "dimensions"), [(400, 300, 64), (200, 2000, 32), (1100, 1200, 200)])
def test_frechet_equals_scipys_matrix_root(n: int, m: int, dimensions: int) -> None:
    a, b = _features(n, dimensions, 0), _features(m, dimensions, 1, scale=1.1)
    assert frechet_distance(a, b) == pytest.approx(_sqrtm_distance(a, b), rel=1e-8)


@pytest.mark.slow  # importing torchmetrics takes seconds
def test_frechet_equals_torchmetrics() -> None:
    torch = pytest.importorskip("torch")
    fid = pytest.importorskip("torchmetrics.image.fid")

    class Identity(torch.nn.Module):  # type: ignore[misc,name-defined]
        num_features = 48

        def forward(self, x: Any) -> Any:
            return x.flatten(1)

    a, b = (torch.from_numpy(_features(300, 48, seed)) for seed in (2, 3))
    metric = fid.FrechetInceptionDistance(feature=Identity()).set_dtype(torch.float64)
    metric.update(a, real=True)
    metric.update(b, real=False)
    assert frechet_distance(a.numpy(), b.numpy()) == pytest.approx(float(metric.compute()), rel=1e-8)


def test_frechet_of_gaussians_is_the_closed_form() -> None:
    rng = np.random.default_rng(4)
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    variances = np.array([4.0, 3.0, 1.0, 0.5, 0.1, 0.01]), np.array([1.0, 2.0, 3.0, 0.2, 0.4, 0.09])
    means = np.zeros(6), np.arange(6.0)
    a, b = (
        _gaussian(50, rotation @ np.diag(v) @ rotation.T, m, 5) for v, m in zip(variances, means, strict=True)
    )
    closed = 55 + np.square(np.sqrt(variances[0]) - np.sqrt(variances[1])).sum()
    assert frechet_distance(a, b) == pytest.approx(closed, rel=1e-10)


def test_fewer_samples_than_dimensions_is_the_nuclear_norm() -> None:
    """The singular case that a matrix root loses five digits on."""
    a, b = _features(30, 128, 6), _features(40, 128, 7)
    x, y = (rows - rows.mean(0) for rows in (a, b))
    nuclear = np.linalg.svd(x @ y.T, compute_uv=False).sum() / np.sqrt(29 * 39)
    spread = np.square(x).sum() / 29 + np.square(y).sum() / 39
    expected = np.square(a.mean(0) - b.mean(0)).sum() + spread - 2 * nuclear
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(a, b) == pytest.approx(_sqrtm_distance(a, b), rel=1e-5)
    assert frechet_distance(a, _features(300, 128, 8)) == pytest.approx(
        _sqrtm_distance(a, _features(300, 128, 8)), rel=1e-5
    )


def test_dead_and_repeated_features_need_no_epsilon() -> None:
    a, b = _features(300, 20, 9), _features(300, 20, 10, scale=1.2)
    plain = frechet_distance(a, b)
    padded = (np.column_stack([rows, np.zeros((300, 3)), np.full((300, 2), 7.0)]) for rows in (a, b))
    assert frechet_distance(*padded) == pytest.approx(plain, rel=1e-10)
    doubled = (np.column_stack([rows, rows]) for rows in (a, b))
    assert frechet_distance(*doubled) == pytest.approx(2 * plain, rel=1e-8)


def test_a_covariance_near_singularity_takes_the_exact_route() -> None:
    scales = np.logspace(0, -9, 30)
    a, b = (np.random.default_rng(seed).normal(size=(200, 30)) * scales for seed in (11, 12))
    assert distances._overlap(*(distances._covariance(rows, rows.mean(0)) for rows in (a, b))) is None
    x, y = ((rows - rows.mean(0)) / np.sqrt(199) for rows in (a, b))
    nuclear = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.square(x).sum() + np.square(y).sum() - 2 * nuclear
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(2, 60), st.integers(1, 40), st.floats(-3, 3))
def test_frechet_is_a_distance(n: int, m: int, dimensions: int, exponent: float) -> None:
    a, b = (10**exponent * _features(size, dimensions, size) for size in (n, m))
    there, back = frechet_distance(a, b), frechet_distance(b, a)
    scale = np.square(a).sum() / n + np.square(b).sum() / m
    assert there >= 0
    assert there == pytest.approx(back, abs=1e-9 * scale)
    assert frechet_distance(a, a) <= 1e-12 * scale
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(dimensions, dimensions)))[0]
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(there, abs=1e-8 * scale)


def test_single_precision_input_is_computed_in_double() -> None:
    a, b = (_features(300, 40, seed).astype(np.float32) for seed in (13, 14))
    assert frechet_distance(a, b) == pytest.approx(
        frechet_distance(a.astype(float), b.astype(float)), rel=1e-12
    )


def test_blocks_of_rows_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = _features(150, 12, 15), _features(170, 12, 16)
    whole = frechet_distance(a, b)
    monkeypatch.setattr(distances, "BLOCK", 37)
    assert frechet_distance(a, b) == pytest.approx(whole, rel=1e-12)


def test_extrapolation_removes_most_of_the_bias() -> None:
    rng = np.random.default_rng(17)
    few, many = rng.normal(size=(1000, 16)), rng.normal(size=(20000, 16))
    plain = frechet_distance(few, many)
    limit = frechet_distance_infinity(few, many)
    assert abs(limit.value) < plain / 3
    assert limit.r_squared > 0.8
    assert (limit.sizes[0], limit.sizes[-1], len(limit.sizes)) == (100, 1000, 15)
    with pytest.raises(MetricInputError, match="too few"):
        frechet_distance_infinity(few[:10], many)


def _torch_fidelity_kid(a: Array, b: Array, subsets: int, size: int) -> tuple[float, float]:
    """Its formula and its draws, written out."""
    rng, values = np.random.RandomState(2020), []
    for _ in range(subsets):
        x, y = a[rng.choice(len(a), size, replace=False)], b[rng.choice(len(b), size, replace=False)]
        kxx, kyy, kxy = ((u @ v.T / u.shape[1] + 1) ** 3 for u, v in ((x, x), (y, y), (x, y)))
        within = (kxx.sum() - np.trace(kxx) + kyy.sum() - np.trace(kyy)) / (size * (size - 1))
        values.append(within - 2 * kxy.sum() / size**2)
    return float(np.mean(values)), float(np.std(values))


def test_kid_is_torch_fidelitys() -> None:
    a, b = _features(120, 16, 18), _features(150, 16, 19, scale=1.1)
    result = kernel_distance(a, b, subsets=7, subset_size=50)
    assert (float(result), result.spread) == pytest.approx(_torch_fidelity_kid(a, b, 7, 50), rel=1e-10)
    assert result.method == "7 subsets of 50 without replacement, RandomState(2020)"


def test_kid_is_unbiased_and_its_error_honest() -> None:
    rng, results = np.random.default_rng(20), []
    for _ in range(200):
        a, b = rng.normal(size=(100, 4)), rng.normal(0.5, 1, size=(100, 4))
        results.append(kernel_distance(a, b, subsets=3, subset_size=100))

    def cube(mean: float, variance: float, third: float) -> float:
        """E (1 + t)^3 from the moments of t."""
        return 1 + 3 * mean + 3 * (variance + mean**2) + third + 3 * mean * variance + mean**3

    # t = x.y / 4 for independent normal x and y with the means 0 and 0, .5 and .5, 0 and .5.
    truth = cube(0, 1 / 4, 0) + cube(0.25, 1.5 / 4, 1.5 / 16) - 2 * cube(0, 1.25 / 4, 0)
    values = np.array([float(result) for result in results])
    assert values.mean() == pytest.approx(truth, abs=3 * values.std() / np.sqrt(200))
    assert np.mean([result.standard_error for result in results]) == pytest.approx(values.std(), rel=0.2)


def test_a_measured_number_is_a_number_and_survives_a_copy() -> None:
    number = kernel_distance(_features(20, 4, 0), _features(20, 4, 1), subsets=2, subset_size=10)
    copied = copy.copy(number)
    assert copied == number == float(number)
    assert vars(copied) == vars(number)


def test_cmmd_is_the_published_estimate() -> None:
    a, b = _features(60, 8, 21), _features(50, 8, 22)
    a, b = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (a, b))

    def mean_kernel(x: Array, y: Array) -> float:
        return float(np.exp(-np.square(x[:, None] - y).sum(-1) / 200).mean())

    expected = 1000 * (mean_kernel(a, a) + mean_kernel(b, b) - 2 * mean_kernel(a, b))
    assert cmmd(a, b) == pytest.approx(expected, rel=1e-9)
    assert CMMD().value(FeatureSets(3 * a, 3 * b)) == pytest.approx(
        expected, rel=1e-9
    )  # scales to unit length
    assert float(cmmd(a, a)) == 0


def test_kad_is_the_published_estimate() -> None:
    from scipy.spatial.distance import cdist, pdist

    a, b = _features(60, 8, 23), _features(51, 8, 24)
    width = np.sort(pdist(b))[(51 * 50 // 2 - 1) // 2]
    kernels = [np.exp(-np.square(cdist(x, y)) / (2 * width**2 + 1e-8)) for x, y in ((a, a), (b, b), (a, b))]
    within = [(k.sum() - len(k)) / (len(k) * (len(k) - 1)) for k in kernels[:2]]
    expected = 100 * (sum(within) - 2 * kernels[2].mean())
    assert kernel_audio_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert KAD().value(FeatureSets(predictions=b, references=a)) == pytest.approx(expected, rel=1e-9)


def test_chunks_of_a_kernel_matrix_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = _features(90, 8, 25), _features(70, 8, 26)
    whole = [cmmd(a, b), kernel_audio_distance(a, b), *precision_recall(a, b)]
    monkeypatch.setattr("metrics.sets.kernels.CHUNK", 17)
    monkeypatch.setattr("metrics.sets.coverage.CHUNK", 17)
    assert [cmmd(a, b), kernel_audio_distance(a, b), *precision_recall(a, b)] == pytest.approx(
        whole, rel=1e-10
    )


def test_precision_and_recall_tell_quality_from_coverage() -> None:
    rng = np.random.default_rng(27)
    references = rng.normal(size=(300, 4))
    timid, wild = 0.2 * rng.normal(size=(300, 4)), 5 * rng.normal(size=(300, 4))
    precision, recall = precision_recall(timid, references)
    assert precision > 0.95
    assert recall < 0.5
    assert precision_recall(wild, references)[0] < 0.2
    assert precision_recall(references, references) == (1.0, 1.0)


def test_inception_score_knows_its_two_ends() -> None:
    assert inception_score(np.full((20, 5), 0.2)) == pytest.approx(1)
    assert inception_score(np.eye(5)[np.arange(50) % 5], splits=1) == pytest.approx(5)


def test_inception_score_splits_as_openai_does() -> None:
    logits = np.random.default_rng(28).normal(size=(103, 12))
    rows = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    scores = []
    for i in range(10):
        part = rows[i * 103 // 10 : (i + 1) * 103 // 10]
        scores.append(np.exp((part * (np.log(part) - np.log(part.mean(0)))).sum(1).mean()))
    result = inception_score(rows)
    assert (float(result), result.spread) == pytest.approx((np.mean(scores), np.std(scores)), rel=1e-12)
    assert np.isinf(inception_score(rows, splits=1).standard_error)


def test_kl_has_a_direction() -> None:
    p, q = np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0.0]]), np.array([[0.2, 0.3, 0.5], [0.4, 0.3, 0.3]])
    forward = np.mean(
        [0.7 * np.log(3.5) + 0.2 * np.log(2 / 3) + 0.1 * np.log(0.2), 0.5 * np.log(1.25 * 5 / 3)]
    )
    assert kl_divergence(p, q, epsilon=0) == pytest.approx(forward)
    assert kl_divergence(q, p, epsilon=0) == np.inf
    assert kl_divergence(q, p) > kl_divergence(p, q) > 0


def test_kl_is_audioldms() -> None:
    torch = pytest.importorskip("torch")
    generated, reference = torch.randn(
        2, 30, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    expected = torch.nn.functional.kl_div(
        (generated.softmax(1) + 1e-6).log(), reference.softmax(1), reduction="none"
    ).sum(1)
    metric = KLDivergence()
    items = metric.statistics(list(generated.softmax(1).numpy()), list(reference.softmax(1).numpy()))
    assert items == pytest.approx(expected.numpy(), rel=1e-10)
    assert metric.name == "kl_reference_prediction"
    assert KLDivergence("prediction||reference").name == "kl_prediction_reference"


ONE, NAN, WIDE = np.ones((1, 3)), np.array([[0.0, 1, 2], [0, np.nan, 2]]), np.zeros((4, 5))
GOOD = np.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    "distance",
    [
        frechet_distance,
        lambda a, b: kernel_distance(a, b, subset_size=2),
        cmmd,
        kernel_audio_distance,
        lambda a, b: precision_recall(a, b, k=1),
    ],
    ids=["frechet", "kid", "cmmd", "kad", "precision"],
)
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (ONE, "the second set has 1 sample"),
        (NAN, r"the second set\[1\] holds a value that is not finite"),
        (WIDE, "features of 3 and 5 dimensions"),
        (np.zeros(4), r"the second set has shape \(4,\)"),
        (np.zeros((4, 0)), r"the second set has shape \(4, 0\)"),
    ],
    ids=["one sample", "nan", "other width", "flat", "no features"],
)
def test_bad_features_name_the_set_and_the_row(
    distance: Callable[[Any, Any], Any], bad: Any, reason: str
) -> None:
    with pytest.raises(MetricInputError, match=reason):
        distance(GOOD, bad)


def test_constant_features_have_one_defined_outcome_each() -> None:
    constant = np.full((4, 3), 2.0)
    spread = GOOD.var(axis=0, ddof=1).sum()
    shift = np.square(GOOD.mean(0) - 2).sum()
    assert frechet_distance(GOOD, constant) == pytest.approx(spread + shift)
    assert frechet_distance(constant, constant) == 0
    assert float(cmmd(constant, constant)) == 0
    with pytest.raises(MetricInputError, match="bandwidth"):
        kernel_audio_distance(GOOD, constant)


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: kernel_distance(GOOD, GOOD), "lower subset_size"),
        (lambda: precision_recall(GOOD, GOOD, k=4), "larger than k"),
        (lambda: inception_score([[0.5, 0.4]]), r"probabilities\[0\] is no distribution"),
        (lambda: inception_score([[0.5, 0.5]]), "cannot make 10 splits"),
        (lambda: kl_divergence([[0.5, 0.5]], [[2.0, -1.0]]), r"q\[0\] is no distribution"),
        (lambda: kl_divergence([[0.5, 0.5]], [[0.5, 0.25, 0.25]]), "give a row of q"),
        (lambda: CMMD().value(FeatureSets(GOOD, np.zeros((4, 3)))), "no direction, its length being 0"),
        (lambda: FID().statistics([1.0], [2.0]), "one row per item"),
    ],
)
def test_other_bad_input_says_what_to_do(call: Callable[[], Any], reason: str) -> None:
    with pytest.raises(MetricInputError, match=reason):
        call()


@pytest.mark.parametrize(
    "metric", [FID(), CMMD(), KAD(), KID(subsets=2, subset_size=20)], ids=lambda m: m.name
)
def test_shards_of_a_set_merge_to_the_same_digits(metric: SetMetric) -> None:
    predictions, references = _features(60, 6, 30) + 0.1, _features(60, 6, 31) + 0.1
    whole = metric.statistics(list(predictions), list(references))
    parts = [
        metric.statistics(list(predictions[p]), list(references[p])) for p in (slice(0, 25), slice(25, 60))
    ]
    assert metric.value(metric.merge(parts)) == metric.value(whole)
    assert metric.size(whole) == 60
    assert metric.items(whole) is None


def test_the_interval_of_a_distance_is_a_jackknife() -> None:
    """Half of its width against the spread of the distance over fresh samples."""
    metric = FID()

    def sample(seed: int) -> FeatureSets:
        rng = np.random.default_rng(seed)
        return FeatureSets(1.2 * rng.normal(size=(400, 4)), rng.normal(size=(400, 4)))

    spread = np.std([metric.value(sample(seed)) for seed in range(100)])
    results = [estimate(metric, sample(seed)) for seed in range(100, 110)]
    errors = [(result.high - result.low) / (2 * 2.093) for result in results]
    assert np.mean(errors) == pytest.approx(spread, rel=0.3)
    assert results[0].method == "jackknife 20 blocks"
    assert all(result.low >= 0 for result in results)


def test_two_generators_are_compared_on_the_same_references() -> None:
    rng = np.random.default_rng(32)
    references = rng.normal(size=(300, 4))
    near, far = (
        FeatureSets(references + scale * rng.normal(size=(300, 4)), references) for scale in (0.3, 1.0)
    )
    result = compare_metric(FID(), near, far)
    assert result.difference < result.high < 0
    assert result.p < 0.001


def test_references_of_another_number_are_taken_as_given() -> None:
    predictions, references = _features(40, 4, 33), _features(90, 4, 34)
    weights = np.repeat([1.0, 0.0], 20)
    assert FID().value(FeatureSets(predictions, references), weights) == frechet_distance(
        predictions[:20], references
    )


def test_signatures_say_what_the_number_depends_on() -> None:
    assert FID().signature == "fid|features:given|cov:ddof1-f64|v:1"
    assert KID(subset_size=50).signature == "kid|features:given|kernel:(xy/D+1)^3|subsets:100x50|v:1"
    assert KLDivergence().signature == "kl_reference_prediction|eps:1e-06|v:1"
