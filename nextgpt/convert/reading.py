"""Files of other people's weights, read without running anything that they say.

A pickle can name any function and have it called on loading. Only tensors and plain containers are let
through (`weights_only`); whatever else a file asks for is refused by its name.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextgpt.convert.layouts import LAYOUTS, Layout
from nextgpt.documents import read_json
from nextgpt.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


class ConvertError(UserError):
    """A checkpoint that cannot be converted; the message names files, keys and shapes."""


@dataclass(frozen=True)
class Source:
    """What was found of a checkpoint.

    Attributes:
        layout: how it is written.
        tensors: by key, on the CPU, as they are in the files.
        files: which files they come from, by key.
        added_tokens: ids of the tokens that its tokenizer was given; empty where no file says it.
        config: its config.json.
        adapter: its adapter_config.json.
        overruled: keys that stand in two files, with the file that does not count.
    """

    layout: Layout
    tensors: Mapping[str, Tensor]
    files: Mapping[str, Path]
    added_tokens: Mapping[str, int]
    config: Mapping[str, Any]
    adapter: Mapping[str, Any]
    overruled: Sequence[tuple[str, Path]]


def read_source(paths: Sequence[Path]) -> Source:
    """Read a checkpoint of a released layout.

    Args:
        paths: its folder, or its files or folders; where a key stands in two of them, the later one counts.

    Raises:
        ConvertError: nothing there, files of both layouts, or a file that is damaged or is no plain weights.
    """
    found = [(layout, file) for path in paths for layout, file in _files(path)]
    layouts = {layout.name: layout for layout, _ in found}
    shown = ", ".join(map(str, paths))
    if not found:
        known = "; ".join(f"{layout.name}: {', '.join(layout.files)}" for layout in LAYOUTS)
        raise ConvertError(f"{shown}: no file of a released layout; there are {known}")
    if len(layouts) > 1:
        raise ConvertError(f"{shown}: files of two layouts, {' and '.join(layouts)}; give those of one")
    tensors: dict[str, Tensor] = {}
    files: dict[str, Path] = {}
    overruled = []
    for _, file in found:
        for key, value in read_tensors(file).items():
            if key in files:
                overruled.append((key, files[key]))
            tensors[key], files[key] = value, file
    folders = {file.parent for _, file in found}
    added, config, adapter = (
        _json(folders, name) for name in ("added_tokens.json", "config.json", "adapter_config.json")
    )
    return Source(found[0][0], tensors, files, added, config, adapter, overruled)


def _files(path: Path) -> Iterator[tuple[Layout, Path]]:
    """The files of a released layout at a path, in the order in which they count."""
    if not path.exists():
        raise ConvertError(f"{path}: no such file or folder")
    for layout in LAYOUTS:
        for name in layout.files:
            if path.is_dir() and (path / name).is_file():
                yield layout, path / name
            elif path.name == name and path.is_file():
                yield layout, path


def _json(folders: set[Path], name: str) -> dict[str, Any]:
    """The one JSON file of this name beside the weights; empty where there is none."""
    values: dict[str, Any] = {}
    for path in sorted(folder / name for folder in folders):
        if path.exists():
            values |= read_json(path, dict)
    return values


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Read a file of named tensors: safetensors, or what `torch.save` wrote.

    Raises:
        ConvertError: it is damaged, asks for code to be run, or holds something else than named tensors.
    """
    values = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    if not isinstance(values, Mapping):
        raise ConvertError(f"{path}: holds a {type(values).__name__}, but named tensors are needed")
    import torch

    for key, value in values.items():
        if not isinstance(key, str) or not isinstance(value, torch.Tensor):
            raise ConvertError(f"{path}: {key!r} is no named tensor but a {type(value).__name__}")
    return {key: value.detach() for key, value in values.items()}


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise ConvertError(f"{path}: damaged or half-written ({error}); fetch it again") from error


def _read_torch(path: Path) -> Any:
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        wanted = re.search(r"(?:GLOBAL|Unsupported class) ([\w.]+)", str(error))
        if wanted:
            raise ConvertError(
                f"{path}: wants {wanted.group(1)} to be called on loading; weights need no such thing, "
                "and nothing of it was run: do not trust this file"
            ) from None
        raise ConvertError(f"{path}: damaged, half-written, or no weights; fetch it again") from error
    except Exception as error:  # unpickling, even of tensors alone, raises what it likes
        reason = str(error).splitlines()[0].split(". ")[0] if str(error) else type(error).__name__
        raise ConvertError(f"{path}: damaged or half-written ({reason}); fetch it again") from error
