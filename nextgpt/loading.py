"""Putting a model together: frozen parts from their folders, trained parts from a checkpoint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from nextgpt.checkpoints import (
    BACKBONES,
    Card,
    CheckpointError,
    check_language_model,
    fit,
    folder_hash,
)
from nextgpt.checkpoints import load as read_checkpoint
from nextgpt.config import Config, ConfigError, Stage, load_config, locate
from nextgpt.decoding.image import ImageDecoder
from nextgpt.decoding.projection import output_projection
from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig
from nextgpt.encoding.projection import input_projection
from nextgpt.model import NextGPT
from nextgpt.reasoning.language_model import LanguageModel

# Raise it with every change of code that changes answers: it is part of every fingerprint.
REVISION = 1


def load(
    preset: str | os.PathLike[str] | Config = "tiny",
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    stage: Stage = "instruct",
    projection: str | None = None,
    device: str | torch.device | None = None,
) -> NextGPT:
    """Load a trained model.

    Args:
        preset: a preset's name, the path of a YAML file, or a configuration.
        checkpoint: a folder that `nextgpt train` wrote; by default the preset's own for this stage.
        stage: "instruct" for the whole model; "encoding" for the captioner of the text pipelines, which
            answers in text only.
        projection: kind of the input projection; by default the preset's.
        device: by default the first GPU, or the CPU.

    Raises:
        ConfigError: the preset is wrong, or weights are missing.
        CheckpointError: the checkpoint does not fit the preset or the frozen parts.
    """
    if isinstance(preset, Config):
        config = dataclasses.replace(preset, projection=projection or preset.projection)
    else:
        config = load_config(preset, projection=projection)
    folder = Path(checkpoint) if checkpoint is not None else shipped(config, stage)
    model = assemble(config, stage, device=device)
    adopt(model, folder)
    variant = "" if stage == "instruct" else f"-{stage}"
    variant += "" if config.projection == "grouping" else f"-{config.projection}"
    model.name = f"nextgpt-{config.name}{variant}"
    model.fingerprint = _fingerprint(model, folder)
    return model


def shipped(config: Config, stage: Stage) -> Path:
    """Where the preset's own checkpoint of a stage lies."""
    suffix = f"-{config.projection}" if config.projection != "grouping" and stage != "decoding" else ""
    if not config.weights.checkpoints:
        raise ConfigError(f"the preset {config.name} comes without checkpoints; name one")
    return locate(f"{config.weights.checkpoints}/{stage}{suffix}")


def assemble(config: Config, stage: Stage, *, device: str | torch.device | None = None) -> NextGPT:
    """Frozen parts from their folders, untrained parts beside them; for training, and for `load`.

    Raises:
        ConfigError: weights are missing or of another kind.
    """
    where = torch.device(device) if device is not None else _device()
    dtype = torch.float32  # half precision is emulated, and slow, on CPUs
    image = locate(config.weights.image) if stage != "encoding" else None
    encoder = load_encoder(locate(config.weights.encoder))
    language_model = LanguageModel.load(
        locate(config.weights.language_model),
        config.signals,
        dtype,
        tags=config.prompt.tags,
        vocabulary=config.vocabulary == "trained",
    )
    if stage == "instruct":
        language_model.add_lora(config.lora)
    projected = None
    if image is not None:
        length, width = condition_shape(image)
        options = config.output_projection
        projected = output_projection(
            options.kind,
            in_dim=language_model.width,
            out_dim=width,
            queries=length,
            **options.options,
        )
    model = NextGPT(
        config,
        stage,
        encoder=encoder,
        input_projection=input_projection(
            config.projection,
            in_dim=encoder.config.out_dim,
            out_dim=language_model.width,
            **config.input_projection[config.projection],
        ),
        language_model=language_model,
        output_projection=projected,
        decoder=lambda: ImageDecoder.load(locate(config.weights.image), dtype, where),
    )
    return model.to(where).eval()


def adopt(model: NextGPT, folder: Path, parts: tuple[str, ...] | None = None) -> Card:
    """Take trained parts from a checkpoint.

    Args:
        model: where they go.
        folder: the checkpoint.
        parts: which parts it has to hold; by default all that the model trains.

    Raises:
        CheckpointError: names, shapes or frozen parts do not fit.
    """
    card, tensors = read_checkpoint(folder)
    check_language_model(card, locate(model.config.weights.language_model), str(folder))
    own = backbones(model.config, card.stage)
    other = [name for name, value in card.backbones.items() if own.get(name, value) != value]
    if other:
        raise CheckpointError(
            f"{folder}: trained beside another {' and '.join(other)} than that of {model.config.name}; "
            "train it again or take the preset that it was made with"
        )
    wanted = model.trained()
    if parts is not None:
        wanted = {name: value for name, value in wanted.items() if name.partition(".")[0] in parts}
    fit(wanted, tensors, f"{folder} (trained under the preset {card.preset})")
    return card


def load_encoder(folder: Path) -> ImageBind:
    """Read an ImageBind: ``config.json`` (the fields of `ImageBindConfig`) and ``model.safetensors``.

    Raises:
        ConfigError: a file is missing or does not fit.
    """
    from safetensors.torch import load_file

    try:
        values: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        encoder = ImageBind(ImageBindConfig.from_dict(values))
        encoder.load_state_dict(load_file(folder / "model.safetensors"))
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise ConfigError(f"{folder}: no encoder that fits: {error}") from error
    return encoder.float()


def condition_shape(folder: Path) -> tuple[int, int]:
    """Length and width of a pipeline's text condition, from its own files, without loading it."""
    try:
        unet = json.loads((folder / "unet" / "config.json").read_text(encoding="utf-8"))
        text = json.loads((folder / "text_encoder" / "config.json").read_text(encoding="utf-8"))
        tokenizer = json.loads((folder / "tokenizer" / "tokenizer_config.json").read_text(encoding="utf-8"))
        return int(tokenizer.get("model_max_length", text["max_position_embeddings"])), int(
            unet["cross_attention_dim"]
        )
    except (OSError, KeyError, ValueError) as error:
        raise ConfigError(
            f"{folder}: no diffusion pipeline with a UNet and a text encoder: {error}"
        ) from error


def backbones(config: Config, stage: Stage) -> dict[str, str]:
    """Fingerprints of the frozen parts beside which a stage trains."""
    return {name: folder_hash(locate(getattr(config.weights, name)))[:16] for name in BACKBONES[stage]}


def _fingerprint(model: NextGPT, checkpoint: Path) -> str:
    values = asdict(model.config)
    values.pop("training")
    # Where weights lie changes nothing; what they are is hashed.
    values.pop("weights")
    for speed_only in ("batch", "history"):
        values["generation"].pop(speed_only)
    about = {
        "revision": REVISION,
        "config": values,
        "stage": model.stage,
        # All of them: the text pipelines borrow the diffusion model of the first stage's model.
        "backbones": backbones(model.config, "instruct"),
        "checkpoint": folder_hash(checkpoint),
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
