"""What an adapter needs: a package that may not be installed, weights that may not be there."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import Any

from nextgpt.errors import ConfigError


def package(name: str, wanted_for: str) -> Any:
    """An optional package, imported.

    Raises:
        ConfigError: it is not installed; says what does without it, and how to install it.

    Example:
        >>> package("nothing_of_this_name", "a test")
        Traceback (most recent call last):
        nextgpt.errors.ConfigError: a test needs the package nothing_of_this_name: pip install
        nextgpt[packaged]
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ConfigError(f"{wanted_for} needs the package {name}: pip install nextgpt[packaged]") from error


def fingerprint(version: int, *parts: object) -> str:
    """A short hash of an adapter's version and of what else changes its answers; folders by their files.

    Example:
        >>> fingerprint(1, "a") == fingerprint(1, "a") != fingerprint(2, "a")
        True
    """
    from nextgpt.checkpoints import folder_hash

    told = [folder_hash(part) if isinstance(part, Path) else str(part) for part in parts]
    return hashlib.sha256("|".join([str(version), *told]).encode()).hexdigest()[:16]
