"""Metrics over sounds: windows counted right, signatures complete, every odd input with one outcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from metrics import (
    FAD,
    FD,
    AudioInceptionScore,
    AudioKL,
    CLAPScore,
    MelCepstralDistortion,
    WindowKAD,
    clap_score,
    estimate,
    frechet_distance,
    inception_score,
    kernel_audio_distance,
    kl_divergence,
    mel_cepstral_distortion,
)
from metrics.extractors import Sound
from metrics.metric import MetricInputError
from metrics.pairs.cepstra import frame_distortions, mel_cepstra, warped_distortion

Rows = NDArray[np.floating]


def _sounds(count: int, seed: int = 0, width: int = 5) -> list[Rows]:
    rng = np.random.default_rng(seed)
    return [rng.normal(seed, 1, size=(rng.integers(1, 5), width)) for _ in range(count)]


class Network:
    """Stands for a network: rows, embeddings and probabilities from two numbers of a sound."""

    signature = "network@1a2b3c4d,16000Hz,window:0.5s"

    def windows(self, items: Sequence[Any]) -> list[Rows]:
        return [np.array([[np.std(item.samples), len(item.samples) / item.rate]]) for item in items]

    def sounds(self, items: Sequence[Any]) -> Rows:
        return np.concatenate(self.windows(items))

    def texts(self, texts: Sequence[str]) -> Rows:
        return np.array([[1.0, float(len(text))] for text in texts])

    def probabilities(self, items: Sequence[Any]) -> NDArray[np.float64]:
        share = np.array([np.abs(item.samples).mean() for item in items])
        return np.stack([share, 1 - share], axis=1)


def _noise(level: float, seconds: float = 0.2) -> Sound:
    rng = np.random.default_rng(int(level * 1000))
    return Sound(rng.uniform(-level, level, round(16000 * seconds)), 16000)


def test_fad_is_the_frechet_distance_of_all_windows() -> None:
    predictions, references = _sounds(12, 1), _sounds(9, 2)
    a, b = np.concatenate(predictions), np.concatenate(references)
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    expected = np.square(a.mean(0) - b.mean(0)).sum() + np.trace(sum(covariances)) - 2 * np.trace(root).real
    metric = FAD()
    assert metric.value(metric.statistics(predictions, references)) == pytest.approx(expected, rel=1e-9)


def test_shards_merge_to_the_same_digits() -> None:
    predictions, references = _sounds(12, 1), _sounds(12, 2)
    for metric in (FAD(), WindowKAD()):
        whole = metric.statistics(predictions, references)
        parts = [metric.statistics(predictions[i : i + 5], references[i : i + 5]) for i in (0, 5, 10)]
        assert metric.value(metric.merge(parts)) == metric.value(whole)


def test_an_interval_leaves_out_whole_sounds_and_their_pairs() -> None:
    predictions, references = _sounds(12, 1), _sounds(12, 2)
    metric = FAD()
    weights = np.ones(12)
    weights[3] = 0
    left = [*predictions[:3], *predictions[4:]], [*references[:3], *references[4:]]
    value = metric.value(metric.statistics(predictions, references), weights)
    assert value == metric.value(metric.statistics(*left))
    fewer = metric.statistics(predictions, references[:7])  # no pairs: the references are taken as given
    assert metric.value(fewer, weights) == metric.value(metric.statistics(left[0], references[:7]))
    found = estimate(metric, metric.statistics(predictions, references))
    assert found.low < found.value < found.high
    assert found.low >= 0
    assert found.n == 12


def test_window_kad_is_the_kernel_distance_of_all_windows() -> None:
    predictions, references = _sounds(12, 1), _sounds(9, 2)
    metric = WindowKAD()
    expected = kernel_audio_distance(np.concatenate(references), np.concatenate(predictions))
    assert metric.value(metric.statistics(predictions, references)) == float(expected)


def test_fd_is_the_frechet_distance_of_one_row_per_sound() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(30, 4)), rng.normal(1, 2, size=(20, 4))
    metric = FD()
    assert metric.value(metric.statistics(list(a), list(b))) == frechet_distance(a, b)
    assert metric.name == "fd"


def test_signatures_name_network_rate_and_window() -> None:
    network = Network()
    for metric in (
        FAD(network),
        WindowKAD(network),
        AudioInceptionScore(network),
        AudioKL(network),
        CLAPScore(network),
    ):
        assert network.signature in metric.signature
        assert metric.signature.startswith(metric.name)
    assert "16000Hz" in MelCepstralDistortion().signature


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [(np.zeros((0, 5)), "reference 1 has rows of shape"), (np.zeros((2, 4)), "reference 1 has 4 dimensions")],
)
def test_a_sound_without_rows_is_named(fault: Rows, complaint: str) -> None:
    sounds = _sounds(3)
    with pytest.raises(MetricInputError, match=f"fad: {complaint}"):
        FAD().statistics(sounds, [sounds[0], fault])


def test_sets_without_a_distance_are_refused() -> None:
    one = [np.zeros((1, 5))]
    metric = FAD()
    for predictions, references in ((one, _sounds(3)), (_sounds(3), one), ([], _sounds(3))):
        with pytest.raises(MetricInputError):
            metric.value(metric.statistics(predictions, references))
    broken = [*_sounds(3), np.full((1, 5), np.nan)]
    with pytest.raises(MetricInputError, match="not finite"):
        metric.value(metric.statistics(broken, _sounds(3)))


def test_audio_inception_score_is_the_published_formula() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(6), 40)
    metric = AudioInceptionScore(splits=4)
    value = metric.value(metric.statistics(list(rows)))
    parts = rows.reshape(4, 10, 6)
    kl = (parts * np.log(parts / parts.mean(axis=1, keepdims=True))).sum(2).mean(1)
    assert value == pytest.approx(np.exp(kl).mean(), rel=1e-12)
    assert value == float(inception_score(rows, splits=4))
    with pytest.raises(MetricInputError, match="3 items cannot make 4 splits"):
        metric.value(metric.statistics(list(rows[:3])))
    sounds = [_noise(level) for level in (0.1, 0.9)]
    one = AudioInceptionScore(Network(), splits=1)
    assert 1 < one.value(one.statistics(sounds)) < 2


def test_the_direction_of_kl_is_in_its_name_and_in_its_value() -> None:
    network, loud, soft = Network(), [_noise(0.9)], [_noise(0.2)]
    there = AudioKL(network)
    back = AudioKL(network, "prediction||reference")
    p, q = network.probabilities(loud), network.probabilities(soft)
    assert there.name == "kl_reference_prediction"
    assert back.name == "kl_prediction_reference"
    assert there.value(there.statistics(soft, loud)) == kl_divergence(p, q)
    assert back.value(back.statistics(soft, loud)) == kl_divergence(q, p)
    assert there.value(there.statistics(loud, loud)) == pytest.approx(0, abs=1e-5)
    with pytest.raises(MetricInputError, match="1 predictions but 2 references"):
        there.statistics(loud, loud * 2)


def test_clap_score_is_a_plain_mean_cosine() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(20, 8)), rng.normal(size=(20, 8))
    expected = np.mean([x @ y / np.linalg.norm(x) / np.linalg.norm(y) for x, y in zip(a, b, strict=True)])
    assert clap_score(a, b) == pytest.approx(expected, rel=1e-12)
    assert clap_score(a, -a) == pytest.approx(-1)  # no clamp at 0
    with pytest.raises(MetricInputError, match="no pairs"):
        clap_score(np.zeros((0, 8)), np.zeros((0, 8)))
    with pytest.raises(MetricInputError, match="row 1 has no direction"):
        clap_score(a[:2], [b[0], np.zeros(8)])


def test_either_side_of_a_clap_score_may_be_the_prediction() -> None:
    metric, sounds, texts = CLAPScore(Network()), [_noise(0.5), _noise(0.2)], ["a", "a dog barks"]
    assert metric.statistics(sounds, texts).tolist() == metric.statistics(texts, sounds).tolist()
    with pytest.raises(MetricInputError, match="one side must be texts"):
        metric.statistics(sounds, sounds)


# --- mel-cepstral distortion ------------------------------------------------------------------------


def _slow_warped(costs: Rows) -> float:
    """Dynamic time warping cell by cell: the least total, and among those the shortest path."""
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for i in range(costs.shape[0]):
        for j in range(costs.shape[1]):
            ways = [best[way] for way in ((i - 1, j), (i, j - 1), (i - 1, j - 1)) if way in best]
            total, steps = min(ways) if ways else (0.0, 0)
            best[i, j] = total + costs[i, j], steps + 1
    total, steps = best[costs.shape[0] - 1, costs.shape[1] - 1]
    return total / steps


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 10**6))
def test_time_warping_is_exact(first: int, second: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(first, 3)), rng.normal(size=(second, 3))
    expected = _slow_warped(frame_distortions(a[:, None], b[None]))
    assert warped_distortion(a, b) == pytest.approx(expected, rel=1e-12)
    assert warped_distortion(b, a) == pytest.approx(expected, rel=1e-12)


def test_cepstra_are_the_cosine_transform_of_log_mel_powers() -> None:
    """Written out a second time, sample by sample, with HTK's formula for the mel scale."""
    wave = np.random.default_rng(0).normal(0, 0.1, 1000)
    frames = [np.pad(wave, (0, 1024))[start : start + 512] for start in range(0, 513, 128)][:5]
    found = mel_cepstra(wave)
    assert found.shape == (5, 13)
    mels = np.linspace(0, 2595 * np.log10(1 + 8000 / 700), 22)
    edges = 700 * (10 ** (mels / 2595) - 1)
    for frame, cepstra in zip(frames, found, strict=True):
        window = [0.5 - 0.5 * np.cos(2 * np.pi * n / 512) for n in range(512)]
        power = np.abs(np.fft.fft(frame * np.array(window))[:257]) ** 2
        bands = []
        for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
            shape = np.interp(np.arange(257) * 16000 / 512, [low, middle, high], [0, 1, 0])
            bands.append(np.log(shape @ power + 1e-10))
        for order in range(1, 14):
            angles = np.pi * order * (np.arange(20) + 0.5) / 20
            assert cepstra[order - 1] == pytest.approx(np.mean(bands * np.cos(angles)), rel=1e-6, abs=1e-8)


def test_a_cepstrum_that_moves_by_one_is_worth_6_142_decibels() -> None:
    moved = np.zeros((4, 13))
    moved[:, 3] = 1
    assert frame_distortions(moved, np.zeros((4, 13))) == pytest.approx(10 / np.log(10) * np.sqrt(2))


def test_distortion_grows_with_noise_and_is_zero_for_itself() -> None:
    rng = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * 300 * np.arange(8000) / 16000) * 0.4 + rng.normal(0, 1e-3, 8000)
    for alignment in ("dtw", "plain"):
        values = [
            mel_cepstral_distortion(wave, wave + rng.normal(0, level, 8000), alignment=alignment)
            for level in (1e-9, 1e-3, 1e-2, 5e-2)
        ]
        assert values == sorted(values)
        assert values[0] < 0.01
        assert values[-1] > 1


def test_alignment_is_stated_and_matters() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(0, 0.1, 2048) * np.hanning(2048) for _ in range(3)]
    before, after = np.zeros(1024), np.zeros(3072)
    early, late = np.concatenate([before, *parts, after]), np.concatenate([after, *parts, before])
    warped = mel_cepstral_distortion(early, late, alignment="dtw")
    assert warped < 0.05 * mel_cepstral_distortion(early, late, alignment="plain")
    with pytest.raises(MetricInputError, match=r"77 and 29 frames.*dtw"):
        mel_cepstral_distortion(early, early[:4096], alignment="plain")
    assert MelCepstralDistortion(alignment="plain").signature != MelCepstralDistortion().signature
    with pytest.raises(ValueError, match="choose dtw or plain"):
        MelCepstralDistortion(alignment="other")  # type: ignore[arg-type]


def test_pairs_of_other_rates_lengths_and_channels_have_a_distortion() -> None:
    wave = _noise(0.5, 0.3).samples
    stereo = Sound(np.stack([wave, wave], axis=1), 16000)
    tiny = Sound(wave[:5], 16000)
    metric = MelCepstralDistortion()
    values = metric.statistics([stereo, tiny, _noise(0.5)], [Sound(wave, 16000), tiny, Sound(wave, 8000)])
    assert values[:2].tolist() == [0, 0]
    assert np.isfinite(values).all()
    silence = Sound(np.zeros(4000), 16000)
    assert 0 < metric.statistics([silence], [Sound(wave, 16000)])[0] < 200


def test_a_broken_pair_is_named() -> None:
    with pytest.raises(MetricInputError, match="a: it is empty"):
        mel_cepstral_distortion([], [0.0])
    with pytest.raises(MetricInputError, match="b: a sample is NaN"):
        mel_cepstral_distortion([0.0], [float("nan")])
    with pytest.raises(MetricInputError, match="pair 1: reference: a str is no sound"):
        MelCepstralDistortion().statistics([_noise(0.1)] * 2, [_noise(0.1), "bark.wav"])
