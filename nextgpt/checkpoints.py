"""What training leaves behind: a folder with ``nextgpt.yaml`` and ``model.safetensors``.

Only trained tensors are kept, in half precision, under these names:

- ``input_projection.*``, as the module names them;
- ``output_projection.MODALITY.*``, one for each modality that the model makes;
- ``signals.embeddings`` and ``signals.logits``, a row for each signal, modality by modality;
- ``lora.*``, as peft names them;
- ``vocabulary.embeddings`` and ``vocabulary.logits``, where the preset says that the checkpoint brings the
  language model's own rows.

Loading is strict: whatever is missing, left over or of another shape is named.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from nextgpt.config import Stage
from nextgpt.documents import read_yaml
from nextgpt.errors import ConfigError, UserError, written_aside
from nextgpt.fields import build

if TYPE_CHECKING:
    import torch

FORMAT = 1
# What each stage trains is what its checkpoint holds.
PARTS: Mapping[Stage, tuple[str, ...]] = {
    "encoding": ("input_projection",),
    "decoding": ("output_projection", "signals"),
    "instruct": ("input_projection", "output_projection", "signals", "lora", "vocabulary"),
}
CARD, TENSORS = "nextgpt.yaml", "model.safetensors"
OUTPUT = "output_projection"
_SAMPLED_ABOVE = 256 * 2**20
# The frozen parts beside which each stage trains: its checkpoint fits no others.
BACKBONES: Mapping[Stage, tuple[str, ...]] = {
    "encoding": ("encoder", "language_model"),
    "decoding": ("language_model", "image"),
    "instruct": ("encoder", "language_model", "image"),
}


class CheckpointError(UserError):
    """A checkpoint that does not fit; the message names keys and shapes."""


@dataclass(frozen=True)
class Card:
    """What a checkpoint says of itself.

    Attributes:
        stage: the stage that it ends.
        preset: the preset that it was trained under.
        projection: the kind of the input projection.
        backbones: fingerprints of the frozen parts that it was trained beside, as far as they are known.
        steps: optimiser steps of its stage.
        figures: measured at the end: held-out losses, trainable share.
        format: version of this layout.
        language_model: numbers that the language model's ``config.json`` has to have, of a converted
            checkpoint whose makers kept no fingerprint: LLaMA 1 and 2 differ in them, and in no shape.
        settings: hash of all that its training was told, where `nextgpt train` made it.
    """

    stage: Stage
    preset: str
    projection: str
    backbones: Mapping[str, str]
    steps: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    format: int = FORMAT
    language_model: Mapping[str, float] = field(default_factory=dict)
    settings: str = ""


def save(folder: Path, card: Card, tensors: Mapping[str, torch.Tensor]) -> None:
    """Write a checkpoint, tensors in half precision; each file whole or not at all.

    The card is written last: a folder with a card is complete.

    Raises:
        CheckpointError: a tensor holds what is no number, or more than half precision holds; names it.
    """
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    half = {name: value.detach().to("cpu", torch.float16).contiguous() for name, value in tensors.items()}
    _refuse_not_finite(folder / TENSORS, half)  # what half precision does not hold would be infinite
    with written_aside(folder / TENSORS) as aside:
        save_file(half, aside)
        aside.chmod(0o644)  # safetensors lets nobody else read it
    with written_aside(folder / CARD) as aside:
        aside.write_text(yaml.safe_dump(asdict(card), sort_keys=False), encoding="utf-8")


def _refuse_not_finite(where: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    from nextgpt.weights.files import BrokenFileError, refuse_not_finite

    try:
        refuse_not_finite(str(where), tensors.items())
    except BrokenFileError as error:
        raise CheckpointError(str(error)) from error


def load(folder: Path) -> tuple[Card, dict[str, torch.Tensor]]:
    """Read a checkpoint.

    Returns:
        Its card, and its tensors as float32 on the CPU.

    Raises:
        CheckpointError: no checkpoint, or one of another format, or damaged, or one that holds NaN or
            infinity; names the file, and the tensor.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    for name in (CARD, TENSORS):
        if not (folder / name).exists():
            raise CheckpointError(
                f"{folder}: no checkpoint, {name} is missing; train it with `nextgpt train`"
            )
    try:
        card = build(Card, read_yaml(folder / CARD), f"{folder.name}/{CARD}")
        tensors = load_file(folder / TENSORS)
    except ConfigError as error:
        raise CheckpointError(f"{folder}: damaged card: {error}") from error
    except (OSError, SafetensorError) as error:
        raise CheckpointError(
            f"{folder}/{TENSORS}: damaged or half-written ({error}); fetch it again"
        ) from error
    if card.format != FORMAT:
        raise CheckpointError(f"{folder}: format {card.format}, but this version reads format {FORMAT}")
    _refuse_not_finite(folder / TENSORS, tensors)
    return card, {name: value.float() for name, value in tensors.items()}


def fit(parameters: Mapping[str, torch.Tensor], tensors: Mapping[str, torch.Tensor], where: str) -> None:
    """Copy tensors into parameters of the same names and shapes.

    Args:
        parameters: where they go, by name.
        tensors: what is given.
        where: the checkpoint's name, for messages.

    Raises:
        CheckpointError: names or shapes differ; names keys and both shapes. Nothing is copied then.
    """
    import torch

    problems = [
        f"{name} is missing, the model needs {list(value.shape)}"
        for name, value in parameters.items()
        if name not in tensors
    ]
    problems += [
        f"{name} {list(value.shape)} is not part of this model"
        for name, value in tensors.items()
        if name not in parameters
    ]
    problems += [
        f"{name} has shape {list(tensors[name].shape)}, the model needs {list(value.shape)}"
        for name, value in parameters.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    if problems:
        more = f" and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise CheckpointError(f"{where}: does not fit this preset: {'; '.join(problems[:5])}{more}")
    with torch.no_grad():
        for name, value in parameters.items():
            value.copy_(tensors[name])


def check_language_model(card: Card, folder: Path, where: str) -> None:
    """See that a language model is the one that a converted checkpoint was trained beside.

    Args:
        card: of the checkpoint.
        folder: of the language model.
        where: the checkpoint's name, for messages.

    Raises:
        CheckpointError: a number in its ``config.json`` is another; names it, and both values.
    """
    if not card.language_model:
        return
    from transformers import AutoConfig

    try:
        # Through transformers, which knows what a file leaves unsaid.
        found = AutoConfig.from_pretrained(folder, local_files_only=True).to_dict()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder}: config.json cannot be read: {error}") from error
    other = [
        f"{name} is {found.get(name)}, the checkpoint needs {value:g}"
        for name, value in card.language_model.items()
        if found.get(name) != value
    ]
    if other:
        raise CheckpointError(
            f"{where}: does not fit the language model {folder.name}: {'; '.join(other)}; "
            "LLaMA 2 cannot stand in for LLaMA 1, name the language model that it was trained with"
        )


def tensors_hash(tensors: Iterable[tuple[str, torch.Tensor]]) -> str:
    """SHA-256, in hex, over names, types, shapes and values.

    Example:
        >>> import torch
        >>> tensors_hash([("a", torch.zeros(2))]) == tensors_hash([("a", torch.zeros(3))])
        False
    """
    import torch

    digest = hashlib.sha256()
    for name, value in sorted(tensors, key=lambda item: item[0]):
        digest.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
        flat = value.detach().cpu().contiguous().flatten()
        digest.update(flat.view(torch.uint8).numpy().data if flat.numel() else b"")
    return digest.hexdigest()


def folder_hash(folder: Path, names: Iterable[str] = ()) -> str:
    """SHA-256, in hex, over the files of a folder and its sub-folders: the fingerprint of frozen weights.

    Files over 256 MiB are sampled (their size, and 64 KiB at each of 256 places), so that full-size
    weights have a fingerprint within a second.

    Args:
        folder: the folder; hidden files and Markdown do not count.
        names: only these files; all by default.
    """
    digest = hashlib.sha256()
    wanted = set(names)
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not path.is_file() or path.suffix == ".md" or any(part.startswith(".") for part in relative.parts):
            continue
        if wanted and relative.as_posix() not in wanted:
            continue
        digest.update(f"{relative.as_posix()};".encode())
        digest.update(_file_hash(path))
    return digest.hexdigest()


def _file_hash(path: Path) -> bytes:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _SAMPLED_ABOVE:
            return hashlib.file_digest(file, "sha256").digest()
        digest = hashlib.sha256(str(size).encode())
        for place in range(256):
            file.seek(place * (size - 65536) // 255, os.SEEK_SET)
            digest.update(file.read(65536))
        return digest.digest()
