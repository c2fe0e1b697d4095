"""Weights files: where they are looked for, their hash, and what is out of reach without them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


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
