"""Files that others wrote: JSON, JSON lines, CSV, gzipped or not; what is wrong with one is a line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.tasks import official
from benchmarks.tasks.answers import read_answers
from benchmarks.tasks.official import (
    DataError,
    holds_predictions,
    read_csv,
    read_json,
    results_by_id,
    rows_of,
)

ROWS = [{"question_id": 1, "answer": "yes"}, {"question_id": 2, "answer": "a café"}]
LINES = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", json.dumps(ROWS)),
        ("a.json", "\ufeff" + json.dumps(ROWS, indent=1)),
        ("a.jsonl", LINES),
        ("a.json", LINES + "\n"),  # as POPE's questions are called
        ("a.jsonl", "\ufeff" + LINES.replace("\n", "\r\n\r\n") + "\r\n"),
        ("a.jsonl", json.dumps(ROWS[0], indent=1) + "\n" + json.dumps(ROWS[1], indent=1)),
        ("a.csv", "question_id,answer\n1,yes\n2,a café\n"),
        ("a.csv", '\ufeffanswer,question_id\r\n"yes",1\r\na café,2\r\n'),
    ],
)
def test_results_in_any_form_are_the_same(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str, text: str
) -> None:
    path = write(tmp_path / name, pack(text.encode()))
    assert results_by_id(path, "question_id", "answer") == {"1": "yes", "2": "a café"}


def test_one_line_of_json_lines_is_one_record(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", json.dumps(ROWS[0]) + "\n")
    assert [row for _, row in rows_of(path)] == ROWS[:1]
    with pytest.raises(DataError, match="holds no list of records"):
        rows_of(write(tmp_path / "a.json", json.dumps(ROWS[0])))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"a": 1},\n {"a": 2},\n]', r"a comma before '\]', which JSON does not allow, at line 3, column 1"),
        ('{"a": [1, 2,],\n "b": 3}', r"a comma before '\]', which JSON does not allow, at line 1, column 13"),
        ('{"a": 1,}', r"a comma before '}', which JSON does not allow"),
        ('{"a": 1\n "b": 2}', r"not JSON \(Expecting ',' delimiter\) at line 2, column 2"),
        ("{'a': 1}", r"not JSON \(Expecting property name"),
        ('{"a": 1},\n{"a": 2}', r"not JSON \(Expecting value\) at line 1, column 9"),
        ('{"a": 1}\n{"a": tr', "the file is cut off at line 2, column 7"),
        ('{"a": 1}\n{"a": "b\\u00', "the file is cut off at line 2"),
        ('{"a": "caf\u00e9'.encode()[:-1], "the file is cut off at byte 10"),
        (b"\xff\xfe\x00", "not JSON text"),
        ('{"a": 1, "b": 2, "a": 3}', "an object has two values under 'a'"),
        ('{"id": ' + "7" * 5001 + "}", "4300 digits"),
        ("[" * 100_000, "not JSON text"),
        ("   \n", "the file is cut off"),
    ],
)
def test_what_is_wrong_with_a_json_file_is_a_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    path = write(tmp_path / "a.json", text)
    with pytest.raises(DataError, match=words) as caught:
        read_json(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_a_small_file_that_unpacks_to_much_is_refused_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official, "LARGEST", 1 << 20)
    path = write(tmp_path / "a.json.gz", gzip.compress(b" " * (50 << 20)))
    with pytest.raises(DataError, match="holds more than 1 MB; if it should, unpack it"):
        read_json(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,b,a\n1,2,3\n", "two columns have one name in a, b, a"),
        ("a,b\n1,2\n1,2,3\n", "line 3: more cells than columns"),
        ('a,b\n1,"2\n', "not readable as CSV text"),
        (b"a,b\n1,\xff\n", "not readable as CSV text"),
        ("", "the file is empty"),
    ],
)
def test_what_is_wrong_with_a_csv_file_is_a_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_csv(write(tmp_path / "a.csv", text))


def test_an_id_that_is_answered_twice_is_refused_in_any_form(tmp_path: Path) -> None:
    for name, text in (("a.jsonl", f"{LINES}\n{LINES}"), ("a.csv", "question_id,answer\n1,a\n1,b\n")):
        with pytest.raises(DataError, match="question_id 1 occurs twice"):
            results_by_id(write(tmp_path / name, text), "question_id", "answer")


def test_lines_of_others_are_told_from_our_own_predictions(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours.jsonl", '{"sample": "1", "message": {"parts": [{"text": "yes"}]}}\n')
    others = write(tmp_path / "others.jsonl", LINES)
    assert holds_predictions(ours)
    assert not holds_predictions(others)
    assert list(read_answers(ours)) == ["1"]
    assert list(read_answers(others)) == ["1", "2"]
