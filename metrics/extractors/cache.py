"""Features kept by the content of what they came from: extract once, use in every metric and run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


class CachedExtractor:
    """An extractor that computes each distinct picture, sound and text only once.

    Kept in memory, and in files below `folder` if one is given: one `.npy` per item, named by the hash
    of the extractor's signature and the item's content, so nothing stale can be found.

    Args:
        extractor: with `signature`, and any of `features`, `images`, `sounds`, `windows` and `texts`.
        folder: where the files go; created when first needed.
    """

    def __init__(self, extractor: Any, folder: Path | None = None) -> None:
        self.extractor, self.folder = extractor, folder
        self._known: dict[str, NDArray[np.floating]] = {}

    @property
    def signature(self) -> str:
        """The extractor's own: a cache changes nothing."""
        return str(self.extractor.signature)

    def features(self, items: Sequence[Any]) -> NDArray[np.floating]:
        """The extractor's features, [N, D]."""
        return self._rows("features", items, self.extractor.features)

    def images(self, pictures: Sequence[Any]) -> NDArray[np.floating]:
        """The extractor's embeddings of pictures, [N, D]."""
        return self._rows("images", pictures, self.extractor.images)

    def sounds(self, sounds: Sequence[Any]) -> NDArray[np.floating]:
        """The extractor's embeddings of sounds, [N, D]."""
        return self._rows("sounds", sounds, self.extractor.sounds)

    def windows(self, sounds: Sequence[Any]) -> list[NDArray[np.floating]]:
        """The rows of each sound's windows, [K_i, D]."""
        return self._each("windows", sounds, self.extractor.windows)

    def texts(self, texts: Sequence[str]) -> NDArray[np.floating]:
        """The extractor's embeddings of texts, [N, D]."""
        return self._rows("texts", texts, self.extractor.texts)

    def _rows(
        self, kind: str, items: Sequence[Any], extract: Callable[[Sequence[Any]], NDArray[np.floating]]
    ) -> NDArray[np.floating]:
        return np.stack(self._each(kind, items, extract)) if len(items) else extract(items)

    def _each(
        self,
        kind: str,
        items: Sequence[Any],
        extract: Callable[[Sequence[Any]], Iterable[NDArray[np.floating]]],
    ) -> list[NDArray[np.floating]]:
        keys = [self._key(kind, item) for item in items]
        missing = {key: item for key, item in zip(keys, items, strict=True) if not self._find(key)}
        if missing:
            for key, row in zip(missing, extract(list(missing.values())), strict=True):
                self._keep(key, row)
        return [self._known[key] for key in keys]

    def _key(self, kind: str, item: Any) -> str:
        digest = hashlib.sha256(f"{self.signature}\n{kind}\n".encode())
        if isinstance(item, str):
            digest.update(item.encode())
        else:
            if hasattr(item, "samples") and hasattr(item, "rate"):  # a sound
                digest.update(f"{item.rate} Hz\n".encode())
                item = item.samples
            array = np.ascontiguousarray(item)
            if array.dtype == object:  # its bytes would be an address, which another item may have next
                raise TypeError(
                    f"a {type(item).__name__} has no content to cache by; give an array or a sound"
                )
            digest.update(f"{array.dtype}{array.shape}\n".encode())
            digest.update(array.tobytes())
        return digest.hexdigest()

    def _path(self, key: str) -> Path | None:
        return None if self.folder is None else self.folder / key[:2] / f"{key}.npy"

    def _find(self, key: str) -> bool:
        path = self._path(key)
        if key not in self._known and path is not None and path.is_file():
            row = _stored(path)
            if row is None:  # cut off by a crash: compute it again
                path.unlink(missing_ok=True)
            else:
                self._known[key] = row
        return key in self._known

    def _keep(self, key: str, row: NDArray[np.floating]) -> None:
        self._known[key] = row
        path = self._path(key)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            np.save(file, row, allow_pickle=False)
        temporary.replace(path)


def _stored(path: Path) -> NDArray[np.floating] | None:
    """An array that was kept; None where the file is damaged. A map takes no more than the file has."""
    try:
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))
    except Exception:  # noqa: BLE001  (NumPy raises nearly anything at damaged heads)
        return None
