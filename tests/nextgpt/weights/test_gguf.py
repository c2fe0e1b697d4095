"""GGUF: a model's file is found and told apart; what transformers cannot read is refused in a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from baselines.transformers_files import read as read_for_hf
from nextgpt.errors import ConfigError
from nextgpt.reasoning.pretrained import read
from nextgpt.weights.files import BrokenFileError
from nextgpt.weights.gguf import gguf_in, numbers, told

gguf = pytest.importorskip("gguf", reason="gguf is not installed: pip install nextgpt[packaged]")


def written(path: Path, architecture: str) -> Path:
    """A file with a tensor of six numbers."""
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_tensor("token_embd.weight", np.zeros((2, 3), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_file_is_found_and_its_numbers_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gguf", "llama")
    assert told(tmp_path) == {"gguf_file": "a.gguf"}
    assert numbers(path) == 6
    (tmp_path / "config.json").write_text("{}")  # a model in transformers' own layout
    assert told(tmp_path) == {}


def test_another_architecture_is_refused_with_those_that_are_read(tmp_path: Path) -> None:
    import torch

    written(tmp_path / "a.gguf", "clip")
    with pytest.raises(
        ConfigError, match=r"a\.gguf: a GGUF of the architecture 'clip'; transformers reads .*llama"
    ):
        read(tmp_path, torch.float32)
    with pytest.raises(ConfigError, match="the architecture 'clip'"):
        read_for_hf(tmp_path)


def test_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.gguf", "llama")
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(BrokenFileError, match="no GGUF, or half-written"):
        told(tmp_path)
    path.write_bytes(b"something else entirely")
    with pytest.raises(BrokenFileError, match="no GGUF, or half-written"):
        told(tmp_path)


def test_one_of_two_files_has_to_go(tmp_path: Path) -> None:
    for name in ("a.gguf", "b.gguf"):
        written(tmp_path / name, "llama")
    with pytest.raises(ConfigError, match=r"2 GGUF files, a\.gguf, b\.gguf; keep one"):
        gguf_in(tmp_path)


def test_bits_of_what_is_quantised_already_are_refused(tmp_path: Path) -> None:
    import torch

    written(tmp_path / "a.gguf", "llama")
    with pytest.raises(ConfigError, match="quantised as it is; leave out bits: 4"):
        read(tmp_path, torch.float32, bits=4)
