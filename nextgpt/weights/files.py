"""Files of weights seen from outside: how much is in them, and whether they are whole. Nothing is loaded.

A safetensors file begins with a table of its tensors, which tells how long the file has to be. Of a file of
torch, a zip archive, only its end tells whether it is whole; its table is a pickle, of which nothing but
tensors is read.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextgpt.documents import read_json
from nextgpt.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor

# What a tokenizer's words may lie in: SentencePiece's file, that of tokenizers, T5's, and CLIP's.
VOCABULARIES = ("tokenizer.model", "tokenizer.json", "spiece.model", "vocab.json")
# Parts of a pipeline that check pictures for decency, and those that are not needed to make something.
CENSORS = ("safety_checker", "feature_extractor")
UNUSED = (*CENSORS, "image_encoder")
SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")
# What transformers' trainer leaves beside the weights.
_OF_TRAINING = ("training_args", "optimizer", "scheduler")
# Buffers that only count positions: newer code makes them anew, older files hold them.
_COUNTING = "position_ids"
_LONGEST_TABLE = 100 * 2**20  # the limit of safetensors itself
_POINTER = b"version https://git-lfs"


class BrokenFileError(ConfigError):
    """A file that is not whole, or not what its name says."""


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor in a file of weights, by name.

    Raises:
        BrokenFileError: it is not whole, or holds what is not safe to read; says what to do.
    """
    if path.suffix != ".safetensors":
        check(path)
        return _torch_shapes(path)
    return {name: tuple(entry["shape"]) for name, entry in _table(path).items() if name != "__metadata__"}


def _torch_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    import torch

    try:
        # Mapped into memory: only what is looked at is read. Files from before torch 1.6 cannot be.
        held = torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # unpickling, even of tensors alone, raises what it likes
        raise BrokenFileError(f"{path}: no file of tensors alone, or damaged: {error}") from error
    if not isinstance(held, dict):
        raise BrokenFileError(f"{path}: holds a {type(held).__name__} and no tensors by name")
    return {name: tuple(value.shape) for name, value in held.items() if isinstance(value, torch.Tensor)}


def check(path: Path) -> None:
    """See that a file of weights is whole, as far as that can be told without reading it.

    Raises:
        BrokenFileError: it is cut off, or only stands for the real file; says what to do.
    """
    with path.open("rb") as file:
        start = file.read(len(_POINTER))
    if start == _POINTER:
        raise BrokenFileError(f"{path}: only a pointer of git-lfs; fetch the file itself with `git lfs pull`")
    if path.suffix == ".safetensors":
        _table(path)
    elif start[:2] == b"PK" and not zipfile.is_zipfile(path):
        raise BrokenFileError(f"{path}: half-written, its end is missing; fetch it again")


def refuse_made_up(name: str, report: Mapping[str, Any]) -> None:
    """Refuse weights of which transformers has made up a part at random.

    Args:
        name: of the folder, for the message.
        report: what `from_pretrained(output_loading_info=True, ignore_mismatched_sizes=True)` tells.

    Raises:
        BrokenFileError: tensors are missing or of other shapes; names the first, and both shapes.

    Example:
        >>> refuse_made_up("vicuna", {"missing_keys": {"lm_head.weight"}, "mismatched_keys": set()})
        Traceback (most recent call last):
        nextgpt.weights.files.BrokenFileError: vicuna: not the weights of its config.json: lm_head.weight is
        missing
    """
    missing = sorted(key for key in report["missing_keys"] if not key.endswith(_COUNTING))
    wrong = [f"{key} is missing" for key in missing]
    wrong += [
        f"{key} has shape {list(there)}, config.json says {list(wanted)}"
        for key, there, wanted in sorted(report["mismatched_keys"])
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        raise BrokenFileError(f"{name}: not the weights of its config.json: {'; '.join(wrong[:3])}{more}")


def refuse_not_finite(where: str, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """Refuse weights that hold NaN or infinity: a network answers with them, and answers garbage.

    Its cost is little beside reading: least and largest take 4 s of 7 billion numbers on two cores, where
    `torch.isfinite`, which writes as much as it reads, takes over a minute.

    Args:
        where: a file or folder, for the message.
        tensors: by name; of what is quantised, or has no numbers, nothing can be said.

    Raises:
        BrokenFileError: names the tensor.

    Example:
        >>> import torch
        >>> refuse_not_finite("mine", [("a", torch.ones(2)), ("b", torch.tensor([1.0, torch.nan]))])
        Traceback (most recent call last):
        nextgpt.weights.files.BrokenFileError: mine: b holds NaN or infinity; fetch the file again, or train
        again with a lower learning rate
    """
    for name, value in tensors:
        if value.is_floating_point() and value.numel() and not value.is_meta and value.element_size() > 1:
            ends = value.detach().aminmax()
            if not math.isfinite(ends.min.item()) or not math.isfinite(ends.max.item()):
                raise BrokenFileError(
                    f"{where}: {name} holds NaN or infinity; fetch the file again, or train again with a "
                    "lower learning rate"
                )


def weights_in(folder: Path) -> Iterator[Path]:
    """The files of weights of a folder, each tensor once: safetensors before anything else, no variants.

    Raises:
        BrokenFileError: an index cannot be read.
    """
    for ending in (".safetensors", ".bin"):
        for index in _plain(sorted(folder.glob(f"*{ending}.index.json"))):
            listed = shards(index)
            missing = [name for name in listed if not (folder / name).exists()]
            if missing:
                raise BrokenFileError(
                    f"{folder}: {len(missing)} of the {len(listed)} files that {index.name} names are "
                    f"missing: {', '.join(missing[:3])}{', ...' if len(missing) > 3 else ''}; fetch them too"
                )
            yield from (folder / name for name in listed)
            return
    found = [path for path in sorted(folder.glob("*")) if path.suffix in SUFFIXES and path.is_file()]
    found = [path for path in found if path.stem not in _OF_TRAINING]
    for suffix in SUFFIXES:
        chosen = [path for path in _plain(found) if path.suffix == suffix]
        if chosen:
            yield from chosen
            return
    yield from (path for path in found if path.suffix == found[0].suffix)


def variant_of(files: Iterable[Path]) -> str | None:
    """What transformers is to be told of files of weights: "fp16" where they are in half precision alone.

    Example:
        >>> variant_of([Path("unet/config.json"), Path("unet/diffusion_pytorch_model.fp16.safetensors")])
        'fp16'
    """
    weights = [file for file in files if file.suffix in SUFFIXES]
    halves = [file for file in weights if ".fp16" in file.stem]
    return "fp16" if halves and len(halves) == len(weights) else None


def shards(index: Path) -> list[str]:
    """The files over which an index says that tensors are spread, in order.

    Raises:
        DocumentError: it cannot be read.
        BrokenFileError: it names no files beside it.
    """
    listed = read_json(index, dict).get("weight_map")
    names = listed.values() if isinstance(listed, dict) else [None]
    if not all(isinstance(name, str) and name == Path(name).name for name in names):
        raise BrokenFileError(f"{index}: says of no tensor in which file beside it lies; fetch it again")
    return sorted(set(names))


def _plain(paths: list[Path]) -> list[Path]:
    return [path for path in paths if not any(word in path.stem for word in (".fp16", ".non_ema"))]


def _table(path: Path) -> dict[str, dict[str, list[int]]]:
    """The table at the beginning of a safetensors file, checked against the file's length."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_LONGEST_TABLE, size - 8):
                raise BrokenFileError(f"{path}: no safetensors, or hardly begun; fetch it again")
            table: dict[str, dict[str, list[int]]] = json.loads(file.read(length))
        held = [entry for name, entry in table.items() if name != "__metadata__"]
        ends = [entry["data_offsets"][1] for entry in held]
        sizes = [math.prod(entry["shape"]) for entry in held]
        if not all(isinstance(number, int) and number >= 0 for number in [*ends, *sizes]):
            raise ValueError("a tensor's shape or place is no number")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, BrokenFileError):
            raise
        raise BrokenFileError(f"{path}: its table of tensors cannot be read: {error}") from error
    whole = 8 + length + max(ends, default=0)
    if size != whole:
        raise BrokenFileError(f"{path}: half-written, {size:,} of {whole:,} bytes; fetch it again")
    return table
