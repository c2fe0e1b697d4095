"""The gallery: what went in, what was right, and what two systems made of it, side by side.

Samples are not picked by anyone: of each kind (one system better, the other better, both right, neither)
those are shown whose ids have the smallest SHA-256, so that the choice is the same on every machine and
tells nothing by itself. Inputs and references are loaded again from the benchmark, where it is known here.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import quote

from benchmarks.harness.benchmark import Options, Sample
from benchmarks.harness.provenance import redact
from benchmarks.harness.storage import write_atomically
from nextgpt.media import Image, Medium, Video, to_file
from nextgpt.messages import Failure, Part
from reports.evidence import Dossier, Evidence
from reports.tables import LOWER_IS_BETTER, number, right_from, said

T = TypeVar("T")

_DRAWN = 128  # pixels; pictures up to this side are drawings, shown enlarged and with crisp pixels
_THUMBNAIL = 320
_PICTURE_BUDGET = 3_500_000  # bytes of data URIs on one page, which keeps it under 5 MB


@dataclass(frozen=True)
class Picture:
    """A picture, clip or sound on the page: ``uri`` holds it or leads to it; empty when the page was full."""

    uri: str
    alt: str
    width: int
    height: int
    drawn: bool
    kind: Literal["image", "video", "audio"] = "image"

    @property
    def inside(self) -> bool:
        """Whether the page itself holds it."""
        return self.uri.startswith("data:")

    @property
    def data(self) -> bytes:
        """The bytes of the picture's file."""
        return base64.b64decode(self.uri.partition(",")[2])

    @property
    def file(self) -> str:
        """A file name made of the content's hash."""
        if not self.inside:
            return self.uri.rpartition("/")[2]
        suffix = "png" if self.uri.startswith("data:image/png") else "jpg"
        return f"{hashlib.sha256(self.data).hexdigest()[:16]}.{suffix}"


@dataclass(frozen=True)
class Shown:
    """Texts and pictures of one pane."""

    texts: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What one system made of a sample, with the steps on its way."""

    system: str
    score: str
    texts: tuple[str, ...]
    pictures: tuple[Picture, ...]
    steps: tuple[tuple[str, str], ...]
    failure: str


@dataclass(frozen=True)
class Exhibit:
    """One sample: its input, its reference, and the answers."""

    id: str
    slice: str
    input: Shown
    reference: Shown
    answers: tuple[Answer, ...]


@dataclass(frozen=True)
class Kind:
    """Samples that came out the same way; `count` of them there are, some of which are shown."""

    title: str
    count: int
    samples: tuple[Exhibit, ...]


@dataclass(frozen=True)
class Room:
    """The gallery of one benchmark; `missing` says why inputs and references are not shown."""

    benchmark: str
    n: int
    kinds: tuple[Kind, ...]
    missing: str = ""


@dataclass
class Album:
    """Puts media on a page: into it as data URIs until its budget is spent, or into a folder beside it.

    Attributes:
        budget: bytes that the page may still hold.
        beside: the folder; None puts pictures into the page, and names clips and sounds.
    """

    budget: int = _PICTURE_BUDGET
    beside: Path | None = None

    def add(self, medium: Medium, alt: str) -> Picture:
        """A medium: a small picture as it is, a large one as a thumbnail, clips and sounds as they are."""
        if isinstance(medium, Image):
            return self._picture(medium, alt)
        height, width = medium.frames.shape[1:3] if isinstance(medium, Video) else (0, 0)
        if self.beside is None:
            return Picture("", f"{alt} ({medium.modality})", width, height, False, medium.modality)
        ending, data = to_file(medium)
        return Picture(self._kept(data, ending), alt, width, height, False, medium.modality)

    def _picture(self, image: Image, alt: str) -> Picture:
        drawn = max(image.width, image.height) <= _DRAWN
        if self.beside is None and self.budget <= 0:
            return Picture("", alt, image.width, image.height, drawn)
        data, kind, width, height = self._encoded(image, drawn)
        if self.beside is not None:
            ending = ".png" if kind == "png" else ".jpg"
            return Picture(self._kept(data, ending), alt, width, height, drawn)
        uri = _uri(data, kind)
        if len(uri) > self.budget:
            return Picture("", alt, width, height, drawn)
        self.budget -= len(uri)
        return Picture(uri, alt, width, height, drawn)

    def _kept(self, data: bytes, ending: str) -> str:
        """Write a file named by its content, once; returns its address relative to the page."""
        assert self.beside is not None
        path = self.beside / f"{hashlib.sha256(data).hexdigest()[:16]}{ending}"
        if not path.exists():
            write_atomically(path, data)
        return f"{quote(self.beside.name)}/{path.name}"

    def _encoded(self, image: Image, drawn: bool) -> tuple[bytes, str, int, int]:
        if drawn:
            return image.png(), "png", image.width, image.height
        picture = image.to_pil()
        picture.thumbnail((_THUMBNAIL, _THUMBNAIL))
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=80, optimize=True)
        return buffer.getvalue(), "jpeg", picture.width, picture.height


def build_gallery(dossier: Dossier, album: Album, examples: int, data: Path | None = None) -> list[Room]:
    """Hang the gallery: a room for each benchmark that the first compared system ran on.

    Args:
        dossier: the evidence.
        album: takes the pictures.
        examples: samples shown of each kind.
        data: folder of the official files, for benchmarks that read them.
    """
    pair = [dossier.main[0], *([dossier.baseline] if dossier.baseline else [])]
    rooms = []
    for benchmark in dossier.benchmarks:
        met = (dossier.get(benchmark, name) for name in pair)
        entries = [entry for entry in met if entry is not None and entry.run.results]
        # Samples of another version are other samples, even where they share their ids.
        entries = [entry for entry in entries if entry.about.version == entries[0].about.version]
        if entries:
            rooms.append(_room(entries, album, examples, data))
    return rooms


def sort_samples(
    first: Mapping[str, float], second: Mapping[str, float] | None, metric: str
) -> dict[str, list[str]]:
    """Sort samples into kinds, each in the order of its ids' hashes.

    Args:
        first: the first system's value of each sample.
        second: the second system's; None leaves right and wrong only.
        metric: its name; tells which direction is better and from where an answer is right.

    Example:
        >>> sort_samples({"a": 1.0, "b": 0.0, "c": 1.0}, {"a": 1.0, "b": 1.0, "c": 0.0}, "scene_accuracy")
        {'first': ['c'], 'second': ['b'], 'right': ['a'], 'wrong': []}
    """
    turn = -1.0 if metric in LOWER_IS_BETTER else 1.0
    kinds: dict[str, list[str]] = {"first": [], "second": [], "right": [], "wrong": []}
    common = set(first) if second is None else set(first) & set(second)
    for sample in sorted(common, key=lambda sample: hashlib.sha256(sample.encode()).hexdigest()):
        a = turn * first[sample]
        b = a if second is None else turn * second[sample]
        equal = "right" if a >= right_from(metric) else "wrong"
        kinds["first" if a > b else "second" if b > a else equal].append(sample)
    return kinds


def _room(entries: Sequence[Evidence], album: Album, examples: int, data: Path | None) -> Room:
    metric = next((m for m in _metrics(entries[0]) if all(entry.items(m) for entry in entries)), "")
    values = [entry.items(metric) for entry in entries]
    kinds = sort_samples(values[0], values[1] if len(values) > 1 else None, metric)
    chosen = {sample for samples in kinds.values() for sample in samples[:examples]}
    samples, missing = read_samples(
        entries[0], chosen, data, lambda sample: (show_input(sample, album), show_reference(sample, album))
    )
    shown = tuple(
        Kind(
            _title(kind, [entry.system for entry in entries]),
            len(ids),
            tuple(_exhibit(sample, samples.get(sample), entries, metric, album) for sample in ids[:examples]),
        )
        for kind, ids in kinds.items()
        if ids
    )
    return Room(entries[0].benchmark, sum(map(len, kinds.values())), shown, missing)


def read_samples(
    entry: Evidence, wanted: set[str], data: Path | None, keep: Callable[[Sample], T]
) -> tuple[dict[str, T], str]:
    """Read samples of a run's benchmark again, by id.

    Args:
        entry: the run.
        wanted: ids of the samples.
        data: folder of the data set's files.
        keep: what is kept of each sample; the rest, its pictures too, is let go of.

    Returns:
        What was kept of those that were found, and why there are none, empty when all is well.
    """
    from benchmarks.registry import RegistryError, benchmark_of_run

    found: dict[str, T] = {}
    try:
        benchmark = benchmark_of_run(entry.about)
        if benchmark.version != entry.about.version:
            return {}, (
                f"Inputs and references are not shown: the runs are of version {entry.about.version} of this "
                f"benchmark, and version {benchmark.version} is installed."
            )
        for sample in benchmark.samples(Options(data, entry.about.limit)):
            if isinstance(sample, Sample) and sample.id in wanted:
                found[sample.id] = keep(sample)
            if len(found) == len(wanted):
                break
    except (ValueError, OSError, ImportError) as error:
        unread = data is None and not isinstance(error, RegistryError)
        hint = "; give the folder of its files with --data" if unread else ""
        return {}, f"Inputs and references are not shown: {_brief(error)}{hint}."
    return found, ""


def _brief(error: Exception) -> str:
    """What went wrong, without the list of all that there is."""
    return redact(str(error)).partition(" There are: ")[0].rstrip(".")


def _metrics(entry: Evidence) -> list[str]:
    """Metrics to sort by, the headline first."""
    return [entry.about.headline, *sorted({result.metric for result in entry.run.results})]


def _title(kind: str, systems: Sequence[str]) -> str:
    if kind in ("first", "second"):
        return f"{systems[0 if kind == 'first' else 1]} better"
    if len(systems) == 1:
        return kind.capitalize()
    return "Both right" if kind == "right" else "Equal, neither right"


def _exhibit(
    name: str, asked: tuple[Shown, Shown] | None, entries: Sequence[Evidence], metric: str, album: Album
) -> Exhibit:
    source, reference = asked or (Shown(), Shown())
    answers = tuple(_answer(entry, name, entry.items(metric)[name], album) for entry in entries)
    return Exhibit(name, entries[0].slices.get(name, ""), source, reference, answers)


def _answer(entry: Evidence, sample: str, value: float, album: Album) -> Answer:
    prediction = entry.answers.get(sample)
    if prediction is None:  # somebody took its line away
        return Answer(entry.system, number(value), (), (), (), "scored, but not among the answers")
    answer = prediction.answer
    steps = tuple((said(name), said(content)) for name, content in answer.steps)
    if isinstance(answer, Failure):
        failure = f"{said(answer.stage)}: {said(answer.reason)}"
        return Answer(entry.system, number(value), (), (), steps, failure)
    shown = show_parts(answer.parts, album, f"Picture by {entry.system}")
    return Answer(entry.system, number(value), shown.texts, shown.pictures, steps, "")


def show_input(sample: Sample, album: Album) -> Shown:
    """What a system was shown."""
    parts = [part for turn in sample.request.conversation if turn.role == "user" for part in turn.parts]
    captions = sample.references.get("captions", ())
    # In words, for those who can't see it; where nobody has said what it shows, it stays a picture.
    truth = sample.hints.get("caption") or (captions[0] if captions else "")
    return show_parts(parts, album, said(f"Input picture: {truth}" if truth else "Input picture"))


def show_reference(sample: Sample, album: Album) -> Shown:
    """What the answers are held against."""
    texts = [said(text) for text in sample.references.get("captions", ())[:2]]
    annotation = sample.references.get("annotation")
    if annotation is not None:
        counted = Counter(str(answer["answer"]) for answer in annotation["answers"])
        texts.append(said(", ".join(f"{answer} ×{count}" for answer, count in counted.most_common(4))))
    image = sample.references.get("image")
    return Shown(tuple(texts), () if image is None else (album.add(image, "Reference picture"),))


def show_parts(parts: Sequence[Part], album: Album, alt: str) -> Shown:
    """Texts and media of a message."""
    texts = tuple(said(part) for part in parts if isinstance(part, str) and part.strip())
    pictures = tuple(album.add(part, alt) for part in parts if not isinstance(part, str))
    return Shown(texts, pictures)


def _uri(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
