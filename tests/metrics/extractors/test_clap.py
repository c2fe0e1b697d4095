"""CLAP, with tiny networks made here; LAION's checkpoints and package give the same embeddings."""

from __future__ import annotations

import json
import shutil
import sys
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from metrics.extractors import CachedExtractor, ClapExtractor, LaionClapExtractor, MissingWeightsError, Sound
from metrics.extractors.weights import file_hash
from metrics.metric import MetricInputError
from metrics.pairs.sounds import CLAPScore
from metrics.sets.sounds import FAD

WORDS = ["<s>", "<pad>", "</s>", "<unk>", "a", "dog", "barks", "rain", "falls"]
RATE = 8_000
AUDIO: dict[str, Any] = {
    "spec_size": 64,
    "num_mel_bins": 16,
    "window_size": 4,
    "patch_size": 2,
    "patch_stride": [2, 2],
    "hidden_size": 32,
    "depths": [2, 2],
    "num_hidden_layers": 2,
    "num_attention_heads": [2, 2],
    "patch_embeds_hidden_size": 16,
}
TEXT: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": len(WORDS),
    "max_position_embeddings": 12,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "layer_norm_eps": 1e-5,
}


def _sounds(*seconds: float) -> list[Sound]:
    rng = np.random.default_rng(0)
    return [Sound(rng.uniform(-0.5, 0.5, round(RATE * length)), RATE) for length in seconds]


def _folder(folder: Path, **audio: Any) -> Path:
    """A CLAP with random weights as transformers saves it, hearing windows of one second at 8 kHz."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel

    torch.manual_seed(0)
    config = ClapConfig(text_config=TEXT, audio_config={**AUDIO, **audio}, projection_dim=12)
    model = ClapModel(config)
    for name, value in model.state_dict().items():
        if name.endswith("batch_norm.running_mean"):
            value.fill_(-20)
        elif name.endswith("batch_norm.running_var"):
            value.fill_(200)
        elif value.dtype == torch.float32 and value.ndim > 1:
            value.normal_(0, 0.2)
    model.save_pretrained(folder)
    ClapFeatureExtractor(
        feature_size=16,
        sampling_rate=RATE,
        hop_length=80,
        max_length_s=1,
        fft_window_size=256,
        frequency_min=50,
        frequency_max=4000,
        truncation="rand_trunc",
    ).save_pretrained(folder)
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def clap(folder: Path) -> ClapExtractor:
    return ClapExtractor(folder, batch_size=3)


def _copied(folder: Path, target: Path, *but: str) -> Path:
    target.mkdir()
    for file in folder.iterdir():
        if file.name not in but:
            (target / file.name).write_bytes(file.read_bytes())
    return target


def _apart(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    return float(np.abs(a - b).max())


def test_clap_embeds_as_transformers_own_pipeline_does(clap: ClapExtractor, folder: Path) -> None:
    from transformers import ClapFeatureExtractor, ClapModel

    sounds = _sounds(1, 0.3, 0.45)
    model = ClapModel.from_pretrained(folder).eval()
    front_end = ClapFeatureExtractor.from_pretrained(folder)
    inputs = front_end([s.samples for s in sounds], sampling_rate=RATE, return_tensors="pt")
    with torch.no_grad():
        pooled = model.audio_model(input_features=inputs["input_features"].float()).pooler_output
        expected = torch.nn.functional.normalize(model.audio_projection(pooled), dim=-1)
        ids = torch.tensor([[0, 4, 5, 6, 2]])
        text = model.text_projection(model.text_model(input_ids=ids).pooler_output)
    assert clap.sounds(sounds) == pytest.approx(expected.numpy(), abs=1e-5)
    assert _apart(*(clap.sounds([sound]) for sound in sounds[:2])) > 1e-3
    found = clap.texts(["a dog barks"])
    assert found == pytest.approx(torch.nn.functional.normalize(text, dim=-1).numpy(), abs=1e-5)


def test_batches_and_padding_change_nothing(folder: Path, clap: ClapExtractor) -> None:
    one, sounds = ClapExtractor(folder, batch_size=1), _sounds(1, 0.2, 0.7, 1, 0.5)
    texts = ["a", "a dog barks", "rain falls", ""]
    assert one.sounds(sounds) == pytest.approx(clap.sounds(sounds), abs=1e-5)
    assert one.texts(texts) == pytest.approx(clap.texts(texts), abs=1e-5)


def test_a_long_sound_is_heard_whole_and_without_chance(clap: ClapExtractor) -> None:
    (sound,) = _sounds(2.5)
    np.random.seed(1)  # noqa: NPY002 - both libraries draw from the global generator
    (rows,) = clap.windows([sound])
    np.random.seed(2)  # noqa: NPY002
    assert clap.windows([sound])[0].tolist() == rows.tolist()
    parts = [Sound(sound.samples[start : start + RATE], RATE) for start in (0, 6000, 12000)]
    assert rows == pytest.approx(clap.sounds(parts), abs=1e-5)
    assert clap.sounds([sound])[0] == pytest.approx(rows.mean(0), abs=1e-6)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)
    assert [len(part) for part in clap.windows(_sounds(0.01, 1, 1.99, 2, 3, 3.1))] == [1, 1, 1, 2, 3, 4]


def test_other_rates_and_channels_are_heard_at_the_network_s(clap: ClapExtractor) -> None:
    time = np.arange(16_000) / 16_000
    wave = 0.5 * np.sin(2 * np.pi * 440 * time)
    fine, stereo = Sound(wave, 16_000), Sound(np.stack([wave, wave], axis=1), 16_000)
    coarse = Sound(wave[::2], RATE)
    rows = clap.sounds([fine, stereo, coarse])
    assert rows[0].tolist() == pytest.approx(rows[1].tolist(), abs=1e-6)
    assert _apart(rows[0], rows[2]) < 0.05


def test_a_network_that_fuses_views_is_not_left_to_chance(tmp_path: Path) -> None:
    """Transformers marks one random short sound of a batch as long; here none is."""
    fused = ClapExtractor(_folder(tmp_path / "fused", enable_fusion=True), batch_size=4)
    sounds = _sounds(1, 0.3, 0.6, 1)
    first = fused.sounds(sounds)
    for _ in range(3):
        assert fused.sounds(sounds).tolist() == first.tolist()
    alone = np.concatenate([fused.sounds([sound]) for sound in sounds])
    assert alone == pytest.approx(first, abs=1e-5)


def test_a_long_text_is_cut_and_nothing_has_no_rows(clap: ClapExtractor) -> None:
    long, cut = clap.texts(["a " * 50, "a " * 8])
    assert long == pytest.approx(cut, abs=1e-6)
    assert clap.texts([]).shape == clap.sounds([]).shape == (0, 12)
    assert clap.windows([]) == []


def test_the_signature_names_weights_rate_and_windows(clap: ClapExtractor, folder: Path) -> None:
    digits = file_hash(folder / "model.safetensors")
    expected = f"clap:tiny@{digits},8000Hz,window:1s,even,tail:1s,short:repeated,"
    assert clap.signature.startswith(expected)


@pytest.mark.parametrize(
    "file", ["config.json", "model.safetensors", "tokenizer.json", "preprocessor_config.json"]
)
def test_a_missing_file_is_one_line_with_its_consequences(folder: Path, tmp_path: Path, file: str) -> None:
    with pytest.raises(MissingWeightsError) as caught:
        ClapExtractor(_copied(folder, tmp_path / "tiny", file))
    line = str(caught.value)
    assert "\n" not in line
    assert file in line
    assert "clap_score" in line


@pytest.mark.parametrize("source", ["laion/clap-htsat-unfused", "no/such/folder", "nowhere"])
def test_a_model_that_is_not_here_is_not_looked_up(source: str) -> None:
    with pytest.raises(MissingWeightsError, match="neither a folder nor in the local hub cache"):
        ClapExtractor(source)


def test_weights_of_another_architecture_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = _copied(folder, tmp_path / "tiny")
    config = json.loads((copy / "config.json").read_text())
    config["audio_config"]["depths"] = [2, 3]
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(MissingWeightsError, match="does not fit config"):
        ClapExtractor(copy).sounds(_sounds(1))


def test_a_tokenizer_without_its_start_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = _copied(folder, tmp_path / "tiny")
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    tokenizer["post_processor"] = None
    (copy / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(MetricInputError, match="does not begin a text with token 0"):
        ClapExtractor(copy).texts(["a"])


# --- LAION's own checkpoints and package ----------------------------------------------------------


def _laion_state(folder: Path) -> dict[str, torch.Tensor]:
    """The folder's weights by LAION's names, with what only LAION's network holds beside them."""
    from safetensors.torch import load_file

    theirs: dict[str, torch.Tensor] = {}
    thirds: dict[str, dict[str, torch.Tensor]] = {}
    for key, value in load_file(folder / "model.safetensors").items():
        if key.endswith(("position_ids", "token_type_ids")):
            continue
        name = key.replace("text_model.", "text_branch.")
        if name.startswith("audio_model.audio_encoder."):
            name = name.replace("audio_model.audio_encoder.", "audio_branch.").replace("batch_norm", "bn0")
            name = name.replace("layernorm_before", "norm1").replace("layernorm_after", "norm2")
            name = name.replace("attention.output.dense", "attn.proj").replace("attention.self", "attn")
            name = name.replace("intermediate.dense", "mlp.fc1").replace("output.dense", "mlp.fc2")
        name = name.replace("projection.linear1", "projection.0").replace(
            "projection.linear2", "projection.2"
        )
        third = next((part for part in ("query", "key", "value") if f".attn.{part}." in name), None)
        if third is None:
            theirs[name] = value
        else:
            thirds.setdefault(name.replace(f".{third}.", ".qkv."), {})[third] = value
    theirs |= {name: torch.cat([of["query"], of["key"], of["value"]]) for name, of in thirds.items()}
    theirs["audio_branch.head.weight"] = torch.zeros(527, 527)
    theirs["audio_branch.tscam_conv.bias"] = torch.zeros(527)
    theirs["audio_branch.spectrogram_extractor.stft.conv_real.weight"] = torch.zeros(3)
    theirs["audio_branch.layers.0.blocks.1.attn_mask"] = torch.zeros(3)
    theirs["text_transform.sequential.0.weight"] = torch.zeros(3)
    theirs["text_branch.embeddings.position_ids"] = torch.arange(12)[None]
    return theirs


@pytest.mark.parametrize("wrapped", [True, False])
def test_laion_s_checkpoint_gives_the_same_embeddings(
    folder: Path, clap: ClapExtractor, tmp_path: Path, wrapped: bool
) -> None:
    state = _laion_state(folder)
    assert any(".attn.qkv." in key for key in state)
    checkpoint: dict[str, Any] = dict(state)
    if wrapped:
        named = {f"module.{key}": value for key, value in state.items()}
        checkpoint = {"epoch": 15, "name": "best", "state_dict": named, "loss": np.float64(0.5).item()}
    torch.save(checkpoint, tmp_path / "best.pt")
    bare = _copied(folder, tmp_path / "tiny", "model.safetensors")
    extractor = ClapExtractor(bare, weights=tmp_path / "best.pt")
    sounds = _sounds(1, 0.4)
    assert extractor.sounds(sounds) == pytest.approx(clap.sounds(sounds), abs=1e-6)
    assert extractor.texts(["a dog"]) == pytest.approx(clap.texts(["a dog"]), abs=1e-6)
    assert file_hash(tmp_path / "best.pt") in extractor.signature


@pytest.mark.parametrize("fault", ["lacking", "surplus"])
def test_another_checkpoint_is_refused(folder: Path, tmp_path: Path, fault: str) -> None:
    state = _laion_state(folder)
    if fault == "lacking":
        del state["audio_branch.layers.1.blocks.0.attn.qkv.weight"]
    else:
        state["audio_branch.something_new.weight"] = torch.zeros(1)
    torch.save(state, tmp_path / "best.pt")
    expected = {"lacking": "layers.1.blocks.0.attention.self.key", "surplus": "something_new"}
    with pytest.raises(MissingWeightsError, match=expected[fault]):
        ClapExtractor(folder, weights=tmp_path / "best.pt").sounds(_sounds(1))


class FakePackage(torch.nn.Module):
    """Stands for laion_clap.CLAP_Module: the same methods, over one number."""

    def __init__(self, enable_fusion: bool, amodel: str, device: str) -> None:
        super().__init__()
        self.model = torch.nn.Linear(1, 512)

    def get_audio_embedding_from_data(self, x: list[torch.Tensor], use_tensor: bool) -> torch.Tensor:
        assert use_tensor
        assert all(part.dtype == torch.float32 and len(part) <= 480_000 for part in x)
        return torch.nn.functional.normalize(
            self.model(torch.stack([part.std()[None] for part in x])), dim=-1
        )

    def get_text_embedding(self, x: Sequence[str], use_tensor: bool) -> torch.Tensor:
        assert use_tensor
        lengths = torch.tensor([[float(len(text))] for text in x])
        return torch.nn.functional.normalize(self.model(lengths), dim=-1)


def test_the_package_is_an_extractor_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("laion_clap")
    module.CLAP_Module = FakePackage  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "laion_clap", module)
    state = {f"module.{key}": value for key, value in torch.nn.Linear(1, 512).state_dict().items()}
    state["module.text_branch.embeddings.position_ids"] = torch.arange(3)
    torch.save({"state_dict": state}, tmp_path / "best.pt")
    extractor = LaionClapExtractor(tmp_path / "best.pt")
    assert [len(rows) for rows in extractor.windows(_sounds(1, 25))] == [1, 3]
    assert extractor.texts(["a"]).shape == (1, 512)
    assert extractor.module.model.weight.tolist() == state["module.weight"].tolist()
    assert extractor.signature.startswith(f"laion-clap:HTSAT-tiny@{file_hash(tmp_path / 'best.pt')},48000Hz")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(MissingWeightsError, match="not laion-clap's HTSAT-tiny"):
        LaionClapExtractor(tmp_path / "other.pt")


@pytest.mark.slow
def test_the_real_package_and_transformers_hear_and_read_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random weights of full size; the package would fetch roberta-base, all of which they replace."""
    from transformers import (
        BartTokenizer,
        BertTokenizer,
        ClapConfig,
        ClapFeatureExtractor,
        PreTrainedTokenizerFast,
        RobertaConfig,
        RobertaModel,
        RobertaTokenizer,
    )

    folder = _folder(tmp_path / "small")
    words = PreTrainedTokenizerFast(tokenizer_file=str(folder / "tokenizer.json"), pad_token="<pad>")
    base = RobertaConfig(
        vocab_size=50_265, max_position_embeddings=514, type_vocab_size=1, layer_norm_eps=1e-5
    )
    monkeypatch.setattr(RobertaModel, "from_pretrained", classmethod(lambda cls, *_, **__: cls(base)))
    for tokenizer in (RobertaTokenizer, BertTokenizer, BartTokenizer):
        monkeypatch.setattr(tokenizer, "from_pretrained", classmethod(lambda *_, **__: words))
    package = pytest.importorskip("laion_clap", exc_type=ImportError)

    torch.manual_seed(0)
    network = package.CLAP_Module(enable_fusion=False, amodel="HTSAT-tiny", device="cpu").model
    for name, value in network.state_dict().items():
        if name.endswith((".weight", ".bias", "_table", "_projection")) and value.ndim > 1:
            if "extractor" not in name:
                value.normal_(0, 0.04)
        elif name.endswith("bn0.running_mean"):
            value.fill_(-20)
        elif name.endswith("bn0.running_var"):
            value.fill_(200)
    torch.save(network.state_dict(), tmp_path / "random.pt")

    full = tmp_path / "clap-htsat-unfused"
    ClapConfig().save_pretrained(full)
    # The published model's lowest frequency; the class has another one by default.
    ClapFeatureExtractor(truncation="rand_trunc", frequency_min=50).save_pretrained(full)
    shutil.copy(folder / "tokenizer.json", full)
    ours = ClapExtractor(full, weights=tmp_path / "random.pt")
    theirs = LaionClapExtractor(tmp_path / "random.pt")
    sounds, texts = _sounds(5, 1.5), ["a dog barks", "rain falls"]
    assert 1 - ours.sounds(sounds)[0] @ ours.sounds(sounds)[1] > 1e-3, "all sounds are alike"
    assert ours.sounds(sounds) == pytest.approx(theirs.sounds(sounds), abs=1e-6)
    assert ours.texts(texts) == pytest.approx(theirs.texts(texts), abs=1e-6)


def test_without_the_package_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "laion_clap", None)
    torch.save({}, tmp_path / "best.pt")
    with pytest.raises(ImportError, match="use ClapExtractor"):
        LaionClapExtractor(tmp_path / "best.pt")
    with pytest.raises(MissingWeightsError, match=r"no file absent\.pt"):
        LaionClapExtractor(tmp_path / "absent.pt")


# --- in use -----------------------------------------------------------------------------------------


def test_metrics_work_over_a_clap(clap: ClapExtractor) -> None:
    sounds = _sounds(1, 0.5, 2.5, 0.7, 1, 3)
    fad = FAD(clap)
    assert fad.value(fad.statistics(sounds, sounds)) == pytest.approx(0, abs=1e-6)
    assert clap.signature in fad.signature
    score = CLAPScore(clap)
    assert np.abs(score.statistics(sounds, ["a dog barks"] * 6)).max() <= 1


def test_clap_serves_torchmetrics(clap: ClapExtractor) -> None:
    sounds = _sounds(1, 1)
    waves = torch.from_numpy(np.stack([sound.samples for sound in sounds]))
    assert clap.num_features == 12
    assert clap(waves).numpy() == pytest.approx(clap.sounds(sounds), abs=1e-6)
    with pytest.raises(ValueError, match="at most 8000"):
        clap(torch.zeros(1, 8001))


def test_windows_are_cached_by_content_and_rate(clap: ClapExtractor, tmp_path: Path) -> None:
    sounds = _sounds(1, 2.5)
    cached = CachedExtractor(clap, tmp_path)
    rows = cached.windows(sounds)
    assert [part.tolist() for part in rows] == [part.tolist() for part in clap.windows(sounds)]
    assert len(list(tmp_path.rglob("*.npy"))) == 2
    again = Sound(sounds[0].samples, 16_000)
    assert cached.windows([again])[0].tolist() != rows[0].tolist()
    cached.windows([Sound(sounds[1].samples.copy(), RATE)])
    cached.sounds(sounds)
    assert len(list(tmp_path.rglob("*.npy"))) == 3 + 2
    with pytest.raises(TypeError, match="no content to cache by"):
        cached.windows([object()])
