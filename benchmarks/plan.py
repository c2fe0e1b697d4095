"""What a run would do, before anything is loaded that takes long: ``run --dry-run``, ``--only``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from benchmarks.cards.contamination import known_overlaps
from benchmarks.data.check import tally
from benchmarks.harness.benchmark import Benchmark, BenchmarkError, Family, Options
from benchmarks.harness.storage import write_rows
from benchmarks.registry import load_system
from benchmarks.systems import needs
from benchmarks.systems import systems as known_systems
from benchmarks.tables import print_rows
from benchmarks.tasks.official import DataError
from benchmarks.tasks.published import OfficialData

_HEAD = ("benchmark", "system", "samples", "official", "networks", "verdict")
_WEIGHTS = ("system", "weights", "state")
_THEIRS = "a system of your own"
_HERE, _UNKNOWN = "here", "not known"


def of_family(benchmarks: Iterable[Benchmark], only: str | None) -> list[Benchmark]:
    """The benchmarks of a family; all of them for None.

    Raises:
        BenchmarkError: there is no such family, or none of these is of it.
    """
    found = list(benchmarks)
    if only is None:
        return found
    families = get_args(Family)
    chosen = [benchmark for benchmark in found if benchmark.family == only]
    if only not in families:
        raise BenchmarkError(f"--only {only}: no such family; there are {', '.join(families)}")
    if not chosen:
        have = ", ".join(dict.fromkeys(benchmark.family for benchmark in found))
        raise BenchmarkError(f"--only {only}: none of these benchmarks is of it; they are of {have}")
    return chosen


def with_known_overlaps(benchmark: Benchmark, system: str) -> Benchmark:
    """The benchmark, its note saying what of it the system is known to have been trained on."""
    known = known_overlaps(system, benchmark.name)
    notes = [f"{each.verdict.capitalize()}: {each.why} ({each.source})." for each in known]
    return replace(benchmark, note=" ".join([*notes, benchmark.note]).strip()) if notes else benchmark


def print_plan(
    benchmarks: Sequence[Benchmark],
    systems: Sequence[str],
    options: Options,
    json: Path | None,
    csv: Path | None,
) -> bool:
    """Print what would run, on how many samples, through which networks and weights; whether all of it could.

    Systems of the registry are not loaded, for that takes as long as a short run: their files are looked for.
    A system of one's own is not loaded either, and which weights it has is not known.

    Raises:
        RegistryError: there is no such system.
    """
    known = known_systems()
    for name in systems:
        if name not in known and ":" not in name:
            load_system(name)  # raises what it would in a run
    weights = {name: _weights(name) for name in dict.fromkeys(systems)}
    lacking = {name: _lacking(states) for name, states in weights.items()}
    rows, runnable = [], not any(lacking.values())
    for benchmark in benchmarks:
        samples, official, verdict = _prospect(benchmark, options)
        networks = ", ".join(dict.fromkeys(use.network for use in benchmark.metrics if use.network))
        for name in systems:
            learnt = dict.fromkeys(each.verdict for each in known_overlaps(name, benchmark.name))
            said = f"cannot run: {lacking[name]}" if lacking[name] and samples else verdict.removesuffix(".")
            rows.append((benchmark.name, name, samples, official, networks, "; ".join([said, *learnt])))
        runnable = runnable and bool(samples)
    print_rows(_HEAD, rows, numbers=(2, 3))
    print_rows(_WEIGHTS, [(name, *each) for name, states in weights.items() for each in states])
    plan = (dict(zip(_HEAD, row, strict=True)) for row in rows)
    write_rows(({**row, "weights": dict(weights[row["system"]])} for row in plan), json, csv)
    return runnable


def _weights(system: str) -> list[tuple[str, str]]:
    """Weights that a system would load, and the state of each."""
    try:
        found = needs(system)
    except ValueError as error:
        return [(_UNKNOWN, str(error))]
    if found is None:
        return [(_UNKNOWN, _THEIRS)]
    return [(what, f"not here: {why}" if why else _HERE) for what, why in found] or [("none", _HERE)]


def _lacking(states: Sequence[tuple[str, str]]) -> str:
    """What keeps a system from being loaded, as far as is known; empty where nothing does."""
    wrong = [(what, state) for what, state in states if state not in (_HERE, _THEIRS)]
    if not wrong:
        return ""
    more = f", and {len(wrong) - 1} more of its {len(states)} parts" if wrong[1:] else ""
    what, state = wrong[0]
    return state if what == _UNKNOWN else f"{what}: {state}{more}"


def _prospect(benchmark: Benchmark, options: Options) -> tuple[str, str, str]:
    """Samples that would be put to a system, official ones, and what stands in the way."""
    official = benchmark.protocol.get("samples")
    if not isinstance(benchmark.load, OfficialData):
        count = min(n for n in (official, options.limit, 2**31) if isinstance(n, int))
        return (f"{count}" if official else "?"), f"{official or '–'}", "would run"
    try:
        if options.data is None:
            benchmark.load.files(options)
        found = tally(benchmark, options.data or Path())
    except DataError as error:
        return "", f"{official or '–'}", f"cannot run: {error}"
    usable = found.usable if options.limit is None else min(found.usable, options.limit)
    verdict = "would run" if usable else f"cannot run: no sample is whole, {found.example}"
    if usable and found.usable < found.samples:
        verdict += f"; {found.samples - found.usable} of {found.samples} cannot be used, {found.example}"
    if isinstance(official, int) and found.samples != official:
        verdict += "; not the official number of samples"
    return (f"{usable}" if usable else ""), f"{official or '–'}", verdict
