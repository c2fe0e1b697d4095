from __future__ import annotations

import hashlib
import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.log import PredictionLog
from benchmarks.harness.owner import Owner
from benchmarks.harness.predictions import Prediction, read_predictions
from benchmarks.harness.storage import RecordError
from nextgpt.media import Image
from nextgpt.messages import Failure, assistant

NO_TIMES: tuple[Any, ...] = ("fast", True, -1, 1e308, float("nan"), float("inf"), 10**400, [])
PICTURE = Image(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))


def write(folder: Path, *lines: object) -> Path:
    path = folder / "predictions.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def said(sample: str, *parts: dict[str, Any]) -> dict[str, object]:
    return {"sample": sample, "message": {"role": "assistant", "parts": list(parts)}}


texts = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
steps = st.lists(st.tuples(texts, texts), max_size=2).map(tuple)
answers = st.one_of(
    st.builds(
        lambda parts, s: assistant(*parts, steps=s), st.lists(texts | st.just(PICTURE), max_size=3), steps
    ),
    st.builds(Failure, texts, texts, steps),
)


@given(
    said_of=st.dictionaries(texts.filter(bool), st.tuples(answers, st.none() | st.floats(0, 10)), max_size=4)
)
def test_predictions_come_back_as_they_were_written(
    said_of: dict[str, tuple[object, float | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    written = [Prediction(sample, answer, seconds) for sample, (answer, seconds) in said_of.items()]  # type: ignore[arg-type]
    with Owner(folder) as owner, PredictionLog(owner) as log:
        log.append(written)
    read = read_predictions(folder / "predictions.jsonl")
    assert [(p.sample, p.answer) for p in read] == [(p.sample, p.answer) for p in written]
    assert [p.seconds for p in read] == [p.seconds and pytest.approx(p.seconds, abs=1e-6) for p in written]


def test_the_same_picture_is_stored_once_under_its_hash(tmp_path: Path) -> None:
    with Owner(tmp_path) as owner, PredictionLog(owner) as log:
        log.append([Prediction("a", assistant(PICTURE)), Prediction("b", assistant("look", PICTURE))])
    (file,) = (tmp_path / "media").iterdir()
    assert Image.open(file) == PICTURE
    assert len(file.stem) == 16


def test_text_may_hold_any_line_separator(tmp_path: Path) -> None:
    odd = "a\u2028b\x0cc\rd\ne"
    write(tmp_path, said("1", {"text": odd}), said("2", {"text": "x"}))
    assert [p.answer.text for p in read_predictions(tmp_path / "predictions.jsonl")] == [odd, "x"]  # type: ignore[union-attr]


def test_what_may_be_missing_may_be_missing(tmp_path: Path) -> None:
    PICTURE.save(tmp_path / "x.png")
    (prediction,) = read_predictions(write(tmp_path, said("1", {"image": "x.png"})))
    assert (prediction.answer, prediction.seconds) == (assistant(PICTURE), None)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"sample": "2", "mess', "not JSON"),
        ("[]", "an object is needed, got list"),
        ({"message": {"parts": []}}, "must be the id of a sample"),
        ({"sample": 7, "message": {"parts": []}}, "a string; got 7"),
        ({"sample": "2"}, 'needs either "message" or "error"'),
        ({**said("2"), "error": {"stage": "x", "reason": "y"}}, 'needs either "message" or "error"'),
        *(
            ({**said("2"), "seconds": value}, '"seconds" must be a number from 0 to 1e9')
            for value in NO_TIMES
        ),
        ({"sample": "2", "error": {"stage": "x"}}, '"error" must hold "stage" and "reason"'),
        ({"sample": "2", "error": "no"}, '"error" must hold "stage" and "reason"'),
        ({"sample": "2", "message": "hello"}, '"message" must hold "parts", a list'),
        ({"sample": "2", "message": {"parts": "hello"}}, '"message" must hold "parts", a list'),
        ({"sample": "2", "message": {"role": "system", "parts": []}}, "the role of a message is"),
        ({"sample": "2", "message": {"role": [], "parts": []}}, "the role of a message is"),
        ({"sample": "2", "message": {"parts": ["yes"]}}, "a part must hold"),
        ({"sample": "2", "message": {"parts": [{"text": 3}]}}, "a part must hold"),
        (said("2", {"smell": "of roses"}), 'a part must hold "text" or "image"'),
        (said("1", {"text": "again"}), "sample '1' is in line 1 already"),
        ("[" * 100_000, "not JSON (nested too deeply)"),
        ('{"sample": ' + "1" * 5001 + "}", "not JSON"),
        ("\0" * 20, "not JSON"),
        (json.dumps(said("2")) * 2, "not JSON"),
    ],
)
def test_a_line_that_is_no_prediction_is_named(tmp_path: Path, line: object, complaint: str) -> None:
    path = write(tmp_path, said("1", {"text": "fine"}), line)
    with pytest.raises(RecordError) as error:
        read_predictions(path)
    assert f"{path}, line 2: " in str(error.value)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300 + len(str(path))


def test_a_line_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(json.dumps(said("1")).encode("utf-16"))
    with pytest.raises(RecordError, match="line 1: not JSON"):
        read_predictions(path)


@pytest.mark.parametrize(
    ("name", "digest", "complaint"),
    [
        ("media/none.png", None, "'media/none.png' cannot be read (No such file or directory)"),
        ("media", None, "'media' cannot be read (not a regular file)"),
        ("", None, "'' cannot be read (not a regular file)"),
        ("pipe.png", None, "'pipe.png' cannot be read (not a regular file)"),
        ("a\0b.png", None, "cannot be read (embedded null byte)"),
        ("a" * 300, None, "cannot be read (File name too long)"),
        ("\ud800.png", None, "cannot be read"),
        ("../secret.png", None, "'../secret.png' leaves the folder"),
        ("media/../ok.png", None, "'media/../ok.png' leaves the folder"),
        ("/etc/hostname", None, "'/etc/hostname' leaves the folder"),
        ("link.png", None, "'link.png' leaves the folder"),
        ("linked/secret.png", None, "'linked/secret.png' leaves the folder"),
        ("ok.png", "0" * 64, "ok.png has changed since it was written (SHA-256 differs)"),
        ("ok.png", 3, "ok.png has changed since it was written (SHA-256 differs)"),
    ],
)
def test_a_medium_that_is_not_where_it_was_put_is_named(
    tmp_path: Path, name: str, digest: object, complaint: str
) -> None:
    PICTURE.save(tmp_path / "secret.png")
    folder = tmp_path / "run"
    (folder / "media").mkdir(parents=True)
    PICTURE.save(folder / "ok.png")
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.png")
    path = write(folder, said("1", {"text": "fine"}), said("2", {"image": name, "sha256": digest}))
    first, second = read_predictions(path)
    assert first.answer == assistant("fine")
    with pytest.raises(RecordError) as error:
        print(second.answer)
    assert f"{path}, line 2: " in str(error.value)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def huge_png() -> bytes:
    """A picture of 49 megapixels in fifty bytes: its header, and no pixel."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 7000, 7000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 0) + b"IDAT"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "x.png: the file is empty"), (b"no picture", "x.png"), (huge_png(), "49.0 megapixels")],
    ids=["empty", "no picture", "huge"],
)
def test_a_medium_that_can_not_be_used_is_its_samples_failure(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "x.png").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    lines = said("1", {"image": "x.png", "sha256": digest}), said("2", {"text": "fine"})
    first, second = read_predictions(write(tmp_path, *lines))
    assert isinstance(first.answer, Failure)
    assert reason in first.answer.reason
    assert first.failed
    assert second.answer == assistant("fine")


@pytest.mark.parametrize("steps", ["ab", None, 3, [3], [["a"]], [["a", 1]], [["a", "b", "c"]], {"a": "b"}])
def test_steps_that_are_none_are_their_samples_failure(tmp_path: Path, steps: object) -> None:
    answered = {"sample": "1", "message": {"parts": [{"text": "x"}], "steps": steps}}
    failed = {"sample": "2", "error": {"stage": "plan", "reason": "no prompt"}, "steps": steps}
    first, second = read_predictions(write(tmp_path, answered, failed))
    assert isinstance(first.answer, Failure)
    assert 'malformed "steps": pairs of texts are needed, got ' in first.answer.reason
    assert isinstance(second.answer, Failure)
    assert second.answer.stage == "plan"
    assert second.answer.reason.startswith('no prompt; malformed "steps"')


def test_media_are_opened_when_an_answer_is_looked_at_and_not_kept(tmp_path: Path) -> None:
    with Owner(tmp_path) as owner, PredictionLog(owner) as log:
        log.append([Prediction("1", assistant("look", PICTURE))])
    (prediction,) = read_predictions(log.path)
    first = prediction.answer
    assert first == assistant("look", PICTURE)
    assert prediction.answer is not first
    (tmp_path / "media").rename(tmp_path / "elsewhere")
    with pytest.raises(RecordError, match="cannot be read"):
        print(prediction.answer)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"nothing\.jsonl: cannot be read"):
        read_predictions(tmp_path / "nothing.jsonl")
