"""What scoring yields: rows of ``results.json`` and of ``scores.parquet``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.storage import RecordError, build, read_file, read_json, write_atomically, write_json

SCORES = "scores.parquet"
RESULTS = "results.json"


@dataclass(frozen=True)
class Result:
    """One number with its protocol and uncertainty: a row of every table.

    Attributes:
        benchmark, system, metric: what was measured.
        signature: of the metric; values of different signatures must not be compared.
        value: the score; None where it is undefined, and then `method` says why.
        low, high: its 95 % interval; None where there is none, and then `method` says why.
        n: number of samples that the value is of.
        failed: number of samples without an answer; scored as wrong or left out, as `method` says.
        slice: the part of the benchmark, None for all of it.
        method: how the interval was made and what became of failures.
        seconds: mean time per sample; None where unknown.
        unjudged: number of samples that could not be judged: their record can't be loaded, or their answer
            holds nothing that this metric judges and is left out. So every sample is scored, failed or
            unjudged.
        answered: the score with failed samples left out; None where it is undefined.
        standard_error: of the value; None where nothing is known of it, or it was scored before it was kept.
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
    unjudged: int = 0
    answered: float | None = None
    standard_error: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One sample's value of one metric."""

    sample: str
    group: str
    slice: str | None
    metric: str
    value: float


def write_results(folder: Path, results: Sequence[Result], scores: Iterable[Score]) -> None:
    """Write ``scores.parquet`` and ``results.json``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    rows = list(scores)
    columns = [pa.array([getattr(row, field.name) for row in rows], type=field.type) for field in schema]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), sink, compression="zstd")
    write_atomically(folder / SCORES, sink.getvalue().to_pybytes())
    write_json(folder / RESULTS, [asdict(result) for result in results])


def read_results(folder: Path) -> tuple[Result, ...]:
    """The rows of ``results.json``.

    Raises:
        RecordError: missing or damaged; names the file.
    """
    path = folder / RESULTS
    return tuple([build(Result, row, path) for row in read_json(path, list)])


def _schema() -> Any:
    """The columns of ``scores.parquet``."""
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    types = {
        "sample": pa.string(),
        "group": pa.string(),
        "slice": text,
        "metric": text,
        "value": pa.float64(),
    }
    return pa.schema(list(types.items()))


def read_scores(folder: Path) -> tuple[Score, ...]:
    """The rows of ``scores.parquet``.

    Raises:
        RecordError: missing or damaged; names the file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = folder / SCORES
    try:
        table = pq.ParquetFile(pa.BufferReader(read_file(path))).read()
        columns = table.to_pydict()
    except RecordError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:  # ValueError: text that is no UTF-8
        raise RecordError(f"{path}: damaged ({error}); score the run again") from error
    if table.schema != _schema():
        raise RecordError(f"{path}: other columns than those of scores; score the run again")
    return tuple(Score(*row) for row in zip(*columns.values(), strict=True))
