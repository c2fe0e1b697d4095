"""Whether a model fits into memory, said before anything is loaded."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from nextgpt.checkpoints import BACKBONES
from nextgpt.config import Config, ConfigError, Stage, locate
from nextgpt.weight_files import parameters, weights_in

GIB = 2**30
_UNUSED = ("safety_checker", "feature_extractor", "image_encoder")


def needed(config: Config, stage: Stage, *, bytes_each: int = 4, gpu: bool = False) -> dict[str, int]:
    """Bytes that the frozen parts take once they are loaded, from the tables of their files.

    Args:
        config: the preset.
        stage: which stage's model.
        bytes_each: of one number in memory: 4 on CPUs, where half precision is slow.
        gpu: whether the memory is a GPU's, in which diffusion models that wait elsewhere take no room.

    Returns:
        By part. What a computation takes on top, and the trained parts, are small beside them.

    Raises:
        ConfigError: weights are missing.
        BrokenFileError: a file is not whole.
    """
    decoders = [modality for modality in config.signals if "image" in BACKBONES[stage]]
    counts = {
        part: _parameters(locate(getattr(config.weights, part)))
        for part in ("encoder", "language_model", *decoders)
    }
    if config.generation.keep in ({"memory", "disk"} if gpu else {"disk"}) and decoders:
        # One of them at a time.
        largest = max(decoders, key=lambda part: counts[part])
        counts = {part: count for part, count in counts.items() if part not in decoders or part == largest}
    needs = {part: bytes_each * count for part, count in counts.items()}
    if config.bits is not None:
        # A few rows and norms stay whole; in front of billions they do not count.
        needs["language_model"] = counts["language_model"] * config.bits // 8
    return needs


def _parameters(folder: Path) -> int:
    """Numbers in the weights of a folder, and of the sub-folders that a diffusion pipeline has."""
    if not (folder / "model_index.json").exists():
        return sum(parameters(file, bytes_each=_in_file(folder)) for file in weights_in(folder))
    # What checks pictures for decency is never loaded.
    used = [part for part in folder.iterdir() if part.is_dir() and part.name not in _UNUSED]
    return sum(parameters(file) for part in used for file in weights_in(part))


def _in_file(folder: Path) -> int:
    """Bytes of a number in a folder's files, as its configuration says."""
    try:
        values = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 4
    return 2 if values.get("dtype", values.get("torch_dtype")) in ("float16", "bfloat16") else 4


def available() -> int | None:
    """Bytes of memory that a new process can have; None where the system does not tell.

    Example:
        >>> free = available()
        >>> free is None or free > 0
        True
    """
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        try:
            return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (ValueError, OSError):
            return None
    # A container may be allowed less than the machine has.
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii"))
        used = int(Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return free
    return min(free, max(limit - used, 0))


def require(needs: Mapping[str, int], free: int | None, name: str) -> None:
    """Refuse what does not fit.

    Args:
        needs: bytes by part.
        free: bytes to be had; None lets everything through.
        name: of the preset.

    Raises:
        ConfigError: it does not fit; says how much is needed, by part, and how much there is.

    Example:
        >>> require({"encoder": 3 * GIB, "language_model": 25 * GIB}, 16 * GIB, "7b")
        Traceback (most recent call last):
        nextgpt.config.ConfigError: 7b: needs 28.0 GiB of memory (encoder 3.0, language_model 25.0), but
        16.0 GiB are free; close other programs, or take a smaller preset or language model, or fewer bits
        of it (bits: 4)
    """
    total = sum(needs.values())
    if free is None or total <= free:
        return
    parts = ", ".join(f"{part} {size / GIB:.1f}" for part, size in needs.items())
    raise ConfigError(
        f"{name}: needs {total / GIB:.1f} GiB of memory ({parts}), but {free / GIB:.1f} GiB are free; "
        "close other programs, or take a smaller preset or language model, or fewer bits of it (bits: 4)"
    )
