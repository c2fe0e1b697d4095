"""Scores of any two media by one embedding space, ImageBind's: with prompts, references, and their own sound.

A folder may hold pictures, clips and sounds together. A clip's sound is its own track, or a sound of its name
beside it, as JavisBench keeps them; how clip and sound go together is scored whole, over frames (AVHScore)
and over windows (JavisScore).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import numpy as np

from benchmarks import registry
from benchmarks.harness.progress import progress
from benchmarks.score.generated import Generated, Scored, absent_names
from benchmarks.score.material import CLIPS, PICTURES, SOUNDS, open_sound, read_prompts
from benchmarks.score.sets import Rows
from benchmarks.tasks.official import DataError
from nextgpt.media import Image, MediaError, Medium, Video

KINDS = {"picture": PICTURES, "clip": CLIPS, "sound": SOUNDS}
_OPEN: Mapping[str, Callable[[Path], Medium]] = {
    "picture": Image.open,
    "clip": Video.open,
    "sound": open_sound,
}
EVERY = PICTURES | CLIPS | SOUNDS


@dataclass
class _Found:
    """What was measured: values by the signature of what and of which pair, and remarks.

    Attributes:
        values: of items, by the metric's signature, which names the pair.
        left_out: how many clips a metric has no value for, with the first reason.
        lost: predictions that can't be read.
    """

    values: dict[str, list[float]] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def add(self, signature: str, pair: str, value: float) -> None:
        """One item's value."""
        self.values.setdefault(signature.replace("|v:", f"|pair:{pair}|v:"), []).append(value)


def score_media(asked: Generated) -> Scored:
    """Each item beside its prompt, its reference of any kind, and its own sound, by each network."""
    from metrics.extractors import MissingWeightsError

    scored = Scored()
    items = _by_name(asked.predictions)
    references = _by_name(asked.references) if asked.references else {}
    prompts = read_prompts(asked.prompts) if asked.prompts else {}
    absent = absent_names(asked, items, references, asked.references)
    absent = list(dict.fromkeys([*absent, *absent_names(asked, items, prompts, asked.prompts)]))
    for name in asked.extractors:
        try:
            network = registry.load_extractor(name)
        except registry.RegistryError:
            raise
        except (MissingWeightsError, ValueError) as error:
            scored.notes.append(f"imagebind_score, avh_score and javis_score by {name}: {error}")
            continue
        found = _measured(network, asked, items, references, _readable(network, prompts, scored))
        rows = Rows(asked.family, asked.predictions.resolve().name, len(absent) + len(found.lost))
        for signature, values in found.values.items():
            rows.add_items(signature, np.array(values))
        scored.results += rows.results
        scored.notes += [
            f"{what}: {len(why)} clips left out, {why[0]}" for what, why in found.left_out.items()
        ]
    return scored


def _readable(network: Any, prompts: Mapping[str, str], scored: Scored) -> Mapping[str, str]:
    """The prompts, or none of them and a note, where the network has nothing to read texts with."""
    if not prompts:
        return prompts
    try:
        network.media([*prompts.values()][:1])
    except ValueError as error:
        scored.notes.append(f"scores of --prompts: {error}")
        return {}
    return prompts


def _measured(
    network: Any,
    asked: Generated,
    items: Mapping[str, Mapping[str, Path]],
    references: Mapping[str, Mapping[str, Path]],
    prompts: Mapping[str, str],
) -> _Found:
    from metrics.pairs.media import ImageBindScore

    found, whole = _Found(), ImageBindScore(network)
    with progress(f"{whole.name} on {asked.predictions.name}", len(items)) as tick:
        for name, files in items.items():
            tick(1)
            try:
                parts = dict(_opened(files))
            except MediaError:
                if not asked.allow_missing:
                    raise
                found.lost.append(name)
                continue
            beside: list[tuple[str, Any]] = [("text", prompts[name])] if prompts else []
            if references:
                beside += _opened(references[name])
            for kind, part in parts.items():
                for other, value in beside:
                    found.add(whole.signature, f"{kind}-{other}", float(whole.statistics([part], [value])[0]))
            if isinstance(clip := parts.get("clip"), Video):
                _own_sound(network, name, clip, files, parts, found)
    if len(found.lost) == len(items):
        raise DataError(f"{asked.predictions}: none of {len(items)} can be read; make them again.")
    if not found.values and not found.left_out:
        raise DataError(
            f"{asked.predictions}: nothing to compare with; give --references, --prompts, or loud clips."
        )
    return found


def _own_sound(
    network: Any,
    name: str,
    clip: Video,
    files: Mapping[str, Path],
    parts: Mapping[str, Medium],
    found: _Found,
) -> None:
    """How a clip goes with its sound, in the three published ways."""
    from metrics.metric import MetricInputError
    from metrics.pairs.alignment import Recording
    from metrics.pairs.media import Aggregation, ImageBindScore

    try:
        sound: Any = parts["sound"] if "sound" in parts else open_sound(files["clip"])
    except MediaError as error:
        found.left_out.setdefault("scores of clips with their own sound", []).append(str(error))
        return
    recording = Recording(clip.frames, clip.fps, sound.samples, sound.rate)
    for aggregation in get_args(Aggregation):
        metric = ImageBindScore(network, aggregation)
        pair = ([clip], [sound]) if aggregation == "whole" else ([recording], [None])
        try:
            found.add(metric.signature, "clip-its sound", float(metric.statistics(*pair)[0]))
        except MetricInputError as error:
            found.left_out.setdefault(metric.name, []).append(f"{name}: {error}")


def _by_name(folder: Path) -> dict[str, dict[str, Path]]:
    """The files of a folder by name, and of one name by kind.

    Raises:
        DataError: no such folder, nothing in it, or two files of one name and kind.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; give one of pictures, clips and sounds.")
    found: dict[str, dict[str, Path]] = {}
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        kind = next((kind for kind, endings in KINDS.items() if path.suffix.lower() in endings), None)
        if kind is None or not path.is_file() or place.name.startswith("."):
            continue
        files = found.setdefault(place.with_suffix("").as_posix(), {})
        if kind in files:
            raise DataError(
                f"{folder}: {files[kind].name} and {path.name} have one name; remove one of them."
            )
        files[kind] = path
    if not found:
        raise DataError(f"{folder}: no pictures, clips or sounds here.")
    return found


def _opened(files: Mapping[str, Path]) -> Iterator[tuple[str, Medium]]:
    """The media of one name, by kind."""
    for kind, path in files.items():
        yield kind, _OPEN[kind](path)
