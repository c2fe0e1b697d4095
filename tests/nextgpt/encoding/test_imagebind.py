"""ImageBind against recorded answers of the published implementation, and its refusals."""

from __future__ import annotations

import dataclasses
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from nextgpt.encoding.imagebind import (
    IMAGE_MEAN,
    IMAGE_STD,
    TINY,
    ImageBind,
    ImageBindConfig,
    TrunkConfig,
    preprocess_image,
)
from nextgpt.media import Audio, Medium, Video

PARITY = Path(__file__).parents[4] / "shared" / "data" / "parity"
SMALL = ImageBindConfig(
    out_dim=32,
    modalities={
        "vision": TrunkConfig(64, 2, 4),
        "text": TrunkConfig(64, 2, 4),
        "audio": TrunkConfig(48, 2, 4),
    },
)
needs_parity = pytest.mark.skipif(
    not (PARITY / "imagebind_small.npz").exists(), reason=f"recorded answers not found under {PARITY.name}/"
)


def rebuilt_weights(shapes: dict[str, list[int]], buffers: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights that the recorded answers were made with, rebuilt from their names alone."""
    weights = {}
    for name in sorted(shapes):
        if name.rpartition(".")[2] in ("mask", "log_logit_scale"):
            weights[name] = buffers[name]
            continue
        generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        weights[name] = torch.randn(shapes[name], generator=generator) * 0.05
        if (
            name.endswith("weight")
            and len(shapes[name]) == 1
            and ("norm" in name or name.endswith(".0.weight"))
        ):
            weights[name] += 1
    return weights


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (*shape, 3) if len(shape) == 3 else shape, np.uint8)


def assert_close(answer: Tensor, recorded: np.ndarray) -> None:
    difference = (answer - torch.from_numpy(recorded)).abs().max() / np.abs(recorded).max()
    assert difference < 1e-4


@pytest.fixture(scope="module")
def small() -> ImageBind:
    model = ImageBind(SMALL).eval()
    shapes = json.loads((PARITY / "imagebind_small_keys.json").read_text())
    model.load_state_dict(rebuilt_weights(shapes, model.state_dict()), strict=True)
    return model


@pytest.fixture(scope="module")
def inputs() -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(1)
    image = torch.randn(2, 3, 224, 224, generator=g)
    video = torch.randn(1, 2, 3, 2, 224, 224, generator=g)
    audio = torch.randn(2, 3, 1, 128, 204, generator=g)
    text = torch.randint(1, 49405, (2, 77), generator=g)
    text[0, 10] = 49407
    text[0, 11:] = 0
    text[1, 76] = 49407
    return {"image": image, "video": video, "audio": audio, "text": text}


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    with np.load(PARITY / "imagebind_small.npz") as archive:
        return dict(archive)


@needs_parity
@pytest.mark.parametrize("kind", ["image", "video", "audio", "text"])
@torch.inference_mode()
def test_embeddings_equal_the_published_implementation(
    kind: str, small: ImageBind, inputs: dict[str, Tensor], recorded: dict[str, np.ndarray]
) -> None:
    modality = "vision" if kind in ("image", "video") else kind
    assert_close(small(modality, inputs[kind]), recorded[kind])


@needs_parity
@torch.inference_mode()
def test_patch_tokens_equal_the_published_head(
    small: ImageBind, inputs: dict[str, Tensor], recorded: dict[str, np.ndarray]
) -> None:
    tokens = small.tokens("vision", inputs["image"], with_cls=True, normalised=False)
    assert list(tokens.shape) == recorded["image_tokens_shape"].tolist()
    assert_close(tokens[:, :4], recorded["image_tokens_raw"])
    tokens = small.tokens("audio", inputs["audio"][:, 0], with_cls=True, normalised=False)
    assert list(tokens.shape) == recorded["audio_tokens_shape"].tolist()
    assert_close(tokens[:, :4], recorded["audio_tokens_raw"])


@pytest.fixture(scope="module")
def tiny() -> ImageBind:
    return ImageBind(TINY).eval()


@torch.inference_mode()
def test_patch_tokens_are_normalised_and_leave_the_cls_token_out(tiny: ImageBind) -> None:
    image = torch.randn(2, 3, 64, 64)
    tokens = tiny.tokens("vision", image)
    assert tokens.shape == (2, 64, 128)
    assert torch.allclose(tokens.norm(dim=-1), torch.ones(2, 64), atol=1e-5)
    with_cls = tiny.tokens("vision", image, with_cls=True)
    assert torch.equal(with_cls[:, 1:], tokens)
    assert torch.allclose(with_cls[:, 0], tiny("vision", image), atol=1e-6)


@torch.inference_mode()
def test_clips_are_averaged_after_normalisation(tiny: ImageBind) -> None:
    clips = torch.randn(1, 3, 3, 2, 64, 64)
    each = torch.stack([tiny("vision", clips[:, i : i + 1]) for i in range(3)])
    assert torch.allclose(tiny("vision", clips), each.mean(0), atol=1e-6)


@torch.inference_mode()
def test_a_picture_is_a_clip_of_equal_frames(tiny: ImageBind) -> None:
    image = torch.randn(1, 3, 64, 64)
    clip = image[:, None, :, None].expand(1, 1, 3, 2, 64, 64)
    assert torch.allclose(tiny("vision", image), tiny("vision", clip), atol=1e-6)


@torch.inference_mode()
def test_text_after_the_end_token_changes_nothing(tiny: ImageBind) -> None:
    text = torch.tensor([[5, 6, 7, 2, 0, 0], [5, 6, 7, 2, 9, 2]])
    first, second = tiny("text", text)
    assert torch.allclose(first, second, atol=1e-5)
    assert torch.allclose(first, tiny("text", text[:1, :4])[0], atol=1e-5)


def test_what_does_not_fit_is_refused(tiny: ImageBind) -> None:
    with pytest.raises(ValueError, match="no 'audio' trunk"):
        tiny("audio", torch.zeros(1, 1, 128, 204))
    for shape in [(1, 3, 32, 32), (1, 3, 2, 64, 64), (1, 1, 3, 3, 64, 64), (3, 64, 64)]:
        with pytest.raises(ValueError, match="must be"):
            tiny("vision", torch.zeros(shape))
    with pytest.raises(ValueError, match="must be"):
        tiny("text", torch.zeros(1, 49, dtype=torch.long))
    with pytest.raises(ValueError, match=r"rows \[1\] hold no end token"):
        tiny("text", torch.tensor([[5, 2], [5, 6]]))
    with pytest.raises(ValueError, match="nothing else"):
        ImageBindConfig(modalities={"smell": TrunkConfig(8, 1, 1)})


def test_a_picture_is_resized_cropped_and_normalised() -> None:
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 100:200] = 255
    middle = preprocess_image(pixels, size=50)
    white = (1 - torch.tensor(IMAGE_MEAN)) / torch.tensor(IMAGE_STD)
    assert middle.shape == (3, 50, 50)
    assert torch.allclose(middle[:, 25, 25], white, atol=1e-5)
    # A picture of the right size is only normalised, alone as in a batch.
    exact = pixels[:50, 75:125]
    assert torch.equal(preprocess_image(exact, size=50), preprocess_image(exact[None], size=50)[0])


def test_pictures_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        preprocess_image(np.zeros((4, 4, 3), np.float32))
    with pytest.raises(ValueError, match="64x64 already"):
        preprocess_image(np.zeros((2, 4, 4, 3), np.uint8), size=64)


@pytest.mark.parametrize(
    ("media", "pieces"),
    [
        # A square clip of two seconds; a wide one, seen in three crops; a long one, in five pieces of three.
        ([Video(noise(16, 32, 32), 8)], 1),
        ([Video(noise(16, 32, 32), 8), Video(noise(8, 32, 32), 4)], 2),
        ([Video(noise(16, 24, 40), 8)], 3),
        ([Video(noise(80, 24, 40), 8)], 15),
        ([Audio(np.float32(1 / 255) * noise(32_000), 16_000)], 1),
        ([Audio(np.float32(1 / 255) * noise(96_000), 16_000)], 3),
    ],
)
def test_pieces_that_are_the_same_are_encoded_once(
    media: list[Medium], pieces: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = ImageBind(dataclasses.replace(SMALL, image_size=32, kernel=(2, 8, 8))).eval()
    trunk = "audio" if isinstance(media[0], Audio) else "vision"
    with torch.no_grad():
        prepared = torch.stack([model._prepared(medium) for medium in media])
        each = model.tokens(trunk, prepared, with_cls=True)
        seen: list[int] = []
        encode = model._encode

        def noted(name: str, x: Tensor) -> Tensor:
            seen.append(len(x))
            return encode(name, x)

        monkeypatch.setattr(model, "_encode", noted)
        assert torch.allclose(model.encode(media), each, atol=1e-5)
    assert seen == [pieces]
