"""A start page over many runs: months of them in one table, sorted, filtered, each leading to its pages."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from benchmarks.harness.provenance import redact
from benchmarks.harness.records import RecordError, Result, Run, read_run, run_folders, without_runs
from reports.evidence import ReportError

PAGE = "comparison.html"


@dataclass(frozen=True)
class Entry:
    """One run: what it was, what came out, where it lies; `link` leads to its comparison, if there is one."""

    run: Run
    result: Result | None
    state: str
    place: str
    link: str

    @property
    def started(self) -> str:
        """When, to the minute."""
        return self.run.manifest.started[:16].replace("T", " ")


@dataclass(frozen=True)
class Overview:
    """All runs below a folder, the latest first; `left_out` says which can't be read, and why."""

    folder: str
    entries: tuple[Entry, ...]
    left_out: tuple[str, ...]

    @property
    def rows(self) -> list[dict[str, object]]:
        """A row for each run: what it was, where it lies, and its headline value."""
        return [
            {
                "benchmark": entry.run.manifest.benchmark,
                "system": entry.run.manifest.system,
                "family": entry.run.manifest.family,
                "started": entry.run.manifest.started,
                "state": entry.state,
                "place": entry.place,
                "metric": entry.run.manifest.headline,
                **{
                    name: None if entry.result is None else getattr(entry.result, name)
                    for name in ("value", "low", "high", "n", "failed")
                },
            }
            for entry in self.entries
        ]


def build_overview(folder: Path, page: Path) -> Overview:
    """Read the manifests and results of all runs below a folder.

    Args:
        folder: holds runs at any depth.
        page: where the page will lie; links are relative to it.

    Raises:
        ReportError: no such folder, or no run in it.
    """
    entries, left_out = list[Entry](), list[str]()
    for path in run_folders(folder):
        try:
            entries.append(_entry(read_run(path), folder, page))
        except RecordError as error:
            left_out.append(redact(str(error)))
    if not entries:
        unread = f"{folder}: no runs here that can be read; the first: {left_out[0]}" if left_out else ""
        raise ReportError(unread or without_runs(folder))
    entries.sort(key=lambda entry: entry.run.manifest.started, reverse=True)
    return Overview(folder.name or ".", tuple(entries), tuple(left_out))


def _entry(run: Run, folder: Path, page: Path) -> Entry:
    made = run.manifest
    whole = (row for row in run.results if row.slice is None and row.metric == made.headline)
    result = next(whole, None)
    limit = "" if made.limit is None else f"first {made.limit}"
    state = run.unscored or limit
    between = [run.folder, *run.folder.parents]
    above = between[: between.index(folder) + 1] if folder in between else [run.folder]
    found = next((parent / PAGE for parent in above if (parent / PAGE).is_file()), None)
    link = quote(os.path.relpath(found, page.parent)) if found else ""
    return Entry(run, result, state, str(run.folder.relative_to(folder)), link)
