"""The plugin, tried in repositories of strangers with small systems."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.benchmarks.repository import ROOT, make, pytest_in
from tests.test_architecture import heavy_modules

LINE = Path("checks/expected/numbers/speaker.json")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose system has a line."""
    made = make(tmp_path)
    done = pytest_in(made, "--update-expected")
    assert done.returncode == 0, done.stdout + done.stderr
    return made


def test_the_first_run_says_how_to_make_a_line_and_fails(tmp_path: Path) -> None:
    done = pytest_in(make(tmp_path), "-k", "vqa")
    assert done.returncode == 1
    assert "nothing is expected of speaker yet; look at what it scores" in done.stdout
    assert "`pytest --update-expected`" in done.stdout
    assert "ExpectationError" not in done.stdout, "one line, and no trace of the harness"
    assert not (tmp_path / LINE).exists()


def test_a_line_lies_beside_the_tests_and_is_announced(tmp_path: Path) -> None:
    done = pytest_in(make(tmp_path), "--update-expected")
    assert done.returncode == 0
    assert "new line: 0.5 over 60 samples is expected from now on" in done.stdout
    assert json.loads((tmp_path / LINE).read_text())["value"] == 0.5


def test_a_system_that_is_as_good_as_expected_passes_and_is_shown(repository: Path) -> None:
    done = pytest_in(repository, "-k", "vqa")
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("numbers")]
    assert line.split()[:4] == ["numbers", "speaker", "exact_match", "0.5000"]
    assert line.split()[-2:] == ["holds", "exact_match|v:1"]
    assert "speaker on numbers: holds: +0.0000 [+0.0000, +0.0000] to what is expected" in done.stdout
    assert "1 passed" in done.stdout


def test_a_system_that_became_worse_fails_with_the_difference(repository: Path) -> None:
    done = pytest_in(repository, WORSE="1")
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    assert "falls short: -0.5000 [" in done.stdout
    assert "short" in done.stdout.split("benchmarks ===")[-1]


def test_a_line_is_not_lowered_without_a_reason_and_shows_it_ever_after(repository: Path) -> None:
    done = pytest_in(repository, "--update-expected", WORSE="1")
    assert done.returncode == 1
    assert "the line would be lowered: exact_match 0 instead of 0.5; say why with --because" in done.stdout
    assert json.loads((repository / LINE).read_text())["value"] == 0.5
    assert pytest_in(repository, "--update-expected", "--because", "a trial", WORSE="1").returncode == 0
    done = pytest_in(repository, WORSE="1")
    assert done.returncode == 0
    assert "the line was lowered (exact_match 0 instead of 0.5: a trial)" in done.stdout


def test_a_gain_is_announced_and_passes(repository: Path) -> None:
    assert pytest_in(repository, "--update-expected", "--because", "a trial", WORSE="1").returncode == 0
    done = pytest_in(repository, GITHUB_ACTIONS="true")
    assert done.returncode == 0
    assert "better: +0.5000 [" in done.stdout
    assert "::notice file=checks/test_quality.py,line=4,title=speaker on numbers::better" in done.stdout


def test_a_limited_look_is_held_on_its_samples_and_makes_no_line(repository: Path) -> None:
    done = pytest_in(repository, "--bench-limit", "20", "--bench-runs", "kept")
    assert done.returncode == 0, done.stdout
    assert "on 20 of the line's 60 samples" in done.stdout
    assert list((repository / "kept").rglob("results.json"))
    done = pytest_in(repository, "--bench-limit", "20", "--update-expected")
    assert "a run of --limit 20 is no expectation" in done.stdout


def test_the_limit_of_a_test_is_part_of_its_line(tmp_path: Path) -> None:
    limited = "from tests.benchmarks.fakes import numbers\n\ndef test_vqa(holds):\n    holds({})\n"
    made = make(tmp_path, limited.format('numbers(60), system="mymodel:load", limit=30'))
    assert pytest_in(made, "--update-expected").returncode == 0
    assert pytest_in(made).returncode == 0
    test = made / "checks" / "test_quality.py"
    test.write_text(limited.format('numbers(60), system="mymodel:load", limit=40'))
    done = pytest_in(made)
    assert done.returncode == 1
    assert "the run has other samples than the line of 30: 10 of the run are not in it" in done.stdout
    test.write_text(limited.format('numbers(20), system="mymodel:load", limit=30'))
    assert "10 expected samples were not scored" in pytest_in(made).stdout


def test_a_line_of_an_older_version_is_refused_by_name(repository: Path) -> None:
    test = repository / "checks" / "test_quality.py"
    test.write_text(test.read_text().replace("numbers(60)", "numbers(60, version=2)"))
    done = pytest_in(repository)
    assert done.returncode == 1
    assert "the expectation is of version 1 of numbers, and this run of version 2" in done.stdout


def test_a_system_without_a_modality_is_skipped_until_something_is_expected_of_it(repository: Path) -> None:
    test = repository / "checks" / "test_quality.py"
    test.write_text(test.read_text().replace("numbers(60)", "numbers(60, accepts={'text', 'video'})"))
    done = pytest_in(repository)
    assert done.returncode == 1, "it had a line: that it does not see any more is no reason to pass"
    (repository / LINE).unlink()
    done = pytest_in(repository, "-rs")
    assert done.returncode == 0
    assert "speaker can't take part in numbers: it does not accept video" in " ".join(done.stdout.split())


@pytest.mark.parametrize("how", ["option", "ini"])
def test_expectations_lie_where_one_says(tmp_path: Path, how: str) -> None:
    made = make(tmp_path)
    (made / "pytest.ini").write_text("[pytest]\n" + "bench_expected = lines\n" * (how == "ini"))
    where = ("--bench-expected", "lines") if how == "option" else ()
    assert pytest_in(made, "--update-expected", *where).returncode == 0
    assert (made / "lines" / "numbers" / "speaker.json").exists()
    assert pytest_in(made, *where).returncode == 0


def test_missing_data_skip_and_say_so(tmp_path: Path) -> None:
    test = 'def test_vqa(holds):\n    holds("coco-vqa", system="mymodel:load", data="data/coco", limit=5)\n'
    summary = tmp_path / "summary.md"
    done = pytest_in(make(tmp_path, test), "-rs", GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0
    assert "data/coco: no such folder" in done.stdout
    assert "1 skipped" in done.stdout
    assert "| skipped | checks/test\\_quality.py::test\\_vqa |" in summary.read_text()


def test_missing_weights_skip_and_say_so(tmp_path: Path) -> None:
    test = """
        from benchmarks.harness.benchmark import MetricUse
        from metrics.extractors.weights import MissingWeightsError
        from tests.benchmarks.fakes import numbers

        def absent():
            raise MissingWeightsError("a network", "its file is not here", ["distance"])

        def test_vqa(holds):
            (exact,) = numbers().metrics
            other = MetricUse("distance", absent, exact.prediction, exact.reference)
            holds(numbers(9, metrics=(exact, other)), system="mymodel:load")
    """
    done = pytest_in(make(tmp_path, "\n".join(line[8:] for line in test.splitlines())), "-rs")
    assert "its file is not here; without it these cannot be computed: distance" in done.stdout
    assert "1 skipped" in done.stdout


def test_damaged_lines_and_systems_that_do_not_load_are_errors_and_no_skips(repository: Path) -> None:
    (repository / "mymodel.py").write_text("def load():\n    open('weights.bin')\n")
    done = pytest_in(repository)
    assert "1 failed" in done.stdout
    assert "raised FileNotFoundError" in done.stdout
    (repository / "mymodel.py").write_text("from tests.benchmarks.fakes import speaker as load\n")
    (repository / LINE).write_text("{")
    done = pytest_in(repository)
    assert "1 failed" in done.stdout
    assert "damaged" in done.stdout


MANY = """
import random
import pytest
from tests.benchmarks.fakes import Speaker, echo, numbers
from nextgpt.messages import assistant

def luck(name):
    def say(request):
        k = int(request.conversation[-1].text)
        lost = k < 2 * FALLEN[0] or (name == "s0" and k < 2 * FALLEN[1])
        return assistant("?") if lost else echo(request)
    return Speaker(say, name=name)

@pytest.mark.parametrize("name", [f"s{k}" for k in range(40)])
def test_cell(holds, name):
    holds(numbers(120), system=luck(name))
"""


def many(folder: Path, everyone: int, first: int) -> None:
    text = MANY.replace("FALLEN[0]", str(everyone)).replace("FALLEN[1]", str(first))
    (folder / "checks" / "test_quality.py").write_text(text)


@pytest.mark.parametrize("workers", [0, 2])
def test_forty_cells_are_corrected_together(tmp_path: Path, workers: int) -> None:
    """What alone would fall short, among forty does not; what falls far does, in several processes too."""
    made = make(tmp_path)
    many(made, 0, 0)
    assert pytest_in(made, "--update-expected").returncode == 0
    # Nine samples of 120 in nine groups: p is 2 ** -8 alone, and 0.16 among forty.
    many(made, 0, 9)
    parallel = ["-n", str(workers)] if workers else []
    done = pytest_in(made, *parallel)
    assert "40 passed" in done.stdout, done.stdout
    assert "alone this one falls short, among so many it may by chance" in done.stdout
    many(made, 0, 45)
    done = pytest_in(made, *parallel)
    assert "1 failed, 39 passed" in done.stdout, done.stdout
    assert "s0 on numbers: falls short" in done.stdout
    assert done.stdout.count(" holds ") == 39


def test_a_service_is_told_beside_the_code_in_its_summary_and_in_its_file(repository: Path) -> None:
    summary = repository / "summary.md"
    summary.write_text("before\n")
    done = pytest_in(
        repository,
        "--junitxml=report.xml",
        WORSE="1",
        GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(summary),
    )
    assert "::error file=checks/test_quality.py,line=4,title=speaker on numbers::falls short" in done.stdout
    text = summary.read_text()
    assert text.startswith("before\n### Benchmarks: 1 short\n")
    assert "| short | numbers | speaker | exact\\_match | 0.0000 |" in text
    (case,) = ET.parse(repository / "report.xml").iter("testcase")
    found = {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}
    assert found["numbers/speaker/exact_match/verdict"] == "short"
    assert found["numbers/speaker/exact_match/n"] == "60"
    assert found["numbers/speaker/exact_match/value"] == "0"
    assert found["numbers/speaker/exact_match/interval"].startswith("[0, ")
    assert case.find("failure") is not None


def test_golden_media_are_held_by_distance_against_their_own_noise(tmp_path: Path) -> None:
    """Another seed passes though every pixel differs; drawing something else does not."""
    model = """
        import os
        import numpy as np
        from nextgpt.media import Image
        from nextgpt.messages import assistant
        from tests.benchmarks.fakes import Speaker

        def draw(request):
            k = int(request.conversation[-1].text)
            k = 0 if os.environ.get("WORSE") else k
            seed = request.seed + int(os.environ.get("SEED", 0))
            noise = np.random.default_rng(seed).normal(0, 12, (32, 32, 3))
            x, y = np.meshgrid(np.arange(32), np.arange(32))
            shape = 255.0 * ((x // (2 + k % 5) + y // (1 + k % 3)) % 2)
            return assistant(Image(np.clip(shape[..., None] + noise, 0, 255).astype(np.uint8)))

        def load():
            return Speaker(draw)
    """
    test = """
        from tests.benchmarks.fakes import numbers

        def test_drawing(holds):
            holds(numbers(45), system="mymodel:load", golden="toyworld")
    """
    made = make(tmp_path, *("\n".join(line[8:] for line in text.splitlines()) for text in (test, model)))
    assert "there are no golden media" not in pytest_in(made).stdout  # the headline's line is missing first
    done = pytest_in(made, "--update-expected")
    assert done.returncode == 0, done.stdout
    assert "golden media of 45 samples, noise over 4 seeds is 0." in done.stdout
    for seed in ("0", "1000"):
        done = pytest_in(made, SEED=seed)
        assert done.returncode == 0, done.stdout
    done = pytest_in(made, WORSE="1")
    assert done.returncode == 1
    assert "golden_distance: falls short" in done.stdout
    path = made / "checks" / "expected" / "numbers" / "speaker.golden.npz"
    path.write_bytes(path.read_bytes()[:-100])
    assert "speaker.golden.npz: damaged" in pytest_in(made).stdout


def test_whoever_has_the_package_pays_nothing_for_the_plugin(tmp_path: Path) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import benchmarks.pytest_plugin"
    (tmp_path / "entry.py").write_text(f"{program}\ndef main():\n    raise SystemExit(0)\n")
    assert heavy_modules("entry:main", [], tmp_path) == []
    made = make(tmp_path / "other", "import sys\n\ndef test_it():\n    assert 'numpy' not in sys.modules\n")
    assert pytest_in(made, "-q").returncode == 0


def test_this_repository_holds_every_line_that_it_keeps() -> None:
    """A line that no test names would be held by nobody."""
    texts = "".join(path.read_text() for path in (ROOT / "benchmarks").glob("test_*.py"))
    lines = sorted((ROOT / "benchmarks" / "expected").glob("*/*.json"))
    assert lines
    assert [
        line for line in lines if f'"{line.stem}"' not in texts or f'"{line.parent.name}"' not in texts
    ] == []


def test_benchmarks_of_this_repository_run_only_when_they_are_named(tmp_path: Path) -> None:
    make(tmp_path)
    arguments = ("--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"), "--collect-only", "-q")
    named = pytest_in(tmp_path, *arguments, str(ROOT / "benchmarks" / "test_vqa.py"))
    assert "benchmarks/test_vqa.py" in named.stdout, named.stdout + named.stderr
    plain = pytest_in(ROOT, "--collect-only", "-q", "-o", "testpaths=benchmarks/test_vqa.py")
    assert "test_vqa[" not in plain.stdout
    assert "deselected" in plain.stdout
