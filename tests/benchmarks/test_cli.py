from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import registry
from benchmarks.harness.expectations import read_expectation
from benchmarks.harness.predictions import FILE
from benchmarks.harness.records import read_run
from tests.benchmarks.harness.test_run import ROOT, wait_for_lines
from tests.benchmarks.terminal import ROW, Command, only_line

SPEAKER = "tests.benchmarks.fakes:speaker"
SILENT = "tests.benchmarks.fakes:silent"


def test_a_run_prints_a_table_and_writes_the_same_rows(bench: Command) -> None:
    code, out, _ = bench("run", "--benchmark", "numbers", "--system", SPEAKER, "--json", "rows.json")
    assert code == 0
    assert "exact_match" in out
    assert "0.5000" in out
    (row,) = json.loads(Path("rows.json").read_text())
    assert set(row) >= ROW
    assert (row["benchmark"], row["system"], row["value"], row["n"]) == ("numbers", "speaker", 0.5, 12)
    assert "run --benchmark numbers" in read_run(Path("runs/speaker/numbers")).manifest.command


def test_a_headline_without_a_value_is_named_and_the_rest_is_scored(bench: Command) -> None:
    code, out, err = bench("run", "--benchmark", "correlated", "--system", SPEAKER)
    assert code == 0
    assert "undefined" in out
    assert "1.0000" in out
    assert "correlated of 1 item: score two items or more" in out + err


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


def test_rows_may_go_to_standard_output_and_no_device_is_replaced() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cli", "list", "--json", "/dev/stdout"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout[done.stdout.index("\n[\n") :])
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("import sys; sys.exit(0)", "raised SystemExit: 0, in theirs.py:1"),
        ("def make(:", "raised SyntaxError"),
        ("raise KeyError('k')", "raised KeyError: 'k', in theirs.py:1"),
        ("def make(): raise SystemExit", "raised SystemExit: , in theirs.py:1"),
        ("def make(size): pass", "when called without arguments"),
        ("def make(): pass", "returned NoneType, which is no system"),
        ("import theirs_of_old", "needs theirs_of_old, which is not installed"),
    ],
)
def test_a_system_that_cannot_be_loaded_is_a_line_and_spoils_no_other(
    bench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, complaint: str
) -> None:
    monkeypatch.delitem(sys.modules, "theirs", raising=False)
    (tmp_path / "theirs.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    status, out, err = bench("run", "--benchmark", "numbers", "--system", "theirs:make", "--system", SPEAKER)
    assert status == 1
    assert "0.5000" in out
    assert complaint in only_line(err)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--suite", ""),
        ("--limit", "9" * 30),
        ("--batch-size", "9" * 30),
        ("--seed", "-1"),
        ("--seed", "9" * 30),
        ("--out", "/dev/null/x"),
        ("--out", "x" * 300),
        ("--out", "/" + "x/" * 3000),
        ("--json", "."),
        ("--json", "x" * 300),
        ("--system", ":"),
        ("--system", "a b:c"),
        ("--system", "..:x"),
        ("--system", "answers:"),
        ("--system", "answers:/dev/null"),
    ],
)
def test_no_value_of_an_option_gives_a_trace(bench: Command, option: str, value: str) -> None:
    others = {"--benchmark": "numbers", "--system": SPEAKER}
    words = [word for pair in {**others, option: value}.items() for word in pair]
    code, _, err = bench("run", *(words if option != "--suite" else [option, value, "--system", SPEAKER]))
    assert code in (1, 2)
    assert "rror: " in err
    assert "Traceback" not in err


def test_a_bug_keeps_its_trace(bench: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise ZeroDivisionError(name)

    monkeypatch.setattr(registry, "load_benchmark", broken)
    with pytest.raises(ZeroDivisionError):
        bench("run", "--benchmark", "numbers", "--system", SPEAKER)


@pytest.mark.parametrize(
    ("number", "status", "before"),
    [(signal.SIGINT, 130, ""), (signal.SIGTERM, 143, "stopped by SIGTERM\n")],
    ids=["Ctrl-C", "SIGTERM"],
)
def test_an_interrupt_says_how_to_go_on_and_keeps_what_was_done(
    tmp_path: Path, number: signal.Signals, status: int, before: str
) -> None:
    program = (
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
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert err.decode() == (
        f"{before}stopped; every finished batch is kept in runs, and the same command does what is left\n"
    )
    left = {path.name for path in (tmp_path / "runs" / "sleepy" / "numbers").iterdir()}
    assert left == {"run.json", "predictions.jsonl", "media"}


# --- listing -----------------------------------------------------------------------------------------


def test_the_list_names_all_and_is_written_for_programs(bench: Command) -> None:
    code, out, _ = bench("list", "--json", "list.json")
    assert code == 0
    rows = json.loads(Path("list.json").read_text())
    assert {row["name"] for row in rows} == {
        "numbers",
        "seeing",
        "correlated",
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


def test_a_line_is_lowered_by_command_for_a_reason_alone(bench: Command, tmp_path: Path) -> None:
    bench("run", "--benchmark", "numbers", "--system", SPEAKER)
    bench("expect", "runs", "--expected", "expected")
    line = tmp_path / "expected" / "numbers" / "speaker.json"
    line.write_text(line.read_text().replace('"value": 0.5', '"value": 0.6'))
    code, _, err = bench("expect", "runs", "--expected", "expected")
    assert code == 1
    assert "would be lowered: exact_match 0.5 instead of 0.6; say why with --because" in only_line(err)
    code, _, err = bench("expect", "runs", "--expected", "expected", "--because", "half are wrong")
    assert code == 0
    assert only_line(err).endswith("lowered: exact_match 0.5 instead of 0.6: half are wrong")
    assert read_expectation("numbers", "speaker", tmp_path / "expected").because.endswith("half are wrong")


def test_all_runs_become_expectations_or_none(bench: Command) -> None:
    bench("run", "--benchmark", "numbers", "--system", SPEAKER)
    bench("run", "--benchmark", "numbers", "--system", SILENT, "--limit", "3")
    code, _, err = bench("expect", "runs", "--expected", "expected")
    assert code == 1
    assert "--limit 3 is no expectation" in only_line(err)
    assert not Path("expected").exists()
