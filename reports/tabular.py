"""Records as pandas DataFrames and back: the columns of each frame, and the frame of results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    import pandas as pd

    from benchmarks.harness.records import Run

T = TypeVar("T")
Columns = Mapping[str, str]
Told = tuple[tuple[str, str], "Run | None", str]

_RUN = {"benchmark": "string", "system": "string"}
RUNS: Columns = _RUN | {
    "state": "string",
    "why": "string",
    "samples": "Int64",
    "answered": "Int64",
    "family": "string",
    "version": "Int64",
    "headline": "string",
    "seed": "Int64",
    "limit": "Int64",
    "started": "string",
    "folder": "string",
}
PREDICTIONS: Columns = _RUN | {
    "state": "string",
    "sample": "string",
    "text": "string",
    "media": "string",
    "failed": "bool",
    "stage": "string",
    "reason": "string",
    "seconds": "float64",
}
SCORES: Columns = _RUN | {
    "metric": "string",
    "sample": "string",
    "group": "string",
    "slice": "string",
    "value": "float64",
}
RESULTS: Columns = _RUN | {
    "metric": "string",
    "slice": "string",
    "value": "float64",
    "low": "float64",
    "high": "float64",
    "n": "Int64",
    "failed": "Int64",
    "unjudged": "Int64",
    "answered": "float64",
    "seconds": "float64",
    "method": "string",
    "signature": "string",
    "standard_error": "float64",
}
COMPARISONS: Columns = {
    "benchmark": "string",
    "metric": "string",
    "first": "string",
    "second": "string",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "p": "float64",
    "p_adjusted": "float64",
    "family": "Int64",
    "n": "Int64",
    "minimum_detectable": "float64",
    "standard_error": "float64",
    "better": "string",
    "words": "string",
}


def whole(text: str) -> str:
    r"""The text as a column holds it, which is UTF-8: half a surrogate pair is written out.

    Example:
        >>> print(whole("half a pair: \ud83d"))
        half a pair: \ud83d
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def frame(columns: Columns, rows: Iterable[tuple[Any, ...]]) -> pd.DataFrame:
    """Rows as a frame of these columns and dtypes, which are there for no rows too; all text is UTF-8."""
    import pandas as pd

    made = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    for name, kind in columns.items():
        if kind == "string":
            made[name] = made[name].map(lambda value: whole(value) if isinstance(value, str) else value)
    return made.astype(dict(columns))


def results_frame(runs: Iterable[Told]) -> pd.DataFrame:
    """The frame of results: a row per metric and slice; columns `RESULTS`.

    Args:
        runs: of each the names of its benchmark and system, what can be read of it, and why it has no
            results. Such a run has one row: its headline metric without a value, whose `method` says why.
    """
    names = [name for name in RESULTS if name not in _RUN]
    rows: list[tuple[Any, ...]] = []
    for run_names, run, why in runs:
        if run is not None and not why:
            rows += [(*run_names, *(getattr(result, name) for name in names)) for result in run.results]
        else:
            told = {"metric": None if run is None else run.manifest.headline, "method": why}
            rows.append((*run_names, *(told.get(name) for name in names)))
    return frame(RESULTS, rows)


def plain(found: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as plain values, None where one is missing: for JSON and CSV."""
    rows: list[dict[str, Any]] = found.astype(object).where(found.notna(), None).to_dict("records")
    return rows


def records(kind: type[T], found: pd.DataFrame) -> list[T]:
    """The rows of a frame as records, whose fields are among its columns.

    What is missing is None where the field may be None, and NaN elsewhere.
    """
    hints = get_type_hints(kind)
    columns = []
    for field in fields(kind):  # type: ignore[arg-type]
        column = found[field.name]
        values = column.astype(object)
        if type(None) in get_args(hints[field.name]):
            values = values.where(column.notna(), None)
        columns.append(values.tolist())
    return [kind(*row) for row in zip(*columns, strict=True)]
