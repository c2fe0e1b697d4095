from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.harness.benchmark import Benchmark, MetricUse
from benchmarks.harness.records import FILE, RESULTS, RecordError, Run, read_run
from benchmarks.harness.results import read_results
from benchmarks.harness.run import evaluate, run
from benchmarks.harness.verify import Check, verify
from benchmarks.tasks.official import DataError
from nextgpt.media import Image
from tests.benchmarks.fakes import ExactMatch, Speaker, noisy, numbers, sample
from tests.benchmarks.terminal import Command, only_line


def load(count: int = 12) -> Benchmark:
    return numbers(count, slices=lambda each: f"{len(each.id)} signs")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return evaluate(load(), Speaker(noisy), tmp_path_factory.mktemp("good"))


@pytest.fixture
def copy(good: Run, tmp_path: Path) -> Path:
    return shutil.copytree(good.folder, tmp_path / "speaker" / "numbers")


def found(
    folder: Path, benchmark: Benchmark | None = None, fingerprint: str | None = None
) -> dict[str, Check]:
    checks = verify(read_run(folder), benchmark or load(), fingerprint=fingerprint)
    return {each.what: each for each in checks}


CELLS = {"exact_match", "exact_match, 2 signs", "exact_match, 3 signs"}
UNTOLD = "system (weights, configuration)"


def test_a_run_as_it_was_made_is_proved_but_for_the_system_that_nobody_loaded(copy: Path) -> None:
    checks = found(copy)
    assert {what for what, each in checks.items() if each.cell} == CELLS
    assert {what: each.outcome for what, each in checks.items() if each.outcome != "proved"} == {
        UNTOLD: "not checkable"
    }
    assert all(each.holds for each in checks.values())
    assert checks["media"].why == "12 files, by their hashes"
    assert found(copy, fingerprint="v1")[UNTOLD].outcome == "proved"
    changed = found(copy, fingerprint="v2")[UNTOLD]
    assert (changed.outcome, changed.why, changed.holds) == ("changed", "fingerprint v1, now v2", False)


def results(change: Callable[[dict[str, object]], object]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        rows = json.loads((folder / RESULTS).read_text())
        change(rows[0])
        (folder / RESULTS).write_text(json.dumps(rows))

    return spoil


def lines(change: Callable[[str], str]) -> Callable[[Path], object]:
    return lambda folder: (folder / FILE).write_text(change((folder / FILE).read_text()))


def picture(folder: Path) -> Path:
    return min((folder / "media").iterdir())


def other_picture(folder: Path) -> None:
    old = picture(folder)
    other = max((folder / "media").iterdir())
    old.write_bytes(other.read_bytes())
    Image.open(old)


@pytest.mark.parametrize(
    ("spoil", "fallen", "words"),
    [
        (results(lambda row: row.update(value=0.9)), {"exact_match"}, "value 0.9, computed 0."),
        (results(lambda row: row.update(high=1.0)), {"exact_match"}, "high 1.0, computed 0."),
        (
            results(lambda row: row.update(standard_error=0.5)),
            {"exact_match"},
            "standard_error 0.5, computed 0.",
        ),
        (results(lambda row: row.update(n=13)), {"exact_match"}, "n 13, computed 12"),
        (results(lambda row: row.update(failed=1)), {"exact_match"}, "failed 1, computed 0"),
        (results(lambda row: row.update(signature="s")), {"exact_match"}, "signature 's', computed"),
        (results(lambda row: row.update(metric="best")), {"best", "exact_match"}, "no such number"),
        (lines(lambda text: text.replace('{"text": "0"}', '{"text": "2"}')), CELLS, "value"),
        (lambda folder: picture(folder).unlink(), CELLS | {"media"}, "cannot be read"),
        (other_picture, CELLS | {"media"}, "is not what was written"),
    ],
)
def test_what_was_changed_is_named(
    copy: Path, spoil: Callable[[Path], object], fallen: set[str], words: str
) -> None:
    spoil(copy)
    checks = found(copy)
    changed = {what for what, each in checks.items() if each.outcome == "changed"}
    assert not any(each.holds for what, each in checks.items() if what in changed)
    files = {what for what in changed if what.endswith(")")} | {"scores of samples"}
    assert changed - files <= fallen
    assert changed & CELLS
    assert words in " ".join(checks[what].why for what in changed)


def test_data_that_changed_are_named_and_no_number_is_proved(copy: Path) -> None:
    samples = [sample(k, "other" if k == 3 else None) for k in range(12)]
    checks = found(copy, replace(load(), load=lambda options: samples))
    assert checks["data"].outcome == "changed"
    assert "sample 's3' has another request and answer now" in checks["data"].why
    assert {checks[what].outcome for what in CELLS} == {"changed"}


def test_results_from_before_standard_errors_were_kept_are_read_and_proved(copy: Path) -> None:
    rows = json.loads((copy / RESULTS).read_text())
    errors = [row.pop("standard_error") for row in rows]
    assert errors[0] is not None
    (copy / RESULTS).write_text(json.dumps(rows))
    checks = found(copy)
    assert {checks[what].outcome for what in CELLS} == {"proved"}
    assert {each.standard_error for each in read_results(copy)} == {None}


def test_without_the_data_nothing_is_checkable_and_that_is_said(copy: Path) -> None:
    def absent(options: object) -> object:
        raise DataError("name their folder, as in --data coco")

    checks = found(copy, replace(load(), load=absent))  # type: ignore[arg-type]
    assert {checks[what].outcome for what in (*CELLS, "data")} == {"not checkable"}
    assert checks["exact_match"].why == "name their folder, as in --data coco"
    assert not checks["exact_match"].holds
    assert checks["media"].outcome == "proved"


def test_a_metric_without_its_weights_is_not_checkable(copy: Path) -> None:
    def missing() -> ExactMatch:
        raise OSError("no weights here")

    (use,) = load().metrics
    lacking = MetricUse(use.name, missing, use.prediction, use.reference)
    checks = found(copy, replace(load(), metrics=(lacking,)))
    assert {checks[what].outcome for what in CELLS} == {"not checkable"}
    assert checks["exact_match"].why == "undefined: no weights here"


def test_other_versions_are_said_and_numbers_that_come_out_the_same_hold(copy: Path) -> None:
    path = copy / "run.json"
    row = json.loads(path.read_text())
    row["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(row))
    check = found(copy)["code"]
    assert (check.outcome, check.holds) == ("changed", True)
    assert check.why.startswith("numpy 1.0, now ")


def test_a_run_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"results\.json"):
        verify(run(numbers(), Speaker(noisy), tmp_path), numbers())


def test_verify_from_the_command_line(bench: Command) -> None:
    speaker = "tests.benchmarks.fakes:speaker"
    assert bench("run", "--benchmark", "numbers", "--system", speaker)[0] == 0
    code, out, _ = bench("verify", "runs/speaker/numbers", "--system", speaker, "--json", "rows.json")
    assert code == 0
    assert "proved" in out
    assert {row["outcome"] for row in json.loads(Path("rows.json").read_text())} == {"proved"}
    path = Path("runs/speaker/numbers/results.json")
    path.write_text(path.read_text().replace("0.5,", "0.75,"))
    code, _, err = bench("verify", "runs/speaker/numbers")
    assert code == 1
    assert "2 of " in only_line(err)
