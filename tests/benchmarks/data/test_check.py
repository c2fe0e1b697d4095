"""``data check``: what is there of a data set, counted without a medium being decoded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.data.check import DIFFERS, MISSING, OK, Finding, check, tally
from benchmarks.registry import load_benchmark
from benchmarks.tasks.images.vqa import read_annotations
from benchmarks.tasks.official import DataError
from tests.benchmarks.tasks.official_files import coco, miniature, picture, write
from tests.benchmarks.terminal import Command, only_line

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the data of ../shared/data are not here")


def found(name: str, folder: Path) -> dict[str, Finding]:
    return {finding.what: finding for finding in check(load_benchmark(name), folder)}


def test_a_part_of_a_data_set_differs_from_the_official_counts(tmp_path: Path) -> None:
    rows = found("vqav2", miniature("vqav2", tmp_path))
    assert {what: row.state for what, row in rows.items()} == {
        "questions": DIFFERS,
        "annotations": DIFFERS,
        "samples": DIFFERS,
        "media": OK,
    }
    assert (rows["questions"].found, rows["questions"].official) == (1, 214_354)
    assert "its numbers compare with no published ones" in rows["samples"].remark


def test_a_missing_file_is_named_with_where_to_fetch_it(tmp_path: Path) -> None:
    folder = miniature("vqav2", tmp_path)
    (folder / "v2_mscoco_val2014_annotations.json").unlink()
    row = found("vqav2", folder)["annotations"]
    assert row.state == MISSING
    assert row.remark == "fetch v2_mscoco_val2014_annotations.json from https://visualqa.org/download.html"


def test_half_the_images_are_counted(tmp_path: Path) -> None:
    images = [{"id": k, "file_name": f"{k}.jpg"} for k in range(10)]
    captions = [{"id": k, "image_id": k, "caption": "a dog"} for k in range(9)]
    write(tmp_path / "captions_val2017.json", {"images": images, "annotations": captions})
    for k in range(5):
        picture(tmp_path / "val2017" / f"{k}.jpg")
    rows = found("coco-2017", tmp_path)
    assert (rows["media"].state, rows["media"].found, rows["media"].official) == (MISSING, 5, 9)
    assert rows["media"].remark == ("4 are not there or empty, the first 5.jpg; 5 of 10 samples can run")
    assert "1 cannot be used, the first as captions_val2017.json: image 9 (9.jpg)" in rows["samples"].remark
    counted = tally(load_benchmark("coco-2017"), tmp_path)
    assert (counted.samples, counted.broken, counted.affected, counted.usable) == (10, 1, 4, 5)


def test_a_file_that_cannot_be_read_is_a_finding_and_no_end(tmp_path: Path) -> None:
    write(tmp_path / "captions_val2017.json", json.dumps(coco("a.jpg"))[:40])
    rows = found("coco-2017", tmp_path)
    assert "cut off" in rows["captions"].remark
    assert "cut off" in rows["samples"].remark


def test_what_makes_its_own_data_has_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="toy-vqa reads no official files"):
        list(check(load_benchmark("toy-vqa"), tmp_path))


def test_equal_answers_are_kept_once(tmp_path: Path) -> None:
    folder = miniature("vqav2", tmp_path)
    answers = read_annotations(folder / "v2_mscoco_val2014_annotations.json")["1"]["answers"]
    assert len({id(answer["answer"]) for answer in answers}) == 1


@real
@pytest.mark.parametrize(
    ("name", "folder", "file"),
    [
        ("audiocaps", "audiocaps", "captions"),
        ("next-qa", "nextqa", "questions"),
        ("geneval", "prompts", "prompts"),
    ],
)
def test_whole_official_files_have_the_official_counts(name: str, folder: str, file: str) -> None:
    rows = found(name, DATA / folder)
    assert (rows[file].state, rows["samples"].state) == (OK, OK)
    assert rows["samples"].found == rows["samples"].official


def test_the_command_shows_all_and_fails_where_something_is_to_mend(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import cli

    folder = miniature("geneval", tmp_path / "prompts").parent
    arguments = [
        "data",
        "check",
        "geneval",
        "parti-prompts",
        "--data",
        str(folder),
        "--json",
        str(tmp_path / "rows.json"),
    ]
    monkeypatch.setattr("sys.argv", ["nextgpt-bench", *arguments])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    out = capsys.readouterr().out
    assert "fetch PartiPrompts.tsv from" in out
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["benchmark"] for row in rows} == {"geneval", "parti-prompts"}


def test_an_unknown_name_is_corrected(bench: Command, tmp_path: Path) -> None:
    code, _, err = bench("data", "check", "numbrs", "--data", tmp_path)
    assert code == 1
    assert "did you mean numbers?" in only_line(err)
