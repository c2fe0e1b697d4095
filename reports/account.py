"""The account of a comparison: what took part, what to bear in mind, what failed, how to repeat it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.harness.records import MANIFEST, Manifest
from reports.evidence import Dossier, Evidence, Part
from reports.tables import said

_EXAMPLES = 3
# Reasons that differ in numbers and quotations only are of one kind.
_PARTICULARS = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


@dataclass(frozen=True)
class SystemAccount:
    """One system: the part it plays and its fingerprint; several where it changed between runs."""

    name: str
    part: str
    series: int
    fingerprints: tuple[str, ...]


@dataclass(frozen=True)
class BenchmarkAccount:
    """One benchmark: what its numbers depend on."""

    name: str
    family: str
    version: int
    samples: str
    source: str
    licence: str
    protocol: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FailureAccount:
    """Samples of one run that failed at one stage for like reasons; `reason` is that of the first."""

    system: str
    benchmark: str
    stage: str
    reason: str
    count: int
    examples: str


@dataclass(frozen=True)
class Recipe:
    """A command that made some runs, and what it ran with."""

    title: str
    command: str
    details: str


@dataclass(frozen=True)
class Proof:
    """What the numbers of one run rest on, and how to have them computed again.

    Attributes:
        system, benchmark: whose run.
        folder: of the run, below the one that was compared.
        command: that made it.
        files: SHA-256 of answers, scores and results, by file; of an unscored run none.
        verify: the command that computes every number of it again.
    """

    system: str
    benchmark: str
    folder: str
    command: str
    files: Mapping[str, str]
    verify: str


def system_accounts(dossier: Dossier) -> list[SystemAccount]:
    """Every system, those that are compared first."""
    accounts = []
    for name in dossier.systems:
        runs = _runs_of(dossier, name)
        fingerprints = dict.fromkeys(entry.about.fingerprint for entry in runs)
        part = _part(dossier, name, runs[0].about)
        accounts.append(SystemAccount(name, part, dossier.series(name), tuple(fingerprints)))
    return accounts


def benchmark_accounts(dossier: Dossier) -> list[BenchmarkAccount]:
    """Every benchmark, as its first run describes it."""
    accounts = []
    for name in dossier.benchmarks:
        about = dossier.on(name)[0].about
        counts = sorted({entry.about.samples or 0 for entry in dossier.on(name)})
        protocol = tuple((key, said(value)) for key, value in about.protocol.items())
        accounts.append(
            BenchmarkAccount(
                name,
                about.family,
                about.version,
                " or ".join(map(str, counts)),
                said(about.source),
                said(about.licence),
                protocol,
            )
        )
    return accounts


def notes(dossier: Dossier) -> list[str]:
    """What a reader has to bear in mind: the benchmarks' own notes, and what is odd about these runs."""
    own = [(dossier.on(name)[0].about.note, name) for name in dossier.benchmarks]
    states = [
        (state, f"{entry.system} on {entry.benchmark}")
        for entry in dossier.entries.values()
        for state in _states(entry)
    ]
    mixed = [
        ("Run in several versions or protocols, of which different ones are not compared", name)
        for name in dossier.benchmarks
        if len({(entry.about.version, str(entry.about.protocol)) for entry in dossier.on(name)}) > 1
    ]
    changed = [
        ("Changed between its runs, which carry different fingerprints", name)
        for name in dossier.systems
        if len({entry.about.fingerprint for entry in _runs_of(dossier, name)}) > 1
    ]
    lines = [f"{', '.join(names)}: {said(note)}" for note, names in _together(own).items()]
    odd = _together([*mixed, *changed, *states])
    return lines + [f"{what}: {', '.join(names)}." for what, names in odd.items()]


def _together(pairs: Iterable[tuple[object, str]]) -> dict[object, list[str]]:
    """Names by what is said of them; nothing said, nothing kept."""
    found: dict[object, list[str]] = {}
    for what, name in pairs:
        if what:
            found.setdefault(what, []).append(name)
    return found


def failure_accounts(dossier: Dossier, most: int) -> tuple[list[FailureAccount], str]:
    """Failed samples of all runs by stage and kind of reason, and a line on what is not listed.

    Args:
        dossier: the evidence.
        most: the number of rows listed; the most frequent ones come first.
    """
    accounts = []
    for benchmark in dossier.benchmarks:
        for entry in dossier.on(benchmark):
            alike: dict[tuple[str, str], list[str]] = {}
            for sample, failure in entry.failures.items():
                alike.setdefault((failure.stage, _PARTICULARS.sub("…", failure.reason)), []).append(sample)
            accounts += [_failure_account(entry, samples) for samples in alike.values()]
    accounts.sort(key=lambda account: -account.count)  # stable: benchmark and system order within a count
    words = ""
    if rest := accounts[most:]:
        left_out = sum(account.count for account in rest)
        words = f"{left_out} more, for {len(rest)} rarer reasons, are in the runs' predictions.jsonl."
    elif any(_unfinished(entry) for entry in dossier.entries.values()):
        words = "Samples of unfinished runs that have no answer yet are not among them."
    elif not accounts:
        words = "Every sample of every run has an answer."
    return accounts[:most], words


def _failure_account(entry: Evidence, samples: Sequence[str]) -> FailureAccount:
    first = entry.failures[samples[0]]
    return FailureAccount(
        entry.system,
        entry.benchmark,
        said(first.stage),
        said(first.reason),
        len(samples),
        ", ".join(samples[:_EXAMPLES]),
    )


def recipes(dossier: Dossier) -> list[Recipe]:
    """The commands that made the runs; runs of one command and one setting stand together."""
    together: dict[tuple[str, str], list[Manifest]] = {}
    for entry in dossier.entries.values():
        together.setdefault((entry.about.command, _setting(entry.about)), []).append(entry.about)
    return [Recipe(_run_names(runs), command, setting) for (command, setting), runs in together.items()]


def proofs(dossier: Dossier) -> list[Proof]:
    """One for each run, in the order of the page."""
    found = []
    for entry in dossier.entries.values():
        folder = f"{entry.run.folder.parent.name}/{entry.run.folder.name}"
        sealed = {} if entry.run.unscored else entry.run.seal()
        files = {name: digest for name, digest in sealed.items() if name != MANIFEST}  # that of its protocol
        own = f" --benchmark {shlex.quote(entry.about.origin)}" if entry.about.origin else ""
        verify = f"nextgpt-bench verify {shlex.quote(folder)}{own}"
        found.append(Proof(entry.system, entry.benchmark, folder, entry.about.command, files, verify))
    return found


def _part(dossier: Dossier, system: str, about: Manifest) -> str:
    """The part that a system plays, in words."""
    from benchmarks.registry import SYSTEMS

    stem = dossier.stems.get(system, "")
    variants: dict[Part, str] = {
        "given": f"{stem}, given the true {' and the true '.join(about.given)}",
        "blind": f"{stem}, not shown any picture or clip",
        "deaf": f"{stem}, not played any sound",
        "linear": f"{stem} with a linear projection in place of grouping",
    }
    if dossier.parts[system] in variants:
        return variants[dossier.parts[system]]
    words = SYSTEMS[system].about if system in SYSTEMS else "compared"
    return f"{words}; the baseline" if system == dossier.baseline else words


def _runs_of(dossier: Dossier, system: str) -> list[Evidence]:
    runs = (dossier.get(benchmark, system) for benchmark in dossier.benchmarks)
    return [run for run in runs if run is not None]


def _states(entry: Evidence) -> list[str]:
    """What keeps a run from being a whole one."""
    states = []
    if _unfinished(entry):
        states.append("Unfinished, to be finished by the same command")
    elif entry.run.unscored:
        why = entry.run.unscored
        states.append(f"{why[:1].upper()}{why[1:]}; to be scored by the same command")
    if entry.about.limit is not None:
        states.append(f"Limited to the first {entry.about.limit} samples")
    return states


def _unfinished(entry: Evidence) -> bool:
    return entry.about.samples is None or len(entry.answers) < entry.about.samples


def _setting(about: Manifest) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about.versions.items())
    limit = "" if about.limit is None else f"limit {about.limit}; "
    return f"Seed {about.seed}; {limit}batch size {about.batch_size}; {about.hardware}; {versions}."


def _run_names(runs: Sequence[Manifest]) -> str:
    """``a, b on x, y``, as short as the runs allow."""
    by_benchmarks: dict[tuple[str, ...], list[str]] = {}
    for system in dict.fromkeys(run.system for run in runs):
        benchmarks = tuple(run.benchmark for run in runs if run.system == system)
        by_benchmarks.setdefault(benchmarks, []).append(system)
    return "; ".join(f"{', '.join(who)} on {', '.join(where)}" for where, who in by_benchmarks.items())
