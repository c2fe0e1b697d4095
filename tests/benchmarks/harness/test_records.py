from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.harness.owner import Owner
from benchmarks.harness.predictions import to_line
from benchmarks.harness.provenance import command_line, redact
from benchmarks.harness.records import (
    Manifest,
    Prediction,
    PredictionLog,
    RecordError,
    Result,
    Run,
    Score,
    find_runs,
    read_predictions,
    read_run,
    write_manifest,
    write_scored,
)
from nextgpt.media import Image
from nextgpt.messages import Failure, assistant

PICTURE = Image(np.arange(48, dtype=np.uint8).reshape(4, 4, 3))


def write(folder: Path, *lines: object) -> Path:
    path = folder / "predictions.jsonl"
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return path


def said(sample: str, *parts: dict[str, str]) -> dict[str, object]:
    return {"sample": sample, "message": {"role": "assistant", "parts": list(parts)}}


def manifest(given: tuple[str, ...] = ()) -> Manifest:
    return Manifest(
        benchmark="numbers",
        version=1,
        family="vqa",
        protocol={"prompt": "{number}"},
        source="made up",
        licence="none",
        headline="exact_match",
        system="echo",
        fingerprint="v1",
        given=given,
        seed=0,
        limit=None,
        batch_size=32,
        versions={},
        hardware="",
        command="",
        started="",
    )


def read_everything(folder: Path) -> object:
    run = read_run(folder)
    return run.results, run.scores


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
    assert prediction == Prediction("1", assistant(PICTURE), None)


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"sample": "2", "mess', "not JSON"),
        ("[]", "an object is needed, got list"),
        ({"message": {"parts": []}}, "must be the id of a sample"),
        ({"sample": 7, "message": {"parts": []}}, "a string; got 7"),
        ({"sample": "2"}, 'needs either "message" or "error"'),
        ({**said("2"), "error": {"stage": "x", "reason": "y"}}, 'needs either "message" or "error"'),
        ({**said("2"), "seconds": "fast"}, '"seconds" must be a finite number'),
        ('{"sample": "2", "message": {"parts": []}, "seconds": NaN}', '"seconds" must be a finite number'),
        ({"sample": "2", "error": {"stage": "x"}}, "sample '2' is malformed: KeyError('reason')"),
        ({"sample": "2", "message": "hello"}, "sample '2' is malformed"),
        ({"sample": "2", "message": {"role": "system", "parts": []}}, "sample '2' is malformed"),
        (said("2", {"smell": "of roses"}), 'a part must hold "text" or "image"'),
        (said("1", {"text": "again"}), "sample '1' is in line 1 already"),
        (said("2", {"image": "media/none.png"}), "media/none.png cannot be read"),
        (said("2", {"image": "../secret.png"}), "leaves the folder"),
        (said("2", {"image": "/etc/hostname"}), "leaves the folder"),
        (said("2", {"image": "link.png"}), "leaves the folder"),
        (said("2", {"image": "empty.png"}), "empty.png: the file is empty"),
        (said("2", {"image": "ok.png", "sha256": "0" * 64}), "SHA-256 differs"),
    ],
)
def test_a_bad_line_is_named_by_file_and_line(tmp_path: Path, line: object, complaint: str) -> None:
    PICTURE.save(tmp_path / "secret.png")
    folder = tmp_path / "run"
    folder.mkdir()
    PICTURE.save(folder / "ok.png")
    (folder / "empty.png").touch()
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    path = write(folder, said("1", {"text": "fine"}), line)
    with pytest.raises(RecordError) as error:
        read_predictions(path)
    assert f"{path}, line 2: " in str(error.value)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"nothing\.jsonl: cannot be read"):
        read_predictions(tmp_path / "nothing.jsonl")


@settings(max_examples=30)
@given(cut=st.integers(0, 200))
def test_a_log_cut_anywhere_is_mended_and_continued(
    cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("run")
    all_of_them = [Prediction(str(k), assistant(f"answer {k}")) for k in range(3)]
    whole = b"".join(to_line(prediction, folder) for prediction in all_of_them)
    (folder / "predictions.jsonl").write_bytes(whole[: min(cut, len(whole))])
    with Owner(folder) as owner, PredictionLog(owner) as log:
        log.append([p for p in all_of_them if p.sample not in log.answered])
    assert (folder / "predictions.jsonl").read_bytes() == whole


def test_a_damaged_line_in_the_middle_is_not_dropped_silently(tmp_path: Path) -> None:
    write(tmp_path, said("1"), "{broken", said("2"))
    with pytest.raises(RecordError, match="line 2: not JSON"):
        PredictionLog(Owner(tmp_path))


def test_failures_can_be_forgotten_and_the_rest_stays(tmp_path: Path) -> None:
    with Owner(tmp_path) as owner, PredictionLog(owner) as log:
        log.append([Prediction("1", Failure("plan", "no")), Prediction("2", assistant("error"))])
        assert log.forget_failures() == 1
        assert log.answered == {"2": False}
        log.append([Prediction("1", assistant("yes"))])
    assert [p.sample for p in read_predictions(log.path)] == ["2", "1"]


def test_a_run_is_read_back(tmp_path: Path) -> None:
    write_manifest(tmp_path / "a", manifest(given=("plan",)))
    result = Result("numbers", "echo", "exact_match", "s|v:1", 0.5, None, None, 2, 0, None, "why", 0.1)
    scores = (Score("1", "g", None, "exact_match", 1.0), Score("2", "g", "big", "exact_match", 0.0))
    write_scored(Run(tmp_path / "a", manifest()), [result], scores)
    (run,) = find_runs(tmp_path)
    assert run.manifest == manifest(given=("plan",))
    assert run.results == (result,)
    assert run.scores == scores


def test_a_value_that_is_no_number_is_never_written(tmp_path: Path) -> None:
    result = Result("b", "s", "m", "", float("nan"), None, None, 0, 0, None, "")
    write_manifest(tmp_path, manifest())
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_scored(read_run(tmp_path), [result], [])


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("run.json", b"{", "run.json: not readable as JSON"),
        ("run.json", b"[]", "expected a JSON dict"),
        ("run.json", b"{}", "not the fields of a manifest"),
        ("results.json", b'[{"x": 1}]', "not the fields of a result"),
        ("results.json", b"[3]", "not the fields of a result"),
        ("scores.parquet", b"PAR1", "scores.parquet: damaged"),
    ],
)
def test_a_damaged_file_of_a_run_is_named(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    write_manifest(tmp_path, manifest())
    (tmp_path / name).write_bytes(content)
    with pytest.raises(RecordError, match=complaint):
        read_everything(tmp_path)


def test_where_there_is_no_run_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no run here"):
        read_run(tmp_path)
    with pytest.raises(RecordError, match="no runs here; make some"):
        find_runs(tmp_path)


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
