"""Where weights lie: a folder, inside an installed package, or in the hub's cache. Nothing is downloaded."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

from nextgpt.config import Config, Weights
from nextgpt.errors import ConfigError
from nextgpt.weights import packaged


def locate(place: str, *, revision: str | None = None) -> Path:
    """Find the folder of weights. Nothing is downloaded.

    Args:
        place: a local folder; ``packaged:NAME``, which `nextgpt-bench fetch packaged` brought;
            ``package:folder`` inside an installed package, which is not imported; or a hub id, looked up in
            the local hub cache.
        revision: of a hub id.

    Raises:
        ConfigError: it is not there; says how to get it.

    Example:
        >>> locate("nextgpt:presets").name
        'presets'
    """
    if place and Path(place).expanduser().is_dir():
        return Path(place).expanduser()
    if place.startswith(packaged.PREFIX):
        return packaged.located(place.removeprefix(packaged.PREFIX))
    if ":" in place:
        package, _, inner = place.partition(":")
        roots = _folders(package)
        for root in roots:
            if (root / inner).is_dir():
                return root / inner
        missing = f"it has no folder {inner}" if roots else "it is not installed"
        raise ConfigError(
            f"{place}: the package {package} was to hold these weights, but {missing}; "
            "name a folder that holds them (--weights)"
        )
    if place.count("/") != 1 or place.startswith((".", "/", "~")):
        raise ConfigError(
            f"{place or 'weights without a place'}: no such folder; check the path, or ask nextgpt doctor"
        )
    folder = _hub_cache(place, revision or "main")
    if folder is None:
        raise ConfigError(
            f"{place}: neither a folder nor in the local hub cache; if the hub has it, fetch it first "
            f"with `hf download {place}`"
        )
    return folder


def _folders(package: str) -> list[Path]:
    """The folders of an installed package, none of which is run: to find a part of one, Python imports it."""
    name, *parts = package.split(".")
    try:
        spec = importlib.util.find_spec(name) if name else None
    except ValueError:  # something that runs already and comes from no package
        spec = None
    roots = [] if spec is None else [Path(root, *parts) for root in spec.submodule_search_locations or ()]
    return [root for root in roots if root.is_dir()]


def _hub_cache(name: str, revision: str) -> Path | None:
    """Where the hub's cache keeps a model, in the layout that huggingface_hub documents.

    Its own function for this is not used: to import it takes longer than all of `nextgpt doctor`.
    """
    from huggingface_hub.constants import HF_HUB_CACHE

    cache = Path(HF_HUB_CACHE) / f"models--{name.replace('/', '--')}"
    try:
        commit = (cache / "refs" / revision).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        commit = revision
    folder = cache / "snapshots" / commit
    return folder if folder.is_dir() else None


def with_weights(config: Config, folder: Path) -> Config:
    """A preset whose parts come from one folder, as far as they are there.

    A part lies in a sub-folder named after its role (``language_model``, ``encoder``, ``image``, ``video``,
    ``audio``, ``checkpoints``), after its hub id, with or without the owner's name, or, of weights inside a
    package, after the folder there. What is not there is looked for where the preset says.

    Args:
        config: the preset.
        folder: holds the sub-folders.

    Raises:
        ConfigError: there is no such folder, or nothing in it belongs to the preset.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; it was to hold the weights of {config.name}")
    found: dict[str, str] = {}
    for role, place in dataclasses.asdict(config.weights).items():
        own = place.rpartition("/")[2]
        # A package has one folder for each of its parts, of which several may play the same role.
        for name in (own, role) if ":" in place else (role, place, own):
            if name and (folder / name).is_dir():
                found[role] = str(folder / name)
                break
    if not found:
        roles = ", ".join(item.name for item in dataclasses.fields(Weights))
        raise ConfigError(f"{folder}: holds no part of {config.name}; name its sub-folders {roles}")
    return dataclasses.replace(config, weights=dataclasses.replace(config.weights, **found))
