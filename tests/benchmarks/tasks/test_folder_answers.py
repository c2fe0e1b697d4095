"""``answers:FOLDER``: media that others made, named by sample in JavisBench's manner, are answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import cli
from benchmarks.registry import load_system
from benchmarks.tasks.answers import read_answers
from benchmarks.tasks.official import DataError
from nextgpt.messages import Failure, Message
from tests.benchmarks.tasks.official_files import clip, picture, sound, write


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Two whole answers, one without its sound, one cut off, and what is no medium."""
    folder = tmp_path / "made"
    for number in (0, 1, 2, 3):
        clip(folder / f"sample_{number:04}.mp4")
        if number != 2:
            sound(folder / f"sample_{number:04}.wav")
    whole = (folder / "sample_0003.mp4").read_bytes()
    (folder / "sample_0003.mp4").write_bytes(whole[: len(whole) // 3])
    (folder / "notes.txt").write_text("made on Monday")
    return folder


def test_a_clip_and_its_sound_are_one_answer(made: Path) -> None:
    answers = read_answers(made)
    assert [*answers] == [f"sample_{number:04}" for number in range(4)]
    first = answers["sample_0000"]
    assert isinstance(first, Message)
    assert [medium.modality for medium in first.media] == ["video", "audio"]
    broken = answers["sample_0003"]
    assert isinstance(broken, Failure)
    assert "sample_0003.mp4" in broken.reason


def test_the_fingerprint_follows_what_the_files_hold(made: Path) -> None:
    before = load_system(f"answers:{made}")
    assert before.produces == frozenset({"text", "video", "audio"})
    sound(made / "sample_0002.wav")
    assert load_system(f"answers:{made}").fingerprint != before.fingerprint


def test_a_folder_without_media_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "x/notes.txt", "nothing")
    with pytest.raises(DataError, match="no pictures, clips or sounds here"):
        read_answers(tmp_path / "x")


def test_structure_is_told_by_plain_code(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "".join(f"p.mp4,a dog {number}\n" for number in range(5))
    write(tmp_path / "data/JavisBench.csv", "path,text\n" + rows)
    command = ["run", "--benchmark", "javisbench", "--data", tmp_path / "data", "--system", f"answers:{made}"]
    more = ["--out", tmp_path / "runs", "--json", tmp_path / "rows.json"]
    monkeypatch.setattr("sys.argv", ["nextgpt-bench", *map(str, [*command, *more])])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code in (0, None), capsys.readouterr()
    found: dict[str, Any] = {row["metric"]: row for row in json.loads((tmp_path / "rows.json").read_text())}
    exact = found["structure_exact"]
    # Two are whole; one lacks its sound, one is cut off, and one was never made.
    assert (exact["value"], exact["n"], exact["failed"]) == (0.4, 5, 2)
    assert found["structure_f1"]["value"] == pytest.approx((1 + 1 + 2 / 3) / 5)


def test_pictures_that_others_drew_are_answers_to_prompts(tmp_path: Path) -> None:
    picture(tmp_path / "drawn/00000.png")
    answers = read_answers(tmp_path / "drawn")
    assert [*answers] == ["00000"]
    found = answers["00000"]
    assert isinstance(found, Message)
    assert np.asarray(found.images[0].pixels).shape == (8, 8, 3)
