"""What follows a system's name, as in ``hf:MODEL?max_new_tokens=64``: a place, and options as in the web."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import parse_qsl

from nextgpt.errors import ConfigError
from nextgpt.fields import build

T = TypeVar("T")


def parse(argument: str, kind: type[T]) -> tuple[str, T]:
    """A place, and the options behind it as a dataclass.

    Args:
        argument: ``PLACE`` or ``PLACE?name=value&name=value``; values are read as YAML.
        kind: a dataclass whose fields are the options.

    Raises:
        ConfigError: no place, or an option that does not exist or fit; the value of an unknown one, which may
            be a secret, is not told.

    Example:
        >>> from baselines.huggingface import Options
        >>> parse("gpt?batch=2", Options)
        ('gpt', Options(max_new_tokens=256, frames=8, clips='video', batch=2))
        >>> parse("gpt?bach=2", Options)
        Traceback (most recent call last):
        nextgpt.errors.ConfigError: options: there is no field 'bach'; did you mean 'batch'?
    """
    import yaml

    place, _, query = argument.partition("?")
    if not place:
        raise ConfigError("a place is missing; write it after the colon, as in hf:FOLDER")
    try:
        values = {name: yaml.safe_load(value) for name, value in parse_qsl(query, strict_parsing=bool(query))}
    except (ValueError, yaml.YAMLError):
        raise ConfigError("options are written ?name=value&name=value") from None
    return place, build(kind, values, "options")


def safe(name: str) -> str:
    """A name that can be a folder's.

    Example:
        >>> safe("hf-my model:7b")
        'hf-my-model-7b'
    """
    return re.sub(r"[^A-Za-z0-9_.+-]", "-", name)[:200]
