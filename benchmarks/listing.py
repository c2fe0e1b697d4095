"""``nextgpt-bench list``: everything that has a name, read from the registry's cards alone, 80 columns wide.

Plain text and no table: rich takes longer to import than all else here takes together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import Any

from benchmarks import registry
from benchmarks.cards import FACTS, NOT_CONFIRMED, BenchmarkEntry
from benchmarks.cards.contamination import KNOWN
from benchmarks.plugins import plugins
from benchmarks.systems import systems
from nextgpt.terminal import say

WIDTH = 80
_NAME = 34  # columns of a benchmark's name
_OTHER = 28  # of any other name
_MADE = "made here"
_LEGEND = "samples and split; then metrics, licence, where published"
_DOUBT = f"a ? follows what is {NOT_CONFIRMED}; nextgpt-bench list NAME shows a whole card"


def list_all(data: Path | None, json: Path | None, csv: Path | None) -> None:
    """Print benchmarks by family with their data, then all else; and write one list of rows, cards in full.

    Raises:
        RecordError: the file of rows can't be written.
    """
    entries = list(registry.BENCHMARKS.values())
    say("\n".join(_wrapped("", f"{_LEGEND}; {_DOUBT}")))
    for family in dict.fromkeys(entry.family for entry in entries):
        say(f"\n{family}")
        chosen = [entry for entry in entries if entry.family == family]
        for below, alike in groupby(chosen, key=lambda entry: _below(entry, data)):
            for entry in alike:
                say("\n".join(_above(entry)))
            say("\n".join(_wrapped(" " * 6, below)))
    others = list(_others())
    for kind, rows in groupby(others, key=lambda row: row["kind"]):
        say(f"\n{kind}s")
        for row in rows:
            say("\n".join(_named(row["name"], row["about"])))
            if "benchmarks" in row:
                say("\n".join(_wrapped(" " * 6, ", ".join(row["benchmarks"]))))
    _write([*(_row(entry, data) for entry in entries), *others], json, csv)


def list_cards(names: Sequence[str], data: Path | None, json: Path | None, csv: Path | None) -> None:
    """Print whole cards of benchmarks or suites, each fact with the document that states it; and write them.

    Raises:
        RegistryError: there is no such benchmark or suite, or it has no card.
        RecordError: the file can't be written.
    """
    rows = []
    chosen = dict.fromkeys(each for name in names for each in registry.benchmark_names(name))
    for name in chosen:
        entry = registry.BENCHMARKS.get(name)
        if entry is None:
            raise registry.RegistryError(f"{name} is not of this project, and has no card here.")
        row = _row(entry, data) | {"prompt": registry.load_benchmark(name).protocol["prompt"]}
        rows.append(row)
        say("\n".join(_wrapped(f"{name}: ", entry.about)))
        for key, value in _shown(entry, row):
            say("\n".join(_wrapped(f"  {key:<12} ", value)))
        say()
    _write(rows, json, csv)


def is_here(entry: BenchmarkEntry, data: Path) -> str:
    """Whether a data set's files and folders lie below `data`; ``data check`` counts what is in them."""
    if not entry.files:
        return _MADE
    return "here" if entry.here(data) else "not here"


def _above(entry: BenchmarkEntry) -> list[str]:
    """A benchmark's own lines, mostly one."""
    samples = "–" if entry.samples is None else f"{entry.samples:,}{_doubt(entry, 'samples')}"
    split = entry.split.partition(",")[0].partition(";")[0]
    return _wrapped(f"  {entry.name:<{_NAME}} {samples:>8}  ", split)


def _below(entry: BenchmarkEntry, data: Path | None) -> str:
    """The line that benchmarks of one data set share."""
    metrics = entry.headline + (f" + {len(entry.metrics) - 1}" if entry.metrics[1:] else "")
    licence = entry.licence.partition(";")[0] + _doubt(entry, "licence")
    parts = [metrics, licence, _host(entry.origin) + _doubt(entry, "origin")]
    return " · ".join([*parts, is_here(entry, data)] if data else parts)


def _doubt(entry: BenchmarkEntry, fact: str) -> str:
    return "?" if fact in entry.unconfirmed else ""


def _shown(entry: BenchmarkEntry, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What a card says, in words."""
    for fact in FACTS:
        if value := getattr(entry, fact):
            stated = entry.source(fact)
            said = f"{value:,}" if isinstance(value, int) else value
            yield fact, f"{said}  [{stated or NOT_CONFIRMED}]"
    for key in ("family", "split", "revision", "language", "prompt", "superseded_by", "here"):
        if row.get(key):
            yield key.replace("_", " "), row[key]
    yield "in, out", f"{', '.join(entry.accepts)}; {', '.join(entry.produces)}"
    yield "metrics", ", ".join(entry.metrics)
    for file in entry.files:
        count = "" if file.records is None else f", {file.records:,} records"
        yield "file", f"{' or '.join(file.names)}{count}{', not needed' if file.optional else ''}"
    if entry.media:
        yield "media", f"below {', '.join(entry.media)}"
    for overlap in row["learnt"]:
        yield "learnt by", f"{', '.join(overlap['systems'])}: {overlap['why']}  [{overlap['source']}]"


def _row(entry: BenchmarkEntry, data: Path | None) -> dict[str, Any]:
    """A card for programs: all that it says, and what follows from it."""
    files = [
        {**vars(file), "others": {str(n): why for n, why in file.others.items()}} for file in entry.files
    ]
    learnt = [vars(overlap) for overlap in KNOWN if entry.name in overlap.benchmarks]
    row = {"kind": "benchmark", **vars(entry), "files": files, "sources": dict(entry.sources)}
    row |= {"unconfirmed": entry.unconfirmed, "learnt": learnt}
    return row | ({"here": is_here(entry, data)} if data else {})


def _others() -> Iterator[dict[str, Any]]:
    """Everything else that has a name; benchmarks of installed packages have no card here."""
    for each in plugins("benchmark", registry.BENCHMARKS).values():
        yield {"kind": "installed benchmark", "name": each.name, "about": each.about}
    for suite in registry.SUITES.values():
        yield {"kind": "suite", **vars(suite)}
    for system in systems().values():
        yield {"kind": "system", "name": system.name, "about": system.about}
    for metric in plugins("metric").values():
        yield {"kind": "metric", "name": metric.name, "about": metric.about}
    for own in registry.EXTRACTORS.values():
        yield {"kind": "extractor", "name": own.name, "about": own.about}
    for installed in plugins("extractor", registry.EXTRACTORS).values():
        yield {"kind": "extractor", "name": installed.name, "about": installed.about}


def _named(name: str, about: str) -> list[str]:
    if len(name) > _OTHER:
        return [f"  {name}", *_wrapped(" " * 6, about)]
    return _wrapped(f"  {name:<{_OTHER}} ", about)


def _wrapped(head: str, text: str) -> list[str]:
    """A head and words behind it, as lines of at most `WIDTH` columns; an address is longer rather than cut.

    >>> _wrapped("  a  ", "b c")
    ['  a  b c']
    """
    fold = partial(wrap, break_on_hyphens=False, break_long_words=False)
    lines = fold(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
    return lines or [head.rstrip()]


def _host(origin: str) -> str:
    """Where files are published, without the path; words as they stand."""
    _, separator, rest = origin.partition("://")
    return rest.partition("/")[0] if separator else origin.partition(",")[0]


def _write(rows: Iterable[dict[str, Any]], json: Path | None, csv: Path | None) -> None:
    if json or csv:
        from benchmarks.harness.storage import write_rows

        write_rows(rows, json, csv)
