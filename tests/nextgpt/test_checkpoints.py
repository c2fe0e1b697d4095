"""Checkpoints: strict, whole, and never pickled."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

import nextgpt
from nextgpt.checkpoints import (
    CARD,
    TENSORS,
    Card,
    CheckpointError,
    fit,
    folder_hash,
    load,
    save,
    tensors_hash,
)
from nextgpt.config import Config

CARD_OF = Card("encoding", "tiny", "grouping", {"encoder": "abc"}, 10, {"held_out_text": 0.5})
SOME = {"input_projection.weight": torch.randn(3, 2), "input_projection.bias": torch.randn(3)}


def test_what_is_saved_is_read(tmp_path: Path) -> None:
    save(tmp_path, CARD_OF, SOME)
    card, tensors = load(tmp_path)
    assert card == CARD_OF
    assert {name: value.dtype for name, value in tensors.items()} == dict.fromkeys(SOME, torch.float32)
    assert all(torch.equal(tensors[name], value.half().float()) for name, value in SOME.items())
    assert sorted(path.name for path in tmp_path.iterdir()) == [TENSORS, CARD]
    assert all(path.stat().st_mode & 0o044 for path in tmp_path.iterdir()), "others may read it"


def test_what_does_not_fit_is_named_with_both_shapes() -> None:
    parameters = {"a": torch.zeros(2, 3), "b": torch.zeros(1)}
    with pytest.raises(CheckpointError, match=r"a has shape \[4\], the model needs \[2, 3\]") as caught:
        fit(parameters, {"a": torch.ones(4), "c": torch.ones(1)}, "somewhere")
    assert "b is missing, the model needs [1]" in str(caught.value)
    assert "c [1] is not part of this model" in str(caught.value)
    assert not parameters["a"].any()


def half_written(folder: Path) -> None:
    path = folder / TENSORS
    path.write_bytes(path.read_bytes()[:-7])


def a_pickle(folder: Path) -> None:
    (folder / TENSORS).write_bytes(pickle.dumps({"a": 1}))


def no_tensors(folder: Path) -> None:
    (folder / TENSORS).unlink()


def no_card(folder: Path) -> None:
    (folder / CARD).unlink()


def misspelt_card(folder: Path) -> None:
    (folder / CARD).write_text((folder / CARD).read_text().replace("stage:", "stag:"))


def newer_format(folder: Path) -> None:
    (folder / CARD).write_text((folder / CARD).read_text().replace("format: 1", "format: 2"))


def card_of_another_encoding(folder: Path) -> None:
    (folder / CARD).write_bytes((folder / CARD).read_bytes() + b"# caf\xe9")


def deep_card(folder: Path) -> None:
    (folder / CARD).write_text("[" * 5000)


def card_that_is_a_folder(folder: Path) -> None:
    (folder / CARD).unlink()
    (folder / CARD).mkdir()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (half_written, "half-written"),
        (a_pickle, "half-written"),
        (no_tensors, f"{TENSORS} is missing"),
        (no_card, f"{CARD} is missing"),
        (misspelt_card, "did you mean 'stage'"),
        (card_of_another_encoding, "not UTF-8"),
        (deep_card, "nested too deeply"),
        (card_that_is_a_folder, "a folder, where YAML is wanted"),
        (newer_format, "format 2, but this version reads format 1"),
    ],
)
def test_a_spoilt_checkpoint_is_refused_by_name(
    tmp_path: Path, spoil: Callable[[Path], None], words: str
) -> None:
    save(tmp_path / "mine", CARD_OF, SOME)
    spoil(tmp_path / "mine")
    with pytest.raises(CheckpointError, match=words) as caught:
        load(tmp_path / "mine")
    assert "mine" in str(caught.value)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e6])
def test_what_is_no_number_in_half_precision_is_neither_written_nor_read(
    tmp_path: Path, number: float
) -> None:
    spoilt = {**SOME, "lora.a": torch.tensor([1.0, number])}
    with pytest.raises(CheckpointError, match=f"{TENSORS}: lora.a holds NaN or infinity"):
        save(tmp_path / "none", CARD_OF, spoilt)
    assert not (tmp_path / "none" / CARD).exists()
    save(tmp_path / "mine", CARD_OF, SOME)
    save_file({name: value.half() for name, value in spoilt.items()}, tmp_path / "mine" / TENSORS)
    with pytest.raises(CheckpointError, match=f"{TENSORS}: lora.a holds NaN or infinity"):
        load(tmp_path / "mine")


def test_another_projection_does_not_fit(config: Config, checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match=r"input_projection\.linear\.weight is missing"):
        nextgpt.load(config, checkpoint=checkpoint, projection="linear", device="cpu")


def test_other_frozen_parts_do_not_fit(config: Config, checkpoint: Path, tmp_path: Path) -> None:
    values = yaml.safe_load((checkpoint / CARD).read_text())
    values["backbones"]["language_model"] = "0123456789abcdef"
    (tmp_path / CARD).write_text(yaml.safe_dump(values))
    (tmp_path / TENSORS).write_bytes((checkpoint / TENSORS).read_bytes())
    with pytest.raises(CheckpointError, match="trained beside another language_model than"):
        nextgpt.load(config, checkpoint=tmp_path, device="cpu")


def test_hashes_see_names_types_shapes_and_values() -> None:
    base = [("a", torch.zeros(4))]
    others = [
        [("b", torch.zeros(4))],
        [("a", torch.zeros(4, dtype=torch.int32))],
        [("a", torch.zeros(2, 2))],
        [("a", torch.tensor([0.0, 0.0, 0.0, -0.0]))],
    ]
    assert len({tensors_hash(item) for item in [base, *others]}) == 5
    assert tensors_hash([("a", torch.zeros(())), ("b", torch.zeros(0))])


def test_a_folders_fingerprint_is_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "model.safetensors").write_bytes(bytes(1_000_000))
    before = folder_hash(tmp_path)
    (tmp_path / "README.md").write_text("a card")
    (tmp_path / ".cache").write_text("hidden")
    assert folder_hash(tmp_path) == before
    monkeypatch.setattr("nextgpt.checkpoints._SAMPLED_ABOVE", 1000)
    sampled = folder_hash(tmp_path)
    (tmp_path / "part" / "model.safetensors").write_bytes(bytes(999_999) + b"\1")
    assert folder_hash(tmp_path) not in (before, sampled)


def test_cards_are_plain_yaml(tmp_path: Path) -> None:
    save(tmp_path, CARD_OF, SOME)
    assert yaml.safe_load((tmp_path / CARD).read_text()) == dataclasses.asdict(CARD_OF)
