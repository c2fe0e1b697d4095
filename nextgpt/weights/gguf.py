"""Language models in GGUF, llama.cpp's format: one file with weights, configuration and tokenizer.

transformers reads it and makes whole numbers of its quantised ones. What can be told from its head is told
here before that, in a line.
"""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from typing import Any

from nextgpt.errors import ConfigError
from nextgpt.weights.files import BrokenFileError

SUFFIX = ".gguf"


def gguf_in(folder: Path) -> Path | None:
    """The GGUF file of a folder that holds no model in transformers' own layout; None where there is none.

    Raises:
        ConfigError: there are several.

    Example:
        >>> gguf_in(Path("nowhere")) is None
        True
    """
    if (folder / "config.json").exists():
        return None
    found = sorted(folder.glob(f"*{SUFFIX}"))
    if len(found) > 1:
        names = ", ".join(path.name for path in found[:3])
        raise ConfigError(f"{folder.name}: {len(found)} GGUF files, {names}; keep one of them in a folder")
    return found[0] if found else None


def told(folder: Path) -> dict[str, str]:
    """What transformers' readers have to be told of a folder: the name of its GGUF file, if it is one's.

    Raises:
        ConfigError: the file is not whole, or of an architecture that transformers does not read.
    """
    path = gguf_in(folder)
    if path is None:
        return {}
    check_architecture(path)
    return {"gguf_file": path.name}


def check_architecture(path: Path) -> None:
    """Refuse a file that transformers cannot read.

    Raises:
        ConfigError: it is of another architecture; says which there are.
        BrokenFileError: it is no GGUF, or not whole.
    """
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES as KNOWN

    field = _reader(path).get_field("general.architecture")
    found = "" if field is None else str(field.contents())
    if found not in KNOWN:
        raise ConfigError(
            f"{path.name}: a GGUF of the architecture {found or '(none)'!r}; transformers reads "
            f"{', '.join(sorted(KNOWN))}"
        )


def numbers(path: Path) -> int:
    """How many numbers a file's tensors hold.

    Raises:
        BrokenFileError: it is no GGUF, or not whole.
    """
    return sum(math.prod(int(size) for size in tensor.shape) for tensor in _reader(path).tensors)


def _reader(path: Path) -> Any:
    if importlib.util.find_spec("gguf") is None:
        raise ConfigError(f"{path.name}: to read GGUF, `pip install nextgpt[packaged]`, or gguf alone")
    from gguf import GGUFReader

    try:
        return GGUFReader(path)  # mapped into memory: only its head is read
    except Exception as error:  # it takes the numbers of a damaged head at their word
        raise BrokenFileError(f"{path}: no GGUF, or half-written ({error}); fetch it again") from error
