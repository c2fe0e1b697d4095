"""Media that a page shows: files in a temporary folder, under names that nobody can guess, and no others."""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import threading
from pathlib import Path

from nextgpt.media import Image, Medium, Video

_MOST = 512 * 2**20  # bytes; beyond it the oldest go
_NAME = re.compile(r"[0-9a-f]{32}\.(png|mp4|wav)")
KINDS = {"png": "image/png", "mp4": "video/mp4", "wav": "audio/wav"}


class Shelf:
    """Keeps media for as long as the page is served.

    Example:
        >>> import numpy as np
        >>> with Shelf() as shelf:
        ...     name = shelf.add(Image(np.zeros((2, 2, 3), dtype=np.uint8)))
        ...     shelf.find(name).is_file(), shelf.find("../../etc/passwd")
        (True, None)
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="nextgpt-talk-"))
        self._names: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Shelf:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, medium: Medium) -> str:
        """Keep a medium; the name under which it is found."""
        with self._lock:
            known = self._names.get(medium.content_hash)
            if known is not None:
                return known
            if isinstance(medium, Image):
                ending, data = "png", medium.png()
            elif isinstance(medium, Video):
                ending, data = "mp4", medium.mp4()
            else:
                ending, data = "wav", medium.wav()
            name = f"{secrets.token_hex(16)}.{ending}"
            (self.folder / name).write_bytes(data)
            self._names[medium.content_hash], self._sizes[name] = name, len(data)
            while sum(self._sizes.values()) > _MOST and len(self._sizes) > 1:
                oldest = next(iter(self._sizes))
                del self._sizes[oldest]
                self._names = {key: value for key, value in self._names.items() if value != oldest}
                (self.folder / oldest).unlink(missing_ok=True)
            return name

    def find(self, name: str) -> Path | None:
        """The file of this name, None where there is none."""
        path = self.folder / name if _NAME.fullmatch(name) else None
        return path if path is not None and path.is_file() else None

    def drop(self, upload: Path) -> None:
        """Delete a file that was uploaded into this folder; whatever lies elsewhere stays."""
        if upload.resolve().is_relative_to(self.folder.resolve()):
            upload.unlink(missing_ok=True)
