"""Reading a diffusion pipeline from its folder, whole or not at all.

What a file lacks transformers makes up at random, and diffusers leaves without numbers; both are refused
here, by name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import entry_points
from logging import CRITICAL
from pathlib import Path
from types import ModuleType
from typing import Any

from nextgpt.documents import read_json
from nextgpt.errors import ConfigError
from nextgpt.weights.files import CENSORS, refuse_made_up, refuse_not_finite, variant_of

_SPEAKING = ("diffusers.utils.logging", "transformers.utils.logging")


def read_pipeline(folder: Path) -> Any:
    """Read a pipeline of diffusers, in the types of its files.

    Weights are read from safetensors, or else from PyTorch files with nothing but tensors in them.

    Raises:
        ConfigError: the folder holds no such pipeline, or one that is not whole.
    """
    try:
        import diffusers

        with hushed():
            index = read_json(folder / "model_index.json", dict)
            offered(index)
            variant = variant_of(folder.glob("*/*"))
            pipeline = diffusers.DiffusionPipeline.from_pretrained(
                folder,
                local_files_only=True,
                variant=variant,
                **_without_censor(index),
                **_read_by_transformers(folder, index, variant),
            )
    except ConfigError:
        raise
    except Exception as error:  # files are read by half a dozen libraries
        raise ConfigError(f"{folder}: no pipeline that diffusers can load: {error}") from error
    for name, part in pipeline.components.items():
        if hasattr(part, "named_parameters"):
            missing = [key for key, value in part.named_parameters() if value.is_meta]
            refuse_made_up(str(folder / name), {"missing_keys": missing, "mismatched_keys": []})
            refuse_not_finite(str(folder / name), part.named_parameters())
    return pipeline


def _read_by_transformers(folder: Path, index: Mapping[str, Any], variant: str | None) -> dict[str, Any]:
    """The networks that transformers reads: text encoders, vocoders."""
    import transformers

    networks = {}
    for name, kind in index.items():
        if not isinstance(kind, list) or kind[0] != "transformers" or name in CENSORS:
            continue
        cls = getattr(transformers, kind[1], None)
        if isinstance(cls, type) and issubclass(cls, transformers.PreTrainedModel):
            read: Any = cls.from_pretrained  # type: ignore[attr-defined]
            networks[name], report = read(
                folder / name,
                local_files_only=True,
                variant=variant,
                weights_only=True,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # they are refused by name
            )
            refuse_made_up(str(folder / name), report)
    return networks


def offered(index: Mapping[str, Any]) -> dict[str, ModuleType]:
    """Import the modules that a pipeline's parts come from, where an installed package offers them.

    Diffusers takes parts only from libraries that it knows and from what is imported already, and rightly: a
    folder of weights must not choose what runs. What is installed here, its user has chosen.
    """
    named = {kind[0] for kind in index.values() if isinstance(kind, list) and kind}
    found = [each.module for each in entry_points(group="nextgpt.components") if each.module in named]
    return {name: import_module(name) for name in found}


def _without_censor(index: Mapping[str, Any]) -> dict[str, Any]:
    """Stable Diffusion's safety checker blackens pictures as it sees fit: systems compare without it."""
    if "safety_checker" not in index:
        return {}
    return {**dict.fromkeys(CENSORS), "requires_safety_checker": False}


@contextmanager
def hushed() -> Iterator[None]:
    """No bars, and no warnings of what no one asked for, such as image processors.

    That weights lie in torch's files diffusers even calls an error, and then reads them. A library that has
    not been imported yet says nothing, and is not imported for this: diffusers takes seconds.
    """
    loaded: list[Any] = [sys.modules[name] for name in _SPEAKING if name in sys.modules]
    before = [library.get_verbosity() for library in loaded]
    for library in loaded:
        library.set_verbosity(CRITICAL)
        library.disable_progress_bar()
    try:
        yield
    finally:
        for library, verbosity in zip(loaded, before, strict=True):
            library.set_verbosity(verbosity)
