"""Each backbone for sound and motion is made in two steps, saved, and read by the classes that use it."""

from __future__ import annotations

import dataclasses
import json
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from diffusers import AudioLDMPipeline, TextToVideoSDPipeline
from safetensors.torch import load_file
from transformers import AutoTokenizer
from typer.testing import CliRunner

import toyworld
from metrics.extractors import ClapExtractor
from metrics.extractors.sounds import Sound
from nextgpt.decoding.conditions import read_condition
from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig
from toyworld.kinds import kind_of
from toyworld.pretrain import (
    audio_diffusion,
    clap,
    language_model,
    media_encoder,
    media_language_model,
    mel_autoencoder,
    video_diffusion,
)
from toyworld.pretrain.__main__ import PARTS, app
from toyworld.pretrain.cards import recipes
from toyworld.pretrain.loop import Recipe
from toyworld.pretrain.tokenizer import MEDIA_LENGTH, build, build_for_media, save
from toyworld.sounds.render import RATE, SAMPLES, samples
from toyworld.splits import Value, clips, scenes, sounds

WEIGHTS = Path(toyworld.__file__).parent / "weights"


def tiny(module: ModuleType) -> list[Recipe]:
    """Its recipes, in order, of two steps each."""
    held = [value for value in vars(module).values() if isinstance(value, Recipe)]
    return [dataclasses.replace(recipe, steps=2, batch=4) for recipe in held]


def test_the_tokenizer_of_all_media_reads_what_is_typed_loosely_and_has_room_for_every_caption() -> None:
    tokenizer = build_for_media(ends=True)
    loose, tidy = (tokenizer(t)["input_ids"] for t in ("What is in the PICTURE ?", "what is in the picture?"))
    assert loose == tidy
    values: list[Value] = [*clips("train", 200), *sounds("train", 100)]
    for value in values:
        for caption in kind_of(value).captions(value, random.Random(0)):
            assert len(tokenizer(caption)["input_ids"]) <= MEDIA_LENGTH


def test_the_tokenizer_of_pictures_is_the_one_that_is_shipped() -> None:
    shipped = json.loads((WEIGHTS / "extractor" / "tokenizer.json").read_text(encoding="utf-8"))
    assert json.loads(build(ends=True).backend_tokenizer.to_str())["model"] == shipped["model"]


@pytest.mark.slow
def test_the_sound_extractor_is_read_by_the_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clap, "POOL", 8)
    figures = clap.pretrain(tmp_path / "work", tmp_path / "clap", *tiny(clap))
    assert set(figures) >= {"held_out_retrieval_at_1_of_200"}
    extractor = ClapExtractor(tmp_path / "clap")
    wave = samples(sounds("test", 1)[0])
    assert extractor.sounds([Sound(wave, RATE)]).shape == extractor.texts(["a low soft flute"]).shape
    heard = extractor._front_end(wave, sampling_rate=RATE, return_tensors="np")["input_features"][0]
    assert np.abs(heard - clap.front_end(wave)).max() < 1e-3


@pytest.mark.slow
def test_an_audioldm_is_made_of_its_parts_and_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (clap, mel_autoencoder, audio_diffusion):
        monkeypatch.setattr(module, "POOL", 8)
        monkeypatch.setattr(module, "HELD_OUT", 2, raising=False)
        made = tmp_path / module.__name__.rpartition(".")[2]
        module.pretrain(tmp_path, made, *tiny(module))
    pipeline = AudioLDMPipeline.from_pretrained(tmp_path / "audio_diffusion", torch_dtype=torch.float32)
    told = pipeline(["a low soft flute once"], audio_length_in_s=2.0, num_inference_steps=2)
    assert told.audios.shape == (1, SAMPLES)
    assert pipeline.vocoder.config.sampling_rate == RATE
    condition = read_condition(tmp_path / "audio_diffusion", "audio")
    assert (condition.length, condition.width) == (1, clap.WIDTH)
    read = "import sys; from nextgpt.decoding.reading import read_pipeline; from pathlib import Path; "
    read += "print(type(read_pipeline(Path(sys.argv[1])).vocoder).__name__)"
    fresh = subprocess.run(
        [sys.executable, "-c", read, tmp_path / "audio_diffusion"], capture_output=True, text=True, check=True
    )
    assert fresh.stdout.strip() == "GriffinLim"  # nothing had imported it there


@pytest.mark.slow
@pytest.mark.weights
def test_a_text_to_video_model_is_made_and_films(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video_diffusion, "PICTURES", 6)
    monkeypatch.setattr(video_diffusion, "POOL", 6)
    monkeypatch.setattr(video_diffusion, "HELD_OUT", 2)
    (tmp_path / "diffusion").symlink_to(WEIGHTS / "diffusion")
    figures = video_diffusion.pretrain(tmp_path / "work", tmp_path / "video", *tiny(video_diffusion))
    assert figures["held_out_frame_psnr_db"] > 30
    pipeline = TextToVideoSDPipeline.from_pretrained(tmp_path / "video", torch_dtype=torch.float32)
    made = pipeline(["a star"], num_frames=9, height=64, width=64, num_inference_steps=2, output_type="np")
    assert np.asarray(made.frames).shape == (1, 9, 64, 64, 3)
    assert read_condition(tmp_path / "video", "video").length == MEDIA_LENGTH


@pytest.mark.slow
def test_the_encoder_takes_all_media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_encoder, "POOL", 8)
    tmp_path.joinpath("encoder").mkdir()
    recipe = dataclasses.replace(media_encoder.RECIPE, steps=3, batch=4)
    figures = media_encoder.pretrain(tmp_path / "work", tmp_path / "encoder", recipe)
    assert sum("retrieval" in name for name in figures) == 3
    config = ImageBindConfig.from_dict(json.loads((tmp_path / "encoder" / "config.json").read_text()))
    encoder = ImageBind(config)
    encoder.load_state_dict(load_file(tmp_path / "encoder" / "model.safetensors"))
    for value in (scenes("test", 1)[0], clips("test", 1)[0], sounds("test", 1)[0]):
        tokens = encoder.encode([kind_of(value).render(value)])
        assert tokens.shape[0] == 1
        assert tokens.shape[2] == config.out_dim
    clip = clips("test", 1)[0]
    assert torch.allclose(
        encoder.encode([kind_of(clip).render(clip)]),
        encoder.tokens("vision", media_encoder.prepared([clip]), with_cls=True),
        atol=1e-4,
    )


@pytest.fixture(scope="module")
def of_pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model of pictures, as it begins, and its tokenizer."""
    folder: Path = tmp_path_factory.mktemp("work") / "language_model"
    torch.manual_seed(0)
    language_model.model(len(save(folder, ends=False))).half().save_pretrained(folder)
    return folder


def test_the_language_model_of_all_media_keeps_what_that_of_pictures_knows_of_a_word(
    of_pictures: Path,
) -> None:
    before = AutoTokenizer.from_pretrained(of_pictures)
    old = load_file(of_pictures / "model.safetensors")
    tokenizer = build_for_media(ends=False)
    grown = media_language_model.grown(of_pictures, tokenizer).state_dict()
    rows, taken = old["model.embed_tokens.weight"].float(), grown["model.embed_tokens.weight"]
    (red,), (own,) = (t(" red")["input_ids"] for t in (tokenizer, before))
    assert torch.equal(taken[red], rows[own])
    (trumpet,) = tokenizer(" trumpet")["input_ids"]
    pieces = before(" trumpet")["input_ids"]
    assert len(pieces) > 1
    assert torch.allclose(taken[trumpet], rows[pieces].mean(0))
    deep = "model.layers.3.mlp.up_proj.weight"
    assert torch.equal(grown[deep], old[deep].float())


def test_the_language_model_of_all_media_is_trained_piece_by_piece_and_measured(
    of_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_language_model, "HELD_OUT", 6)
    (tmp_path / "language_model").symlink_to(of_pictures)
    pieces = tiny(media_language_model)
    figures = media_language_model.pretrain(tmp_path / "work", tmp_path / "media", *pieces)
    assert {"exact_replies_dialogues_convert", "exact_replies_drills_ask"} <= set(figures)
    assert 0 < figures["held_out_loss"] < 12
    assert {path.name for path in (tmp_path / "work").glob("*.pt")} == {
        f"{piece.name}.pt" for piece in pieces
    }
    stored = load_file(tmp_path / "media" / "model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}


def test_what_a_part_stands_on_is_asked_for_by_name(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["audio_diffusion", "--out", str(tmp_path), "--work", str(tmp_path)])
    assert done.exit_code == 2
    assert "clap" in done.output


def test_every_part_says_what_its_recipes_take() -> None:
    for part, minutes in PARTS.items():
        assert {recipe.name for recipe in recipes(part)} == set(minutes)
        assert all(0 < about <= 120 for about in minutes.values()), "a piece takes two hours at most"
