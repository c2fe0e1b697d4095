"""Shards: a run in parts that any number of machines make, and that are put together without meeting.

Which part a sample belongs to follows from its group alone (`benchmark.Shard`): nothing is asked of a clock,
and no process waits for another. A part is a folder like a run's, ``<run>/shards/3-of-16``, with a lock, a
log and a manifest of its own, and is killed and continued like one. `merge` sees that the parts fit
together, and puts them into the run's own folder, where they are scored as one run's answers are.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness.benchmark import Benchmark, Options, Shard
from benchmarks.harness.owner import Owner
from benchmarks.harness.predictions import FILE, MEDIA, read_lines
from benchmarks.harness.provenance import command_line
from benchmarks.harness.records import MANIFEST, SHARDS, Manifest, Run, read_run, write_manifest
from benchmarks.harness.scoring import score
from benchmarks.harness.storage import RecordError, brief, disk, read_file, to_json, write_atomically


class MergeError(RecordError):
    """Parts that don't make one run; the message names them and says what to do."""


def merge(folder: Path, benchmark: Benchmark, options: Options | None = None) -> Run:
    """Put the parts of a run together, and score it: the same numbers as those of a run made in one.

    Parts stay as they are. Killed at any moment, the same call does it all again.

    Args:
        folder: the run's, which holds ``shards/``.
        benchmark: what the parts answer.
        options: where its data lie; limit and shard are the parts' own.

    Raises:
        MergeError: a part is missing, differs from the others, or contradicts another.
        RecordError: a part is damaged or still at work, or the folder can't be written.
    """
    found = read_parts(folder)
    whole = _whole(folder, found)
    with ExitStack() as owners:
        owner = owners.enter_context(Owner(folder))
        for part in found:  # nobody may be at work in one of them
            owners.enter_context(Owner(part.folder))
        answers = _answers(found)
        samples = benchmark.samples(Options((options or Options()).data, whole.limit))
        count = whole.parts or 1
        homes = {sample.id: Shard.holding(sample, count) for sample in samples}
        _check_complete(folder, answers, homes)
        digest = hashlib.sha256("".join(f"{sample}\n" for sample in homes).encode()).hexdigest()
        # First of all, for it keeps others from continuing what is here as a run of their own.
        write_manifest(folder, replace(whole, samples=len(homes), samples_sha256=digest))
        _gather_media(folder, found)
        write_atomically(folder / FILE, b"".join([to_json(answers[sample]) for sample in homes]))
        return score(read_run(folder), benchmark, options, owner=owner)


def read_parts(folder: Path) -> list[Run]:
    """What lies in ``shards/`` of a run's folder, in the order of the plan; the same part may be there twice.

    Raises:
        MergeError: there is nothing, or a run that is no part.
        RecordError: a part is damaged.
    """
    found = [read_run(path.parent) for path in sorted((folder / SHARDS).glob(f"*/{MANIFEST}"))]
    if not found:
        raise MergeError(f"{folder}: no parts here; make some with `nextgpt-bench run --shard 1/2`, then 2/2")
    for part in found:
        if part.manifest.shard is None:
            raise MergeError(f"{part.folder}: a whole run, and no part of one; move it out of {SHARDS}")
    return sorted(found, key=_place)


def _place(part: Run) -> tuple[int, str]:
    return Shard.parse(part.manifest.shard or "").index, part.folder.name


def _whole(folder: Path, parts: Sequence[Run]) -> Manifest:
    """The manifest of the run that the parts make.

    Raises:
        MergeError: they make none, or another run is in the folder.
    """
    first, shards = parts[0].manifest, [Shard.parse(part.manifest.shard or "") for part in parts]
    for part in parts:
        differences = first.differences(replace(part.manifest, shard=first.shard))
        if differences:
            raise MergeError(
                f"{part.folder.name} and {parts[0].folder.name} in {folder / SHARDS} are parts of different "
                f"runs: {'; '.join(differences)}. Keep those that belong together"
            )
    counts = sorted({shard.of for shard in shards})
    if len(counts) > 1:
        found = " and ".join(map(str, counts))
        raise MergeError(f"{folder / SHARDS}: parts of plans of {found} parts; keep those of one plan")
    missing = sorted(set(range(1, counts[0] + 1)) - {shard.index for shard in shards})
    if missing:
        names = ", ".join(f"{index}/{counts[0]}" for index in missing[:20])
        raise MergeError(
            f"{folder}: {len(missing)} of {counts[0]} parts are missing: {names}; make each with "
            f"`nextgpt-bench run --shard {missing[0]}/{counts[0]}` and its like"
        )
    if (folder / MANIFEST).exists():
        alone = read_run(folder).manifest.parts is None
    else:
        alone = (folder / FILE).exists()
    if alone:
        raise MergeError(
            f"{folder}: holds a run that was made in one; move its files, or the parts, elsewhere"
        )
    made = [part.manifest for part in parts]
    return replace(
        first,
        shard=None,
        parts=counts[0],
        fits=min((each.fits for each in made if each.fits is not None), default=None),
        command=f"{first.command}; and so on to --shard {counts[0]}/{counts[0]}; {command_line()}",
        hardware="; ".join(sorted({each.hardware for each in made})),
        versions=_all_versions([each.versions for each in made]),
        started=min(each.started for each in made),
        memory=max((each.memory for each in made if each.memory is not None), default=None),
        device_memory=max(
            (each.device_memory for each in made if each.device_memory is not None), default=None
        ),
    )


def _all_versions(found: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Versions by package; where machines differ, all of them."""
    names = {name: None for versions in found for name in versions}
    return {name: ", ".join(sorted({each[name] for each in found if name in each})) for name in names}


def _answers(parts: Sequence[Run]) -> dict[str, dict[str, Any]]:
    """The lines of all parts by sample.

    Raises:
        MergeError: two parts answer one sample, and not alike.
    """
    answers: dict[str, dict[str, Any]] = {}
    owners: dict[str, Run] = {}
    for part in parts:
        for number, record in read_lines(part.folder / FILE):
            sample = record.get("sample")
            where = f"{part.folder / FILE}, line {number}"
            if not isinstance(sample, str):
                raise RecordError(f"{where}: no sample id; delete this line and run the part again")
            before = owners.setdefault(sample, part)
            if before is part and sample in answers:
                raise RecordError(f"{where}: sample {brief(sample)} a second time; delete this line")
            if before is part:
                answers[sample] = record
            elif before.manifest.shard != part.manifest.shard:
                raise MergeError(
                    f"{where}: sample {brief(sample)} is in {before.folder.name} too, and parts share none; "
                    "were they made from different data?"
                )
            elif _said(answers[sample]) != _said(record):
                raise MergeError(
                    f"{where}: sample {brief(sample)} is answered differently in {before.folder.name}, the "
                    "same part; delete one of the two"
                )
    return answers


def _said(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != "seconds"}


def _check_complete(folder: Path, answers: Mapping[str, object], homes: Mapping[str, Shard]) -> None:
    missing = [sample for sample in homes if sample not in answers]
    if missing:
        where = sorted({homes[sample] for sample in missing}, key=lambda shard: shard.index)
        names = ", ".join(map(str, where[:20]))
        raise MergeError(
            f"{folder}: {len(missing)} of {len(homes)} samples are not answered yet, the first "
            f"{brief(missing[0])}; finish {names} with the same `nextgpt-bench run --shard`"
        )
    strangers = [sample for sample in answers if sample not in homes]
    if strangers:
        raise MergeError(
            f"{folder}: {len(strangers)} answers to samples that these data do not hold, the first "
            f"{brief(strangers[0])}; give the data that were answered, with --data"
        )


def _gather_media(folder: Path, parts: Sequence[Run]) -> None:
    """Bring the media of all parts into the run's folder; they are named by their content."""
    for part in parts:
        for source in sorted((part.folder / MEDIA).glob("*.*")):
            target = folder / MEDIA / source.name
            if target.exists() or source.name.startswith("."):  # there already, or left by a kill
                continue
            with disk(target):
                target.parent.mkdir(exist_ok=True)
                try:
                    os.link(source, target)
                except OSError:  # a disk that knows no links
                    write_atomically(target, read_file(source))
