from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from baselines.diffusers import Diffusers, load
from benchmarks.harness.system import System
from nextgpt.errors import ConfigError
from nextgpt.media import Image, Medium
from nextgpt.messages import Failure, Message, Modality, Request, user
from nextgpt.watching import watched
from tests.nextgpt import pipelines
from tests.nextgpt.ears import Ears

SMALL = {
    "Zeroscope": "&frames=3&fps=4",
    "Wan": "&height=16&width=16&frames=5",
    "CogVideoX": "&height=16&width=16&frames=5",
    "AudioLDM": "&seconds=0.1",
    "AudioLDM 2": "&seconds=0.1",
    "Stable Audio": "&seconds=0.002",
}
Systems = Callable[[str], Diffusers]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = pipelines.build(name, tmp_path_factory.mktemp("pipelines") / name.replace(" ", "-"))
        return made[name]

    return folder


@pytest.fixture(scope="module")
def systems(folders: Callable[[str], Path]) -> Systems:
    made: dict[str, Diffusers] = {}

    def system(name: str) -> Diffusers:
        return made.setdefault(name, made.get(name) or load(f"{folders(name)}?steps=2{SMALL.get(name, '')}"))

    return system


def wish(text: str, seed: int = 0, **more: Any) -> Request:
    return Request((user(text),), seed=seed, **more)


def medium(answer: Message | Failure) -> Medium:
    assert isinstance(answer, Message), answer
    assert len(answer.parts) == 1
    return answer.media[0]


def numbers(answer: Message | Failure) -> np.ndarray:
    made = medium(answer)
    return np.asarray(
        getattr(made, {"image": "pixels", "video": "frames", "audio": "samples"}[made.modality]), float
    )


@pytest.mark.parametrize("name", pipelines.FAMILIES)
def test_every_family_makes_what_it_makes_from_words_and_seed(systems: Systems, name: str) -> None:
    system = systems(name)
    assert isinstance(system, System)
    assert system.accepts == {"text"}
    assert system.produces == {pipelines.FAMILIES[name][1]}
    asked = [wish("a red circle"), wish("a large blue square", 1), wish("a red circle", 2)]
    red, blue, other = system.respond(asked)
    assert medium(red).modality == pipelines.FAMILIES[name][1]
    assert medium(red) != medium(other)
    tolerance = 2 if medium(red).modality != "audio" else 1e-3  # rounding of other batches
    for answer, request in zip((red, blue, other), asked, strict=True):
        alone = numbers(system.respond([request])[0])
        assert np.abs(alone - numbers(answer)).max() <= tolerance


def test_options_reach_the_pipeline(systems: Systems, folders: Callable[[str], Path]) -> None:
    (clip,) = systems("Zeroscope").respond([wish("a red circle")])
    assert repr(medium(clip)).startswith("Video(16x16, 3 frames at 4/s")
    (sound,) = systems("AudioLDM").respond([wish("a red circle")])
    assert repr(medium(sound)).startswith("Audio(0.10 s, 16000 Hz")
    wide = load(f"{folders('Stable Diffusion')}?steps=1&width=32&height=16")
    assert repr(medium(wide.respond([wish("a red circle")])[0])).startswith("Image(32x16")


def test_fingerprint_follows_options_and_not_the_batch(folders: Callable[[str], Path]) -> None:
    folder = folders("Stable Diffusion")
    before = load(str(folder)).fingerprint
    assert load(f"{folder}?batch=2").fingerprint == before
    assert load(f"{folder}?steps=2").fingerprint != before
    assert load(f"{folder}?guidance=2").fingerprint != before


def test_wish_that_it_cannot_grant_is_a_failure_of_its_request_alone(systems: Systems) -> None:
    picture = Image(np.zeros((8, 8, 3), np.uint8))
    system = systems("Stable Diffusion")
    empty, shown, sounding, good = system.respond(
        [
            wish(""),
            Request((user(picture, "mirror it"),)),
            wish("a tone", wanted=frozenset[Modality]({"audio"})),
            wish("a red circle"),
        ]
    )
    assert empty == Failure("encode", "the last message says nothing to be made")
    assert shown == Failure("encode", f"{system.name} can't take image")
    assert sounding == Failure("reply", f"{system.name} can't answer in audio")
    assert medium(good).modality == "image"


def test_pipeline_whose_call_takes_a_picture_changes_the_one_that_is_shown(
    folders: Callable[[str], Path], tmp_path: Path
) -> None:
    import diffusers

    parts = diffusers.StableDiffusionPipeline.from_pretrained(folders("Stable Diffusion")).components
    folder = tmp_path / "changes"
    diffusers.StableDiffusionImg2ImgPipeline(**parts, requires_safety_checker=False).save_pretrained(folder)
    system = load(f"{folder}?steps=4")
    assert system.accepts == {"text", "image"}
    black, white = (Image(np.full((16, 16, 3), value, np.uint8)) for value in (0, 255))
    changed = system.respond([Request((user(picture, "a red circle"),)) for picture in (black, white)])
    assert medium(changed[0]) != medium(changed[1])
    (two,) = system.respond([Request((user(black, white, "mix them"),))])
    assert isinstance(two, Failure)
    assert "takes one picture, and is given 2" in two.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("?frames=3", "frames: a StableDiffusionPipeline takes no num_frames"),
        ("?seconds=3", "takes no audio_length_in_s or audio_end_in_s"),
        ("?stepps=3", "did you mean 'steps'"),
    ],
)
def test_option_that_makes_no_sense_is_refused(
    folders: Callable[[str], Path], options: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        load(f"{folders('Stable Diffusion')}{options}")


def test_folder_that_is_no_pipeline_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "NoSuchPipeline"}))
    with pytest.raises(ConfigError, match="no pipeline that diffusers can load"):
        load(str(tmp_path))


def test_numbers_that_are_none_are_a_failure(systems: Systems) -> None:
    system = systems("Stable Diffusion")
    weight = next(iter(system._pipeline.vae.decoder.parameters()))
    kept = weight.data.clone()
    weight.data.fill_(float("nan"))
    (answer,) = system.respond([wish("a red circle")])
    weight.data.copy_(kept)
    assert isinstance(answer, Failure)
    assert "NaN or infinity" in answer.reason


@pytest.mark.parametrize("name", ["Stable Diffusion", *SMALL])
def test_whoever_watches_hears_each_step(systems: Systems, name: str) -> None:
    system = systems(name)
    (kind,) = system.produces
    ears = Ears()
    with watched(ears):
        (answer,) = system.respond([wish("a red star")])
    assert ears.steps == [(kind, 1, 2), (kind, 2, 2)]
    assert medium(answer) == medium(system.respond([wish("a red star")])[0])
