"""ImageBind's published file into a folder that a preset can name as its encoder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from nextgpt.convert.reading import ConvertError, read_tensors
from nextgpt.encoding.imagebind import ImageBind, ImageBindConfig

# Trunks of ImageBind-huge that nothing here reads.
_UNUSED = ("text", "depth", "thermal", "imu")


def convert_encoder(source: Path, out: Path, *, config: ImageBindConfig) -> tuple[int, int]:
    """Convert ``imagebind_huge.pth``; its type is kept, and what the configuration does not name left out.

    Args:
        source: the file.
        out: the folder to write: ``config.json`` and ``model.safetensors``.
        config: the shape, with the modalities to keep.

    Returns:
        Tensors converted, and tensors of other modalities left out.

    Raises:
        ConvertError: the file is unsafe or damaged, or keys or shapes do not fit; names them.
    """
    import torch
    from safetensors.torch import save_file

    tensors = read_tensors(source)
    with torch.device("meta"):
        needed = {name: tuple(value.shape) for name, value in ImageBind(config).state_dict().items()}
    unused = [name for name in _UNUSED if name not in config.modalities]
    left_out = [key for key in tensors if key.split(".")[1:2] and key.split(".")[1] in unused]
    problems = [
        f"{key} {list(tensors[key].shape)} is no part of ImageBind"
        for key in tensors
        if key not in needed and key not in left_out
    ]
    for key, shape in needed.items():
        if key not in tensors:
            problems.append(f"{key} is missing, ImageBind needs {list(shape)}")
        elif tuple(tensors[key].shape) != shape:
            problems.append(f"{key} has shape {list(tensors[key].shape)}, ImageBind needs {list(shape)}")
    if problems:
        more = f"\n  and {len(problems) - 12} more" if len(problems) > 12 else ""
        lines = "\n  ".join(problems[:12])
        raise ConvertError(f"{source}: no ImageBind of this shape:\n  {lines}{more}")
    out.mkdir(parents=True, exist_ok=True)
    save_file({key: tensors[key].contiguous() for key in needed}, out / ".model.safetensors.part")
    (out / ".model.safetensors.part").replace(out / "model.safetensors")
    (out / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1), encoding="utf-8")
    return len(needed), len(left_out)
