from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness.provenance import command_line, redact


@pytest.mark.parametrize(
    "secret",
    ["/home/jane/x.png", "C:\\Users\\jane\\x.png", "path=/srv/jane/x", "'/home/jane doe/x.png'", "/jane/x:3"],
)
def test_no_folder_of_an_absolute_path_is_kept(secret: str) -> None:
    assert "jane" not in redact(f"no such file: {secret}")


def test_known_folders_with_spaces_are_redacted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: Path("/home/Jane Doe"))
    assert redact("no /home/Jane Doe/deep down/x.png") == "no …/deep down/x.png"


@pytest.mark.parametrize("text", ["and/or", "2 / 3 apples", "https://host.org/a/b", "yes/no", "a star ."])
def test_what_is_no_path_stays(text: str) -> None:
    assert redact(text) == text


def test_a_command_line_shows_no_secret() -> None:
    shown = command_line(["x", "--hub-token=abc", "--api-key", "def", "--out", "runs", "--data=/a b/c d"])
    assert shown == "x '--hub-token=***' --api-key '***' --out runs '--data=…/c d'"
