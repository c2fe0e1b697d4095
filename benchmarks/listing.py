"""``nextgpt-bench list``: everything that has a name, read from the registry's cards alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from benchmarks import registry
from benchmarks.cards import BenchmarkEntry
from benchmarks.plugins import plugins
from benchmarks.systems import systems
from benchmarks.tables import print_rows

_HEAD = ("kind", "name", "family", "about")
_MADE = "made here"


def list_all(data: Path | None, json: Path | None, csv: Path | None) -> None:
    """Print two tables, benchmarks with their data, and all else; and write one list of rows, cards in full.

    Raises:
        RecordError: the file of rows can't be written.
    """
    entries = registry.BENCHMARKS.values()
    rows = [
        (
            entry.name,
            entry.family,
            entry.split.partition(",")[0],
            "–" if entry.samples is None else f"{entry.samples:,}",
            entry.headline + (f" + {len(entry.metrics) - 1}" if entry.metrics[1:] else ""),
            entry.licence.partition(";")[0],
            _host(entry.origin),
            *((is_here(entry, data),) if data else ()),
        )
        for entry in entries
    ]
    head = ("benchmark", "family", "split", "samples", "metrics", "licence", "origin")
    print_rows((*head, "here") if data else head, rows, numbers=(3,))
    others = [
        ("benchmark", each.name, "", each.about)
        for each in plugins("benchmark", registry.BENCHMARKS).values()
    ]
    others += [
        ("suite", each.name, ", ".join(each.benchmarks), each.about) for each in registry.SUITES.values()
    ]
    others += [("system", entry.name, "", entry.about) for entry in systems().values()]
    others += [("metric", each.name, "", each.about) for each in plugins("metric").values()]
    others += [("extractor", entry.name, "", entry.about) for entry in registry.EXTRACTORS.values()]
    others += [
        ("extractor", each.name, "", each.about)
        for each in plugins("extractor", registry.EXTRACTORS).values()
    ]
    print_rows(_HEAD, others)
    if json is None and csv is None:
        return
    from benchmarks.harness.storage import write_rows

    cards = [{"kind": "benchmark", **_card(entry, data)} for entry in entries]
    write_rows([*cards, *(dict(zip(_HEAD, row, strict=True)) for row in others)], json, csv)


def is_here(entry: BenchmarkEntry, data: Path) -> str:
    """Whether a data set's files and folders lie below `data`; ``data check`` counts what is in them."""
    if not entry.files:
        return _MADE
    return "yes" if entry.here(data) else "no"


def _host(origin: str) -> str:
    """Where files are published, without the path; words as they stand."""
    _, separator, rest = origin.partition("://")
    return rest.partition("/")[0] if separator else origin.partition(",")[0]


def _card(entry: BenchmarkEntry, data: Path | None) -> dict[str, object]:
    card = asdict(entry) | {"files": [file.names[0] for file in entry.files]}
    return card | ({"here": is_here(entry, data)} if data else {})
