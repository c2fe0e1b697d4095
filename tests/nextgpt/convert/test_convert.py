"""Checkpoints of both released layouts: converted whole, loaded strictly, answering; and what is refused."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml

import nextgpt
from nextgpt import cli
from nextgpt.checkpoints import CARD, CheckpointError
from nextgpt.config import Config, Lora, Projection, load_config
from nextgpt.convert import ConvertError, convert
from nextgpt.convert.layouts import NEWER, RELEASED, translate
from nextgpt.decoding.conditions import read_condition
from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Message, Request, user
from nextgpt.weights.places import with_weights
from tests.nextgpt.backbones import plain, save_encoder, save_language_model
from tests.nextgpt.pipelines import build
from tests.nextgpt.released import (
    LAYERS,
    SIGNALS,
    language_model,
    newer,
    older,
    projector,
    write_newer,
    write_older,
)

PARITY = Path(__file__).parents[4] / "shared" / "data" / "parity"
WEIGHTS = "pytorch_model.pt"
LORA, PROJECTION = Lora(rank=4, alpha=32), Projection("transformer", LAYERS)
EMBEDDINGS = "llama_model.base_model.model.model.embed_tokens.weight"


@dataclasses.dataclass
class Release:
    """A checkpoint as the released code writes it, and the model that wrote it."""

    config: Config
    folder: Path
    causal: Any
    state: dict[str, Any]


@pytest.fixture(scope="module")
def tiva(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Release:
    torch.manual_seed(2)
    preset, folder = older(config), tmp_path_factory.mktemp("released") / "tiva"
    causal = language_model(Path(config.weights.language_model), 38, preset.lora)
    return Release(preset, folder, causal, write_older(folder, preset, causal))


@pytest.fixture(scope="module")
def staged(
    config: Config, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Release:
    torch.manual_seed(3)
    preset = newer(config, 16, getattr(request, "param", "patches"))
    folder = tmp_path_factory.mktemp("released") / "2024"
    causal = language_model(Path(config.weights.language_model), 36, preset.lora)
    return Release(preset, folder, causal, write_newer(folder, preset, causal))


def spoilt(tiva: Release, folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """A copy of a release with its tensors changed."""
    shutil.copytree(tiva.folder, folder)
    state = dict(tiva.state)
    change(state)
    torch.save(state, folder / WEIGHTS)
    return folder


def sources(keys: list[str]) -> set[str]:
    return {key.partition("[")[0] for key in keys}


def answered(preset: Config, folder: Path) -> Message:
    model = nextgpt.load(preset, checkpoint=folder, device="cpu")
    (answer,) = model.respond([Request((user(plain("red"), "describe the picture."),))])
    assert isinstance(answer, Message)
    return answer


def test_the_released_layout_converts_loads_and_answers(tiva: Release, tmp_path: Path) -> None:
    report = convert([tiva.folder], tiva.config, tmp_path / "out")
    assert sources([*report.converted, *report.left_out]) == set(tiva.state)
    assert sum(report.parameters.values()) < sum(value.numel() for value in tiva.state.values())
    assert any(line.startswith("checkpoint: ") for line in report.lines())
    assert answered(tiva.config, tmp_path / "out").text


@pytest.mark.parametrize("staged", ["patches", "mlp"], indirect=True)
def test_the_newer_layout_converts_loads_and_answers(staged: Release, tmp_path: Path) -> None:
    report = convert([staged.folder], staged.config, tmp_path / "out")
    assert sources([*report.converted, *report.left_out]) >= {
        key for part in staged.state.values() for key in part
    }
    assert answered(staged.config, tmp_path / "out").text
    assert any("space between signals" in note for note in report.notes)


@torch.no_grad()
def test_a_converted_language_model_says_what_the_original_says(tiva: Release, tmp_path: Path) -> None:
    convert([tiva.folder], tiva.config, tmp_path)
    model = nextgpt.load(tiva.config, checkpoint=tmp_path, device="cpu")
    ours, theirs = model.language_model, tiva.causal
    base = theirs.config.vocab_size - 38
    # Words, the two tags and the four signals of a picture; the ids of both happen to agree.
    ids = torch.tensor([[1, 40, 41, base, 77, base + 1, 9, *range(base + 2, base + 6), 3]])
    hidden = ours.hidden(ours.embed(ids))
    expected = theirs(input_ids=ids, output_hidden_states=True)
    torch.testing.assert_close(hidden, expected.hidden_states[-1], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        ours.logits(hidden), expected.logits[..., : base + 6].float(), rtol=1e-4, atol=1e-4
    )


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """The preset of the released weights whole, on small random parts."""
    root = tmp_path_factory.mktemp("everything")
    torch.manual_seed(4)
    save_encoder(root / "encoder", hears=True)
    save_language_model(root / "language_model", longest=1024)
    for name, role in (("Stable Diffusion", "image"), ("Zeroscope", "video"), ("AudioLDM", "audio")):
        build(name, root / role)
    full = load_config("7b-v0")
    generation = dataclasses.replace(
        full.generation, max_new_tokens=48, steps=2, options={"video": {"num_frames": 3, "fps": 8}}
    )
    small = dataclasses.replace(full, lora=LORA, output_projection=PROJECTION, generation=generation)
    return with_weights(small, root)


@torch.no_grad()
def test_the_whole_preset_reads_and_makes_every_medium(
    everything: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conditions = {}
    for kind in SIGNALS:
        shape = read_condition(Path(getattr(everything.weights, kind)), kind)  # type: ignore[arg-type]
        conditions[kind] = (shape.length, shape.width)
    causal = language_model(Path(everything.weights.language_model), 38, everything.lora)
    state = write_older(tmp_path / "tiva", everything, causal, conditions)
    report = convert([tmp_path / "tiva"], everything, tmp_path / "out")
    assert set(report.converted) == set(state)
    assert not report.left_out

    model = nextgpt.load(everything, checkpoint=tmp_path / "out", device="cpu")
    rows = state[EMBEDDINGS].float()
    first = len(rows) - 36
    for kind, count in SIGNALS.items():
        suffix = "" if kind == "image" else f"_{kind}"
        original = projector(conditions[kind], "fc", "model")
        prefix = f"gen_text_hidden_fcs{suffix}.0."
        own = {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
        original.load_state_dict(own)
        states, signals = torch.randn(2, count, 32), rows[first : first + count]
        read = original.fc(states + signals)
        expected = original.model(original.tfm(read, original.query_embs.expand(2, -1, -1)))
        torch.testing.assert_close(model.condition(states, kind), expected, rtol=1e-4, atol=1e-5)  # type: ignore[arg-type]
        first += count

    spans = [token for kind in SIGNALS for token in model.language_model.signals.ids(kind)]  # type: ignore[arg-type]
    plan = iter([*spans, *model.writer.end])
    logits = model.language_model.logits

    def planned(hidden: torch.Tensor, **how: Any) -> torch.Tensor:
        scores = logits(hidden, **how)
        scores[..., next(plan)] = 1e6
        return scores

    monkeypatch.setattr(model.language_model, "logits", planned)
    clip = Video(np.zeros((4, 24, 32, 3), np.uint8), 8)
    sound = Audio(np.sin(np.arange(8000, dtype=np.float32)), 16000)
    (answer,) = model.respond([Request((user("look", plain("red"), clip, sound),))])
    assert isinstance(answer, Message), answer
    assert [type(part) for part in answer.parts] == [Image, Video, Audio]


def test_a_later_stage_counts(staged: Release, tmp_path: Path) -> None:
    convert([staged.folder], staged.config, tmp_path)
    rows = nextgpt.load(staged.config, checkpoint=tmp_path, device="cpu").language_model.signal_embeddings
    late = staged.state["late"]["base_model.model.model.embed_tokens.weight"]
    torch.testing.assert_close(rows.data, late[-36:-32].half().float())


def test_files_can_be_named_one_by_one(staged: Release, tmp_path: Path) -> None:
    names = ["mm_input_projector.bin", "mm_output_projector.bin", "adapter_model.safetensors"]
    convert([staged.folder / name for name in names], staged.config, tmp_path / "out")
    early = convert([staged.folder / names[0]], staged.config, tmp_path / "first", stage="encoding")
    assert set(early.parameters) == {"input_projection"}


def test_typed_tags_stay_text(tiva: Release, tmp_path: Path) -> None:
    convert([tiva.folder], tiva.config, tmp_path)
    model = nextgpt.load(tiva.config, checkpoint=tmp_path, device="cpu")
    base = tiva.causal.config.vocab_size - 38
    written = model.writer.write((user(plain("red"), "is <Img> a tag?"),)).ids
    assert [place for place in written if place in (base, base + 1)] == [base, base + 1]
    assert written[written.index(base) + 1] == -1


def test_fixtures_of_the_released_code_have_the_names_that_are_converted() -> None:
    if not PARITY.exists():
        pytest.skip("the recorded names are not beside the project")
    recorded = json.loads((PARITY / "output_projection_keys.json").read_text())
    for kind, names in recorded.items():
        suffix = "" if kind == "image" else f"_{kind}"
        found = translate(RELEASED, [f"gen_text_hidden_fcs{suffix}.0.{name}" for name in names])
        assert set(found.names) == {f"output_projection.{kind}.{name}" for name in names}
        assert not found.unknown


# What is refused -----------------------------------------------------------------------------------


def vocabulary_of_newer_code(state: dict[str, Any]) -> None:
    state[EMBEDDINGS] = torch.cat([state[EMBEDDINGS], state[EMBEDDINGS][:4]])


def no_input_projection(state: dict[str, Any]) -> None:
    del state["llama_proj.weight"]


def no_output_projection(state: dict[str, Any]) -> None:
    for name in [name for name in state if name.startswith("gen_text_hidden_fcs.0.")]:
        del state[name]


def narrow_projection(state: dict[str, Any]) -> None:
    state["llama_proj.weight"] = state["llama_proj.weight"][:, :8]


def something_else(state: dict[str, Any]) -> None:
    state["llama_proj.scale"] = torch.ones(3)


def a_query_former(state: dict[str, Any]) -> None:
    state["gen_text_hidden_fcs.0.query_tokens"] = torch.ones(1, 2, 3)


def no_numbers(state: dict[str, Any]) -> None:
    state["llama_proj.bias"] = torch.full_like(state["llama_proj.bias"], torch.nan)


def two_tables(state: dict[str, Any]) -> None:
    state["input_embeddings.weight"] = state[EMBEDDINGS] + 1


def an_adapter_less(state: dict[str, Any]) -> None:
    del state["llama_model.base_model.model.model.layers.1.self_attn.q_proj.lora_B.default.weight"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (vocabulary_of_newer_code, [EMBEDDINGS, "has shape [372, 32], the preset needs [368, 32]"]),
        (no_input_projection, ["input_projection.linear.weight is missing, the preset needs [32, 16]"]),
        (no_output_projection, ["output_projection.image.fc.weight is missing, the preset needs [16, 32]"]),
        (narrow_projection, ["llama_proj.weight has shape [32, 8], the preset needs [32, 16]"]),
        (something_else, ["llama_proj.scale [3] is no part of the layout"]),
        (a_query_former, ["gen_text_hidden_fcs.0.query_tokens [1, 2, 3]: a Q-Former"]),
        (no_numbers, ["input_projection.linear.bias holds values that are no numbers"]),
        (two_tables, ["are one tensor, but their values differ"]),
        (an_adapter_less, ["lora.model.layers.1.self_attn.q_proj.lora_B.default.weight is missing"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_does_not_fit_is_refused_by_key_and_shapes(
    tiva: Release, tmp_path: Path, change: Callable[[dict[str, Any]], object], words: list[str]
) -> None:
    vocabulary = tiva.causal.config.vocab_size
    folder = spoilt(tiva, tmp_path / "tiva", change)
    with pytest.raises(ConvertError, match="does not fit the preset small-v0") as caught:
        convert([folder], tiva.config, tmp_path / "out")
    for word in words:
        assert word.replace("372", str(vocabulary + 4)).replace("368", str(vocabulary)) in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_llama_2_does_not_stand_in_for_a_llama_1(tiva: Release, tmp_path: Path) -> None:
    preset = _with_base(tiva.config, tmp_path / "llama2", max_position_embeddings=4096)
    with pytest.raises(CheckpointError, match=r"max_position_embeddings is 4096, the checkpoint needs 96"):
        convert([tiva.folder], preset, tmp_path / "out")
    # And neither when it is loaded later.
    convert([tiva.folder], tiva.config, tmp_path / "out")
    with pytest.raises(CheckpointError, match="LLaMA 2 cannot stand in for LLaMA 1"):
        nextgpt.load(preset, checkpoint=tmp_path / "out", device="cpu")


def test_the_released_weights_need_a_llama_1_even_without_their_config(tiva: Release, tmp_path: Path) -> None:
    shutil.copy(tiva.folder / WEIGHTS, tmp_path / WEIGHTS)
    with pytest.raises(CheckpointError, match="the checkpoint needs 2048"):
        convert([tmp_path / WEIGHTS], tiva.config, tmp_path / "out")
    first = _with_base(tiva.config, tmp_path / "llama1", max_position_embeddings=2048)
    convert([tmp_path / WEIGHTS], first, tmp_path / "out")


def test_another_vocabulary_is_refused(tiva: Release, tmp_path: Path) -> None:
    preset = _with_base(tiva.config, tmp_path / "longer", vocab_size=tiva.causal.config.vocab_size - 34)
    with pytest.raises(ConvertError, match=r"the token <Img> has id \d+, but the language model has"):
        convert([tiva.folder], preset, tmp_path / "out")


def test_another_scale_of_adapters_is_refused(staged: Release, tmp_path: Path) -> None:
    preset = dataclasses.replace(staged.config, lora=dataclasses.replace(staged.config.lora, alpha=16))
    with pytest.raises(ConvertError, match="lora_alpha is 8, the preset has 16"):
        convert([staged.folder], preset, tmp_path / "out")


def test_the_newer_grouping_has_no_place(staged: Release, tmp_path: Path) -> None:
    shutil.copytree(staged.folder, tmp_path / "in")
    torch.save(
        {"model.mm_input_projector.in_fc.weight": torch.ones(2, 2)}, tmp_path / "in/mm_input_projector.bin"
    )
    with pytest.raises(ConvertError, match=r"in_fc\.weight \[2, 2\]: the released code's grouping"):
        convert([tmp_path / "in"], staged.config, tmp_path / "out")


def _with_base(preset: Config, folder: Path, **changed: float) -> Config:
    """A preset whose language model says other things of itself."""
    shutil.copytree(preset.weights.language_model, folder)
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(values | changed))
    return dataclasses.replace(
        preset, weights=dataclasses.replace(preset.weights, language_model=str(folder))
    )


class Malice:
    """What a pickle can do to whoever opens it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("as_archive", [True, False])
def test_a_pickle_that_runs_code_runs_nothing(tiva: Release, tmp_path: Path, as_archive: bool) -> None:
    proof = tmp_path / "it-ran"
    state = {"llama_proj.weight": torch.ones(2), "llama_proj.bias": Malice(proof)}
    torch.save(state, tmp_path / WEIGHTS, _use_new_zipfile_serialization=as_archive)
    with pytest.raises(ConvertError, match="system to be called on loading") as caught:
        convert([tmp_path / WEIGHTS], tiva.config, tmp_path / "out")
    assert "nothing of it was run" in str(caught.value)
    assert not proof.exists()
    # The very same file does run it for whoever is careless.
    torch.load(tmp_path / WEIGHTS, weights_only=False)
    assert proof.exists()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_half_written_file_is_refused_by_name(tiva: Release, tmp_path: Path, share: float) -> None:
    whole = (tiva.folder / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ConvertError, match=rf"{WEIGHTS}: damaged"):
        convert([tmp_path], tiva.config, tmp_path / "out")


def test_what_is_no_release_is_refused(tiva: Release, staged: Release, tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match=r"no file of a released layout.*7b_tiva_v0: pytorch_model\.pt"):
        convert([tmp_path], tiva.config, tmp_path / "out")
    with pytest.raises(ConvertError, match="no such file or folder"):
        convert([tmp_path / "nowhere"], tiva.config, tmp_path / "out")
    with pytest.raises(ConvertError, match="files of two layouts"):
        convert([tiva.folder, staged.folder], tiva.config, tmp_path / "out")
    (tmp_path / WEIGHTS).write_bytes(pickle.dumps([1, 2, 3]))
    with pytest.raises(ConvertError, match=r"damaged|holds a list"):
        convert([tmp_path], tiva.config, tmp_path / "out")


def test_a_checkpoint_of_another_preset_is_refused(tiva: Release, staged: Release, tmp_path: Path) -> None:
    convert([tiva.folder], tiva.config, tmp_path / "out")
    assert (tmp_path / "out" / CARD).exists()
    with pytest.raises(CheckpointError, match="trained under the preset small-v0") as caught:
        nextgpt.load(staged.config, checkpoint=tmp_path / "out", device="cpu")
    assert "missing, the model needs [" in str(caught.value)


def test_the_command_says_what_became_of_it(
    tiva: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = json.loads(json.dumps(dataclasses.asdict(dataclasses.replace(tiva.config, training=None))))
    preset = tmp_path / "small-v0.yaml"
    preset.write_text(yaml.safe_dump(values))
    words = ["nextgpt", "convert", "--preset", str(preset), "--out", str(tmp_path / "out")]

    def run(source: Path) -> int:
        monkeypatch.setattr(sys, "argv", [*words, str(source)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    assert run(tiva.folder) == 0
    told = capsys.readouterr().out
    assert "left out: gen_text_hidden_fcs_video.0." in told
    assert told.endswith(f"checkpoint: {tmp_path / 'out'}\n")
    assert run(spoilt(tiva, tmp_path / "bad", narrow_projection)) == 1
    error = capsys.readouterr().err
    assert error.startswith("nextgpt: ")
    assert "llama_proj.weight has shape [32, 8], the preset needs [32, 16]" in error


def test_both_layouts_have_36_signals() -> None:
    assert sum(SIGNALS.values()) == len(NEWER.added_tokens(0)) == 36
