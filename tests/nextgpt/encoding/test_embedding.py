"""ImageBind of random weights as an embedder of any two media, and the scores that are made of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from metrics import ImageBindScore, Recording
from nextgpt.encoding.embedding import MediaEmbedder, load
from nextgpt.encoding.imagebind import TINY, ImageBind, TrunkConfig
from nextgpt.encoding.preprocessing import preprocess_audio, preprocess_image, preprocess_video
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Video

RNG = np.random.default_rng(0)
FRAMES = RNG.integers(0, 256, (24, 40, 48, 3), dtype=np.uint8)
WAVE = RNG.normal(0, 0.1, 48_000).clip(-1, 1).astype(np.float32)


@pytest.fixture(scope="module")
def network() -> ImageBind:
    torch.manual_seed(0)
    heard = {**TINY.modalities, "audio": TrunkConfig(32, 1, 2)}
    return ImageBind(dataclasses.replace(TINY, modalities=heard)).eval()


@pytest.fixture(scope="module")
def embedder(network: ImageBind) -> MediaEmbedder:
    return MediaEmbedder(network, "tiny")


def cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    return float(torch.nn.CosineSimilarity(dim=-1)(a, b).mean())


def test_any_two_media_are_compared_as_imagebind_embeds_them(
    network: ImageBind, embedder: MediaEmbedder
) -> None:
    config = network.config
    picture, clip, sound = Image(FRAMES[0]), Video(FRAMES, 8.0), Audio(WAVE, rate=16_000)
    with torch.no_grad():
        independent = {
            "picture": network("vision", preprocess_image(picture.pixels, config.image_size)[None]),
            "clip": network(
                "vision", preprocess_video(FRAMES, 8.0, config.image_size, config.kernel[0])[None]
            ),
            "sound": network("audio", preprocess_audio(WAVE, config.mel_bins, config.mel_frames)[None]),
        }
    items = {"picture": picture, "clip": clip, "sound": sound}
    metric = ImageBindScore(embedder)
    for one in items:
        for other in items:
            found = metric.statistics([items[one]], [items[other]])[0]
            assert found == pytest.approx(cosine(independent[one], independent[other]), abs=1e-5)


def test_frames_and_windows_are_put_together_as_published(
    network: ImageBind, embedder: MediaEmbedder
) -> None:
    recording = Recording(FRAMES, 8.0, WAVE, 16_000)
    config = network.config
    with torch.no_grad():
        frames = torch.cat(
            [network("vision", preprocess_image(each, config.image_size)[None]) for each in FRAMES]
        )
        whole = network("audio", preprocess_audio(WAVE, config.mel_bins, config.mel_frames)[None])
        heard = [
            network("audio", preprocess_audio(WAVE[k : k + 32_000], config.mel_bins, config.mel_frames)[None])
            for k in (0, 8_000, 16_000)
        ]
    assert ImageBindScore(embedder, "frames").statistics([recording], [None])[0] == pytest.approx(
        cosine(frames, whole), abs=1e-5
    )
    lowest = []
    for number, sound in enumerate(heard):
        inside = frames[number * 4 : number * 4 + 16]
        fits = torch.nn.CosineSimilarity(dim=-1)(inside, sound)
        lowest.append(float(torch.topk(fits, int(16 * 0.4), largest=False)[0].mean()))
    found = ImageBindScore(embedder, "windows").statistics([recording], [None])[0]
    assert found == pytest.approx(float(np.mean(lowest)), abs=1e-5)


def test_it_is_an_extractor_by_name_and_says_what_lacks(network: ImageBind, tmp_path: Path) -> None:
    from benchmarks.registry import load_extractor

    folder = tmp_path / "tiny-imagebind"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(dataclasses.asdict(network.config)))
    save_file(network.state_dict(), folder / "model.safetensors")
    made = load_extractor(f"imagebind:{folder}")
    assert made.signature.startswith("imagebind:tiny-imagebind@")
    assert made.media([Image(FRAMES[0])]).shape == (1, network.config.out_dim)
    with pytest.raises(ValueError, match=r"texts need tokenizer\.json"):
        made.media(["a dog"])
    with pytest.raises(ValueError, match="a int is no medium"):
        made.media([3])
    with pytest.raises(ConfigError):
        load(tmp_path)
