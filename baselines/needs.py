"""Which weights a system would load, and whether they are here: told in an instant, nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nextgpt.config import load_config
from nextgpt.errors import ConfigError
from nextgpt.weights import packaged
from nextgpt.weights.doctor import Part, examine
from nextgpt.weights.files import BrokenFileError, check, weights_in
from nextgpt.weights.places import locate

Need = tuple[str, str]
"""What would be loaded, and why it can't be; empty where it is here."""


def of_preset(
    preset: str = "tiny", *, projection: str | None = None, planner: str = "", **_: object
) -> list[Need]:
    """The parts of a preset of NExT-GPT, and of the pipelines that share them, a tuned planner's with them.

    Raises:
        ConfigError: there is no such preset.

    >>> {why for _, why in of_preset("tiny")}
    {''}
    """
    parts = examine(load_config(preset, projection=projection))
    tuned = [part for part in examine(load_config(planner)) if part.name == "checkpoints"] if planner else []
    return [_of_part(part) for part in (*parts, *tuned)]


def of_named_preset(argument: str) -> list[Need]:
    """The parts of what ``nextgpt:PRESET?weights=DIR`` names.

    Raises:
        ConfigError: the preset or an option is wrong.
    """
    from baselines.nextgpt_at import Options, configured
    from baselines.options import parse

    preset, options = parse(argument, Options)
    parts = examine(configured(preset, options))
    if not options.checkpoint:
        return [_of_part(part) for part in parts]
    trained = options.checkpoint, "" if Path(options.checkpoint).is_dir() else "no such folder"
    return [*(_of_part(part) for part in parts if part.name != "checkpoints"), trained]


def of_model(argument: str) -> list[Need]:
    """The folder or hub id of a model of transformers or a pipeline of diffusers.

    >>> of_model("nobody/nothing?batch=2")[0][0]
    'nobody/nothing'
    """
    where = argument.partition("?")[0]
    return [(where, _missing_of_model(where))]


def of_tools(place: str) -> list[Need]:
    """The models that a pipeline's YAML file names.

    Raises:
        ConfigError: no such file, or none that can be read.
    """
    from baselines.tool_parts import read_parts

    parts = read_parts(place)
    named = [parts.planner, *parts.describe.values(), *parts.make.values(), *parts.edit.values()]
    return [need for where in dict.fromkeys(named) for need in of_model(where)]


def of_photo(_: str) -> list[Need]:
    """The parts of preset photo, for a system that takes a folder of data."""
    return of_preset("photo")


def of_words_then_llm(**_: object) -> list[Need]:
    """The packaged weights of words-then-llm."""
    from baselines.words_then_llm import WEIGHTS

    return [
        (f"{packaged.PREFIX}{name}", packaged.examine(packaged.PACKAGED[name], packaged.place()).why)
        for name in WEIGHTS
    ]


def of_file(place: str) -> list[Need]:
    """A file, or a folder, of recorded answers."""
    return [(place, "" if Path(place).exists() else "no such file")]


def of_endpoint(_: str) -> list[Need]:
    """Nothing on this machine: the weights are an endpoint's."""
    return []


def _of_part(part: Part) -> Need:
    wrong = [file for file in part.files if file.state != "found"]
    what = part.place or part.name
    if not wrong:
        return what, ""
    first = f"{wrong[0].name} is {wrong[0].state}"
    return what, f"{first}, {len(wrong)} of {len(part.files)} files in all" if wrong[1:] else first


def _missing_of_model(where: str) -> str:
    try:
        folder = locate(where)
    except ConfigError as error:
        return str(error).removeprefix(f"{where}: ")
    return next(_wrong_in(folder), "")


def _wrong_in(folder: Path) -> Iterator[str]:
    """What is wrong with the weights of a folder, one after the other."""
    files = 0
    try:
        # Of a pipeline each network has a folder of its own.
        for place in (folder, *(path for path in sorted(folder.iterdir()) if path.is_dir())):
            for path in weights_in(place):
                files += 1
                check(path)
    except (BrokenFileError, OSError) as error:
        yield str(error)
    if not files:
        yield f"{folder}: holds no weights"
