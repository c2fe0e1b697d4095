"""What a pipeline of tools is made of: a YAML file that names models of transformers and diffusers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from baselines.options import safe
from baselines.tools import NOUNS, Tool, ToolPipeline
from nextgpt.errors import ConfigError
from nextgpt.fields import build
from nextgpt.messages import Modality


@dataclass(frozen=True)
class Parts:
    """What a pipeline is made of, as its YAML file says: models of transformers and diffusers, with options.

    Attributes:
        name: of the system.
        planner: a language model.
        template: its chat template, in Jinja, where its tokenizer has none.
        describe: models that describe, by what they are shown.
        make: pipelines that make something from text, by what they make.
        edit: pipelines that change a picture as told.
    """

    name: str
    planner: str
    template: str | None = None
    describe: Mapping[str, str] = field(default_factory=dict)
    make: Mapping[str, str] = field(default_factory=dict)
    edit: Mapping[str, str] = field(default_factory=dict)


def load(place: str) -> ToolPipeline:
    """The pipeline of a YAML file, or of a preset beside this file, such as ``7b``.

    Raises:
        ConfigError: no such file, a field that does not exist, or a part that can't be loaded.
    """
    from baselines import diffusers, huggingface

    parts = read_parts(place)
    tools = [
        Tool(
            f"describe_{modality}",
            f"describes a {NOUNS[modality]}, or answers a question about it",
            huggingface.load(where),
            "text",
            modality,
        )
        for modality, where in _by_modality(place, parts.describe)
    ]
    tools += [
        Tool(
            f"make_{modality}",
            f"makes a {NOUNS[modality]} of what the text says",
            diffusers.load(where),
            modality,
        )
        for modality, where in _by_modality(place, parts.make)
    ]
    tools += [
        Tool(
            f"edit_{modality}",
            f"changes a {NOUNS[modality]} as the text says",
            diffusers.load(where),
            modality,
            modality,
        )
        for modality, where in _by_modality(place, parts.edit)
    ]
    planner = huggingface.load(parts.planner, template=parts.template)
    return ToolPipeline(planner, tools, name=safe(f"caption-then-tool-{parts.name}"))


def read_parts(place: str) -> Parts:
    """What a YAML file, or a preset, names.

    Raises:
        ConfigError: there is no such file, or it can't be read.
    """
    import yaml

    preset = Path(__file__).parent / "presets" / f"{place}.yaml"
    path = preset if place.isalnum() and preset.exists() else Path(place)
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{place}: no file that can be read: {' '.join(str(error).split())}") from error
    return build(Parts, values, place)


def _by_modality(place: str, named: Mapping[str, str]) -> list[tuple[Modality, str]]:
    kinds: tuple[Modality, ...] = ("image", "video", "audio")
    if unknown := set(named).difference(kinds):
        raise ConfigError(f"{place}: {', '.join(sorted(unknown))}: there are {', '.join(kinds)}")
    return [(kind, named[kind]) for kind in kinds if kind in named]
