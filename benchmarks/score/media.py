"""Scores of generated media: how far a folder is from another, and how well its items fit their prompts.

Each extractor asked for that is at hand makes rows of its own. Features that another program extracted
(``.npy``, ``.npz``) are scored as they are: FAD and FVD are Fréchet distances of such features.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import registry
from benchmarks.harness.progress import progress
from benchmarks.harness.records import Result
from benchmarks.score.material import (
    ARRAYS,
    PICTURES,
    SOUNDS,
    clips_by_name,
    files_by_name,
    missing_names,
    open_frames,
    read_arrays,
    read_prompts,
)
from benchmarks.score.sets import Features, Rows, add_distances, add_inception_score
from benchmarks.tasks.official import DataError
from nextgpt.media import Image, MediaError

if TYPE_CHECKING:
    from metrics.metric import Metric

BATCH = 32  # pictures that are open at a time
PICTURE_DISTANCES = ("fid", "fid_infinity", "kid", "precision_recall")


@dataclass(frozen=True)
class Generated:
    """What is scored, and how.

    Attributes:
        family: a key of `FAMILIES`.
        predictions: folder of generated media, or a file of features.
        references: the same of true ones; None where prompts alone are compared with.
        prompts: JSON from the name of each prediction's file to the text that it was asked to show.
        extractors: names for `load_extractor`; empty for the family's usual ones.
        resize: how pictures reach the Inception network, a key of `metrics.extractors.pictures.RESIZES`.
        cache: folder in which features are kept by the content that they came from.
        allow_missing: leave out predictions that are missing or can't be read, and count them.
    """

    family: str
    predictions: Path
    references: Path | None = None
    prompts: Path | None = None
    extractors: Sequence[str] = ()
    resize: str | None = None
    cache: Path | None = None
    allow_missing: bool = False


@dataclass
class Scored:
    """Rows, and what a person must know beside them: which weights are missing, and what that disables."""

    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Family:
    """How a family's folders are scored, and its features.

    Attributes:
        media: what its networks look at or listen to.
        extractors: those used where nobody names any.
        score: from what was asked to rows.
        distances: names in `DISTANCES` for given features.
    """

    media: str
    extractors: tuple[str, ...]
    score: Callable[[Generated], Scored]
    distances: tuple[str, ...] = ()


def score_generated(asked: Generated) -> Scored:
    """Score a folder of generated media, or a file of their features.

    Raises:
        DataError: a folder without media, files that don't belong together, nothing to compare with.
        MediaError: a file that can't be read; the message names it.
        MetricInputError: features without any distance: not finite, fewer than two, of different widths.
        RegistryError: an extractor of no known name.
    """
    if asked.predictions.suffix in ARRAYS:
        return _score_arrays(asked)
    if asked.references is None and asked.prompts is None:
        raise DataError(f"{asked.family}: nothing to compare with; give --references, --prompts, or both.")
    return FAMILIES[asked.family].score(asked)


def _score_pictures(asked: Generated) -> Scored:
    """A set of pictures against another, and each picture against its prompt."""
    from metrics.pairs.similarity import PROMPT, CLIPScore, clip_score_items

    scored = Scored()
    files = files_by_name(asked.predictions, PICTURES, "pictures")
    true = files_by_name(asked.references, PICTURES, "pictures") if asked.references else {}
    prompts = read_prompts(asked.prompts) if asked.prompts else {}
    absent = _absent(asked, files, prompts, asked.prompts)
    for network in _networks(asked, scored):
        predictions, rows = _features(network, asked, files, absent)
        if true:
            names = (*PICTURE_DISTANCES, "cmmd") if network.embeds else PICTURE_DISTANCES
            references = np.stack([*network.features(true, asked.references).values()])
            stacked = np.stack([*predictions.values()])
            add_distances(rows, names, stacked, references, network.source, _digest(true))
        if hasattr(network.source, "class_probabilities"):
            probabilities = network.source.class_probabilities(np.stack([*predictions.values()]))
            add_inception_score(rows, probabilities, network.source)
        if prompts and network.embeds:
            # toyworld's own network learnt captions as they stand.
            prompt = "" if network.name == "toyworld" else PROMPT
            texts = network.source.texts([prompt + prompts[name] for name in predictions])
            signature = CLIPScore(network.source, prompt=prompt).signature
            rows.add_items(signature, clip_score_items([*predictions.values()], texts))
        scored.results += rows.results
    return scored


def _score_edits(asked: Generated) -> Scored:
    """Each edited picture against the picture that it should be, and the text that describes that one."""
    from metrics.pairs.similarity import CLIPI, CLIPT, cosines

    scored = Scored()
    files = files_by_name(asked.predictions, PICTURES, "pictures")
    true = files_by_name(asked.references, PICTURES, "pictures") if asked.references else {}
    prompts = read_prompts(asked.prompts) if asked.prompts else {}
    absent = _absent(asked, files, true, asked.references)
    absent = list(dict.fromkeys([*absent, *_absent(asked, files, prompts, asked.prompts)]))
    for network in _networks(asked, scored, embeds=True):
        predictions, rows = _features(network, asked, files, absent)
        stacked = [*predictions.values()]
        if true:
            references = network.features(true, asked.references)
            pairs = [references[name] for name in predictions]
            rows.add_items(CLIPI(network.source).signature, cosines(stacked, pairs))
        if prompts:
            texts = network.source.texts([prompts[name] for name in predictions])
            rows.add_items(CLIPT(network.source).signature, cosines(stacked, texts))
        scored.results += rows.results
    return scored


def _score_clips(asked: Generated) -> Scored:
    """Each clip's frames against its prompt."""
    from metrics.pairs.similarity import CLIPSim, clipsim_items

    if asked.prompts is None:
        raise DataError(
            f"{asked.family}: folders of clips are scored against --prompts; for an FVD give features of a "
            "video network in --references and --predictions, as .npy."
        )
    scored = Scored()
    clips, prompts = clips_by_name(asked.predictions), read_prompts(asked.prompts)
    absent = _absent(asked, clips, prompts, asked.prompts)
    for network in _networks(asked, scored, embeds=True):
        lost, items = list(absent), list[float]()
        with progress(f"{network.name} on {asked.predictions.name}", len(clips)) as tick:
            for name, paths in clips.items():
                tick(1)
                try:
                    frames = network.cached.images(open_frames(paths))
                except MediaError:
                    if not asked.allow_missing:
                        raise
                    lost.append(name)
                    continue
                items += clipsim_items([frames], network.source.texts([prompts[name]])).tolist()
        rows = Rows(asked.family, asked.predictions.resolve().name, len(lost))
        rows.add_items(CLIPSim(network.source).signature, np.array(items))
        scored.results += rows.results
    return scored


def _score_sounds(asked: Generated) -> Scored:
    """A set of sounds against another, pair by pair where names agree, and each sound against its prompt."""
    from metrics.extractors import read_sound
    from metrics.metric import MetricInputError
    from metrics.statistics import estimate

    scored = Scored()
    files = files_by_name(asked.predictions, SOUNDS, "sounds")
    prompts = read_prompts(asked.prompts) if asked.prompts else {}
    lost = _absent(asked, files, prompts, asked.prompts)
    true = files_by_name(asked.references, SOUNDS, "sounds") if asked.references else {}
    heard = {name: read_sound(path) for name, path in true.items()}
    said = {}
    for name, path in files.items():
        try:
            said[name] = read_sound(path)
        except MetricInputError:
            if not asked.allow_missing:
                raise
            lost.append(name)
    if heard and said.keys() != heard.keys():
        scored.notes.append("the names differ on the two sides, so no kl_reference_prediction of pairs")
    for network in _networks(asked, scored):
        rows = Rows(asked.family, asked.predictions.resolve().name, len(lost))
        for metric, references in _sound_metrics(network, said, heard, prompts):
            statistics = metric.statistics([*said.values()], references)
            rows.add(metric.signature, len(said), partial(estimate, metric, statistics))
        scored.results += rows.results
    return scored


def _sound_metrics(
    network: _Network, said: Mapping[str, Any], heard: Mapping[str, Any], prompts: Mapping[str, str]
) -> Iterator[tuple[Metric[Any], Sequence[Any]]]:
    """What a network can measure, each with what the predictions are held against."""
    from metrics.pairs.sounds import AudioKL, CLAPScore
    from metrics.sets.sounds import FAD, FD, AudioInceptionScore, WindowKAD

    true = [*heard.values()]
    if true and hasattr(network.source, "windows"):
        yield FAD(network.cached), true
        yield WindowKAD(network.cached), true
    if hasattr(network.source, "probabilities"):
        classifier = registry.load_extractor(network.asked, layer="logits")
        if true:
            yield FD(network.cached), true
        if said.keys() == heard.keys():
            yield AudioKL(classifier), true
        yield AudioInceptionScore(classifier), true
    if prompts and network.embeds:
        yield CLAPScore(network.cached), [prompts[name] for name in said]


def _score_arrays(asked: Generated) -> Scored:
    """Features, and class probabilities, that another program extracted."""
    from metrics.sets.frechet import feature_rows
    from metrics.sets.metrics import KLDivergence

    unused = {"--prompts": asked.prompts, "--extractor": asked.extractors, "--resize": asked.resize}
    for option, value in unused.items():
        if value:
            raise DataError(f"{asked.predictions}: features are scored as they are; leave {option} out.")
    if asked.references is None or asked.references.suffix not in ARRAYS:
        raise DataError(
            f"{asked.predictions}: features; give features of the references too, as .npy or .npz."
        )
    sides = [read_arrays(path) for path in (asked.predictions, asked.references)]
    shared = [name for name in ("features", "probabilities") if all(name in side for side in sides)]
    if not shared:
        raise DataError(
            f"{asked.predictions} and {asked.references}: no array in common called features or "
            f"probabilities; found {', '.join(sides[0])} and {', '.join(sides[1])}."
        )
    rows = Rows(asked.family, asked.predictions.resolve().name)
    if "features" in shared:
        predictions, references = (
            feature_rows(side["features"], str(path))
            for side, path in zip(sides, (asked.predictions, asked.references), strict=True)
        )
        digest = hashlib.sha256(references.tobytes()).hexdigest()[:8]
        add_distances(rows, FAMILIES[asked.family].distances, predictions, references, None, digest)
    if "probabilities" in shared:
        metric = KLDivergence()
        predicted, true = (list(side["probabilities"]) for side in sides)
        rows.add_items(metric.signature, metric.statistics(predicted, true))
        add_inception_score(rows, np.asarray(predicted), None)
    return Scored(rows.results)


FAMILIES: Mapping[str, Family] = {
    "text-to-image": Family("pictures", ("inception", "clip"), _score_pictures, PICTURE_DISTANCES),
    "editing": Family("pictures", ("clip",), _score_edits, PICTURE_DISTANCES),
    "text-to-video": Family(
        "pictures", ("clip",), _score_clips, ("fvd", "fvd_infinity", "kid", "precision_recall")
    ),
    "text-to-audio": Family(
        "sounds", ("vggish", "panns", "clap"), _score_sounds, ("fad", "fad_infinity", "kad")
    ),
}


@dataclass(frozen=True)
class _Network:
    """An extractor that is at hand, as it was asked for; `cached` computes nothing twice."""

    asked: str
    source: Any
    cached: Any

    @property
    def name(self) -> str:
        """Which it is, wherever its weights are."""
        return self.asked.partition(":")[0]

    @property
    def embeds(self) -> bool:
        """Whether it puts texts beside pictures."""
        return hasattr(self.source, "texts")

    def features(
        self, files: Mapping[str, Path], folder: Path | None, lost: list[str] | None = None
    ) -> dict[str, Features]:
        """A row for each picture by its name; what can't be read is an error, or appended to `lost`."""
        found: dict[str, Features] = {}
        names = list(files)
        title = f"{self.name} on {folder.name if folder else 'pictures'}"
        with progress(title, len(names)) as tick:
            for start in range(0, len(names), BATCH):
                opened = {}
                for name in names[start : start + BATCH]:
                    try:
                        opened[name] = Image.open(files[name]).pixels
                    except MediaError:
                        if lost is None:
                            raise
                        lost.append(name)
                    tick(1)
                found.update(zip(opened, self.cached.features([*opened.values()]), strict=True))
        return found


def _networks(asked: Generated, scored: Scored, *, embeds: bool = False) -> Iterator[_Network]:
    """The extractors that are at hand; a note for each that is not, or that is of no use here."""
    from metrics.extractors import CachedExtractor, MissingWeightsError

    names = asked.extractors or FAMILIES[asked.family].extractors
    _check_networks(asked, names)
    for name in names:
        options = {"resize": asked.resize} if asked.resize and name.startswith("inception") else {}
        try:
            source = registry.load_extractor(name, **options)
        except MissingWeightsError as error:
            scored.notes.append(str(error))
            continue
        if embeds and not hasattr(source, "texts"):
            scored.notes.append(f"metrics of {asked.family} by {name}, which reads no texts")
            continue
        yield _Network(name, source, CachedExtractor(source, asked.cache))


def _check_networks(asked: Generated, names: Sequence[str]) -> None:
    """Refuses what would be of no use, before anything is computed.

    Raises:
        DataError: a network for other media, an unknown way to resize, or one that no network takes.
    """
    from metrics.extractors.pictures import RESIZES

    media = FAMILIES[asked.family].media
    for name in names:
        entry = registry.EXTRACTORS.get(name.partition(":")[0])
        if entry is not None and entry.media != media:
            fitting = ", ".join(each.name for each in registry.EXTRACTORS.values() if each.media == media)
            raise DataError(f"{name} takes {entry.media}, {asked.family} is about {media}: use {fitting}.")
    if asked.resize is not None and asked.resize not in RESIZES:
        raise DataError(f"unknown --resize {asked.resize!r}; there are {', '.join(RESIZES)}.")
    if asked.resize is not None and not any(name.startswith("inception") for name in names):
        raise DataError("--resize is for the extractor inception, which is not among those asked for.")


def _features(
    network: _Network, asked: Generated, files: Mapping[str, Path], absent: Sequence[str]
) -> tuple[dict[str, Features], Rows]:
    """The predictions' features by name, and the rows that they will make."""
    lost = list(absent)
    found = network.features(files, asked.predictions, lost if asked.allow_missing else None)
    if not found:
        raise DataError(f"{asked.predictions}: none of {len(files)} files can be read; make them again.")
    return found, Rows(asked.family, asked.predictions.resolve().name, len(lost))


def _absent(
    asked: Generated, found: Mapping[str, Any], wanted: Mapping[str, Any], of: Path | None
) -> list[str]:
    """Names that were asked for and are missing.

    Raises:
        DataError: there are some, and nobody allowed it; or predictions that belong to nothing.
    """
    if of is None:
        return []
    missing = missing_names(found, wanted, asked.predictions, of)
    if missing and not asked.allow_missing:
        raise DataError(
            f"{asked.predictions}: {len(found)} predictions for the {len(wanted)} of {of}, without "
            f"{missing[0]}; "
            "make the missing ones, or leave them out by --allow-missing."
        )
    return missing


def _digest(files: Mapping[str, Path]) -> str:
    """What tells a set of files from others: a hash of their contents, whatever their names and order."""
    digests = sorted(hashlib.sha256(path.read_bytes()).digest() for path in files.values())
    return hashlib.sha256(b"".join(digests)).hexdigest()[:8]
