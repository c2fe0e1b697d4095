"""VGGish and PANNs' Cnn14, with randomly filled files of the published layouts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from metrics.extractors import MissingWeightsError, PannsExtractor, Sound, VGGishExtractor
from metrics.extractors.panns import SHORTEST, VARIANTS, Cnn14
from metrics.extractors.sounds import padded
from metrics.extractors.vggish import WINDOW, VGGish, log_mel_patches
from metrics.extractors.weights import file_hash, load_strictly
from metrics.metric import MetricInputError


def _wave(seconds: float, rate: int = 16_000, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-0.3, 0.3, round(seconds * rate)).astype(np.float32)


# --- VGGish -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def vggish_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the published file's layout, named as it is: by its hash."""
    torch.manual_seed(0)
    state = VGGish().state_dict()
    assert len(state) == 18
    assert sum(value.numel() for value in state.values()) == 72_141_184
    folder = tmp_path_factory.mktemp("vggish")
    torch.save(state, folder / "vggish.pth")
    return (folder / "vggish.pth").rename(folder / f"vggish-{file_hash(folder / 'vggish.pth')}.pth")


@pytest.fixture(scope="module")
def vggish(vggish_file: Path) -> VGGishExtractor:
    return VGGishExtractor(vggish_file)


def test_the_front_end_is_the_published_one() -> None:
    """Written out a second time with its formulas: every step of one patch."""
    wave = _wave(1).astype(np.float64)
    found = log_mel_patches(wave)
    assert found.shape == (1, 96, 64)
    edges = np.linspace(1127 * math.log(1 + 125 / 700), 1127 * math.log(1 + 7500 / 700), 66)
    bins = 1127 * np.log(1 + np.arange(257) * 31.25 / 700)
    for frame in (0, 40, 95):
        hann = [0.5 - 0.5 * math.cos(2 * math.pi * n / 400) for n in range(400)]
        magnitudes = np.abs(np.fft.fft(wave[160 * frame : 160 * frame + 400] * hann, 512))[:257]
        magnitudes[0] = 0
        for band in range(64):
            weights = np.interp(bins, edges[band : band + 3], [0, 1, 0])
            expected = math.log(weights @ magnitudes + 0.01)
            assert found[0, frame, band] == pytest.approx(expected, rel=1e-6)


def test_vggish_loads_the_published_layout(vggish: VGGishExtractor, vggish_file: Path) -> None:
    (rows,) = vggish.windows([Sound(_wave(2.5), 16_000)])
    assert rows.shape == (2, 128)
    assert rows.dtype == np.float32
    assert (rows < 0).any()  # before the last rectifier
    digits = vggish_file.stem[-8:]
    how = "16000Hz,window:0.96s,hop:0.96s,short:zeros,mono:mean,resample:kaiser-best,after:none"
    assert vggish.signature == f"vggish@{digits},{how}"


def test_vggish_flattens_with_channels_last(vggish: VGGishExtractor) -> None:
    patch = torch.from_numpy(log_mel_patches(_wave(0.975)))[:, None]
    with torch.no_grad():
        maps = vggish.network.features(patch)
        assert maps.shape == (1, 512, 6, 4)
        flat = torch.tensor([maps[0, c, t, m] for t in range(6) for m in range(4) for c in range(512)])
        assert torch.allclose(vggish.network(patch), vggish.network.embeddings(flat[None]), atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "windows"),
    [(1, 1), (15_360, 1), (WINDOW, 1), (WINDOW + 15_359, 1), (WINDOW + 15_360, 2), (48_000, 3)],
)
def test_every_sound_has_a_window(samples: int, windows: int) -> None:
    """Elsewhere a sound of exactly 0.96 s has none, and leaves the set without a word."""
    assert len(log_mel_patches(padded(_wave(samples / 16_000), WINDOW))) == windows


def test_a_short_sound_is_heard_with_silence_behind_it(vggish: VGGishExtractor) -> None:
    short = _wave(0.5)
    longer = np.concatenate([short, np.zeros(WINDOW - len(short), np.float32)])
    one, other = vggish.windows([Sound(short, 16_000), Sound(longer, 16_000)])
    assert one.shape == (1, 128)
    assert one.tolist() == other.tolist()


def test_stereo_eight_bits_and_another_rate_come_out_alike(vggish: VGGishExtractor) -> None:
    time = np.arange(44_100) / 44_100
    wave = 0.4 * np.sin(2 * np.pi * 500 * time) + 0.2 * np.sin(2 * np.pi * 1900 * time)
    plain = Sound(wave[:44_100:1], 44_100)
    stereo = Sound(np.stack([wave, wave], axis=1), 44_100)
    coarse = Sound(np.round(wave * 128 + 128).astype(np.uint8), 44_100)
    rows = [part[0] for part in vggish.windows([plain, stereo, coarse])]
    assert rows[0].tolist() == rows[1].tolist()
    assert np.abs(rows[2] - rows[0]).max() < 0.2 * np.abs(rows[0]).max()


def test_overlapping_windows_contain_the_others(vggish_file: Path, vggish: VGGishExtractor) -> None:
    sound = Sound(_wave(2.9), 16_000)
    dense = VGGishExtractor(vggish_file, hop=0.48)
    (many,), (few,) = dense.windows([sound]), vggish.windows([sound])
    assert len(many) == 5
    assert many[::2] == pytest.approx(few, abs=1e-6)
    assert "hop:0.48s" in dense.signature
    with pytest.raises(ValueError, match="10 ms steps"):
        VGGishExtractor(vggish_file, hop=0.005)


def test_whitening_is_off_unless_given(vggish_file: Path, vggish: VGGishExtractor, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    matrix, means = rng.normal(size=(128, 128)), rng.normal(0, 0.01, size=(128, 1))
    torch.save({"pca_eigen_vectors": matrix, "pca_means": means}, tmp_path / "pca.pth")
    sound = Sound(_wave(1), 16_000)
    (plain,), (white,) = (
        extractor.windows([sound])
        for extractor in (vggish, VGGishExtractor(vggish_file, whitening=tmp_path / "pca.pth"))
    )
    expected = matrix @ (np.maximum(plain[0], 0) - means[:, 0])
    assert white[0] == pytest.approx((np.clip(expected, -2, 2) + 2) * 63.75, abs=0.51)
    assert white.tolist() == white.round().tolist()
    torch.save({"pca_eigen_vectors": matrix}, tmp_path / "half.pth")
    with pytest.raises(MissingWeightsError, match="not VGGish's whitening"):
        VGGishExtractor(vggish_file, whitening=tmp_path / "half.pth")


def test_vggish_names_the_broken_sound(vggish: VGGishExtractor) -> None:
    class Broken:
        samples, rate = np.array([np.nan]), 16_000

    with pytest.raises(MetricInputError, match="sound 1: a sample is NaN"):
        vggish.windows([Sound(_wave(1), 16_000), Broken()])
    assert vggish.windows([]) == []


@pytest.mark.parametrize("fault", ["absent", "elsewhere", "renamed", "other", "pickle", "surplus"])
def test_vggish_refuses_other_files(
    vggish_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    path: Path | None = tmp_path / "weights.pth"
    assert path is not None
    if fault == "elsewhere":
        monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
        path = None
    elif fault == "renamed":
        path = tmp_path / "vggish-10086976.pth"
        path.write_bytes(b"something else")
    elif fault == "other":
        torch.save({"features.0.weight": torch.zeros(64, 1, 3, 3)}, path)
    elif fault == "pickle":
        torch.save({"features.0.weight": Path("home")}, path)
    elif fault == "surplus":
        state = torch.load(vggish_file, weights_only=True, mmap=True)
        torch.save({**state, "pproc.matrix": torch.zeros(1)}, path)
    expected = {
        "absent": "no file weights.pth",
        "elsewhere": r"vggish-10086976\.pth is not in torch\.hub's",
        "renamed": "damaged: its sha256",
        "other": r"not VGGish, first seen at embeddings\.0",
        "pickle": "cannot be read",
        "surplus": r"not VGGish, first seen at pproc\.matrix",
    }
    with pytest.raises(MissingWeightsError, match=expected[fault]) as caught:
        VGGishExtractor(path)
    assert "fad over VGGish" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_vggish_serves_torchmetrics_one_window_at_a_time(vggish: VGGishExtractor) -> None:
    waves = torch.from_numpy(np.stack([_wave(1, seed=seed) for seed in (0, 1)]))
    rows = vggish(waves)
    expected = vggish.windows([Sound(wave, 16_000) for wave in waves.numpy()])
    assert rows == pytest.approx(np.concatenate(expected), abs=1e-6)
    for samples in (WINDOW - 1, 2 * 16_000):  # torchmetrics would count one row where there are none or two
        with pytest.raises(ValueError, match="one window"):
            vggish(torch.zeros(2, samples))


@pytest.mark.slow  # importing torchmetrics takes seconds
def test_vggish_is_torchmetrics_feature(vggish: VGGishExtractor) -> None:
    fid = pytest.importorskip("torchmetrics.image.fid")
    from metrics import frechet_distance

    metric = fid.FrechetInceptionDistance(feature=vggish)
    waves = [torch.from_numpy(np.stack([_wave(1, seed=10 * k + n) for n in range(4)])) for k in (1, 2)]
    for batch, real in zip(waves, (True, False), strict=True):
        metric.update(batch * (1 if real else 0.1), real=real)
    expected = frechet_distance(vggish(waves[0]).numpy(), vggish(waves[1] * 0.1).numpy())
    assert float(metric.compute()) == pytest.approx(expected, rel=1e-2)


# --- PANNs ------------------------------------------------------------------------------------------


def _fourier_kernels(window: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The kernels that the published files hold: a Fourier matrix times a periodic Hann window."""
    angles = 2 * np.pi * np.outer(np.arange(window // 2 + 1), np.arange(window)) / window
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    parts = (np.cos(angles) * hann, -np.sin(angles) * hann)
    real, imaginary = (torch.from_numpy(part[:, None].astype(np.float32)) for part in parts)
    return real, imaginary


@pytest.fixture(scope="module")
def panns_state() -> dict[str, torch.Tensor]:
    """Random weights in the published 32 kHz layout, its fixed front end included."""
    torch.manual_seed(1)
    state = Cnn14(32_000).state_dict()
    for key, value in state.items():
        if key.endswith("running_var"):
            value.uniform_(0.5, 2)
    state["bn0.running_mean"].fill_(-30)
    state["bn0.running_var"].fill_(400)
    real, imaginary = _fourier_kernels(1024)
    state["spectrogram_extractor.stft.conv_real.weight"] = real
    state["spectrogram_extractor.stft.conv_imag.weight"] = imaginary
    state["logmel_extractor.melW"] = torch.rand(513, 64) / 513
    return state


@pytest.fixture(scope="module")
def panns_file(tmp_path_factory: pytest.TempPathFactory, panns_state: dict[str, torch.Tensor]) -> Path:
    """A training checkpoint as published: besides the weights, a sampler's arrays."""
    path = tmp_path_factory.mktemp("panns") / "cnn14.pth"
    sampler = {"indexes_per_class": [np.arange(5), np.arange(3)], "pointers": [0, 1]}
    torch.save({"iteration": 600_000, "model": panns_state, "sampler": sampler}, path)
    return path


@pytest.fixture(scope="module")
def panns(panns_file: Path) -> PannsExtractor:
    return PannsExtractor(panns_file)


def test_panns_load_the_published_layout(panns: PannsExtractor, panns_file: Path) -> None:
    # The file's 80.8 million parameters and the front end's 1.1 million fixed numbers.
    learnt = [key for key in panns.network.state_dict() if "extractor" not in key and "batches" not in key]
    assert len(learnt) == 4 + 6 * 10 + 4
    rows = panns.features([Sound(_wave(1, 32_000), 32_000)])
    assert rows.shape == (1, 2048)
    assert rows.min() == 0  # after the rectifier
    assert rows.max() > 0
    how = "32000Hz,window:clip,short:zeros-to-32000,mono:mean,resample:kaiser-best"
    assert panns.signature == f"panns-cnn14@{file_hash(panns_file)},{how},layer:2048"


@pytest.mark.slow
def test_the_real_package_gives_the_same_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of random weights, its own front end included; it would fetch names of classes to the home."""
    labels = tmp_path / "panns_data" / "class_labels_indices.csv"
    labels.parent.mkdir()
    labels.write_text("index,mid,display_name\n" + "".join(f"{k},/m/{k},c{k}\n" for k in range(527)))
    monkeypatch.setenv("HOME", str(tmp_path))
    package = pytest.importorskip("panns_inference.models", exc_type=ImportError)
    torch.manual_seed(2)
    theirs = package.Cnn14(32_000, 1024, 320, 64, 50, 14_000, 527).eval()
    theirs.bn0.running_mean.fill_(-30)
    theirs.bn0.running_var.fill_(400)
    torch.save({"model": theirs.state_dict()}, tmp_path / "random.pth")
    waves = np.stack([_wave(1.5, 32_000, seed=seed) for seed in (3, 4)])
    sounds = [Sound(wave, 32_000) for wave in waves]
    with torch.no_grad():
        expected = theirs(torch.from_numpy(waves))
    embedding = PannsExtractor(tmp_path / "random.pth").features(sounds)
    logits = PannsExtractor(tmp_path / "random.pth", layer="logits").features(sounds)
    size = float(expected["embedding"].abs().max())
    assert np.ptp(embedding) > 0.1 * size
    assert embedding == pytest.approx(expected["embedding"].numpy(), abs=1e-5 * size)
    assert 1 / (1 + np.exp(-logits)) == pytest.approx(expected["clipwise_output"].numpy(), abs=1e-5)


def test_the_front_end_is_a_fourier_transform(panns: PannsExtractor) -> None:
    waves = torch.from_numpy(_wave(1, 32_000))[None]
    hann = torch.hann_window(1024)
    spectrum = torch.stft(waves, 1024, 320, window=hann, center=True, pad_mode="reflect", return_complex=True)
    mel = spectrum.abs().square().transpose(1, 2) @ panns.network.logmel_extractor.melW
    with torch.no_grad():
        assert torch.allclose(panns.network.log_mel(waves), 10 * mel.clamp(min=1e-10).log10(), atol=1e-3)
        assert panns.network.log_mel(torch.zeros(1, 32_000)).max() == -100


def test_the_network_pools_as_published(panns: PannsExtractor) -> None:
    network, waves = panns.network, torch.from_numpy(_wave(1, 32_000))[None]
    with torch.no_grad():
        x = network.log_mel(waves)
        bn, stored = network.bn0, network.state_dict()
        mean, spread = stored["bn0.running_mean"], stored["bn0.running_var"]
        x = ((x - mean) / (spread + bn.eps).sqrt() * bn.weight + bn.bias)[:, None]
        for number in range(1, 7):
            block = getattr(network, f"conv_block{number}")
            x = block.bn2(block.conv2(block.bn1(block.conv1(x)).relu())).relu()
            x = torch.nn.functional.avg_pool2d(x, 2) if number < 6 else x
        x = x.mean(3)
        x = network.fc1(x.max(2).values + x.mean(2)).relu()
        assert torch.allclose(network(waves), x, atol=1e-5)
        assert torch.allclose(network(waves, "logits"), network.fc_audioset(x), atol=1e-5)


def test_lengths_and_batches_change_nothing(panns: PannsExtractor) -> None:
    sounds = [Sound(_wave(seconds, 32_000), 32_000) for seconds in (1.2, 0.3, 1.2)]
    together = panns.features(sounds)
    for sound, row in zip(sounds, together, strict=True):
        assert panns.features([sound])[0] == pytest.approx(row, abs=1e-5)
    longer = Sound(padded(sounds[1].samples, SHORTEST), 32_000)
    assert panns.features([longer])[0] == pytest.approx(together[1], abs=1e-6)
    assert [rows.tolist() for rows in panns.windows(sounds)] == [[row.tolist()] for row in together]
    assert panns.features([]).shape == (0, 2048)


def test_classes_need_the_layer_of_logits(panns: PannsExtractor, panns_file: Path) -> None:
    sounds = [Sound(_wave(1, 32_000, seed), 32_000) for seed in (0, 1)]
    classifier = PannsExtractor(panns_file, layer="logits")
    rows = classifier.probabilities(sounds)
    assert rows.shape == (2, 527)
    assert rows.sum(axis=1) == pytest.approx(1)
    logits = classifier(torch.from_numpy(np.stack([sound.samples for sound in sounds])))
    assert logits.double().softmax(1).numpy() == pytest.approx(rows, abs=1e-9)
    with pytest.raises(ValueError, match="has no classes"):
        panns.probabilities(sounds)


def test_each_rate_has_its_own_file(panns_file: Path, panns_state: dict[str, Any]) -> None:
    with pytest.raises(MissingWeightsError, match="not PANNs' Cnn14 for 16000 Hz, first seen at logmel"):
        PannsExtractor(panns_file, rate=16_000)
    real, imaginary = _fourier_kernels(512)
    changed = {
        "spectrogram_extractor.stft.conv_real.weight": real,
        "spectrogram_extractor.stft.conv_imag.weight": imaginary,
        "logmel_extractor.melW": torch.rand(257, 64),
    }
    network = Cnn14(16_000).eval()
    load_strictly(network, {**panns_state, **changed}, "Cnn14", "file", ())
    with torch.no_grad():
        assert network(torch.zeros(1, 32_000), "logits").shape == (1, 527)


@pytest.mark.parametrize("rate", VARIANTS)
def test_a_file_of_the_published_name_must_be_the_published_file(tmp_path: Path, rate: int) -> None:
    with pytest.raises(MissingWeightsError, match="is not in the folder") as caught:
        PannsExtractor(tmp_path, rate=rate)
    assert VARIANTS[rate].file in str(caught.value)
    assert "audio_inception_score" in str(caught.value)
    (tmp_path / VARIANTS[rate].file).write_bytes(b"cut off")
    with pytest.raises(MissingWeightsError, match="damaged: its sha256 starts with"):
        PannsExtractor(tmp_path, rate=rate)


def test_unknown_rates_and_layers_are_named() -> None:
    with pytest.raises(ValueError, match=r"\[16000, 32000\] and \['2048', 'logits'\]"):
        PannsExtractor(rate=44_100)
