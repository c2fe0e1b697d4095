"""Proof of a run's numbers: all of them computed again from its answers, without the model, and compared.

Beside the numbers stands what they rest on: the answers, the data, the media, the system's weights and
the code. Each ends as *proved*, *changed* (and what), or *not checkable* (and why).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from benchmarks.harness.asked import DataChangedError
from benchmarks.harness.benchmark import Benchmark, Options
from benchmarks.harness.predictions import FILE, StoredMedium, StoredMessage, inside
from benchmarks.harness.provenance import versions
from benchmarks.harness.records import MANIFEST, RESULTS, SCORES, SEAL, Run
from benchmarks.harness.results import Result, Score, read_results, read_scores
from benchmarks.harness.scoring import Scored, rescore
from benchmarks.harness.storage import RecordError, open_regular, read_json

Outcome = Literal["proved", "changed", "not checkable"]

CODE = "code"


@dataclass(frozen=True)
class Check:
    """What became of one number, or of one thing that the numbers rest on.

    Attributes:
        what: ``exact_match``, ``exact_match, two objects``, or such as ``media``.
        cell: whether it is a number of ``results.json``.
        outcome: ``proved``, ``changed`` or ``not checkable``.
        why: what changed, or why it can't be checked; of what is proved, how.
    """

    what: str
    cell: bool
    outcome: Outcome
    why: str

    @property
    def holds(self) -> bool:
        """False for what a reader must not trust: a number that is not proved, or a ground of it that moved.

        Other versions of packages are said, and no more: numbers that come out the same are the same.
        """
        if self.cell:
            return self.outcome == "proved"
        return self.outcome != "changed" or self.what == CODE


def verify(
    run: Run, benchmark: Benchmark, options: Options | None = None, fingerprint: str | None = None
) -> list[Check]:
    """Compute every number of a run again, and look at all that it rests on; nothing is written.

    Args:
        run: a scored run.
        benchmark: what it answers.
        options: where the data lie.
        fingerprint: of the system as it is now, where somebody has loaded it.

    Raises:
        RecordError: its results can't be read, or it has none.
    """
    stored = read_results(run.folder)
    media = _media(run)
    try:
        again: Scored | RecordError | str = rescore(run, benchmark, options)
    except RecordError as error:
        again = error
    except (ValueError, OSError) as error:  # the data are not at hand, or damaged themselves
        again = " ".join(str(error).split())
    cells = list(_cells(stored, again))
    return [
        *cells,
        *_seal(run),
        _scores(run, again),
        _data(run, again),
        media,
        _system(run, fingerprint),
        _code(run),
    ]


def _cells(stored: tuple[Result, ...], again: Scored | RecordError | str) -> Iterator[Check]:
    if not isinstance(again, Scored):
        outcome: Outcome = "changed" if isinstance(again, RecordError) else "not checkable"
        yield from (Check(_name(row), True, outcome, str(again)) for row in stored)
        return
    found = {(row.metric, row.slice): row for row in again.results}
    for row in stored:
        now = found.pop((row.metric, row.slice), None)
        if now is None:
            yield Check(_name(row), True, "changed", "the benchmark has no such number")
        elif now.value is None and row.value is not None and now.method.startswith("undefined"):
            yield Check(_name(row), True, "not checkable", now.method)
        else:
            differences = [
                f"{field.name} {getattr(row, field.name)!r}, computed {getattr(now, field.name)!r}"
                for field in fields(Result)
                if not (field.name == "standard_error" and row.standard_error is None)  # older than the field
                if not _same(getattr(row, field.name), getattr(now, field.name))
            ]
            outcome = "changed" if differences else "proved"
            yield Check(_name(row), True, outcome, "; ".join(differences) or "computed again")
    yield from (Check(_name(row), True, "changed", f"not in {RESULTS}") for row in found.values())


def _name(row: Result) -> str:
    return row.metric if row.slice is None else f"{row.metric}, {row.slice}"


def _same(then: object, now: object) -> bool:
    """Equal, numbers but for what another processor or library rounds differently."""
    if isinstance(then, float) and isinstance(now, float):
        return math.isclose(then, now, rel_tol=1e-9, abs_tol=1e-12)
    return then == now


def _seal(run: Run) -> Iterator[Check]:
    """Each file against the hash that was taken when the run was scored."""
    try:
        seal, found = read_json(run.folder / SEAL, dict), run.seal()
    except RecordError as error:
        yield Check(SEAL, False, "not checkable", str(error))
        return
    what = {MANIFEST: "protocol", FILE: "answers", SCORES: "scores", RESULTS: "results"}
    for name, digest in found.items():
        same = seal.get(name) == digest
        why = f"{name} {'is' if same else 'is not'} what {SEAL} names"
        yield Check(f"{what[name]} ({name})", False, "proved" if same else "changed", why)


def _scores(run: Run, again: Scored | RecordError | str) -> Check:
    what = "scores of samples"
    if not isinstance(again, Scored):
        return Check(what, False, "not checkable", "nothing could be computed again")
    try:
        stored = read_scores(run.folder)
    except RecordError as error:
        return Check(what, False, "changed", str(error))
    if len(stored) != len(again.scores):
        return Check(what, False, "changed", f"{len(stored)}, computed {len(again.scores)}")
    for then, now in zip(stored, again.scores, strict=True):
        if then != now and not _same_score(then, now):
            return Check(what, False, "changed", f"sample {then.sample!r}: {then}, computed {now}")
    return Check(what, False, "proved", f"{len(stored)}, all computed again")


def _same_score(then: Score, now: Score) -> bool:
    names = ("sample", "group", "slice", "metric", "value")
    return all(_same(getattr(then, name), getattr(now, name)) for name in names)


def _data(run: Run, again: Scored | RecordError | str) -> Check:
    if isinstance(again, DataChangedError):
        return Check("data", False, "changed", str(again))
    if not isinstance(again, Scored):
        return Check("data", False, "not checkable", str(again))
    silent = sum(prediction.asked is None for prediction in run.predictions)
    total = len(run.predictions)
    if silent:
        return Check("data", False, "not checkable", f"{silent} of {total} answers do not say what was asked")
    return Check(
        "data", False, "proved", f"what {total} samples asked, and their references, by their hashes"
    )


def _media(run: Run) -> Check:
    count = silent = 0
    for prediction in run.predictions:
        said = prediction.said
        for part in said.parts if isinstance(said, StoredMessage) else ():
            if not isinstance(part, StoredMedium):
                continue
            count += 1
            silent += part.sha256 is None
            try:
                with open_regular(inside(run.folder, part.name)) as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except (OSError, ValueError) as error:
                return Check("media", False, "changed", f"sample {prediction.sample!r}: {error}")
            if part.sha256 not in (None, digest):
                return Check("media", False, "changed", f"{part.name} is not what was written")
    if silent:
        return Check("media", False, "not checkable", f"{silent} of {count} files were kept without a hash")
    return Check("media", False, "proved", f"{count} files, by their hashes" if count else "there are none")


def _system(run: Run, fingerprint: str | None) -> Check:
    made, what = run.manifest, "system (weights, configuration)"
    if fingerprint is None:
        why = f"{made.system} is not loaded; its fingerprint was {made.fingerprint}"
        return Check(what, False, "not checkable", why)
    if fingerprint == made.fingerprint:
        return Check(what, False, "proved", f"fingerprint {fingerprint}")
    return Check(what, False, "changed", f"fingerprint {made.fingerprint}, now {fingerprint}")


def _code(run: Run) -> Check:
    now = versions()
    moved = [
        f"{name} {then}, now {now.get(name, 'absent')}"
        for name, then in run.manifest.versions.items()
        if now.get(name) != then
    ]
    return Check(
        CODE, False, "changed" if moved else "proved", "; ".join(moved) or "same versions of packages"
    )
