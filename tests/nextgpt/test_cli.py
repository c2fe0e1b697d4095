"""The command line, in processes of their own where that matters."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from nextgpt import cli
from nextgpt.config import Config, load_config, presets
from nextgpt.training.data import Example
from tests.nextgpt.backbones import making, plain, seeing

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = "tests.nextgpt.test_cli:examples"


def examples(stage: str, count: int, seed: int) -> list[Example]:
    """The training source of the preset below."""
    return seeing(count) if stage == "encoding" else making(count)


@pytest.fixture
def preset(config: Config, tmp_path: Path) -> Path:
    """The random preset as a file, with two steps of training."""
    values = dataclasses.asdict(config)
    for stage in ("encoding", "decoding", "instruct"):
        values["training"][stage] |= {"examples": 6, "held_out": 2, "steps": 2, "batch": 2}
    values["training"]["source"] = EXAMPLES
    values["lora"]["targets"] = list(values["lora"]["targets"])
    path = tmp_path / "random.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["nextgpt", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, runpy; sys.argv = ['nextgpt', '--help']\n"
        "from nextgpt.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'diffusers', 'numpy', 'PIL', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "train" in done.stdout


def test_training_all_stages_then_talking(
    preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "runs"
    for stage in ("encoding", "decoding", "instruct"):
        assert run(monkeypatch, "train", stage, "--preset", preset, "--out", root / stage) == 0
        told = capsys.readouterr().out
        assert "parameters train" in told
        assert f"checkpoint: {root / stage}" in told
    plain("red").save(tmp_path / "red.png")
    capsys.readouterr()
    words = ("chat", "--preset", preset, "--checkpoint", root / "instruct", "--out", tmp_path / "pictures")
    assert (
        run(monkeypatch, *words, "--image", tmp_path / "red.png", "--message", "describe the picture.") == 0
    )
    assert capsys.readouterr().out.strip()


def test_a_stage_that_is_trained_is_left_as_it_is_by_resume(
    preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", "encoding", "--preset", preset, "--out", tmp_path / "made", "--resume")
    assert run(monkeypatch, *words) == 0
    made = {path: path.read_bytes() for path in (tmp_path / "made").iterdir()}
    figures = [line for line in capsys.readouterr().out.splitlines() if line.startswith("seconds")]

    assert run(monkeypatch, *words) == 0
    told = capsys.readouterr()
    assert {path: path.read_bytes() for path in (tmp_path / "made").iterdir()} == made
    assert "its 2 steps are done" in told.err
    assert figures[0] in told.out

    # Under other settings, beside another log or without its weights it is not the one that was asked for.
    assert run(monkeypatch, *words, "--steps", 3) == 1
    assert "other settings" in capsys.readouterr().err
    log = tmp_path / "made" / "log.jsonl"
    log.write_text(log.read_text().splitlines()[0] + "\n")
    assert run(monkeypatch, *words) == 0
    (tmp_path / "made" / "model.safetensors").write_bytes(b"half")
    assert run(monkeypatch, *words) == 0
    weights = made[tmp_path / "made" / "model.safetensors"]
    assert (tmp_path / "made" / "model.safetensors").read_bytes() == weights


def test_resume_refuses_a_state_that_stands_on_an_earlier_stage_since_trained_anew(
    preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stage in ("encoding", "decoding", "instruct"):
        assert run(monkeypatch, "train", stage, "--preset", preset, "--out", tmp_path / stage) == 0
    again = ("train", "instruct", "--preset", preset, "--out", tmp_path / "instruct", "--resume")
    assert run(monkeypatch, *again) == 0
    assert "its 2 steps are done" in capsys.readouterr().err
    words = ("train", "encoding", "--preset", preset, "--out", tmp_path / "encoding", "--steps", 3)
    assert run(monkeypatch, *words) == 0
    capsys.readouterr()
    assert run(monkeypatch, *again) == 1
    assert "those of an earlier stage included" in capsys.readouterr().err
    assert run(monkeypatch, *again[:-1]) == 0  # anew


def test_training_finds_its_parts_in_one_folder(
    preset: Path, config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = yaml.safe_load(preset.read_text())
    weights = Path(config.weights.encoder).parent
    values["weights"] = dict.fromkeys(values["weights"], "") | {
        "encoder": "somebody/encoder",
        "language_model": "somebody/language_model",
        "image": "somebody/diffusion",
    }
    preset.write_text(yaml.safe_dump(values))
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "precompute", "encoding", "--preset", preset) == 1
    assert run(monkeypatch, "precompute", "encoding", "--preset", preset, "--weights", weights) == 0
    assert run(monkeypatch, "train", "encoding", "--preset", preset, "--weights", weights) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("chat", "--image", "nowhere.png"), "nowhere.png: no such file"),
        (("chat", "--preset", "tinny"), "did you mean 'tiny'"),
        (("preset", "7bv0"), "did you mean '7b-v0'"),
        (("chat", "--projection", "liner"), "it has grouping, linear"),
        (("train", "encoding", "--preset", "7b"), "name the folder of your data with --data"),
    ],
)
def test_what_a_person_can_put_right_is_one_line(
    words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words) == 1
    error = capsys.readouterr().err
    assert said in error
    assert error.startswith("nextgpt: ")
    assert error.count("\n") == 1


def test_a_preset_is_printed_to_be_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "preset") == 0
    names = capsys.readouterr().out.split()
    assert names == list(presets())
    for name in names:
        assert run(monkeypatch, "preset", name) == 0
        path = tmp_path / "mine.yaml"
        path.write_text(capsys.readouterr().out, encoding="utf-8")
        assert load_config(path) == load_config(name)


def test_parameters_are_counted(
    preset: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "params", "--preset", preset) == 0
    told = capsys.readouterr().out
    assert all(part in told for part in ("input projection", "LoRA", "UNet", "language model"))
    assert told.rstrip().endswith("%")


def test_counts_and_findings_are_written_as_json_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "params", "--memory", "--json", tmp_path / "params.json") == 0
    found = json.loads((tmp_path / "params.json").read_text())
    counted = sum(part["parameters"] for part in found["parts"] if part["trainable"])
    assert f"{counted:,} of" in capsys.readouterr().out
    assert [peak["task"] for peak in found["memory"]] == ["inference", "encoding", "decoding", "instruct"]
    assert run(monkeypatch, "doctor", "--json", tmp_path / "doctor.json") == 0
    assert all(part["whole"] for part in json.loads((tmp_path / "doctor.json").read_text()))
    capsys.readouterr()
    assert run(monkeypatch, "params", "--json", tmp_path / "nowhere" / "params.json") == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_data_for_a_source_that_reads_none_is_one_line(
    preset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "train", "decoding", "--preset", preset, "--data", tmp_path) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not take the options folder; its own are (none); --data is for presets" in line


PRESETS: list[tuple[str, object, str]] = [
    (
        "input_projection",
        {"grouping": {"heads": 7, "width": 16, "stages": []}},
        "input projection 'grouping'",
    ),
    ("input_projection", {"grouping": {"width": 16, "stages": 7}}, "input projection 'grouping'"),
    ("output_projection", {"kind": "rubbish"}, "output projection 'rubbish'"),
    ("generation", {"options": {"image": {"height": "tall"}}}, "generation: options: image: invalid literal"),
    ("weights", {"encoder": ".", "language_model": "."}, "no such file|No such file|config.json"),
]


@pytest.mark.parametrize(("field", "value", "words"), PRESETS)
def test_a_preset_of_impossible_parts_is_one_line(
    preset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    field: str,
    value: object,
    words: str,
) -> None:
    values = yaml.safe_load(preset.read_text()) | {field: value}
    if field == "weights":
        values["signals"] = {}
    if field == "output_projection":
        assert run(monkeypatch, "train", "decoding", "--preset", _written(preset, values)) == 1
    else:
        assert run(monkeypatch, "params", "--preset", _written(preset, values)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(f"nextgpt: .*({words})", line)


def _written(path: Path, values: object) -> Path:
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.mark.parametrize("name", ["a" * 300, "folder", "latin.yaml", "deep.yaml", "/dev/zero"])
def test_what_is_no_preset_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"caf\xe9: 1")
    (tmp_path / "deep.yaml").write_text("[" * 5000)
    for command in ("params", "doctor", "chat"):
        assert run(monkeypatch, command, "--preset", name) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("nextgpt: ")
        assert name in line
