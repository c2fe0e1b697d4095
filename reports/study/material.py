"""What raters look at: questions and answers of runs, as texts and files that every browser shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.benchmark import Sample
from benchmarks.harness.records import RecordError, read_run, run_folders, without_runs
from nextgpt.media import Image, Medium, Video
from nextgpt.messages import Failure, Part
from nextgpt.terminal import visible
from reports.evidence import Evidence
from reports.gallery import read_samples
from reports.study.design import StudyError
from reports.study.protocols import Protocol
from reports.study.records import Measured
from reports.tables import LOWER_IS_BETTER

REFERENCE = "the reference"
NOTHING = "(no answer)"
_KINDS = {"image": "image/png", "video": "video/mp4", "audio": "audio/wav"}


@dataclass(frozen=True)
class Exhibit:
    """A medium as a browser plays it: `kind` is image, video or audio."""

    kind: str
    data: bytes
    seconds: float = 0.0

    @property
    def mime(self) -> str:
        """Its media type."""
        return _KINDS[self.kind]

    @property
    def ending(self) -> str:
        """Of its file's name."""
        return {"image": ".png", "video": ".mp4", "audio": ".wav"}[self.kind]


Shown = tuple[str | Exhibit, ...]


@dataclass(frozen=True)
class Item:
    """One item: what was asked, and by system what was answered."""

    benchmark: str
    sample: str
    asked: Shown
    answers: Mapping[str, Shown]


@dataclass(frozen=True)
class Material:
    """All that a study shows, and what metrics say of it."""

    systems: tuple[str, ...]
    items: tuple[Item, ...]
    metrics: tuple[Measured, ...]


def gather(
    runs: Sequence[Path], protocol: Protocol, *, items: int, seed: int, data: Path | None = None
) -> Material:
    """Take the items of a study from runs.

    Items are those samples that every system was asked, in the order of a hash of their id and the seed. A
    system that failed on one is shown as having given no answer: to leave it out would favour it.

    Args:
        runs: folders of runs, or folders that hold some.
        protocol: the design; some want a medium in every answer, or the benchmark's own answer.
        items: how many to take.
        seed: draws them.
        data: folder of official files, for benchmarks that read them.

    Raises:
        StudyError: fewer than two systems, or not so many items; says what is missing.
    """
    entries = _entries(runs)
    systems = tuple(sorted({entry.system for entry in entries}))
    if len(systems) < 2:
        named = f" ({systems[0]})" if systems else ""
        raise StudyError(f"these runs are of {len(systems)} system{named}; a study compares two or more")
    tables = {(entry.benchmark, entry.system): entry for entry in entries}
    if len(tables) < len(entries):
        raise StudyError("two of these runs are of one system on one benchmark; give one of them")
    common = [
        (benchmark, sample)
        for benchmark in sorted({entry.benchmark for entry in entries})
        if all((benchmark, system) in tables for system in systems)
        for sample in _common(tables[benchmark, system] for system in systems)
    ]
    common.sort(key=lambda pair: hashlib.sha256(f"{seed}:{pair[0]}:{pair[1]}".encode()).digest())
    found = list[Item]()
    missing = ""
    # Answers hold media: no more of them are opened than are wanted, unless some hold none.
    for start in range(0, len(common), max(1, items)):
        part = common[start : start + items]
        samples = dict[tuple[str, str], Sample]()
        for benchmark in dict.fromkeys(name for name, _ in part):
            wanted = {sample for name, sample in part if name == benchmark}
            loaded, why = read_samples(tables[benchmark, systems[0]], wanted, data, lambda sample: sample)
            missing = missing or why
            samples |= {(benchmark, sample): value for sample, value in loaded.items()}
        for pair in part:
            if pair in samples and len(found) < items:
                item = _item(pair[0], samples[pair], [tables[pair[0], name] for name in systems], protocol)
                found += [item] if item else []
        if len(found) == items:
            break
    if len(found) < items:
        what = f" with {protocol.wants}" if protocol.wants else ""
        what += " and a reference" if protocol.reference else ""
        raise StudyError(
            f"{len(found)} samples{what} were answered by all of {', '.join(systems)}, and the study takes "
            f"{items}; ask for fewer with --items" + (f". {missing}" if missing else "")
        )
    return Material(systems, tuple(found), tuple(_metrics(tables.values(), systems, found)))


def _entries(runs: Sequence[Path]) -> list[Evidence]:
    found = []
    for folder in runs:
        paths = run_folders(folder)
        if not paths:
            raise StudyError(without_runs(folder))
        for path in paths:
            try:
                found.append(Evidence(read_run(path)))
                len(found[-1].answers)
            except RecordError as error:
                raise StudyError(str(error)) from error
    return found


def _common(entries: Iterable[Evidence]) -> list[str]:
    first, *others = entries
    return [sample for sample in first.answers if all(sample in other.answers for other in others)]


def _item(benchmark: str, sample: Sample, entries: Sequence[Evidence], protocol: Protocol) -> Item | None:
    answers: dict[str, Shown] = {}
    for entry in entries:
        try:
            answer = entry.answers[sample.id].answer
        except RecordError as error:
            raise StudyError(str(error)) from error
        answers[entry.system] = () if isinstance(answer, Failure) else _shown(answer.parts)
    if protocol.reference:
        reference = sample.references.get(protocol.wants or "image")
        if not isinstance(reference, Medium):
            return None
        answers[REFERENCE] = _shown((reference,))
    if protocol.wants and not all(_holds(shown, protocol.wants) for shown in answers.values()):
        return None
    asked = [part for turn in sample.request.conversation for part in turn.parts]
    return Item(
        benchmark, sample.id, _shown(asked), {name: shown or (NOTHING,) for name, shown in answers.items()}
    )


def _holds(shown: Shown, kind: str) -> bool:
    return any(isinstance(part, Exhibit) and part.kind == kind for part in shown)


def _shown(parts: Iterable[Part]) -> Shown:
    return tuple(
        visible(part) if isinstance(part, str) else _exhibit(part)
        for part in parts
        if not isinstance(part, str) or part.strip()
    )


def _exhibit(medium: Medium) -> Exhibit:
    if isinstance(medium, Image):
        return Exhibit("image", medium.png())
    if isinstance(medium, Video):
        return Exhibit("video", medium.mp4(), medium.seconds)
    return Exhibit("audio", medium.wav(), medium.seconds)


def _metrics(
    entries: Iterable[Evidence], systems: Sequence[str], items: Sequence[Item]
) -> Iterable[Measured]:
    """What each metric says of the items, for metrics that speak of single items."""
    tables = {(entry.benchmark, entry.system): entry for entry in entries}
    for benchmark in sorted({item.benchmark for item in items}):
        mine = [tables[benchmark, system] for system in systems]
        for metric in sorted({result.metric for entry in mine for result in entry.run.results}):
            results = [entry.result(metric) for entry in mine]
            if any(result is None for result in results) or not all(entry.items(metric) for entry in mine):
                continue
            signatures = {result.signature for result in results if result is not None}
            if len(signatures) == 1:
                values = {
                    entry.system: [
                        entry.items(metric).get(item.sample) if item.benchmark == benchmark else None
                        for item in items
                    ]
                    for entry in mine
                }
                yield Measured(metric, benchmark, signatures.pop(), metric in LOWER_IS_BETTER, values)
