"""A random part of every kind, each of the class that the presets for all media name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from nextgpt.checkpoints import Card, save
from nextgpt.config import STAGES, Config, Projection, checkpoint_place, load_config
from nextgpt.loading import assemble, backbones
from nextgpt.training.loop import run
from nextgpt.weights.places import with_weights
from tests.nextgpt.backbones import save_encoder, save_language_model
from tests.nextgpt.pipelines import build


def in_small(config: Config) -> Config:
    """A preset whose trained parts are small; all else is its own."""
    small = {"width": 16, "heads": 2, "encoder_layers": 1, "decoder_layers": 1, "feedforward": 16}
    return dataclasses.replace(
        config,
        input_projection={
            "grouping": {"width": 16, "stages": [{"depth": 1, "groups": 3}], "refine": 1, "heads": 2},
            "linear": {},
        },
        output_projection=Projection("transformer", small),
        lora=dataclasses.replace(config.lora, rank=2),
        generation=dataclasses.replace(
            config.generation,
            max_new_tokens=48,
            steps=2,
            options={"video": {"num_frames": 3, "fps": 8}} if "video" in config.signals else {},
        ),
    )


def save_parts(folder: Path, *, longest: int = 1024, **names: str) -> None:
    """Frozen parts, under the names that a preset looks for: encoder, language_model, image, video, audio."""
    import torch

    torch.manual_seed(0)
    save_encoder(folder / names["encoder"], hears=True)
    save_language_model(folder / names["language_model"], longest=longest)
    for role, pipeline in (("image", "Stable Diffusion"), ("video", "Zeroscope"), ("audio", "AudioLDM")):
        build(pipeline, folder / names[role])


def save_checkpoints(folder: Path, config: Config, preset: str) -> None:
    """Trained parts as they begin."""
    import torch

    for stage in ("encoding", "decoding", "instruct"):
        torch.manual_seed(1)
        model = assemble(config, stage, device="cpu")
        card = Card(stage, preset, config.projection, backbones(config, stage))
        save(folder / stage, card, model.trained())


NAMES = {
    "encoder": "media_encoder",
    "language_model": "media_language_model",
    "image": "diffusion",
    "video": "video_diffusion",
    "audio": "audio_diffusion",
}


def trained_in_two_steps(root: Path, preset: str, *projections: str) -> Config:
    """A preset of this world with its stages after two steps each, on parts that `save_parts` wrote.

    One that makes no media has the third stage alone, which begins with the first of tiny-media, linear.
    """
    config = with_weights(in_small(load_config(preset)), root)
    assert config.training is not None
    stages = STAGES if config.signals else STAGES[-1:]
    first = None if config.signals else root / "checkpoints" / "tiny-media" / "encoding-linear"
    plans: dict[str, Any] = {
        stage: dataclasses.replace(config.training.stage(stage), steps=2, examples=6, held_out=6, batch=6)
        for stage in stages
    }
    folder = root / "checkpoints" / config.name
    config = dataclasses.replace(
        config,
        training=dataclasses.replace(config.training, **plans),
        weights=dataclasses.replace(config.weights, checkpoints=str(folder)),
        generation=dataclasses.replace(config.generation, max_new_tokens=96),
    )
    for projection in projections or (config.projection,):
        own = dataclasses.replace(config, projection=projection)
        for stage in stages:
            place = folder / checkpoint_place(own, stage).rpartition("/")[2]
            if not place.exists():
                run(own, stage, out=place, encoding=first)
    return config
