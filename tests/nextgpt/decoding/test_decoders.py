"""Pictures, clips and sounds from conditions, by a random pipeline of each family."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nextgpt.decoding.audio import AudioDecoder
from nextgpt.decoding.conditions import read_condition
from nextgpt.decoding.decoder import Decoder
from nextgpt.decoding.image import ImageDecoder
from nextgpt.decoding.shelf import Shelf
from nextgpt.decoding.video import VideoDecoder
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Medium, Video
from tests.nextgpt.pipelines import FAMILIES, build

KINDS: dict[str, Any] = {"image": ImageDecoder, "video": VideoDecoder, "audio": AudioDecoder}
HOW: dict[str, Any] = {"steps": 2, "guidance": 3.0}
CPU = torch.device("cpu")
DENOISES = ["Stable Diffusion XL", "Zeroscope", "AudioLDM", "AudioLDM 2"]
_loaded: dict[str, tuple[Decoder, Path]] = {}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield tmp_path_factory.mktemp("pipelines")
    _loaded.clear()


def loaded(name: str, root: Path) -> tuple[Decoder, Path]:
    if name not in _loaded:
        folder = build(name, root / name.replace(" ", ""))
        _, modality, _, options = FAMILIES[name]
        _loaded[name] = KINDS[modality].load(folder, torch.float32, CPU, options), folder
    return _loaded[name]


def numbers(medium: Medium) -> np.ndarray:
    if isinstance(medium, Audio):
        return medium.samples * 255
    return (medium.pixels if isinstance(medium, Image) else medium.frames).astype(float)


def alike(left: Medium, right: Medium) -> bool:
    """Equal, but for rounding."""
    one, other = numbers(left), numbers(right)
    return one.shape == other.shape and bool(np.abs(one - other).max() <= 1.01)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_condition_makes_media(name: str, root: Path) -> None:
    """Shape read from files; batch, order and neighbours change nothing; the seed and the guidance do."""
    decoder, folder = loaded(name, root)
    _, modality, shape, _ = FAMILIES[name]
    condition = read_condition(folder, modality)  # type: ignore[arg-type]
    assert (condition.length, condition.width) == (decoder.length, decoder.width) == shape
    told = decoder.encode_text(["a red circle", "a large blue square"])
    assert told.shape == (2, *shape)
    assert torch.equal(condition.pack(condition.unpack(told)), told)
    together = decoder.generate(told, [1, 2], **HOW)
    assert all(medium.modality == modality for medium in together)
    backwards = decoder.generate(told.flip(0), [2, 1], **HOW)[::-1]
    alone = [decoder.generate(told[k : k + 1], [k + 1], **HOW)[0] for k in range(2)]
    for one, two, three in zip(together, backwards, alone, strict=True):
        assert alike(one, two)
        assert alike(one, three)
    first, other = decoder.generate(told[:1].expand(2, -1, -1), [1, 7], **HOW)
    assert alike(first, together[0])
    assert first != other
    assert alike(decoder.generate_from_text(["a red circle"], [1], **HOW)[0], alone[0])
    assert decoder.generate_from_text([], [], **HOW) == []


@pytest.mark.parametrize("name", FAMILIES)
def test_the_condition_and_its_weight_change_what_is_made(name: str, root: Path) -> None:
    decoder, _ = loaded(name, root)
    told = decoder.encode_text(["a red circle"])
    (plain,) = decoder.generate(told, [1], steps=2, guidance=1.0)
    (other,) = decoder.generate(told + 100 * torch.randn(told.shape), [1], steps=2, guidance=1.0)
    assert plain != other
    (guided,) = decoder.generate(told * 100, [1], steps=2, guidance=9.0)
    assert guided != decoder.generate(told * 100, [1], steps=2, guidance=1.0)[0]


def test_what_the_pipeline_itself_makes_of_a_prompt(root: Path) -> None:
    """Nothing is lost on the way through a packed condition."""
    for name in ("Stable Diffusion XL", "AudioLDM", "AudioLDM 2", "Stable Audio"):
        decoder, _ = loaded(name, root)
        (ours,) = decoder.generate_from_text(["a red circle"], [3], **HOW)
        empty = {} if name == "Stable Audio" else {"negative_prompt": None}
        theirs = decoder.pipeline(
            "a red circle",
            generator=[torch.Generator().manual_seed(3)],
            num_inference_steps=2,
            guidance_scale=3.0,
            output_type="np",
            **empty,
        )
        assert alike(ours, decoder._media(theirs)[0]), name


def test_sizes_rates_and_lengths(root: Path) -> None:
    picture = loaded("Stable Diffusion XL", root)[0]
    clip, wan = loaded("Zeroscope", root)[0], loaded("Wan", root)[0]
    sound, stereo = loaded("AudioLDM", root)[0], loaded("Stable Audio", root)[0]
    (image,) = picture.generate_from_text(["a"], [0], **HOW)
    assert (image.width, image.height) == (16, 16)
    (video,) = clip.generate_from_text(["a"], [0], **HOW)
    assert isinstance(video, Video)
    assert (video.frames.shape, video.fps) == ((3, 16, 16, 3), 4)
    (video,) = wan.generate_from_text(["a"], [0], **HOW)
    assert (video.frames.shape, video.fps) == ((5, 16, 16, 3), 8)
    (audio,) = sound.generate_from_text(["a"], [0], **HOW)
    assert audio.rate == 16000
    assert len(audio.samples) == pytest.approx(256, abs=4)
    (audio,) = stereo.generate_from_text(["a"], [0], **HOW)
    assert audio.samples.ndim == 1


@pytest.mark.parametrize("name", DENOISES)
def test_denoising_is_a_loss_of_the_condition_alone(name: str, root: Path) -> None:
    decoder, _ = loaded(name, root)
    clip = Video(np.full((5, 20, 20, 3), 90, np.uint8), 8)
    media: dict[str, Medium] = {
        "image": clip.frame(0),
        "video": clip,
        "audio": Audio(np.sin(np.arange(3000) * 0.3).astype(np.float32), 16000),
    }
    medium = media[decoder.modality]
    latents = decoder.encode_latents([medium, medium])
    condition = decoder.encode_text(["a red circle", "hello"]).requires_grad_()
    loss = decoder.denoising_loss(condition, latents, torch.Generator().manual_seed(0), min_snr=5.0)
    loss.backward()
    assert torch.isfinite(loss)
    assert condition.grad is not None
    assert condition.grad.abs().sum() > 0
    assert all(value.grad is None for part in decoder.parts().values() for value in part.parameters())


def test_latents_of_a_clip_have_the_pipelines_frames(root: Path) -> None:
    decoder, _ = loaded("Zeroscope", root)
    assert isinstance(decoder, VideoDecoder)
    ramp = np.repeat(np.arange(0, 250, 25, dtype=np.uint8), 16 * 16 * 3).reshape(10, 16, 16, 3)
    latents = decoder.encode_latents([Video(ramp, 8)])
    assert latents.shape == (1, 4, 3, 8, 8)
    still = decoder.encode_latents([Video(ramp[9:], 8)])
    assert torch.allclose(latents[:, :, 2], still[:, :, 2], atol=1e-5)


def test_a_tone_stands_in_its_mel_bin(root: Path) -> None:
    decoder, _ = loaded("AudioLDM", root)
    assert isinstance(decoder, AudioDecoder)
    loud = []
    for hertz in (300, 3000):
        wave = np.sin(2 * np.pi * hertz * np.arange(2000) / 16000).astype(np.float32)
        mel = decoder._mel(Audio(wave, 16000))
        assert mel.shape == (64, 8)
        loud.append(mel.mean(0).argmax())
    assert loud[0] < loud[1]
    assert decoder._mel(Audio(np.zeros(10, np.float32), 16000)).max() == pytest.approx(np.log(1e-5), abs=1e-3)


@pytest.mark.parametrize("name", ["Wan", "CogVideoX", "Stable Audio"])
def test_where_denoising_is_no_loss_it_says_so(name: str, root: Path) -> None:
    decoder, _ = loaded(name, root)
    medium = (
        Video(np.zeros((2, 8, 8, 3), np.uint8), 8)
        if decoder.modality == "video"
        else Audio(np.zeros(500, np.float32), 16000)
    )
    with pytest.raises(ConfigError, match="set its weight to 0"):
        decoder.encode_latents([medium])


def test_what_does_not_fit_is_refused(root: Path, tmp_path: Path) -> None:
    decoder, folder = loaded("AudioLDM", root)
    with pytest.raises(ConfigError, match=r"takes no 'audio_lenght_in_s'; it takes .*audio_length_in_s"):
        AudioDecoder(decoder.pipeline, decoder.shape, {"audio_lenght_in_s": 5})
    with pytest.raises(ConfigError, match="makes audio, but the preset has it for video"):
        VideoDecoder.load(folder, torch.float32, CPU)
    with pytest.raises(ConfigError, match="no diffusion pipeline that is whole"):
        read_condition(tmp_path)
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"}))
    with pytest.raises(ConfigError, match="a FluxPipeline; of diffusion pipelines, StableDiffusion"):
        read_condition(tmp_path)
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDif')
    with pytest.raises(ConfigError, match="no diffusion pipeline that is whole"):
        read_condition(tmp_path)


class Evil:
    """A pickle that runs code when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_a_pickle_that_runs_code_is_not_loaded(tmp_path: Path) -> None:
    folder = build("AudioLDM", tmp_path / "pipeline")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with (folder / "unet" / "diffusion_pytorch_model.bin").open("wb") as file:
        pickle.dump({"conv_in.weight": Evil(tmp_path / "ran")}, file)
    with pytest.raises(ConfigError, match="no pipeline that diffusers can load"):
        AudioDecoder.load(folder, torch.float32, CPU)
    assert not (tmp_path / "ran").exists()


def test_decoders_wait_where_they_are_told_to(root: Path) -> None:
    decoder, folder = loaded("AudioLDM", root)
    loads: list[str] = []

    def make() -> Decoder:
        loads.append("audio")
        return AudioDecoder.load(folder, torch.float32, CPU)

    for keep, times in (("device", 1), ("memory", 1), ("disk", 2)):
        loads.clear()
        shelf = Shelf({"audio": make, "image": make}, keep)  # type: ignore[arg-type]
        assert (shelf.loaded, len(shelf), list(shelf)) == ((), 2, ["audio", "image"])
        for _ in range(2):
            with shelf.using("audio") as found:
                assert shelf.loaded == ("audio",)
                assert found.generate_from_text(["a"], [1], **HOW) == decoder.generate_from_text(
                    ["a"], [1], **HOW
                )
        assert len(loads) == times, keep
        assert shelf.loaded == (() if keep == "disk" else ("audio",))


def test_a_decoder_in_main_memory_comes_back_to_its_device() -> None:
    class Moving:
        device = torch.device("meta")

        def to(self, device: torch.device) -> None:
            self.device = device

    moving = Moving()
    shelf = Shelf({"image": lambda: moving}, "memory")  # type: ignore[dict-item, return-value]
    with shelf.using("image") as found:
        assert found.device.type == "meta"
    assert moving.device.type == "cpu"
    with pytest.raises(AttributeError), shelf.using("image") as found:
        found.generate  # noqa: B018  (whatever goes wrong, the device is free afterwards)
    assert moving.device.type == "cpu"
