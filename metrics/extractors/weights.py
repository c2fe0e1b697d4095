"""Weights files: where they are looked for, their hash, and what is out of reach without them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn


class MissingWeightsError(FileNotFoundError):
    """Weights that are not at hand; one line says what is missing and which metrics that disables."""

    def __init__(self, network: str, missing: str, disables: Iterable[str]) -> None:
        super().__init__(f"{network}: {missing}; without it these cannot be computed: {', '.join(disables)}")


def file_hash(path: Path) -> str:
    """The first eight hex digits of a file's sha256, as torch.hub puts them into file names."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:8]


def local_folder(source: str | Path) -> Path | None:
    """The folder that holds a model: itself if it is one, else a hub id's folder in the local cache.

    Never goes to the network: a model that is not in the cache is None.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder
    if str(source).count("/") > 1 or isinstance(source, Path):
        return None
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(str(source), local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None


def find_weights(
    network: str,
    given: Path | str | None,
    names: Sequence[str],
    disables: Iterable[str],
    folders: Sequence[Path] = (),
) -> Path:
    """The weights file of a network: as given, or by its published name in the usual places.

    Args:
        network: what to call it in the message.
        given: the file, or a folder that holds one of `names`; None to look in torch.hub's checkpoints.
        names: the published file's names, the best known first.
        disables: the metrics that need it.
        folders: where other tools keep it; searched after torch.hub's.

    Raises:
        MissingWeightsError: it is nowhere.
    """
    if given is None:
        import torch

        searched, place = (
            (Path(torch.hub.get_dir()) / "checkpoints", *folders),
            "torch.hub's checkpoints folder",
        )
    else:
        path = Path(given)
        if path.is_file():
            return path
        if not path.is_dir():
            raise MissingWeightsError(network, f"no file {path.name} where it was said to be", disables)
        searched, place = (path,), f"the folder {path.name}"
    for folder in searched:
        for name in names:
            if (folder / name).is_file():
                return folder / name
    raise MissingWeightsError(network, f"{names[0]} is not in {place}", disables)


def checked_hash(path: Path, disables: Iterable[str], known: str | None = None) -> str:
    """The first eight hex digits of a file's sha256, held against the published one.

    Args:
        path: the file.
        disables: the metrics that need it.
        known: the published file's sha256; without it, the eight hex digits at the end of the file's
            name count, as torch.hub puts them there. A file of another name is free to differ.

    Raises:
        MissingWeightsError: it is not the file that its name says.
    """
    found, stated = file_hash(path), re.search(r"-([0-9a-f]{8})$", path.stem)
    if known is None and stated:
        known = stated[1]
    if known is not None and not known.startswith(found):
        raise MissingWeightsError(path.name, f"damaged: its sha256 starts with {found}", disables)
    return found


def load_strictly(
    network: nn.Module, state: dict[str, Any], name: str, file: str, disables: Iterable[str]
) -> None:
    """Every tensor of the network from a file's, of the same shape, and no other.

    Counts of batches seen in training do not matter and may lack. The network may have been made on the
    device `meta`, which spares it a random start.

    Raises:
        MissingWeightsError: naming the first key that is missing, of another shape, or not the network's.
    """
    import torch

    own: dict[str, Tensor] = network.state_dict()
    wanted = {key for key in own if not key.endswith("num_batches_tracked")}
    found = {key for key in state if not key.endswith("num_batches_tracked")}
    wrong = sorted(key for key in wanted if getattr(state.get(key), "shape", None) != own[key].shape)
    if wrong or found - wanted:
        first = (wrong or sorted(found - wanted))[0]
        raise MissingWeightsError(file, f"not {name}, first seen at {first}", disables)
    loaded = {key: state[key] if key in state else torch.zeros((), dtype=own[key].dtype) for key in own}
    network.load_state_dict({key: value.to(own[key].dtype) for key, value in loaded.items()}, assign=True)


def refuse_misfits(
    report: Mapping[str, Any],
    counting: str | tuple[str, ...],
    network: str,
    file: str,
    disables: Iterable[str],
) -> None:
    """Refuse what transformers would leave at random after `from_pretrained(output_loading_info=True)`.

    Args:
        report: its loading info.
        counting: endings of keys that only count positions and may be missing.
        network: the network's name, for the message.
        file: the weights file's name, for the message.
        disables: the metrics that are out of reach without it.

    Raises:
        MissingWeightsError: a key is missing or of another shape; names the first.
    """
    wrong = sorted(key for key in report["missing_keys"] if not key.endswith(counting))
    wrong += sorted(map(str, report["mismatched_keys"]))
    if wrong:
        raise MissingWeightsError(network, f"{file} does not fit config.json, first at {wrong[0]}", disables)


def read_settings(path: Path, disables: Iterable[str]) -> dict[str, Any]:
    """What the JSON file beside weights says of them.

    Raises:
        MissingWeightsError: it cannot be read, is no JSON, or holds something else than names and values.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise MissingWeightsError(path.name, f"cannot be read ({reason})", disables) from error
    if not isinstance(values, dict):
        raise MissingWeightsError(path.name, f"holds a {type(values).__name__}, no settings", disables)
    return values


def read_state(path: Path, disables: Iterable[str]) -> dict[str, Any]:
    """What a weights file holds, `.safetensors` or PyTorch's own format, without running anything in it.

    Besides tensors only arrays of numbers are let through, which some published training checkpoints
    (PANNs) keep beside their weights.

    Raises:
        MissingWeightsError: damaged, or it holds more than numbers.
    """
    import torch
    from safetensors.torch import load_file

    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        with torch.serialization.safe_globals(_number_arrays()):
            return dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # unpickling, even of tensors alone, raises what it likes
        reason = str(error).strip().partition("\n")[0][:200]
        raise MissingWeightsError(path.name, f"cannot be read ({reason})", disables) from error


def _number_arrays() -> list[Any]:
    """What arrays of numbers are pickled with; none of it calls anything that a file names."""
    import codecs

    import numpy as np

    rebuild = np.zeros(0).__reduce__()[0]
    names = ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct")
    kinds = [type(np.dtype(kind)) for kind in ("i4", "i8", "f4", "f8")]
    return [np.ndarray, np.dtype, *kinds, *((rebuild, name) for name in names), codecs.encode]
