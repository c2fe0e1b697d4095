"""What changed since the lines that are held: in which family, how sure, and which samples flipped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness.expectations import Expectation, ExpectationError, headline, read_expectation
from benchmarks.harness.gate import Cell, Verdict, judge_together, measure
from benchmarks.harness.provenance import redact
from benchmarks.harness.records import RecordError, Result, read_run, run_folders
from nextgpt.messages import Failure
from reports.evidence import Evidence, ReportError
from reports.gallery import Album, Shown, read_samples, show_input, show_parts, show_reference
from reports.tables import number, said

_SAME = 1e-6  # lines keep six digits
_ORDER = ("short", "better", "inconclusive", "holds")


@dataclass(frozen=True)
class Side:
    """What a system said to a sample, then or now."""

    title: str
    score: str
    shown: Shown
    failure: str


@dataclass(frozen=True)
class Flip:
    """A sample whose score is another one now."""

    id: str
    slice: str
    input: Shown
    reference: Shown
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Change:
    """One line, and the run that is held to it.

    Attributes:
        result: the headline value now.
        expected: the line.
        verdict: after correction over all lines of the page.
        renewed: whether the system has another fingerprint than when the line was made.
        worse, better: the number of samples that lost and won.
        flips: some of them, the worse first.
        missing: why inputs and references are not shown.
    """

    family: str
    result: Result
    expected: Expectation
    verdict: Verdict
    renewed: bool
    worse: int
    better: int
    flips: tuple[tuple[str, tuple[Flip, ...]], ...]
    missing: str


@dataclass(frozen=True)
class Changes:
    """All that the page says; `left_out` names runs that are held to no line, and why."""

    changes: tuple[Change, ...]
    left_out: tuple[str, ...]
    command: str

    @property
    def families(self) -> list[tuple[str, list[int]]]:
        """Of each family the number of cells of every kind of verdict."""
        names = dict.fromkeys(change.family for change in self.changes)
        kinds = [(change.family, str(change.verdict.kind)) for change in self.changes]
        return [(name, [kinds.count((name, kind)) for kind in _ORDER]) for name in names]

    @property
    def rows(self) -> list[dict[str, object]]:
        """A row for each line: the value now and then, the verdict and why, how many samples flipped."""
        return [
            {
                "benchmark": change.result.benchmark,
                "system": change.result.system,
                "family": change.family,
                "metric": change.result.metric,
                "value": change.result.value,
                "low": change.result.low,
                "high": change.result.high,
                "n": change.result.n,
                "expected": change.expected.value,
                "verdict": str(change.verdict.kind),
                "words": change.verdict.words,
                "renewed": change.renewed,
                "worse": change.worse,
                "better": change.better,
            }
            for change in self.changes
        ]

    @property
    def summary(self) -> str:
        """One line: how many cells came out which way."""
        kinds = [change.verdict.kind for change in self.changes]
        return ", ".join(f"{kinds.count(kind)} {kind}" for kind in _ORDER if kind in kinds)


def build_changes(
    runs: Path,
    expected: Path,
    *,
    before: Path | None = None,
    data: Path | None = None,
    examples: int = 4,
    command: str = "",
) -> Changes:
    """Hold every run below a folder to its line, all together.

    Args:
        runs: folder of the runs.
        expected: folder of the lines.
        before: runs of then, for what a system said then; lines hold scores alone.
        data: folder of official files, for the inputs of benchmarks that read them.
        examples: flipped samples shown of each line and direction.
        command: what made the page.

    Raises:
        ReportError: no run that is held to a line.
    """
    held, left_out = list[tuple[Evidence, Expectation, Cell]](), list[str]()
    for entry in _read(runs, left_out):
        try:
            line = read_expectation(entry.benchmark, entry.system, expected)
            held.append((entry, line, measure(entry.run, line)))
        except ExpectationError as error:
            left_out.append(str(error))
    if not held:
        first = f"; the first: {left_out[0]}" if left_out else ""
        raise ReportError(f"{runs}: no run here is held to a line in {expected}{first}")
    then = {(entry.benchmark, entry.system): entry for entry in (_read(before, left_out) if before else ())}
    verdicts = judge_together([cell for *_, cell in held])
    album = Album()
    # What fell short has the first claim on the page's budget of pictures.
    order = sorted(zip(held, verdicts, strict=True), key=lambda each: _ORDER.index(each[1].kind))
    changes = [
        _change(entry, line, verdict, then.get((entry.benchmark, entry.system)), album, data, examples)
        for (entry, line, _), verdict in order
    ]
    return Changes(tuple(changes), tuple(map(redact, left_out)), command)


def _read(folder: Path, left_out: list[str]) -> list[Evidence]:
    """Runs at any depth; one that can't be read spoils no other."""
    found = []
    for path in run_folders(folder):
        try:
            run = read_run(path)
            run.check()
            found.append(Evidence(run))
        except RecordError as error:
            left_out.append(str(error))
    return found


def _change(  # noqa: PLR0917 - a private step of the one above
    entry: Evidence,
    line: Expectation,
    verdict: Verdict,
    then: Evidence | None,
    album: Album,
    data: Path | None,
    examples: int,
) -> Change:
    now = entry.items(line.metric)
    turn = -1.0 if line.lower_is_better else 1.0
    gains = {sample: turn * (value - line.samples[sample]) for sample, value in now.items()}
    worse = _by_hash([sample for sample, gain in gains.items() if gain < -_SAME])
    better = _by_hash([sample for sample, gain in gains.items() if gain > _SAME])
    chosen = {*worse[:examples], *better[:examples]}
    asked, missing = read_samples(
        entry, chosen, data, lambda sample: (show_input(sample, album), show_reference(sample, album))
    )

    def flip(sample: str) -> Flip:
        source, reference = asked.get(sample, (Shown(), Shown()))
        sides = (
            _side("then", line.samples[sample], then, sample, album),
            _side("now", now[sample], entry, sample, album),
        )
        return Flip(sample, entry.slices.get(sample, ""), source, reference, sides)

    return Change(
        entry.about.family,
        headline(entry.run),
        line,
        verdict,
        line.fingerprint != entry.about.fingerprint,
        len(worse),
        len(better),
        tuple(
            (title, tuple(map(flip, samples[:examples])))
            for title, samples in ((f"{len(worse)} worse", worse), (f"{len(better)} better", better))
            if samples and examples
        ),
        missing if chosen else "",
    )


def _side(title: str, value: float, entry: Evidence | None, sample: str, album: Album) -> Side:
    prediction = entry.answers.get(sample) if entry else None
    if prediction is None:
        return Side(title, number(value), Shown(), "")
    answer = prediction.answer
    if isinstance(answer, Failure):
        return Side(title, number(value), Shown(), f"{said(answer.stage)}: {said(answer.reason)}")
    return Side(title, number(value), show_parts(answer.parts, album, f"Picture {title}"), "")


def _by_hash(samples: Sequence[str]) -> list[str]:
    """In an order that nobody picked."""
    return sorted(samples, key=lambda sample: hashlib.sha256(sample.encode(errors="surrogatepass")).digest())
