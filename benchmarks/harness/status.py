"""How far runs are, seen from outside: nothing is written, and nobody at work is disturbed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.benchmark import Shard
from benchmarks.harness.owner import owned_by
from benchmarks.harness.predictions import FILE
from benchmarks.harness.records import MANIFEST, SHARDS, Manifest, read_run, run_folders
from benchmarks.harness.storage import RecordError, parse_json, read_file


@dataclass(frozen=True)
class Standing:
    """How far a run is, or one part of it.

    Attributes:
        system, benchmark: whose run.
        part: ``3/16``; ``all`` for a run that was made in one, or merged.
        state: who is at work, or ``scored``, ``finished``, ``stopped``, ``not begun``, ``damaged: why``.
        answered: samples with an answer or a failure.
        failed: of these, the failures.
        missing: samples without; None where their number isn't known before all were seen once.
        machine: where the latest start was made.
    """

    system: str
    benchmark: str
    part: str
    state: str
    answered: int
    failed: int
    missing: int | None
    machine: str


def standings(root: Path) -> list[Standing]:
    """Of all runs at or below a folder, each with its parts.

    Raises:
        RecordError: there is none.
    """
    parts = {path.parents[2] for path in root.rglob(f"{SHARDS}/*/{MANIFEST}")}
    found = [each for folder in sorted({*run_folders(root), *parts}) for each in _of_run(folder)]
    if not found:
        raise RecordError(f"{root}: no runs here; check the path")
    return found


def _of_run(folder: Path) -> Iterator[Standing]:
    if (folder / MANIFEST).exists():
        yield _standing(folder, "all")
    plan: dict[str, Standing | None] = {}
    for path in sorted((folder / SHARDS).glob(f"*/{MANIFEST}")):
        index, _, of = path.parent.name.partition("-of-")
        found = _standing(path.parent, path.parent.name)
        if index.isdecimal() and of.isdecimal():
            for k in range(1, min(int(of), 9999) + 1):
                plan.setdefault(str(Shard(k, int(of))), None)
        plan[found.part] = found
    for part, standing in plan.items():
        names = folder.parent.name, folder.name
        yield standing or Standing(*names, part, "not begun", 0, 0, None, "")


def _standing(folder: Path, part: str) -> Standing:
    owner = owned_by(folder)
    try:
        run = read_run(folder)
        made = run.manifest
        answered, failed = _counts(folder / FILE)
    except RecordError as error:
        return Standing("?", folder.name, part, f"damaged: {error}", 0, 0, None, "")
    total = _total(made)
    missing = None if total is None else max(total - answered, 0)
    state = f"at work, {owner}" if owner else "stopped"
    if not owner and made.samples is not None and not missing:
        state = "finished" if run.unscored else "scored"
    part = part if made.shard is None else made.shard
    return Standing(made.system, made.benchmark, part, state, answered, failed, missing, made.hardware)


def _total(made: Manifest) -> int | None:
    """Number of samples, where it is known: to a part, when it has seen all of them once."""
    if made.samples is not None or made.shard is not None:
        return made.samples
    known = [count for count in (made.protocol.get("samples"), made.limit) if isinstance(count, int)]
    return min(known, default=None)


def _counts(path: Path) -> tuple[int, int]:
    """Answers and failures in a log that somebody may be writing: what has no newline yet is none."""
    whole, _, _ = read_file(path).rpartition(b"\n")
    lines = [line for line in whole.split(b"\n") if line.strip()]
    return len(lines), sum(b'"error"' in line and _failed(line) for line in lines)


def _failed(line: bytes) -> bool:
    try:
        return "error" in parse_json(line)
    except (ValueError, TypeError):
        return False
