"""What frozen networks say, computed once per content and kept: in memory, or on disk for every later run.

On disk a folder holds one sub-folder for each kind of feature and each network, named by the network's
fingerprint: another encoder never meets this one's features. In it are shards, safetensors files in
half precision in which each row is named by the hash of the content that it was computed from. A shard
is written whole or not at all, so a computation that is cut off loses at most one shard.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nextgpt.errors import UserError, written_aside
from nextgpt.signals import MODALITIES

if TYPE_CHECKING:
    from torch import Tensor

# Raise it with every change of code that changes features: old ones are then left aside.
REVISION = 1
PER_SHARD = 1024


class FeatureError(UserError):
    """Features on disk that cannot be used; the message names the file and what to do."""


class Table:
    """Rows by content hash, in half precision.

    Args:
        folder: shards of earlier runs, where there are any; None keeps all in memory.

    Raises:
        FeatureError: a shard is damaged; names it.

    Example:
        >>> import torch
        >>> table = Table()
        >>> table.add([("a", 1.0), ("b", 2.0), ("a", 1.0)], torch.tensor)
        2
        >>> table.rows(["b", "a"]).tolist()
        [2.0, 1.0]
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._kept: dict[str, Tensor] = {}
        self._shards: dict[str, Any] = {}
        for path in sorted(folder.glob("*.safetensors")) if folder is not None else ():
            self._open(path)

    def __len__(self) -> int:
        return len(self._kept) + len(self._shards)

    def __contains__(self, key: str) -> bool:
        return key in self._kept or key in self._shards

    def add(self, keyed: Sequence[tuple[str, Any]], compute: Callable[[list[Any]], Tensor]) -> int:
        """Compute the rows of what is new, all in one go.

        Args:
            keyed: content hashes and contents.
            compute: contents to float ``[N, ...]``.

        Returns:
            How many were new.
        """
        import torch

        new = {key: item for key, item in keyed if key not in self}
        if new:
            rows = compute(list(new.values())).to("cpu", torch.float16)
            self._kept.update(zip(new, rows, strict=True))
        return len(new)

    def rows(self, keys: Sequence[str]) -> Tensor:
        """float16 ``[N, ...]``: the rows of these content hashes."""
        import torch

        return torch.stack(
            [self._kept[key] if key in self._kept else self._shards[key].get_tensor(key) for key in keys]
        )

    def flush(self, *, least: int = 1) -> None:
        """Write the rows in memory as a shard and forget them, where they are at least so many."""
        import torch
        from safetensors.torch import save_file

        if self._folder is None or len(self._kept) < max(1, least):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256(" ".join(self._kept).encode()).hexdigest()[:16]
        # Two processes may compute the same: each writes a file of its own, and the last one stays.
        with written_aside(self._folder / f"{name}.safetensors", f"{os.getpid()}.") as aside:
            # Rows are views of one block, in the order of axes that the network left.
            whole = torch.contiguous_format
            save_file({key: row.clone(memory_format=whole) for key, row in self._kept.items()}, aside)
            aside.chmod(0o644)  # safetensors lets nobody else read it
            with aside.open("rb") as file:
                os.fsync(file.fileno())
        self._kept.clear()
        self._open(self._folder / f"{name}.safetensors")

    def _open(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        try:
            shard = safe_open(path, framework="pt")
        except (OSError, SafetensorError) as error:
            raise FeatureError(
                f"{path}: damaged features ({error}); delete this file, and they are computed again"
            ) from error
        names = shard.keys()  # type: ignore[no-untyped-call]
        self._shards.update(dict.fromkeys(names, shard))


class Features:
    """All that is frozen about examples.

    Args:
        folder: for all of them; None keeps them in memory.
        fingerprints: of the networks on whose features `folder` is to be used: "encoder", and the diffusion
            models by modality. The features of others stay in memory.

    Attributes:
        tokens: the encoder's tokens of media, ``[1 + P, D]`` each.
        conditions: by modality, the diffusion model's text conditions of captions, ``[length, width]`` each.
        latents: by modality, the diffusion model's latents of media, ``[C, ...]`` each.
    """

    def __init__(self, folder: Path | None = None, fingerprints: Mapping[str, str] | None = None) -> None:
        def table(kind: str, network: str) -> Table:
            if folder is None or fingerprints is None or network not in fingerprints:
                return Table()
            return Table(folder / f"{kind}-{fingerprints[network]}-{REVISION}")

        self.tokens = table("tokens", "encoder")
        self.conditions = {kind: table(f"conditions-{kind}", kind) for kind in MODALITIES}
        self.latents = {kind: table(f"latents-{kind}", kind) for kind in MODALITIES}

    def _tables(self) -> tuple[Table, ...]:
        return self.tokens, *self.conditions.values(), *self.latents.values()

    def __len__(self) -> int:
        return sum(map(len, self._tables()))

    def flush(self, *, least: int = 1) -> None:
        """Write what is in memory and belongs on disk; see `Table.flush`."""
        for table in self._tables():
            table.flush(least=least)


def text_hash(text: str) -> str:
    """SHA-256, in hex, of a caption: its content hash.

    Example:
        >>> text_hash("a red star") == text_hash("a red star") != text_hash("a red circle")
        True
    """
    return hashlib.sha256(f"text {text}".encode()).hexdigest()
