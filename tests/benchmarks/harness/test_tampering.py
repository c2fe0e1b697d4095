"""A good small run, and every way in which a file of it can be spoilt: one line, or the right values."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.harness.records import RecordError, Run, read_run
from benchmarks.harness.run import evaluate
from benchmarks.harness.scoring import score
from tests.benchmarks.fakes import Speaker, noisy, numbers

BENCHMARK = numbers(3)
JSON_FILES = ("run.json", "predictions.jsonl", "results.json", "scored.json")
FILES = (*JSON_FILES, "scores.parquet", "media")  # of media, the first picture

Spoil = Callable[[Path], object]


def _replaced_by(target: str) -> Spoil:
    def spoil(path: Path) -> None:
        outside = path.parents[3] / "outside"
        outside.write_bytes(path.read_bytes())
        path.unlink()
        path.symlink_to(outside if target == "copy" else target)

    return spoil


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _bytes(change: Callable[[bytes], bytes]) -> Spoil:
    return lambda path: path.write_bytes(change(path.read_bytes()))


WHOLE: dict[str, Spoil] = {
    "cut": _bytes(lambda data: data[: len(data) // 2]),
    "cut by a byte": _bytes(lambda data: data[:-1]),
    "empty": _bytes(lambda data: b""),
    "blank": _bytes(lambda data: b" \n\n"),
    "NULs": _bytes(lambda data: bytes(len(data))),
    "NULs at the end": _bytes(lambda data: data + bytes(512)),
    "twice": _bytes(lambda data: data * 2),
    "one bit": _bytes(lambda data: data[:40] + bytes([data[40] ^ 4]) + data[41:]),
    "random": _bytes(lambda data: bytes((37 * k + 11) % 251 for k in range(len(data)))),
    "UTF-16": _bytes(lambda data: data.decode("latin-1").encode("utf-16")),
    "not UTF-8": _bytes(lambda data: data[:9] + b"\xff\xfe" + data[9:]),
    "deep": _bytes(lambda data: b"[" * 100_000),
    "deep object": _bytes(lambda data: b'{"sample":' * 100_000),
    "huge number": _bytes(lambda data: b"1" * 5001),
    "missing": lambda path: path.unlink(),
    "folder": _folder,
    "pipe": _pipe,
    "link outside": _replaced_by("copy"),
    "link to nothing": _replaced_by("/nonexistent"),
    "link to a device": _replaced_by("/dev/zero"),
    "other JSON": _bytes(lambda data: b'{"a": [1]}'),
    "a list": _bytes(lambda data: b"[1]"),
    "null": _bytes(lambda data: b"null"),
    "a surrogate": _bytes(lambda data: b'"\\ud800"'),
}

NUMBERS: tuple[Any, ...] = (True, -1, 1e308, float("nan"), float("inf"), 10**400)
VALUES: tuple[Any, ...] = (None, *NUMBERS, "", "x\ud800", [], ["yes"], {}, {"a": [None]})

MANIFEST = """benchmark version family protocol source licence headline system fingerprint given seed limit
batch_size versions hardware command started samples samples_sha256 note shard parts fits"""
RESULT = "benchmark system metric signature value low high n failed slice method seconds"

# Where a value stands in the JSON files: keys and positions on the way to it.
FIELDS: dict[str, list[tuple[str | int, ...]]] = {
    "run.json": [*((key,) for key in MANIFEST.split()), ("protocol", "prompt")],
    "predictions.jsonl": [
        *((key,) for key in ("sample", "seconds", "message")),
        *(("message", key) for key in ("role", "parts", "steps")),
        ("message", "parts", 0),
        ("message", "parts", 0, "text"),
        ("message", "parts", 1, "image"),
        ("message", "parts", 1, "sha256"),
    ],
    "results.json": [(0, key) for key in RESULT.split()],
    "scored.json": [(name,) for name in ("run.json", "predictions.jsonl", "results.json")],
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return evaluate(BENCHMARK, Speaker(noisy), tmp_path_factory.mktemp("good"))


@pytest.fixture
def run(good: Run, tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "speaker" / "numbers"
    shutil.copytree(good.folder, folder)
    return folder


def attempt(action: Callable[[], object]) -> str:
    """What a person reads when it goes wrong: one line. Any other exception fails the test."""
    try:
        action()
    except RecordError as error:
        complaint = str(error)
        assert "\n" not in complaint
        assert len(complaint) < 600
        return complaint
    return ""


def look(folder: Path, good: Run) -> tuple[str, bool]:
    """Read all of a run, then score it again; returns the complaints, and whether all was read right."""
    found: list[Run] = []
    complaint = attempt(lambda: found.append(read_run(folder)))
    if not found:
        return complaint, False
    (run,) = found
    complaints = [attempt(run.check), run.unscored]
    assert "\n" not in run.unscored
    # Whatever is read as a result is the result, and what is not read has a reason.
    assert run.results in ((), good.results)
    assert run.scores in ((), good.scores)
    assert bool(run.results) != bool(run.unscored)
    if run.unscored:
        complaints.append(attempt(lambda: score(run, BENCHMARK)))
    return " ".join(complaints), not any(complaints)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", WHOLE)
def test_a_spoilt_file_is_named_in_one_line_or_read_right(run: Path, good: Run, kind: str, name: str) -> None:
    path = min((run / "media").iterdir()) if name == "media" else run / name
    WHOLE[kind](path)
    complaint, right = look(run, good)
    gone = name == "results.json" and kind in ("missing", "link to nothing")  # as if never scored
    assert right or path.name in complaint or (gone and complaint.startswith(" not scored")), complaint
    assert not right or kind in ("cut by a byte", "link outside", "one bit"), "taken for a good file"


@pytest.mark.parametrize(
    ("name", "at"),
    [(name, at) for name, places in FIELDS.items() for at in places],
    ids=lambda part: part if isinstance(part, str) else ".".join(map(str, part)),
)
def test_a_value_of_any_other_kind_is_named_in_one_line_or_read_right(
    run: Path, good: Run, name: str, at: tuple[str | int, ...]
) -> None:
    for value in VALUES:
        first, newline, rest = (run / name).read_text(), "", ""
        if name == "predictions.jsonl":
            first, newline, rest = first.partition("\n")
        record = inner = json.loads(first)
        for key in at[:-1]:
            inner = inner[key]
        inner[at[-1]] = value
        (run / name).write_text(json.dumps(record) + newline + rest)
        look(run, good)
        shutil.rmtree(run)
        shutil.copytree(good.folder, run)


def test_results_that_somebody_sealed_anew_are_still_held_against_their_types(run: Path, good: Run) -> None:
    row = json.loads((run / "results.json").read_text())[0]
    for key in RESULT.split():
        for value in (*NUMBERS, [], {}):
            if value == -1:  # a value may be negative
                continue
            (run / "results.json").write_text(json.dumps([{**row, key: value}]))
            (run / "scored.json").write_text(json.dumps(read_run(run).seal()))
            assert f"results.json: not the fields of a result ({key} is " in attempt(read_run(run).check)


@pytest.mark.parametrize(
    "table",
    [
        {"sample": ["s0"]},
        {"sample": [0], "group": [0], "slice": [0], "metric": [0], "value": [0.0]},
        {"sample": ["s0"], "group": ["g"], "slice": ["x"], "metric": ["exact_match"], "value": ["1.0"]},
    ],
)
def test_scores_that_somebody_sealed_anew_are_still_held_against_their_columns(
    run: Path, table: dict[str, list[Any]]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(table), run / "scores.parquet")
    (run / "scored.json").write_text(json.dumps(read_run(run).seal()))
    assert "scores.parquet: other columns" in attempt(read_run(run).check)
