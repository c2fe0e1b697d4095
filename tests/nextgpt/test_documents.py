"""JSON and YAML of anyone's: read, or refused in one line that names the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from nextgpt.documents import DocumentError, read_json, read_yaml

BOMB = "\n".join(["a: &a0 {x: 1}", *(f"b{k}: &a{k + 1} [{', '.join([f'*a{k}'] * 9)}]" for k in range(9))])
# Merging copies, while an alias of a list costs nothing until somebody walks it.
MERGED = BOMB.replace("[", "{<<: [").replace("]", "]}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not valid JSON"),
        (b'{"a": ', "not valid JSON"),
        (b"\xff\xfe{}", r"not UTF-8 \(at byte 0\)"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5001, "not valid JSON"),
        (b"[]", "expected fields and values, got list"),
    ],
)
def test_json_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DocumentError, match=f"a.json: {words}") as caught:
        read_json(tmp_path / "a.json", dict)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: [", "not valid YAML"),
        (b"a: caf\xe9", r"not UTF-8 \(at byte 6\)"),
        (b"[" * 5000, "nested too deeply"),
        (b"a: !!python/object/apply:os.system ['touch ran']", "not valid YAML: .*could not determine"),
        (b"a: !!timestamp x", "not valid YAML"),
        (b"a: !!bool x", "not valid YAML"),
        (b"a: 2001-99-99", "not valid YAML"),
        (b"9" * 5001, "not valid YAML"),
        (b"a: &a [*a]", "its aliases"),
        (BOMB.encode(), "its aliases"),
        (MERGED.encode(), "its aliases"),
        (b"#" * 2**21, "too many for a preset"),
    ],
)
def test_yaml_that_cannot_be_read_is_one_line_and_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(DocumentError, match=f"a.yaml: .*{words}") as caught:
        read_yaml(tmp_path / "a.yaml")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.yaml"]


@pytest.mark.parametrize("content", ["a: 1", "\ufeffa: 1", "b: &b {a: 1}\n<<: *b\n"])
def test_a_mark_of_the_byte_order_and_a_few_aliases_are_nothing_wrong(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.yaml").write_text(content, encoding="utf-8")
    assert read_yaml(tmp_path / "a.yaml")["a"] == 1


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    cases: list[tuple[Any, str]] = [
        (tmp_path, "a folder, where JSON"),
        (tmp_path / "pipe", "no file, where JSON"),
        (Path("/dev/zero"), "no file, where JSON"),
        (tmp_path / "none.json", "No such file"),
        (tmp_path / ("n" * 300), "File name too long"),
    ]
    for path, words in cases:
        with pytest.raises(DocumentError, match=words):
            read_json(path, dict)
