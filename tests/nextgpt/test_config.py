"""Presets and where weights are found."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from nextgpt.config import PRESETS, load_config, presets
from nextgpt.errors import ConfigError

TINY = (PRESETS / "tiny.yaml").read_text(encoding="utf-8")


def preset(tmp_path: Path, old: str, new: str) -> Path:
    assert old in TINY
    path = tmp_path / "mine.yaml"
    path.write_text(TINY.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", presets())
def test_every_preset_reads_and_is_named_after_its_file(name: str) -> None:
    assert load_config(name).name == name


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "learning_rate:",
            "learing_rate:",
            "mine.yaml: training: encoding: .*'learing_rate'; did you mean 'learning_rate'",
        ),
        ("projection: grouping", "projektion: grouping", "did you mean 'projection'"),
        ("rank: 32", "rank: sixteen", "mine.yaml: lora: rank: expected int, got 'sixteen'"),
        ("rank: 32, ", "", "mine.yaml: lora: the field 'rank' is missing"),
        ("1.0e-3", "1e-3", "mine.yaml: training: .*: expected float, got '1e-3'"),
        ("signals: {image: 12}", "signals: {smell: 4}", "signals: expected .*got 'smell'"),
        ("signals: {image: 12}", "signals: {image: 12, video: 24}", "signals: video: no diffusion model"),
        ("history: 0", "history: 0, options: {audio: {}}", "options: audio: the model has no signals"),
        ("picture: {media}", "picture:", "prompt: image: 'picture:' needs {media}"),
        ("rank: 32", "rank: " + "x" * 5000, "expected int, got 'x{1,60}"),
        ("1.0e-3", ".nan", "expected float, got nan"),
        ("1.0e-3", "9" * 400, "expected float, got 9"),
        ("rank: 32", "rank: 0", "lora: rank: 0 is less than 1"),
        ("signals: {image: 12}", "signals: {image: -5}", "signals: image: -5 is less than 1"),
        ("1.5e-3", "-1.5", "training: encoding: learning_rate: -1.5 is less than 0"),
        ("USER: {content}", "USER:", "prompt: user: .* needs {content}, once"),
        ("lora: {", "lora: [", "not valid YAML"),
        (TINY, "- a list", "expected fields and values"),
    ],
)
def test_a_wrong_preset_is_refused_by_name(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load_config(preset(tmp_path, old, new))


def test_an_unknown_preset_names_the_likely_one() -> None:
    with pytest.raises(ConfigError, match="did you mean 'tiny'"):
        load_config("tinny")


def test_values_arrive_typed() -> None:
    config = load_config("tiny")
    assert config.training is not None
    assert (
        config.training.stage("encoding").learning_rate
        == yaml.safe_load(TINY)["training"]["encoding"]["learning_rate"]
    )
    attention, mlp = ("q_proj", "k_proj", "v_proj", "o_proj"), ("gate_proj", "up_proj", "down_proj")
    assert config.lora.targets == attention + mlp


def test_tags_need_rows_that_are_trained(tmp_path: Path) -> None:
    text = (PRESETS / "7b-v0.yaml").read_text().replace("vocabulary: trained", "vocabulary: frozen")
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match="set vocabulary: trained"):
        load_config(tmp_path / "mine.yaml")


def test_the_full_size_presets_know_every_medium() -> None:
    for name in ("7b", "7b-sd2", "7b-v0"):
        config = load_config(name)
        assert dict(config.signals) == {"image": 4, "video": 24, "audio": 8}
        assert set(config.prompt.media()) == {"image", "video", "audio"}
        assert config.training is not None
    assert load_config("7b").output_projection.options["dropout"] == 0.1
    assert load_config("7b-sd2").lora.rank == 128
