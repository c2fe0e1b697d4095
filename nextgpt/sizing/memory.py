"""Whether a model fits into memory, said before anything is loaded."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

from nextgpt.checkpoints import BACKBONES
from nextgpt.config import Config, Stage
from nextgpt.documents import read_json
from nextgpt.encoding.imagebind import ImageBindConfig
from nextgpt.errors import ConfigError
from nextgpt.signals import MODALITIES
from nextgpt.sizing.structure import encoder_of
from nextgpt.weights import gguf
from nextgpt.weights.files import UNUSED, shapes, weights_in
from nextgpt.weights.places import locate

GIB = 2**30


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
    made = [modality for modality in config.signals if not MODALITIES[modality].decoder]
    decoders = made if "image" in BACKBONES[stage] else []
    needs: dict[str, int] = {
        "encoder": bytes_each * _encoder(config.weights.encoder),
        "language_model": _language_model(locate(config.weights.language_model), bytes_each, config.bits),
    }
    for part in decoders:
        needs[part] = bytes_each * _pipeline(locate(getattr(config.weights, part)))
    if config.generation.keep in ({"memory", "disk"} if gpu else {"disk"}) and decoders:
        # One of them at a time.
        largest = max(decoders, key=lambda part: needs[part])
        needs = {part: size for part, size in needs.items() if part not in decoders or part == largest}
    return needs


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the tensors in a folder, by name."""
    return {name: shape for file in weights_in(folder) for name, shape in shapes(file).items()}


def _numbers(found: Mapping[str, tuple[int, ...]]) -> int:
    return sum(map(math.prod, found.values()))


def _encoder(place: str) -> int:
    """Numbers of an encoder; of ImageBind as published, those of the modalities that are read."""
    shape, found = encoder_of(place), _shapes(locate(place))
    if isinstance(shape, ImageBindConfig):
        found = {name: size for name, size in found.items() if shape.reads(name)}
    return _numbers(found)


def _language_model(folder: Path, bytes_each: int, bits: int | None) -> int:
    """Bytes; where it is quantised, the rows of its vocabulary and its norms stay whole."""
    if packed := gguf.gguf_in(folder):
        return bytes_each * gguf.numbers(packed)
    found = _shapes(folder)
    if bits is None:
        return bytes_each * _numbers(found)
    tokens = read_json(folder / "config.json", dict).get("vocab_size")
    layers = {name: shape for name, shape in found.items() if len(shape) == 2 and tokens not in shape}
    quantised = _numbers(layers)
    return quantised * bits // 8 + bytes_each * (_numbers(found) - quantised)


def _pipeline(folder: Path) -> int:
    """Numbers in a diffusion pipeline: in the parts that its index lists, whatever else lies there."""
    index = read_json(folder / "model_index.json", dict)
    listed = [name for name, made in index.items() if isinstance(made, list) and made and made[0] is not None]
    return sum(_numbers(_shapes(folder / name)) for name in listed if name not in UNUSED)


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
        nextgpt.errors.ConfigError: 7b: needs 28.0 GiB of memory (encoder 3.0, language_model 25.0), but
        16.0 GiB are free; close other programs, or take a smaller preset or language model, or fewer bits
        of it (bits: 4)
    """
    total = sum(needs.values())
    if free is None or total <= free:
        return
    parts = ", ".join(f"{part} {size / GIB:.1f}" for part, size in needs.items())
    several = len(needs.keys() & {"image", "video", "audio"}) > 1
    turns = "have diffusion models read one at a time (generation: keep: disk), " if several else ""
    raise ConfigError(
        f"{name}: needs {total / GIB:.1f} GiB of memory ({parts}), but {free / GIB:.1f} GiB are free; "
        f"close other programs, {turns}or take a smaller preset or language model, or fewer bits of it "
        "(bits: 4)"
    )
