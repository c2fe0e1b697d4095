"""A run on disk: a folder of plain files, and the values that are read from it.

``<out>/<system>/<benchmark>/`` holds ``run.json`` (`Manifest`: everything needed to repeat the run),
``predictions.jsonl`` and ``media/`` (see `predictions`), and once scored ``scores.parquet`` (`Score`: one
row per sample and metric) and ``results.json`` (`Result`: one row per metric and slice).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.harness.log import PredictionLog
from benchmarks.harness.predictions import FILE, MEDIA, Prediction, read_predictions
from benchmarks.harness.storage import RecordError, read_json, write_atomically, write_json

__all__ = [
    "FILE",
    "MEDIA",
    "Manifest",
    "Prediction",
    "PredictionLog",
    "RecordError",
    "Result",
    "Run",
    "Score",
    "find_runs",
    "read_predictions",
    "read_run",
    "write_json",
    "write_manifest",
    "write_scored",
]

MANIFEST = "run.json"
SCORES = "scores.parquet"
RESULTS = "results.json"


@dataclass(frozen=True)
class Manifest:
    """Everything needed to repeat a run, and what a resumed run must share with it.

    Attributes:
        benchmark, version, family, protocol, source, licence, headline: as in `Benchmark`.
        system, fingerprint, given: as in `System`.
        seed: base of all samples' seeds.
        limit: the run holds the first so many samples only; None for all.
        batch_size: of the latest start; answers depend on it by floating-point rounding alone.
        samples: number of samples once the run has seen them all, before that None.
        samples_sha256: of their ids, in order, each followed by a newline.
        note: the benchmark's, for readers.
        versions, hardware, command, started: the latest start's.
    """

    benchmark: str
    version: int
    family: str
    protocol: Mapping[str, str | int | float]
    source: str
    licence: str
    headline: str
    system: str
    fingerprint: str
    given: tuple[str, ...]
    seed: int
    limit: int | None
    batch_size: int
    versions: Mapping[str, str]
    hardware: str
    command: str
    started: str
    samples: int | None = None
    samples_sha256: str | None = None
    note: str = ""

    def differences(self, other: Manifest) -> list[str]:
        """What keeps two runs from sharing a folder, in words: ``seed (0, now 1)``."""
        differences = []
        for name in ("benchmark", "version", "system", "fingerprint", "given", "seed", "limit"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine != theirs:
                differences.append(f"{name} ({mine}, now {theirs})")
        for key in sorted({*self.protocol, *other.protocol}):
            mine, theirs = self.protocol.get(key), other.protocol.get(key)
            if mine != theirs:
                differences.append(f"protocol {key} ({mine!r}, now {theirs!r})")
        return differences


@dataclass(frozen=True)
class Result:
    """One number with its protocol and uncertainty: a row of every table.

    Attributes:
        benchmark, system, metric: what was measured.
        signature: of the metric; values of different signatures must not be compared.
        value: the score; None where it is undefined, and then `method` says why.
        low, high: its 95 % interval; None where there is none, and then `method` says why.
        n: number of samples that were scored.
        failed: number of samples without an answer; scored as wrong or left out, as `method` says.
        slice: the part of the benchmark, None for all of it.
        method: how the interval was made and what became of failures.
        seconds: mean time per sample; None where unknown.
    """

    benchmark: str
    system: str
    metric: str
    signature: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    failed: int
    slice: str | None
    method: str
    seconds: float | None = None


@dataclass(frozen=True)
class Score:
    """One sample's value of one metric."""

    sample: str
    group: str
    slice: str | None
    metric: str
    value: float


@dataclass(frozen=True)
class Run:
    """One system on one benchmark; its parts are read from disk when they are first used."""

    folder: Path
    manifest: Manifest

    @cached_property
    def predictions(self) -> tuple[Prediction, ...]:
        """What the system said, media included, in the order in which it was said."""
        return tuple(read_predictions(self.folder / FILE))

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """The scored values; empty before scoring."""
        path = self.folder / RESULTS
        if not path.exists():
            return ()
        return tuple(_build(Result, row, path) for row in read_json(path, list))

    @cached_property
    def scores(self) -> tuple[Score, ...]:
        """Per-sample values, for metrics that have them; empty before scoring."""
        path = self.folder / SCORES
        if not path.exists():
            return ()
        import pyarrow.parquet as pq
        from pyarrow import ArrowException

        try:
            columns = pq.read_table(path, columns=[field.name for field in fields(Score)]).to_pydict()
        except (ArrowException, OSError) as error:
            raise RecordError(f"{path}: damaged ({error}); score the run again") from error
        return tuple(Score(*row) for row in zip(*columns.values(), strict=True))


def read_run(folder: Path) -> Run:
    """Read a run's folder.

    Raises:
        RecordError: there is no run, or its ``run.json`` is damaged.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise RecordError(f"{folder}: no run here ({MANIFEST} is missing); check the path")
    row = read_json(path, dict)
    manifest = _build(Manifest, {**row, "given": tuple(row.get("given", ()))}, path)
    return Run(folder, manifest)


def find_runs(root: Path) -> list[Run]:
    """All runs below a folder, in the order of their paths.

    Raises:
        RecordError: there is none.
    """
    runs = [read_run(path.parent) for path in sorted(root.rglob(MANIFEST))]
    if not runs:
        raise RecordError(f"{root}: no runs here; make some with `nextgpt-bench run --out {root}`")
    return runs


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``run.json``."""
    write_json(folder / MANIFEST, asdict(manifest))


def write_scored(run: Run, results: Sequence[Result], scores: Iterable[Score]) -> Run:
    """Write ``scores.parquet`` and ``results.json``; returns the run as read from disk."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.dictionary(pa.int32(), pa.string())
    types = {
        "sample": pa.string(),
        "group": pa.string(),
        "slice": text,
        "metric": text,
        "value": pa.float64(),
    }
    schema = pa.schema(list(types.items()))
    rows = list(scores)
    columns = [pa.array([getattr(row, field.name) for row in rows], type=field.type) for field in schema]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), sink, compression="zstd")
    write_atomically(run.folder / SCORES, sink.getvalue().to_pybytes())
    write_json(run.folder / RESULTS, [asdict(result) for result in results])
    return read_run(run.folder)


def _build(kind: type[Any], row: Any, path: Path) -> Any:
    try:
        return kind(**row)
    except TypeError as error:
        raise RecordError(f"{path}: not the fields of a {kind.__name__.lower()} ({error})") from error
