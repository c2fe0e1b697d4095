"""Putting a model together: frozen parts from their folders, trained parts from a checkpoint."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

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
from nextgpt.config import Config, Stage, checkpoint_place, load_config
from nextgpt.decoding.conditions import read_condition
from nextgpt.decoding.projection import output_projection
from nextgpt.decoding.shelf import Shelf
from nextgpt.documents import read_json
from nextgpt.encoding.clip import Clip
from nextgpt.encoding.efficientnet import EfficientNetLite, weights_of
from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig
from nextgpt.encoding.projection import input_projection
from nextgpt.encoding.side_by_side import SideBySide
from nextgpt.encoding.yamnet import FILE as YAMNET
from nextgpt.encoding.yamnet import Yamnet
from nextgpt.errors import ConfigError
from nextgpt.messages import Modality
from nextgpt.model import NextGPT
from nextgpt.reasoning.language_model import LanguageModel
from nextgpt.signals import MODALITIES
from nextgpt.sizing.full_size import IMAGEBIND_HUGE
from nextgpt.sizing.memory import available, needed, require
from nextgpt.weights.files import refuse_not_finite
from nextgpt.weights.places import locate, with_weights

# Raise it with every change of code that changes answers: it is part of every fingerprint.
REVISION = 1


def load(
    preset: str | os.PathLike[str] | Config = "tiny",
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    stage: Stage = "instruct",
    projection: str | None = None,
    device: str | torch.device | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> NextGPT:
    """Load a trained model.

    Args:
        preset: a preset's name, the path of a YAML file, or a configuration.
        checkpoint: a folder that `nextgpt train` wrote; by default the preset's own for this stage.
        stage: "instruct" for the whole model; "encoding" for the captioner of the text pipelines, which
            answers in text only.
        projection: kind of the input projection; by default the preset's.
        device: by default the first GPU, or the CPU.
        weights: a folder that holds the preset's parts, or some of them (see `places.with_weights`).

    Raises:
        ConfigError: the preset is wrong, or weights are missing.
        CheckpointError: the checkpoint does not fit the preset or the frozen parts.
    """
    if isinstance(preset, Config):
        config = dataclasses.replace(preset, projection=projection or preset.projection)
    else:
        config = load_config(preset, projection=projection)
    if weights is not None:
        config = with_weights(config, Path(weights).expanduser())
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
    place = checkpoint_place(config, stage)
    if not place:
        raise ConfigError(
            f"the preset {config.name} comes without checkpoints; name one (--checkpoint), or a folder that "
            f"holds them (--weights); what is needed says `nextgpt doctor --preset {config.name}`"
        )
    return locate(place)


def assemble(config: Config, stage: Stage, *, device: str | torch.device | None = None) -> NextGPT:
    """Frozen parts from their folders, untrained parts beside them; for training, and for `load`.

    Raises:
        ConfigError: weights are missing or of another kind.
    """
    where = torch.device(device) if device is not None else _device()
    # Half precision is emulated, and slow, on CPUs.
    dtype: torch.dtype = getattr(torch, config.dtype) if where.type == "cuda" else torch.float32
    gpu = where.type == "cuda"
    free = torch.cuda.mem_get_info(where)[0] if gpu else available()
    require(needed(config, stage, bytes_each=dtype.itemsize, gpu=gpu), free, config.name)
    shapes: dict[Modality, Any] = {}
    if stage != "encoding":
        shapes = {modality: read_condition(folder, modality) for modality, folder in makes(config).items()}
        shapes |= {kind: own for kind in config.signals if (own := MODALITIES[kind].decoder)}
    encoder = load_encoders(config).to(dtype)
    language_model = LanguageModel.load(
        locate(config.weights.language_model),
        config.signals,
        dtype,
        tags=config.prompt.tags,
        vocabulary=config.vocabulary == "trained",
        bits=config.bits,
        device=where,
    )
    if stage == "instruct":
        language_model.add_lora(config.lora)
    options = config.output_projection
    projected: dict[str, torch.nn.Module] = {
        modality: output_projection(
            options.kind,
            in_dim=language_model.width,
            out_dim=shape.width,
            queries=shape.length,
            **options.options,
        )
        for modality, shape in shapes.items()
    }
    model = NextGPT(
        config,
        stage,
        encoder=encoder,
        input_projection=input_projection(
            config.projection,
            in_dim=encoder.out_dim,
            out_dim=language_model.width,
            **config.input_projection[config.projection],
        ),
        language_model=language_model,
        output_projection=torch.nn.ModuleDict(projected) if projected else None,
        # The text pipelines borrow the diffusion models of the first stage's model, which makes nothing.
        decoders=shelf(config, dtype, where),
    )
    return model.to(where).eval()


def makes(config: Config) -> dict[Modality, Path]:
    """The folders of the diffusion models for which the preset has signals, by modality."""
    read = [modality for modality in config.signals if not MODALITIES[modality].decoder]
    return {modality: locate(getattr(config.weights, modality)) for modality in read}


def shelf(config: Config, dtype: torch.dtype, device: torch.device) -> Shelf:
    """The preset's diffusion models, each to be loaded when it is first needed."""
    from nextgpt.decoding.audio import AudioDecoder
    from nextgpt.decoding.decoder import Decoder
    from nextgpt.decoding.image import ImageDecoder
    from nextgpt.decoding.video import VideoDecoder

    kinds: dict[Modality, type[Decoder[Any]]] = {
        "image": ImageDecoder,
        "video": VideoDecoder,
        "audio": AudioDecoder,
    }

    def maker(modality: Modality) -> Callable[[], Decoder[Any]]:
        own = MODALITIES[modality].decoder
        if own is not None:
            return lambda: cast("Decoder[Any]", own(device))
        place, options = getattr(config.weights, modality), config.generation.options.get(modality)
        return lambda: kinds[modality].load(locate(place), dtype, device, options)

    return Shelf({modality: maker(modality) for modality in config.signals}, config.generation.keep)


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


def load_encoders(config: Config) -> ImageBind | Clip | EfficientNetLite | Yamnet | SideBySide:
    """Read a preset's encoder, and beside it the one that hears, where there is one.

    Raises:
        ConfigError: a file is missing or does not fit, or two encoders take the same.
    """
    encoder = load_encoder(locate(config.weights.encoder))
    if not config.weights.audio_encoder:
        return encoder
    ears = load_encoder(locate(config.weights.audio_encoder))
    if both := encoder.reads & ears.reads:
        raise ConfigError(
            f"{config.name}: weights: encoder and audio_encoder both take {', '.join(sorted(both))}; "
            "one is to see and the other to hear"
        )
    return SideBySide([encoder, ears])


def load_encoder(folder: Path) -> ImageBind | Clip | EfficientNetLite | Yamnet:
    """Read an encoder: an ImageBind or a CLIP, or one of those that packages carry.

    An ImageBind has a ``config.json`` with the fields of `ImageBindConfig`; without one it is taken for
    ImageBind-huge, of which vision and audio are read.

    Raises:
        ConfigError: a file is missing or does not fit.
    """
    if weights_of(folder) is not None:
        return EfficientNetLite.load(folder)
    if (folder / YAMNET).exists():
        return Yamnet.load(folder)
    try:
        values: dict[str, Any] = {}
        if (folder / "config.json").exists():
            values = read_json(folder / "config.json", dict)
        if str(values.get("model_type", "")).startswith("clip"):
            return Clip.load(folder)
        tensors = _tensors(folder)
        if not any(name.startswith("modality_trunks.") for name in tensors):
            raise ConfigError(f"{folder}: no encoder that fits: its weights are not those of an ImageBind")
        if "modalities" in values:
            encoder = ImageBind(ImageBindConfig.from_dict(values))
            encoder.load_state_dict(_own(tensors, encoder.config))
        else:
            with torch.device("meta"):  # at this size, numbers that are replaced at once cost time
                encoder = ImageBind(IMAGEBIND_HUGE)
            encoder.load_state_dict(_own(tensors, encoder.config), assign=True)
    except ConfigError:
        raise
    except Exception as error:  # a configuration of any kind, read by several libraries
        raise ConfigError(f"{folder}: no encoder that fits: {error}") from error
    refuse_not_finite(str(folder), encoder.named_parameters())
    return encoder.float()


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    """The weights of a folder: safetensors, or a PyTorch file with nothing but tensors in it."""
    from safetensors.torch import load_file

    for name in ("model.safetensors", "model.fp16.safetensors"):
        if (folder / name).exists():
            return load_file(folder / name)
    for name in ("imagebind_huge.pth", "pytorch_model.bin"):
        if (folder / name).exists():
            tensors: dict[str, torch.Tensor] = torch.load(
                folder / name, map_location="cpu", weights_only=True, mmap=True
            )
            return tensors
    raise ConfigError(f"{folder}: no encoder that fits: model.safetensors (or imagebind_huge.pth) is missing")


def _own(tensors: dict[str, torch.Tensor], config: ImageBindConfig) -> dict[str, torch.Tensor]:
    """Those of the modalities at hand; the published file holds six."""
    return {name: value for name, value in tensors.items() if config.reads(name)}


def backbones(config: Config, stage: Stage) -> dict[str, str]:
    """Fingerprints of the frozen parts beside which a stage trains."""
    made = tuple(makes(config)) if "image" in BACKBONES[stage] else ()
    names = (*(name for name in BACKBONES[stage] if name != "image"), *made)
    found = {name: folder_hash(locate(getattr(config.weights, name)))[:16] for name in names}
    if "encoder" in found and config.weights.audio_encoder:  # what both of them compute is kept together
        both = found["encoder"] + folder_hash(locate(config.weights.audio_encoder))
        found["encoder"] = hashlib.sha256(both.encode()).hexdigest()[:16]
    return found


def _fingerprint(model: NextGPT, checkpoint: Path) -> str:
    values = asdict(model.config)
    values.pop("training")
    # Where weights lie changes nothing; what they are is hashed.
    values.pop("weights")
    for speed_only in ("batch", "history", "keep"):
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
