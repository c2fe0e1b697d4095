"""``run --dry-run`` and ``--only``, and a benchmark of one's own in a file outside of the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmarks import cli
from benchmarks.harness.benchmark import BenchmarkError, Options, Sample
from benchmarks.harness.records import read_run
from benchmarks.plan import of_family
from benchmarks.registry import load_benchmark
from tests.benchmarks.tasks.official_files import miniature

SPEAKER = "tests.benchmarks.fakes:speaker"
CONTRIBUTING = Path(__file__).resolve().parents[2] / "CONTRIBUTING.md"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["nextgpt-bench", "run", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_dry_run_says_what_would_run_and_runs_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    miniature("msvd-qa", tmp_path / "msvd")
    rows = tmp_path / "plan.json"
    out = tmp_path / "runs"
    arguments = (
        "--benchmark",
        "msvd-qa",
        "--benchmark",
        "vizwiz",
        "--data",
        tmp_path,
        "--out",
        out,
        "--dry-run",
    )
    assert run(monkeypatch, *arguments, "--system", SPEAKER, "--json", rows) == 1  # vizwiz can't run
    msvd, vizwiz = json.loads(rows.read_text())
    assert (msvd["samples"], msvd["official"]) == ("1", "13157")
    assert msvd["verdict"] == "would run; not the official number of samples"
    assert vizwiz["samples"] == ""
    assert "cannot run: " in vizwiz["verdict"]
    assert not out.exists()


def test_a_dry_run_of_what_needs_no_files_names_samples_and_the_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = tmp_path / "plan.json"
    assert run(monkeypatch, "--suite", "toyworld", "--dry-run", "--limit", 7, "--json", rows) == 0
    assert {row["samples"] for row in json.loads(rows.read_text())} == {"7"}


def test_networks_that_metrics_look_through_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    miniature("audiocaps-generation", tmp_path)
    rows = tmp_path / "plan.json"
    arguments = (
        "--benchmark",
        "audiocaps-generation",
        "--data",
        tmp_path,
        "--system",
        "nextgpt-tiny",
        "--dry-run",
    )
    assert run(monkeypatch, *arguments, "--json", rows) == 0
    assert json.loads(rows.read_text())[0]["networks"] == "vggish, panns, clap"


@pytest.mark.parametrize(
    ("system", "lacking", "states"),
    [
        ("null", "", {"none": "here"}),
        ("nextgpt-tiny", "", {"toyworld:weights/encoder": "here", "toyworld:weights/language_model": "here"}),
        ("nextgpt-7b", "nielsr/imagebind-huge: not here: ", {"lmsys/vicuna-7b-v1.5": "not here: "}),
        (
            "caption-then-tool-7b",
            "lmsys/vicuna-7b-v1.5: not here",
            {"Salesforce/blip2-opt-2.7b": "not here: "},
        ),
        ("nextgpt:tiny?checkpoint=nowhere", "nowhere: not here: no such folder", {"nowhere": "not here: "}),
        ("nextgpt:tinny", "cannot run: tinny: no such preset", {"not known": ""}),
        ("hf:org/model?batch=2", "org/model: not here: neither a folder", {"org/model": "not here: "}),
        ("diffusers:cut", "model.safetensors: ", {"cut": "not here: "}),
        ("diffusers:empty", "empty: not here: empty: holds no weights", {"empty": "not here: "}),
        ("answers:nowhere.json", "nowhere.json: not here: no such file", {"nowhere.json": "not here: "}),
        ("tools:nowhere.yaml", "nowhere.yaml: no file that can be read", {"not known": "nowhere.yaml"}),
        ("openai:http://127.0.0.1:1/v1?model=m", "", {"none": "here"}),
        (SPEAKER, "", {"not known": "a system of your own"}),
    ],
)
def test_a_dry_run_names_the_weights_of_a_system_and_whether_they_are_here(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    system: str,
    lacking: str,
    states: dict[str, str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    (tmp_path / "cut/unet").mkdir(parents=True)
    (tmp_path / "cut/unet/model.safetensors").write_bytes(b"\xff\0\0\0\0\0\0\0{")
    (tmp_path / "empty").mkdir()
    arguments = ("--benchmark", "toy-vqa", "--system", system, "--dry-run", "--json", "plan.json")
    code = run(monkeypatch, *arguments)
    (row,) = json.loads(Path("plan.json").read_text())
    assert code == bool(lacking)
    assert lacking in row["verdict"]
    assert row["verdict"].startswith("cannot run: " if lacking else "would run")
    for what, state in states.items():
        assert row["weights"][what].startswith(state)


def test_only_keeps_one_family() -> None:
    found = [load_benchmark(name) for name in ("toy-vqa", "toy-editing")]
    assert [each.name for each in of_family(found, "vqa")] == ["toy-vqa"]
    with pytest.raises(BenchmarkError, match="no such family; there are image-captioning, vqa"):
        of_family(found, "vqas")
    with pytest.raises(BenchmarkError, match="none of these benchmarks is of it; they are of vqa, editing"):
        of_family(found, "video-qa")


# --- a benchmark of one's own, as CONTRIBUTING.md shows it ----------------------------------------------


def example() -> str:
    blocks = re.findall(r"```python\n(.*?)```", CONTRIBUTING.read_text(encoding="utf-8"), flags=re.DOTALL)
    return str(next(block for block in blocks if "RIDDLES" in block))


def test_the_file_of_ones_own_that_is_documented_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert len(example().splitlines()) < 40
    (tmp_path / "my_riddles.py").write_text(example(), encoding="utf-8")
    lines = [{"id": k, "question": f"{k}", "answer": f"{2 * (k // 2)}"} for k in range(6)]
    (tmp_path / "riddles.jsonl").write_text("\n".join(map(json.dumps, lines)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    arguments = (
        "--benchmark",
        "my_riddles:RIDDLES",
        "--data",
        tmp_path,
        "--system",
        SPEAKER,
        "--out",
        "runs",
    )
    assert run(monkeypatch, *arguments, "--dry-run") == 0
    assert run(monkeypatch, *arguments) == 0
    results = {row.metric: row for row in read_run(tmp_path / "runs" / "speaker" / "riddles").results}
    assert (results["exact_match_normalized"].value, results["exact_match_normalized"].n) == (0.5, 6)
    (first, *_) = load_benchmark("my_riddles:RIDDLES").samples(Options(data=tmp_path))
    assert isinstance(first, Sample)
