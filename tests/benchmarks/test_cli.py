from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cli, registry
from benchmarks.harness.gate import read_expectation
from benchmarks.harness.predictions import FILE
from benchmarks.harness.records import read_run
from benchmarks.registry import BenchmarkEntry, Suite
from tests.benchmarks.test_run import ROOT, wait_for_lines

SPEAKER = "tests.benchmarks.fakes:speaker"
SILENT = "tests.benchmarks.fakes:silent"
ROW = {"benchmark", "system", "metric", "signature", "value", "low", "high", "n"}

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Runs the command line in this process, with two small benchmarks in the registry."""
    entries = {
        name: BenchmarkEntry(name, "vqa", "", f"tests.benchmarks.fakes:{name.upper()}")
        for name in ("numbers", "seeing")
    }
    monkeypatch.setattr(registry, "BENCHMARKS", entries)
    monkeypatch.setattr(registry, "SUITES", {"small": Suite("small", "", ("numbers", "seeing"))})
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(ROOT)

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["nextgpt-bench", *map(str, arguments)])
        code: Any = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        return (code, *capsys.readouterr())

    return run


def only_line(text: str) -> str:
    (line,) = text.strip().splitlines()
    return line


def test_a_run_prints_a_table_and_writes_the_same_rows(bench: Command) -> None:
    code, out, _ = bench("run", "--benchmark", "numbers", "--system", SPEAKER, "--json", "rows.json")
    assert code == 0
    assert "exact_match" in out
    assert "0.5000" in out
    (row,) = json.loads(Path("rows.json").read_text())
    assert set(row) >= ROW
    assert (row["benchmark"], row["system"], row["value"], row["n"]) == ("numbers", "speaker", 0.5, 12)
    assert "run --benchmark numbers" in read_run(Path("runs/speaker/numbers")).manifest.command


def test_a_limit_is_taken_and_kept(bench: Command) -> None:
    assert bench("run", "--benchmark", "numbers", "--system", SPEAKER, "--limit", 4)[0] == 0
    code, _, err = bench("run", "--benchmark", "numbers", "--system", SPEAKER)
    assert code == 1
    assert "holds a different run: limit (4, now None). Choose another --out" in only_line(err)


def test_a_system_that_cannot_take_part_is_skipped_and_said_so(bench: Command) -> None:
    code, out, err = bench("run", "--suite", "small", "--system", SPEAKER)
    assert code == 0
    assert "numbers" in out
    assert only_line(err).startswith("skipped: speaker can't take part in seeing")


def test_nothing_to_run_is_an_error(bench: Command) -> None:
    assert bench("run", "--benchmark", "seeing", "--system", SPEAKER)[0] == 1


def test_what_goes_wrong_with_one_system_spoils_no_other(bench: Command) -> None:
    code, out, err = bench("run", "--benchmark", "numbers", "--system", "speeker", "--system", SPEAKER)
    assert code == 1
    assert "0.5000" in out
    assert only_line(err).startswith("error: unknown system 'speeker'")


def test_a_run_in_which_all_samples_failed_is_an_error(bench: Command) -> None:
    code, out, err = bench("run", "--benchmark", "numbers", "--system", SILENT)
    assert code == 1
    assert "12 failed, scored as wrong" in out
    assert "every sample failed, the first with: nothing comes to mind" in only_line(err)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("run", "--suite", "smal", "--system", SPEAKER), "did you mean small"),
        (("run", "--benchmark", "number", "--system", SPEAKER), "did you mean numbers"),
        (("score", "vqaa", "--references", "a", "--predictions", "b"), "did you mean vqa"),
        (("score", "vqa", "--references", "none.json", "--predictions", "b"), "none.json: no such file"),
        (("expect", "nowhere"), "nowhere: no runs here"),
        (("run", "--limit", "0"), "--limit"),
    ],
)
def test_a_users_error_is_a_line_and_a_status(
    bench: Command, arguments: tuple[str, ...], complaint: str
) -> None:
    code, out, err = bench(*arguments)
    assert code != 0
    assert not out
    assert complaint in err
    assert "Traceback" not in err


def test_a_file_that_cannot_be_written_is_a_line(bench: Command) -> None:
    code, _, err = bench(
        "run", "--benchmark", "numbers", "--system", SPEAKER, "--json", "/dev/null/x/rows.json"
    )
    assert code == 1
    assert "rows.json: cannot be written" in err


def test_a_bug_keeps_its_trace(bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ZeroDivisionError(name)

    monkeypatch.setattr(registry, "load_benchmark", broken)
    with pytest.raises(ZeroDivisionError):
        bench("run", "--benchmark", "numbers", "--system", SPEAKER)


def test_an_interrupt_says_how_to_go_on_and_keeps_what_was_done(tmp_path: Path) -> None:
    program = (
        # Whoever runs the tests in the background ignores interrupts, and so would this child.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from benchmarks import cli, registry\n"
        "entry = registry.BenchmarkEntry('numbers', 'vqa', '', 'tests.benchmarks.fakes:NUMBERS')\n"
        "registry.BENCHMARKS = {'numbers': entry}\n"
        "cli.main()"
    )
    arguments = [
        "run",
        "--benchmark",
        "numbers",
        "--system",
        "tests.benchmarks.fakes:sleepy",
        "--batch-size",
        "1",
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
    )
    wait_for_lines(tmp_path / "runs" / "sleepy" / "numbers" / FILE, 2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert only_line(err.decode()) == (
        "stopped; every finished batch is kept in runs, and the same command does what is left"
    )


# --- listing -----------------------------------------------------------------------------------------


def test_the_list_names_all_and_is_written_for_programs(bench: Command) -> None:
    code, out, _ = bench("list", "--json", "list.json")
    assert code == 0
    rows = json.loads(Path("list.json").read_text())
    assert {row["name"] for row in rows} == {
        "numbers",
        "seeing",
        "small",
        *registry.SYSTEMS,
        *registry.EXTRACTORS,
    }
    assert all(row["name"] in out for row in rows)


@pytest.mark.parametrize("arguments", [["list"], ["--help"]])
def test_listing_and_help_import_nothing_heavy(arguments: list[str]) -> None:
    program = (
        "import sys; from benchmarks import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'scipy', 'numpy', 'pyarrow', 'transformers', 'PIL', 'pydantic'}\n"
        "print('heavy:', sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "heavy: []"


# --- the metrics' own checks ---------------------------------------------------------------------------


@pytest.mark.java
def test_the_selftest_is_a_table_and_rows(bench: Command) -> None:
    code, out, err = bench("selftest", "--json", "checks.json")
    assert (code, err) == (0, "")
    rows = json.loads(Path("checks.json").read_text())
    assert len(rows) > 20
    assert all(row["passed"] and row["found"] for row in rows)
    assert "climbs 0, .3, .6, .9, 1" in out


@pytest.mark.java
def test_a_wrong_metric_fails_the_selftest(bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    from metrics import selftest

    monkeypatch.setattr(selftest, "frechet_distance", lambda a, b: 1.0)
    code, out, err = bench("selftest", "--json", "checks.json")
    assert code == 1
    assert "FAILED" in out
    assert "trust no number" in only_line(err)
    wrong = [row["name"] for row in json.loads(Path("checks.json").read_text()) if not row["passed"]]
    assert len(wrong) == 6  # two identities, two known values, blur, noise
    assert all("Fréchet distance" in name for name in wrong)


def test_the_selftest_names_a_misspelt_network(bench: Command) -> None:
    code, _, err = bench("selftest", "--extractor", "inceptoin")
    assert code == 1
    assert "did you mean inception?" in only_line(err)


# --- expectations ------------------------------------------------------------------------------------


def test_runs_become_expectations(bench: Command, tmp_path: Path) -> None:
    bench("run", "--benchmark", "numbers", "--system", SPEAKER)
    code, out, err = bench("expect", "runs", "--expected", "expected", "--margin", "0.05")
    assert code == 0
    assert "exact_match" in out
    assert only_line(err) == "wrote expected/numbers/speaker.json"
    assert read_expectation("numbers", "speaker", tmp_path / "expected").margin == 0.05


def test_all_runs_become_expectations_or_none(bench: Command) -> None:
    bench("run", "--benchmark", "numbers", "--system", SPEAKER)
    bench("run", "--benchmark", "numbers", "--system", SILENT, "--limit", "3")
    code, _, err = bench("expect", "runs", "--expected", "expected")
    assert code == 1
    assert "--limit 3 is no expectation" in only_line(err)
    assert not Path("expected").exists()


# --- scoring files that other programs wrote -----------------------------------------------------------


def ten(*answers: str) -> list[dict[str, str]]:
    return [{"answer": answer} for answer in (answers * 10)[:10]]


VQA = {
    "annotations": [
        {"question_id": 1, "image_id": 7, "answer_type": "yes/no", "answers": ten("yes")},
        {"question_id": 2, "image_id": 7, "answer_type": "other", "answers": ten("cat", "dog")},
        {"question_id": 3, "image_id": 8, "answer_type": "yes/no", "answers": ten("no")},
    ]
}
RIGHT = [{"question_id": key, "answer": answer} for key, answer in ((1, "Yes."), (2, "a dog"), (3, "yes"))]


@pytest.fixture
def vqa(bench: Command) -> Callable[..., tuple[int, str, str]]:
    def run(
        references: object, predictions: object, *more: str, name: str = "answers.json"
    ) -> tuple[int, str, str]:
        for file, content in (("annotations.json", references), (name, predictions)):
            Path(file).write_text(content if isinstance(content, str) else json.dumps(content))
        return bench("score", "vqa", "--references", "annotations.json", "--predictions", name, *more)

    return run


def test_official_results_are_scored(vqa: Command) -> None:
    code, out, _ = vqa(VQA, RIGHT, "--json", "rows.json")
    assert code == 0
    rows = json.loads(Path("rows.json").read_text())
    assert set(rows[0]) >= ROW
    assert [(row["slice"], row["n"]) for row in rows] == [(None, 3), ("other", 1), ("yes/no", 2)]
    assert (rows[0]["system"], rows[0]["benchmark"], rows[0]["metric"]) == (
        "answers.json",
        "vqa",
        "vqa_accuracy",
    )
    assert "yes/no" in out


def test_our_own_predictions_are_scored_alike(vqa: Command) -> None:
    vqa(VQA, RIGHT, "--json", "official.json")
    lines = [
        {"sample": str(row["question_id"]), "message": {"parts": [{"text": row["answer"]}]}} for row in RIGHT
    ]
    vqa(VQA, "\n".join(map(json.dumps, lines)), "--json", "ours.json", name="predictions.jsonl")
    values = [
        [row["value"] for row in json.loads(Path(f"{name}.json").read_text())]
        for name in ("official", "ours")
    ]
    assert values[0] == values[1]


def test_an_empty_answer_is_scored_and_mentioned(vqa: Command) -> None:
    code, out, _ = vqa(VQA, [*RIGHT[:2], {"question_id": 3, "answer": ""}])
    assert code == 0
    assert "1 empty, scored as they are" in out


@pytest.mark.parametrize(
    ("references", "predictions", "complaint"),
    [
        (json.dumps(VQA)[:150], RIGHT, "annotations.json: the file is cut off"),
        (VQA, json.dumps(RIGHT)[:40], "answers.json: the file is cut off"),
        (VQA, RIGHT[:2], "answers.json: no prediction for sample '3' (1 of 3 in all)"),
        (
            VQA,
            [*RIGHT, {"question_id": 9, "answer": "x"}],
            "answers.json: sample '9' (1 in all) is unknown to vqa",
        ),
        (VQA, [*RIGHT, RIGHT[0]], "answers.json: question_id 1 occurs twice"),
        (VQA, [{"question_id": 1}], "answers.json: record 0 has no text under 'answer'"),
        (VQA, [], "answers.json: "),
        (VQA, "", "answers.json: the file is empty"),
        (VQA, [{"image_id": 1, "caption": "a cat"}], "answers.json: record 0 has no id under 'question_id'"),
    ],
)
def test_bad_files_are_named_by_file_and_record(
    vqa: Command, references: object, predictions: object, complaint: str
) -> None:
    code, out, err = vqa(references, predictions)
    assert code == 1
    assert not out
    assert complaint in only_line(err)


def test_missing_answers_may_count_as_failed(vqa: Command) -> None:
    code, out, _ = vqa(VQA, RIGHT[:2], "--allow-missing")
    assert code == 0
    assert "1 failed, scored as wrong" in out


@pytest.mark.java
def test_official_captions_are_scored(bench: Command) -> None:
    images = [{"id": k, "file_name": f"{k}.jpg"} for k in (1, 2, 3)]
    captions = [(1, "a red star"), (1, "one red star"), (2, "a blue square"), (3, "a small green circle")]
    annotations = [
        {"image_id": image, "caption": caption, "id": k} for k, (image, caption) in enumerate(captions)
    ]
    Path("captions.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    said = [
        {"image_id": 1, "caption": "a red star"},
        {"image_id": 2, "caption": "a square"},
        {"image_id": 3, "caption": ""},
    ]
    Path("results.json").write_text(json.dumps(said))
    code, out, _ = bench(
        "score",
        "image-captioning",
        "--references",
        ".",
        "--predictions",
        "results.json",
        "--json",
        "rows.json",
    )
    assert code == 0, out
    rows = json.loads(Path("rows.json").read_text())
    assert {"cider_d", "bleu_4", "meteor", "rouge_l"} <= {row["metric"] for row in rows}
    assert all(row["value"] is not None and row["n"] == 3 for row in rows)
