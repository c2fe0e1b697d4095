"""A run on disk: a folder of plain files, and the values that are read from it.

``<out>/<system>/<benchmark>/`` holds ``run.json`` (`Manifest`: everything needed to repeat the run),
``predictions.jsonl`` and ``media/`` (see `predictions`), and once scored ``scores.parquet`` (`Score`: one
row per sample and metric), ``results.json`` (`Result`: one row per metric and slice) and ``scored.json``
(hashes of these two and of what they were computed from). Results that no longer belong to the answers,
or that somebody changed, are none: `Run.unscored` says why.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.harness.log import PredictionLog
from benchmarks.harness.predictions import FILE, MEDIA, Prediction, read_predictions
from benchmarks.harness.results import (
    RESULTS,
    SCORES,
    Result,
    Score,
    read_results,
    read_scores,
    write_results,
)
from benchmarks.harness.storage import RecordError, build, disk, read_file, read_json, to_json, write_json
from nextgpt.messages import Failure

__all__ = [
    "FILE",
    "MEDIA",
    "RESULTS",
    "SCORES",
    "SHARDS",
    "Manifest",
    "Prediction",
    "PredictionLog",
    "RecordError",
    "Result",
    "Run",
    "Score",
    "find_runs",
    "read_predictions",
    "read_run",
    "run_folders",
    "why_meaningless",
    "without_runs",
    "write_json",
    "write_manifest",
    "write_scored",
]

MANIFEST = "run.json"
SEAL = "scored.json"
SHARDS = "shards"


@dataclass(frozen=True)
class Manifest:
    """Everything needed to repeat a run, and what a resumed run must share with it.

    Attributes:
        benchmark, version, family, protocol, source, licence, headline: as in `Benchmark`.
        system, fingerprint, given: as in `System`.
        seed: base of all samples' seeds.
        limit: the run holds the first so many samples only; None for all.
        batch_size: of the latest start; answers depend on it by floating-point rounding alone.
        samples: number of samples once the run has seen them all, before that None.
        samples_sha256: of their ids, in order, each followed by a newline.
        note: the benchmark's, for readers.
        origin: where the benchmark's code stood, ``package.module:NAME``, if not in this project. Runs come
            from anybody: it is shown, and never imported unasked.
        versions, hardware, command, started: the latest start's.
        shard: the part of the samples that it holds, ``3/16``; None for all.
        fits: the largest batch that memory held, where a larger one did not fit; None where all did.
        parts: number of parts that it was merged from; None where it was made in one.
        memory: bytes that the process held at its peak while it answered, over all starts; None where nobody
            can tell, or another process computed.
        device_memory: likewise, of what torch allocated on an accelerator.
    """

    benchmark: str
    version: int
    family: str
    protocol: Mapping[str, str | int | float]
    source: str
    licence: str
    headline: str
    system: str
    fingerprint: str
    given: tuple[str, ...]
    seed: int
    limit: int | None
    batch_size: int
    versions: Mapping[str, str]
    hardware: str
    command: str
    started: str
    samples: int | None = None
    samples_sha256: str | None = None
    note: str = ""
    origin: str = ""
    shard: str | None = None
    parts: int | None = None
    fits: int | None = None
    memory: int | None = None
    device_memory: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("limit", 1), ("batch_size", 1), ("samples", 0), ("parts", 1), ("fits", 1)):
            count = getattr(self, name)
            if isinstance(count, int) and count < least:
                raise ValueError(f"{name} is {count}, and must be at least {least}")

    def differences(self, other: Manifest) -> list[str]:
        """What keeps two runs from sharing a folder, in words: ``seed (0, now 1)``."""
        differences = []
        for name in (*_IDENTITY, "shard", "parts"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                differences.append(f"{name} ({mine}, now {theirs})")
        for key in sorted({*self.protocol, *other.protocol}):
            mine, theirs = self.protocol.get(key), other.protocol.get(key)
            if mine != theirs:
                differences.append(f"protocol {key} ({mine!r}, now {theirs!r})")
        return differences


# What makes a run this run and no other, beside its protocol.
_IDENTITY = ("benchmark", "version", "system", "fingerprint", "given", "seed", "limit")


@dataclass(frozen=True)
class Run:
    """One system on one benchmark; its parts are read from disk when they are first used."""

    folder: Path
    manifest: Manifest

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """What the system said, in the order in which it was said; media are opened when they are used."""
        len(self._answers_sha256)  # first: what changes in between makes results stale, never wrong
        return tuple(read_predictions(self.folder / FILE))

    @cached_property
    def failures(self) -> Mapping[str, Failure]:
        """Samples without an answer that can be used, and why. Every medium is opened once to know that."""
        answers = ((prediction.sample, prediction.answer) for prediction in self.predictions)
        return {sample: answer for sample, answer in answers if isinstance(answer, Failure)}

    @cached_property
    def unscored(self) -> str:
        """Why the run has no results, in one line; empty where it has."""
        if not (self.folder / RESULTS).exists():
            return "not scored"
        if not (self.folder / SEAL).exists():
            return f"not scored by this version, for {SEAL} is missing"
        try:
            seal = read_json(self.folder / SEAL, dict)
            found = self.seal()
        except RecordError as error:
            return f"not scored: {str(error).removeprefix(f'{self.folder}{os.sep}')}"
        changed = [name for name, digest in found.items() if seal.get(name) != digest]
        return f"not scored since {' and '.join(changed)} changed, going by {SEAL}" if changed else ""

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """The scored values; empty where the run is `unscored`."""
        return () if self.unscored else read_results(self.folder)

    @cached_property
    def scores(self) -> tuple[Score, ...]:
        """Per-sample values, for metrics that have them; empty where the run is `unscored`."""
        return () if self.unscored else read_scores(self.folder)

    def seal(self) -> dict[str, str]:
        """SHA-256 of the results, by file, and of all that they were computed from.

        Raises:
            RecordError: a file is missing.
        """
        made = self.manifest
        identity = [getattr(made, name) for name in (*_IDENTITY, "headline", "samples_sha256")]
        return {
            MANIFEST: _sha256(to_json([*identity, sorted(made.protocol.items())])),
            FILE: self._answers_sha256,
            SCORES: _sha256(read_file(self.folder / SCORES)),
            RESULTS: _sha256(read_file(self.folder / RESULTS)),
        }

    @cached_property
    def _answers_sha256(self) -> str:
        return _sha256(read_file(self.folder / FILE))

    def check(self) -> None:
        """Read every file of the run once, media included.

        Raises:
            RecordError: one of them can't be used; the message names it.
        """
        for part in (self.failures, self.results, self.scores):
            len(part)


def read_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        RecordError: there is no run, or its ``run.json`` is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise RecordError(f"{folder}: no run here ({MANIFEST} is missing); check the path")
    row = read_json(path, dict)
    given = row.get("given")
    manifest = build(Manifest, row | {"given": tuple(given)} if isinstance(given, list) else row, path)
    return Run(folder, manifest)


def find_runs(root: Path) -> list[Run]:
    """All runs below a folder, in the order of their paths.

    Raises:
        RecordError: there is none.
    """
    runs = [read_run(folder) for folder in run_folders(root)]
    if not runs:
        raise RecordError(without_runs(root))
    return runs


def why_meaningless(run: Run) -> str:
    """Why a finished run says nothing; empty when it says something, or is a part of one."""
    if run.manifest.shard is not None:
        return ""
    whole = [result for result in run.results if result.slice is None]
    headline = next(result for result in whole if result.metric == run.manifest.headline)
    where = f"{run.manifest.system} on {run.manifest.benchmark} says nothing"
    if headline.failed == run.manifest.samples:
        reasons = [each.answer.reason for each in run.predictions if isinstance(each.answer, Failure)]
        return f"{where}: every sample failed, the first with: {reasons[0]}"
    return f"{where}: {headline.method}" if all(result.value is None for result in whole) else ""


def run_folders(root: Path) -> list[Path]:
    """Folders below a folder that hold a run, whole or not, in the order of their paths; parts are none."""
    return [path.parent for path in sorted(root.rglob(MANIFEST)) if path.parent.parent.name != SHARDS]


def without_runs(root: Path) -> str:
    """What to do about a folder below which no run lies, in one line."""
    if any(root.rglob(f"{SHARDS}/*/{MANIFEST}")):
        return f"{root}: no runs here but parts of some; put them together with `nextgpt-bench merge`"
    return f"{root}: no runs here; make some with `nextgpt-bench run --out {root}`"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``run.json``."""
    write_json(folder / MANIFEST, asdict(manifest))


def write_scored(run: Run, results: Sequence[Result], scores: Iterable[Score]) -> Run:
    """Write ``scores.parquet``, ``results.json`` and their seal; returns the run as read from disk.

    Raises:
        RecordError: the disk is full or fails.
    """
    with disk(run.folder / RESULTS):
        write_results(run.folder, results, scores)
        write_json(run.folder / SEAL, run.seal())
    return read_run(run.folder)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
