"""Diffusion pipelines as they are published, and what is wrong with one said by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from nextgpt.decoding.reading import read_pipeline
from nextgpt.errors import ConfigError
from tests.nextgpt.pipelines import FAMILIES, build


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pipelines")


@pytest.fixture
def folder(request: pytest.FixtureRequest, root: Path, tmp_path: Path) -> Path:
    """A copy of a random pipeline, that may be spoilt; Stable Diffusion's unless a test says otherwise."""
    name = getattr(request, "param", "Stable Diffusion")
    whole = root / name.replace(" ", "")
    if not whole.exists():
        build(name, whole)
    return Path(shutil.copytree(whole, tmp_path / "pipeline"))


def weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.safetensors"))


def tensors_in(path: Path) -> dict[str, torch.Tensor]:
    # Copies: the file will be written anew while these are looked at.
    return {name: value.clone() for name, value in load_file(path).items()}


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as error:
        read_pipeline(folder)
    return str(error.value)


def values(folder: Path) -> dict[str, torch.Tensor]:
    parts = read_pipeline(folder).components
    return {
        f"{name}.{key}": value
        for name, part in parts.items()
        if isinstance(part, torch.nn.Module)
        for key, value in part.state_dict().items()
    }


@pytest.mark.parametrize("folder", FAMILIES, indirect=True)
def test_files_of_torch_say_the_same(folder: Path) -> None:
    """Zeroscope and AudioLDM were published in them."""
    before = values(folder)
    for path in weights(folder):
        torch.save(tensors_in(path), path.with_suffix(".bin"))
        path.rename(path.with_suffix(".away"))
        plain = path.with_suffix(".bin")
        if path.stem == "model":  # transformers' own name for them
            plain.rename(path.with_name("pytorch_model.bin"))
    after = values(folder)
    assert before.keys() == after.keys()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize("folder", ["Stable Diffusion", "Zeroscope"], indirect=True)
def test_a_text_encoder_is_read_in_the_names_of_its_time(folder: Path) -> None:
    """As the published files have them: all below text_model, and the numbers of the positions too."""
    before, path = values(folder), folder / "text_encoder" / "model.safetensors"
    older = {
        f"text_model.{name.removeprefix('text_model.')}": value for name, value in tensors_in(path).items()
    }
    positions = {"text_model.embeddings.position_ids": torch.arange(12).unsqueeze(0)}
    path.unlink()
    torch.save(older | positions, path.with_name("pytorch_model.bin"))
    after = values(folder)
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize("folder", FAMILIES, indirect=True)
def test_no_tensor_of_any_part_is_made_up(folder: Path) -> None:
    for path in weights(folder):
        tensors = tensors_in(path)
        # Not one of two that are tied: of these one is enough.
        name = max(name for name in tensors if name.endswith(("bias", "norm.weight", "alpha")))
        save_file({key: value for key, value in tensors.items() if key != name}, path, {"format": "pt"})
        said = refused(folder)
        assert f"pipeline/{path.parent.name}: " in said, said
        assert name.split(".")[-2] in said, said
        save_file(tensors, path, {"format": "pt"})


def test_a_tensor_of_another_shape_is_named(folder: Path) -> None:
    for path in weights(folder):
        tensors = tensors_in(path)
        name = next(name for name in sorted(tensors) if "norm" in name and name.endswith("weight"))
        save_file(tensors | {name: torch.zeros(3, 5)}, path, {"format": "pt"})
        assert name in refused(folder)
        save_file(tensors, path, {"format": "pt"})


def test_the_censor_is_never_read(folder: Path) -> None:
    """As Stable Diffusion 1.5 has it; the file of its weights is not even one."""
    index = json.loads((folder / "model_index.json").read_text())
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    index["feature_extractor"] = ["transformers", "CLIPImageProcessor"]
    index["requires_safety_checker"] = True
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "safety_checker").mkdir()
    (folder / "safety_checker" / "model.safetensors").write_bytes(b"0" * 100)
    (folder / "feature_extractor").mkdir()
    (folder / "feature_extractor" / "preprocessor_config.json").write_text("{}")
    assert read_pipeline(folder).safety_checker is None
