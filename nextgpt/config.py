"""Presets: everything that shapes a model and its training, read from one YAML file.

A preset names its parts by hub id, by folder, or as ``package:folder`` (weights shipped inside an
installed package). A misspelt field is refused with the field that was probably meant.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nextgpt.documents import read_yaml
from nextgpt.errors import ConfigError
from nextgpt.fields import build, meant
from nextgpt.messages import Modality
from nextgpt.signals import MODALITIES

PRESETS = Path(__file__).parent / "presets"
Stage = Literal["encoding", "decoding", "instruct"]
Keep = Literal["device", "memory", "disk"]
STAGES: tuple[Stage, ...] = ("encoding", "decoding", "instruct")


# The least that some fields can be, wherever they stand.
_LEAST: Mapping[str, float] = {
    **dict.fromkeys(("rank", "max_new_tokens", "batch", "examples", "accumulate", "save_every"), 1),
    **dict.fromkeys(("history", "held_out", "learning_rate", "dropout", "weight_decay", "clip"), 0),
    **dict.fromkeys(("longest", "epochs", "steps", "tolerated", "warmup"), 0),
}


@dataclass(frozen=True)
class Weights:
    """Where the frozen parts and the trained ones are found (see `nextgpt.weights.places`).

    Attributes:
        encoder: an ImageBind, a CLIP or an EfficientNet-Lite.
        language_model: any causal language model of transformers.
        image: a text-to-image pipeline of diffusers; empty for a model that makes no pictures.
        video: likewise, text-to-video.
        audio: likewise, text-to-audio.
        checkpoints: the trained parts, a folder for each stage.
        audio_encoder: what hears beside an encoder that only sees: a YAMNet.
    """

    encoder: str
    language_model: str
    image: str = ""
    video: str = ""
    audio: str = ""
    checkpoints: str = ""
    audio_encoder: str = ""


@dataclass(frozen=True)
class Prompt:
    """How a conversation is written for the language model.

    Spaces before a medium and before a reply's end are left to the tokenizer's own leading spaces.

    Attributes:
        begin: after the tokenizer's begin token, once.
        user: one turn of the user, up to where the model continues; ``{content}`` stands for its parts.
        image: a picture among the parts; ``{media}`` stands for its concept tokens.
        video: a clip among the parts; empty for a model that was not taught to read clips.
        audio: a sound among the parts; likewise.
        end: what closes a reply.
        tags: tokens in these templates that were added to the vocabulary; only the template can write them.
    """

    user: str
    end: str
    begin: str = ""
    image: str = "{media}"
    video: str = ""
    audio: str = ""
    tags: tuple[str, ...] = ()

    def media(self) -> dict[Modality, str]:
        """The templates of the media that the model reads.

        Example:
            >>> Prompt(user="{content}", end="").media()
            {'image': '{media}'}
        """
        templates: dict[Modality, str] = {kind: entry.template for kind, entry in MODALITIES.items()}
        templates |= {"image": self.image, "video": self.video, "audio": self.audio}
        return {modality: template for modality, template in templates.items() if template}


@dataclass(frozen=True)
class Projection:
    """A projection: its kind, and what that kind's own configuration takes."""

    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters of the language model, trained in the last stage."""

    rank: int
    alpha: float
    dropout: float = 0.0
    targets: tuple[str, ...] = ("q_proj", "k_proj", "v_proj", "o_proj")


@dataclass(frozen=True)
class Generation:
    """How answers are made: greedy text, then diffusion.

    Attributes:
        max_new_tokens: longest reply, in tokens.
        steps: denoising steps.
        guidance: classifier-free guidance scale; 1 turns it off.
        batch: requests answered in one go; changes speed only.
        history: earlier messages that a chat shows the model again; 0 for one trained on single turns.
        options: what the calls of the diffusion pipelines take besides, by modality: sizes, lengths.
        keep: where a diffusion model waits while it is not needed: "device" for speed, "memory" to leave the
            GPU to the others, "disk" to be read anew each time.
    """

    max_new_tokens: int = 64
    steps: int = 50
    guidance: float = 7.5
    batch: int = 64
    history: int = 8
    options: Mapping[Modality, Mapping[str, Any]] = field(default_factory=dict)
    keep: Keep = "device"


@dataclass(frozen=True)
class LossWeights:
    """What each term counts. Norms of the diffusion models' conditions differ thirty-fold.

    Attributes:
        text: cross-entropy of the reply's words and its end. In the second stage the words are not ours to
            change; they still teach where no signal belongs.
        signals: cross-entropy of the reply's signals.
        alignment: Euclidean distance to the diffusion model's text condition, per token.
        denoising: latent denoising of the target picture.
        min_snr: the gamma of min-SNR weighting of the denoising loss; 0 turns it off.
        denoising_batch: at most so many pictures of a batch are denoised; 0 means all.
    """

    text: float = 1.0
    signals: float = 1.0
    alignment: float = 1.0
    denoising: float = 1.0
    min_snr: float = 5.0
    denoising_batch: int = 0


@dataclass(frozen=True)
class StageConfig:
    """One stage of training.

    Attributes:
        examples: how many training examples the source is asked for; it may have fewer.
        batch: examples per step, over all processes and turns.
        learning_rate: peak, of everything without a rate of its own.
        warmup: share of the steps in which the rate rises; then it falls linearly to zero.
        weight_decay: of AdamW, on matrices only.
        clip: largest norm of the gradient; 0 turns clipping off.
        rates: learning rates of single parts: input_projection, output_projection, signals, lora.
        losses: what each loss counts.
        held_out: examples kept for the held-out loss.
        save_every: steps between resumable states.
        seed: of data order, noise and dropout.
        steps: optimiser steps; 0 for as many as the epochs take.
        epochs: passes over the examples, where no steps are given.
        betas: the two of AdamW.
        accumulate: turns in which a process takes its part of a batch; they change memory and time only.
        checkpointing: compute the frozen layers again in the backward pass: less memory, more time. In the
            second stage those of the diffusion models: the language model's keep next to nothing there.
        longest: examples of more tokens are left out; 0 for what the language model can read.
        tolerated: share of the examples that may be unusable, 0 to 1; with more, training is refused.
        precision: of products while a float32 model trains; in bfloat16 a step takes 0.6 of the time on a CPU
            with AVX-512 BF16. A halved model's are always bfloat16.
    """

    examples: int
    batch: int
    learning_rate: float
    warmup: float = 0.1
    weight_decay: float = 0.0
    clip: float = 1.0
    rates: Mapping[str, float] = field(default_factory=dict)
    losses: LossWeights = field(default_factory=LossWeights)
    held_out: int = 256
    save_every: int = 250
    seed: int = 0
    steps: int = 0
    epochs: float = 1.0
    betas: tuple[float, ...] = (0.9, 0.999)
    accumulate: int = 1
    checkpointing: bool = False
    longest: int = 0
    tolerated: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"


@dataclass(frozen=True)
class Training:
    """Where examples come from, and the stages.

    Attributes:
        decoding: None for a model that makes no media.
        source: ``module:function``; empty for a preset whose data have to be named.
        options: what that function takes besides stage, count and seed.
    """

    encoding: StageConfig
    instruct: StageConfig
    decoding: StageConfig | None = None
    source: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def stage(self, name: Stage) -> StageConfig:
        """A stage by its name.

        Raises:
            ConfigError: the preset says nothing of it.
        """
        found = {"encoding": self.encoding, "decoding": self.decoding, "instruct": self.instruct}[name]
        if found is None:
            raise ConfigError(f"the preset says nothing of stage {name}; add it to its training")
        return found


@dataclass(frozen=True)
class Config:
    """A preset.

    Attributes:
        vocabulary: "frozen", or "trained" where the last stage trains the language model's own token rows and
            its checkpoint brings them, as that of the released weights does.
        dtype: of the frozen parts on a GPU; a CPU, which emulates half precision, has them in float32.
        bits: 8 or 4 to have bitsandbytes quantise the language model's frozen layers while they are read.
    """

    name: str
    weights: Weights
    prompt: Prompt
    input_projection: Mapping[str, Mapping[str, Any]]
    lora: Lora
    output_projection: Projection = field(default_factory=lambda: Projection("transformer"))
    signals: Mapping[Modality, int] = field(default_factory=lambda: {"image": 4})
    projection: str = "grouping"
    vocabulary: Literal["frozen", "trained"] = "frozen"
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    bits: Literal[4, 8] | None = None
    generation: Generation = field(default_factory=Generation)
    training: Training | None = None


def presets() -> tuple[str, ...]:
    """The names of the presets that come with the package.

    Example:
        >>> "tiny" in presets()
        True
    """
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def preset_text(name: str) -> str:
    """A preset's YAML, comments and all, to begin one of your own with.

    Raises:
        ConfigError: there is no such preset.

    Example:
        >>> preset_text("tiny").startswith("# The whole method on two CPU cores")
        True
    """
    if name not in presets():
        raise ConfigError(f"{name}: no such preset{meant(name, presets())}")
    return (PRESETS / f"{name}.yaml").read_text(encoding="utf-8")


def load_config(preset: str | os.PathLike[str], *, projection: str | None = None) -> Config:
    """Read a preset.

    Args:
        preset: the name of a preset that comes with the package, or the path of a YAML file.
        projection: another input projection than the preset's own choice.

    Raises:
        ConfigError: no such preset, not YAML, a field that is misspelt, missing or of the wrong type, or an
            input projection that the preset does not have.

    Example:
        >>> load_config("tiny").signals["image"]
        12
    """
    path = PRESETS / f"{preset}.yaml" if str(preset) in presets() else Path(preset)
    if not path.exists():
        raise ConfigError(f"{preset}: no such preset and no YAML file{meant(str(preset), presets())}")
    values = read_yaml(path)
    config = build(Config, values, str(path.name))
    config = dataclasses.replace(config, projection=projection or config.projection)
    if config.projection not in config.input_projection:
        raise ConfigError(
            f"{path.name}: there is no input projection {config.projection!r}; "
            f"it has {', '.join(config.input_projection)}"
        )
    _in_range(config, path.name)
    _complete(config, path.name)
    if config.prompt.tags and config.vocabulary != "trained":
        raise ConfigError(
            f"{path.name}: prompt: tags are rows of the vocabulary that have to be trained; "
            "set vocabulary: trained, or leave them out"
        )
    return config


def checkpoint_place(config: Config, stage: Stage) -> str:
    """Where the preset's own checkpoint of a stage is to lie; empty for a preset that comes without.

    Example:
        >>> checkpoint_place(load_config("tiny", projection="linear"), "instruct")
        'toyworld:weights/nextgpt-tiny/instruct-linear'
    """
    suffix = f"-{config.projection}" if config.projection != "grouping" and stage != "decoding" else ""
    return f"{config.weights.checkpoints}/{stage}{suffix}" if config.weights.checkpoints else ""


def _in_range(config: Config, where: str) -> None:
    """See that numbers are such as can be."""
    training = config.training
    stages = training and [(f"training: {name}", getattr(training, name)) for name in STAGES]
    for place, part in [("lora", config.lora), ("generation", config.generation), *(stages or ())]:
        for name, least in _LEAST.items():
            if getattr(part, name, least) < least:
                raise ConfigError(f"{where}: {place}: {name}: {getattr(part, name)} is less than {least}")
    for modality, count in config.signals.items():
        if count < 1:
            raise ConfigError(f"{where}: signals: {modality}: {count} is less than 1")


def _complete(config: Config, where: str) -> None:
    """See that what belongs together is there together."""
    for modality in config.signals:
        if not getattr(config.weights, modality, ""):
            raise ConfigError(
                f"{where}: signals: {modality}: no diffusion model would follow them; name one under weights"
            )
    for modality in config.generation.options:
        if modality not in config.signals:
            raise ConfigError(f"{where}: generation: options: {modality}: the model has no signals for it")
    for modality, template in config.prompt.media().items():
        if template.count("{media}") != 1:
            raise ConfigError(f"{where}: prompt: {modality}: {template!r} needs {{media}}, once")
    if config.prompt.user.count("{content}") != 1:
        raise ConfigError(f"{where}: prompt: user: {config.prompt.user!r} needs {{content}}, once")
