"""Real sets that are given as features or statistics, where their media cannot be given away.

Such a file lies beside a data set's own: ``.npz`` with ``mu`` and ``sigma``, as pytorch-fid keeps them, or
with ``features``, or ``.npy`` of features; nothing in it is unpickled. A card names it with the role `REAL`
and the metric that it is for: ``real fid``. It serves the network that it was made with, and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.tasks.official import DataError
from benchmarks.tasks.published import Files
from benchmarks.tasks.stored import Stored, place

if TYPE_CHECKING:
    from metrics.sets.real import RealSet

REAL = "real"


def true_media(files: Files, name: str, stored: Stored) -> Mapping[str, Any]:
    """What a sample's made medium is held against: the true one, and the real sets that are given.

    Args:
        files: of the data set.
        name: of the reference that the true medium is.
        stored: the true medium; left out where sets are given and it is not there itself.

    Raises:
        DataError: a file of a real set that can't be read.
    """
    roles = [file.role for file in files.entry.files if file.role.startswith(f"{REAL} ")]
    sets = {role: read_real_set(path) for role in roles if (path := files.optional(role)) is not None}
    if sets and place(files.folder, files.entry.media, stored) is None:
        return sets
    return {name: stored, **sets}


def read_real_set(path: Path) -> RealSet:
    """A real set's features or moments.

    Raises:
        DataError: missing, damaged, or of another form.
    """
    try:
        about = path.stat()
    except OSError as error:
        raise DataError(f"{path}: can't be read ({error.strerror}).") from error
    return _read(path, about.st_mtime_ns, about.st_size)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int, _size: int) -> RealSet:
    from benchmarks.score.material import read_arrays
    from metrics.metric import MetricInputError
    from metrics.sets.real import RealSet

    try:
        return RealSet.of(read_arrays(path), str(path))
    except MetricInputError as error:
        raise DataError(str(error)) from error
