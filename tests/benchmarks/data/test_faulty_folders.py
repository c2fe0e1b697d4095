"""``data check`` on folders that are wrong in one way each: every fault is said, counted, and said once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cli
from benchmarks.cards import CARDS
from benchmarks.data.check import DIFFERS, MISSING, OK, Finding, check
from benchmarks.registry import load_benchmark
from tests.benchmarks.tasks.official_files import miniature, picture, write
from tests.benchmarks.terminal import Command, only_line

CAPTIONS = "captions_val2017.json"
IMAGES = [{"id": k, "file_name": f"{k}.jpg"} for k in range(10)]


def coco(folder: Path, images: list[dict[str, Any]], of: list[int], ids: list[int] | None = None) -> Path:
    """Captions of the images `of`, one after another, below a folder that holds ten pictures."""
    numbers = ids or list(range(len(of)))
    rows = [{"id": k, "image_id": image, "caption": "a dog"} for k, image in zip(numbers, of, strict=True)]
    write(folder / CAPTIONS, {"images": images, "annotations": rows})
    for k in range(10):
        picture(folder / "val2017" / f"{k}.jpg")
    return folder


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """The command line with all benchmarks that there are."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["nextgpt-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return (int(stop.value.code or 0), *capsys.readouterr())

    return run


def found(name: str, folder: Path) -> dict[str, Finding]:
    return {finding.what: finding for finding in check(load_benchmark(name), folder)}


@pytest.mark.parametrize(
    ("images", "of", "ids", "said"),
    [
        ([*IMAGES, *IMAGES[:4]], list(range(10)), None, "image 0 occurs twice; so do 3 more, of 10; remove"),
        (IMAGES, list(range(10)), [*range(7), 4, 5, 6], "annotation 4 occurs twice; so do 2 more, of 7"),
        (
            IMAGES,
            [k % 13 for k in range(26)],
            None,
            "image 10, which the file does not list (6 of 26 in all)",
        ),
    ],
    ids=["images twice", "annotations twice", "captions without image"],
)
def test_records_that_do_not_fit_are_counted(
    tmp_path: Path, images: list[dict[str, Any]], of: list[int], ids: list[int] | None, said: str
) -> None:
    row = found("coco-2017", coco(tmp_path, images, of, ids))["samples"]
    assert (row.state, row.found, row.official) == (DIFFERS, None, 5_000)
    assert said in row.remark
    assert "\n" not in row.remark
    assert len(row.remark) < 300


@pytest.mark.parametrize("name", ["audiocaps", "clotho", "next-qa", "vqav2", "pope"])
def test_whatever_stands_twice_is_said(tmp_path: Path, name: str) -> None:
    folder = miniature(name, tmp_path)
    file = next(file for file in CARDS[name].files if not file.optional).find(folder)
    assert file is not None
    if file.suffix == ".csv":
        head, *rows = file.read_text().splitlines()
        file.write_text("\n".join([head, *rows, *rows]) + "\n")
    elif name == "pope":
        file.write_text(file.read_text() + "\n" + file.read_text())
    else:
        content = json.loads(file.read_text())
        write(file, {**content, "questions": content["questions"] * 2})
    row = found(name, folder)["samples"]
    assert (row.state, row.found) == (DIFFERS, None)
    assert "occurs twice" in row.remark


def test_captions_of_clips_that_the_file_does_not_list_are_counted(tmp_path: Path) -> None:
    folder = miniature("msr-vtt", tmp_path)
    file = CARDS["msr-vtt"].files[0].find(folder)
    assert file is not None
    content = json.loads(file.read_text())
    strays = [{**content["sentences"][0], "sen_id": 70 + k, "video_id": f"video{70 + k}"} for k in range(3)]
    total = len(content["sentences"]) + 3
    write(file, {**content, "sentences": content["sentences"] + strays})
    remark = found("msr-vtt", folder)["samples"].remark
    assert f"is about video70, which the file does not list (3 of {total} in all)" in remark


def test_a_file_of_another_version_is_recognised_by_its_count(tmp_path: Path) -> None:
    folder = miniature("pope", tmp_path)
    file = folder / "coco_pope_random.json"
    row = json.loads(file.read_text().splitlines()[0])
    write(file, "\n".join(json.dumps({**row, "question_id": k}) for k in range(2_910)))
    rows = found("pope", folder)
    assert (rows["random"].state, rows["random"].found, rows["random"].official) == (DIFFERS, 2_910, 3_000)
    assert rows["random"].remark.endswith(f": as many as {CARDS['pope'].files[0].others[2_910]}")
    assert "as many as" not in rows["popular"].remark  # of no version that is known


def test_annotations_of_another_split_are_refused_with_their_count(tmp_path: Path) -> None:
    folder = miniature("vqav2", tmp_path)
    file = folder / "v2_mscoco_val2014_annotations.json"
    content = json.loads(file.read_text())
    others = [{**content["annotations"][0], "question_id": k} for k in range(100, 107)]
    write(file, {**content, "annotations": others})
    row = found("vqav2", folder)["samples"]
    assert row.state == DIFFERS
    assert "question 100 (7 in all) is not asked in v2_OpenEnded_mscoco_val2014_questions.json" in row.remark


def test_questions_without_answers_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    folder = miniature("vqav2", tmp_path)
    file = folder / "v2_OpenEnded_mscoco_val2014_questions.json"
    content = json.loads(file.read_text())
    asked = [{**content["questions"][0], "question_id": k} for k in range(1, 8)]
    write(file, {**content, "questions": asked})
    row = found("vqav2", folder)["samples"]
    assert (row.state, row.found) == (DIFFERS, 7)
    assert "; 6 cannot be used, the first as " in row.remark
    assert "question 2 has no answers; another version" in row.remark


def test_files_that_hold_nothing_are_absent(tmp_path: Path) -> None:
    folder = coco(tmp_path, IMAGES, list(range(10)))
    for k in (3, 4):
        (folder / "val2017" / f"{k}.jpg").write_bytes(b"")
    row = found("coco-2017", folder)["media"]
    assert (row.state, row.found, row.official) == (MISSING, 8, 10)
    assert row.remark == "2 are not there or empty, the first 3.jpg; 8 of 10 samples can run"


def test_an_archive_that_was_not_unpacked_is_named(tmp_path: Path) -> None:
    folder = coco(tmp_path, IMAGES, list(range(10)))
    (folder / "val2017").rename(tmp_path / "elsewhere")
    (folder / "val2017.zip").write_bytes(b"PK")
    row = found("coco-2017", folder)["media"]
    assert (row.state, row.found) == (MISSING, 0)
    assert row.remark.endswith("0 of 10 samples can run; unpack val2017.zip")


def test_a_count_that_no_document_states_is_marked(command: Command, tmp_path: Path) -> None:
    folder = miniature("msrvtt-qa", tmp_path / "data")
    code, out, _ = command("data", "check", "msrvtt-qa", "--data", folder, "--json", "rows.json")
    assert code == 1
    assert "72,821?" in out
    assert "a ? follows what is not confirmed" in out
    rows = {row["what"]: row for row in json.loads(Path("rows.json").read_text())}
    assert [rows["samples"]["confirmed"], rows["media"]["confirmed"]] == [False, True]


def test_official_counts_that_documents_state_are_not_marked(command: Command, tmp_path: Path) -> None:
    _, out, _ = command("data", "check", "pope", "--data", miniature("pope", tmp_path / "data"))
    assert "3,000" in out
    assert "?" not in out


@pytest.mark.parametrize(
    ("answered", "said"),
    [
        (range(1000, 1008), "sample '1000' (8 in all) is unknown to"),
        (range(5), "no prediction for sample '5' (5 of 10 in all)"),
        ([k % 5 for k in range(10)], "image_id 0 occurs twice; so do 4 more, of 5"),
    ],
    ids=["of another split", "of half", "twice"],
)
def test_predictions_that_do_not_fit_are_refused_with_their_count(
    bench: Command, tmp_path: Path, answered: list[int], said: str
) -> None:
    folder = coco(tmp_path / "data", IMAGES, list(range(10)))
    answers = write(tmp_path / "answers.json", [{"image_id": k, "caption": "a dog"} for k in answered])
    code, _, err = bench(
        "score", "image-captioning", "--predictions", answers, "--references", folder / CAPTIONS
    )
    assert code == 1
    assert said in only_line(err)


def test_answers_recorded_of_another_split_end_a_run_with_every_sample_failed(
    command: Command, tmp_path: Path
) -> None:
    folder = miniature("vqav2", tmp_path / "data")
    answers = write(tmp_path / "answers.json", [{"question_id": 1000, "answer": "soup"}])
    code, out, err = command(
        "run", "--benchmark", "vqav2", "--system", f"answers:{answers}", "--data", folder
    )
    assert code == 1
    assert "1 failed, scored as wrong" in out + err
    assert "every sample failed" in err


def test_a_whole_folder_of_the_right_files_has_nothing_to_mend(tmp_path: Path) -> None:
    rows = found("coco-2017", coco(tmp_path, IMAGES, list(range(10))))
    assert rows["media"].state == OK
    assert "cannot be used" not in rows["samples"].remark
