"""Run a system on a benchmark: put its samples to it in batches and keep every answer.

A run is a folder that only grows: killed at any moment it has lost the batch under way at most, and
running again does what is left. Scoring (`benchmarks.harness.scoring`) comes after, under the same lock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict, Unpack

from benchmarks.harness.asked import refuse_if_changed
from benchmarks.harness.asking import Asker, Here, Workers
from benchmarks.harness.benchmark import Benchmark, Broken, Options, Sample
from benchmarks.harness.door import check_system, safe_name
from benchmarks.harness.isolated import Isolated
from benchmarks.harness.memory import forget_peak, peak
from benchmarks.harness.owner import Owner
from benchmarks.harness.progress import Tick, progress
from benchmarks.harness.provenance import command_line, hardware, versions
from benchmarks.harness.records import (
    FILE,
    MANIFEST,
    SHARDS,
    Manifest,
    PredictionLog,
    Run,
    read_run,
    write_manifest,
)
from benchmarks.harness.scoring import score
from benchmarks.harness.system import System
from nextgpt.messages import Failure
from nextgpt.terminal import note

_BATCH = 32


class RunError(ValueError):
    """A run that can't be made or continued; the message says what to do."""


class CannotTakePartError(RunError):
    """The system does not accept or produce what the benchmark is about."""


class Manner(TypedDict, total=False):
    """How a run is made; none of it changes an answer but `seed`.

    Attributes:
        batch_size: requests in one call of the system; 32 where nobody says.
        seed: base of the samples' seeds; each depends on it and the sample's id alone.
        retry_failed: run samples again that are recorded as failed.
        progress: show a bar on standard error; None shows it on a terminal only.
    """

    batch_size: int
    seed: int
    retry_failed: bool
    progress: bool | None


def run(
    benchmark: Benchmark,
    system: System,
    out: Path,
    options: Options | None = None,
    **manner: Unpack[Manner],
) -> Run:
    """Put every sample that has no answer yet to the system, and record what it says.

    A batch that makes the system raise is put to it again one request at a time; what raises alone is
    recorded as that sample's failure. One that does not fit into memory is halved, as are all that follow.
    An interrupted run is continued by the same call.

    Args:
        benchmark: the samples.
        system: who answers them.
        out: folder of all runs; this one goes to ``<out>/<system>/<benchmark>``, or into ``shards/3-of-16``
            there.
        options: which data, how many samples.
        **manner: see `Manner`.

    Returns:
        The finished run, not yet scored.

    Raises:
        CannotTakePartError: the system lacks a modality.
        RunError: the folder holds a different run, or no sample is usable.
        RecordError: the folder can't be written, or a record in it is damaged.
    """
    options = _absolute(options)
    with _own(benchmark, system, out, options, manner) as owner:
        return _run(owner, benchmark, system, options, manner)


def evaluate(
    benchmark: Benchmark,
    system: System,
    out: Path,
    options: Options | None = None,
    **manner: Unpack[Manner],
) -> Run:
    """Run a system on a benchmark, and score it unless it is a part; arguments and errors are `run`'s."""
    options = _absolute(options)
    if options.shard:
        return run(benchmark, system, out, options, **manner)
    with _own(benchmark, system, out, options, manner) as owner:
        finished = _run(owner, benchmark, system, options, manner)
        measurer = system if isinstance(system, Workers) else None
        return score(finished, benchmark, options, owner=owner, measurer=measurer)


def _own(benchmark: Benchmark, system: System, out: Path, options: Options, manner: Manner) -> Owner:
    """The folder of a run that can be made."""
    _check(benchmark, system, manner.get("batch_size", _BATCH))
    folder = out.absolute() / system.name / benchmark.name
    if options.shard:
        folder = folder / SHARDS / f"{options.shard.index}-of-{options.shard.of}"
    return Owner(folder)


def _absolute(options: Options | None) -> Options:
    """Options that mean the same after a system has changed the current folder."""
    options = options or Options()
    return replace(options, data=options.data and options.data.absolute())


def _run(owner: Owner, benchmark: Benchmark, system: System, options: Options, manner: Manner) -> Run:
    folder, batch_size, seed = owner.folder, manner.get("batch_size", _BATCH), manner.get("seed", 0)
    manifest = _manifest(benchmark, system, options, batch_size, seed)
    with PredictionLog(owner) as log:
        earlier = _earlier(folder, manifest, log)
        manifest = replace(
            manifest, fits=earlier.fits, memory=earlier.memory, device_memory=earlier.device_memory
        )
        write_manifest(
            folder, replace(manifest, samples=earlier.samples, samples_sha256=earlier.samples_sha256)
        )
        if manner.get("retry_failed"):
            log.forget_failures()

        def remember(size: int) -> None:
            nonlocal manifest
            manifest = replace(manifest, fits=size)
            owner.check()
            write_manifest(
                folder, replace(manifest, samples=earlier.samples, samples_sha256=earlier.samples_sha256)
            )
            note(f"{title}: out of memory; going on with batches of {size}")

        ours = forget_peak() and not isinstance(system, Isolated | Workers)  # whose processes are others
        engine = system if isinstance(system, Workers) else Here(system)
        asker = Asker(engine, system.given, seed, min(batch_size, manifest.fits or batch_size), remember)
        title, count = f"{system.name} on {benchmark.name}", _count(benchmark, options)
        with progress(title, count, manner.get("progress")) as tick:
            ids, usable = _answer_all(benchmark.samples(options), asker, log, tick)
        digest = hashlib.sha256("".join(f"{sample}\n" for sample in ids).encode()).hexdigest()
        _check_ids(ids, digest, earlier, log)
        owner.check()
        if ours:
            manifest = _with_peaks(manifest)
        write_manifest(folder, replace(manifest, samples=len(ids), samples_sha256=digest))
    finished = read_run(folder)
    if not usable and not options.shard:
        raise RunError(f"{benchmark.name}: none of {len(ids)} samples is usable{_first_reason(finished)}")
    return finished


def _with_peaks(manifest: Manifest) -> Manifest:
    """The peaks of memory over all starts of a run."""
    found = peak()
    known = ((manifest.memory, found.host), (manifest.device_memory, found.device))
    host, device = (max((each for each in pair if each is not None), default=None) for pair in known)
    return replace(manifest, memory=host, device_memory=device)


def _answer_all(
    samples: Iterator[Sample | Broken], asker: Asker, log: PredictionLog, tick: Tick
) -> tuple[list[str], int]:
    """Answer what is not in the log yet; returns the ids of all samples and the number of usable ones."""
    ids, usable = list[str](), 0

    def batches() -> Iterator[list[Sample | Broken]]:
        nonlocal usable
        waiting = list[Sample | Broken]()
        for sample in samples:
            ids.append(sample.id)
            usable += isinstance(sample, Sample)
            if sample.id in log.answered:
                refuse_if_changed(log.asked.get(sample.id), sample, log.path)
                tick(1)
                continue
            waiting.append(sample)
            if len(waiting) >= asker.batch_size:
                yield waiting
                waiting = []
        if waiting:
            yield waiting

    for predictions in asker.answer(batches()):
        log.append(predictions)
        tick(len(predictions))
    return ids, usable


def _check(benchmark: Benchmark, system: System, batch_size: int) -> None:
    safe_name(benchmark.name)
    check_system(system)
    if batch_size < 1:
        raise RunError(f"the batch size must be at least 1, got {batch_size}")
    for verb, needed, able in (
        ("accept", benchmark.accepts, system.accepts),
        ("produce", benchmark.produces, system.produces),
    ):
        if not needed <= able:
            lacking = ", ".join(sorted(needed - able))
            raise CannotTakePartError(
                f"{system.name} can't take part in {benchmark.name}: it does not {verb} {lacking}"
            )


def _manifest(benchmark: Benchmark, system: System, options: Options, batch_size: int, seed: int) -> Manifest:
    return Manifest(
        benchmark=benchmark.name,
        version=benchmark.version,
        family=benchmark.family,
        protocol=dict(benchmark.protocol),
        note=benchmark.note,
        origin=benchmark.origin,
        source=benchmark.source,
        licence=benchmark.licence,
        headline=benchmark.headline,
        system=system.name,
        fingerprint=system.fingerprint,
        given=tuple(sorted(system.given)),
        seed=seed,
        limit=options.limit,
        batch_size=batch_size,
        versions=versions(),
        hardware=system.hardware if isinstance(system, Workers) else hardware(),
        command=command_line(),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        shard=str(options.shard) if options.shard else None,
    )


def _earlier(folder: Path, manifest: Manifest, log: PredictionLog) -> Manifest:
    """The manifest of the run that this one continues, or its own; refuses a different run."""
    if not (folder / MANIFEST).exists():
        if log.answered:
            raise RunError(f"{folder}: {FILE} without {MANIFEST}; restore it or choose another --out")
        return manifest
    earlier = read_run(folder).manifest
    differences = earlier.differences(manifest)
    if differences:
        raise RunError(f"{folder} holds a different run: {'; '.join(differences)}. Choose another --out")
    return earlier


def _check_ids(ids: Sequence[str], digest: str, earlier: Manifest, log: PredictionLog) -> None:
    strangers = log.answered.keys() - set(ids)
    if strangers:
        raise RunError(
            f"{log.path}: {len(strangers)} answers to unknown samples, the first {min(strangers)!r}; "
            "did the data change? Choose another --out, or delete those lines"
        )
    if earlier.samples_sha256 not in (None, digest):
        raise RunError(
            f"{log.path.parent}: the data changed, {earlier.samples} samples before and {len(ids)} now; "
            "choose another --out"
        )


def _count(benchmark: Benchmark, options: Options) -> int | None:
    """Number of samples for the progress bar, where it is known before they are loaded."""
    known = benchmark.protocol.get("samples")
    counts = [count for count in (known, options.limit) if isinstance(count, int)]
    return None if options.shard else min(counts, default=None)


def _first_reason(finished: Run) -> str:
    reasons = [p.answer.reason for p in finished.predictions if isinstance(p.answer, Failure)]
    return f"; the first: {reasons[0]}" if reasons else "; is the data set empty?"
