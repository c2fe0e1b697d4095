"""A language model in the files that Vicuna was published in: torch's shards, and a tokenizer.model alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from nextgpt.config import load_config
from nextgpt.errors import ConfigError
from nextgpt.messages import assistant, user
from nextgpt.reasoning.language_model import LanguageModel
from nextgpt.reasoning.prompts import Writer
from nextgpt.signals import Signals
from nextgpt.weights.doctor import examine

SYSTEM = load_config("7b").prompt.begin
TEXT = [
    f"{SYSTEM} USER: what is in the picture? ASSISTANT: a small red circle</s>",
    "### Human: draw a cat\n### Assistant: here it is\n###",
] * 20
_CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "bos_token_id": 1,
    "eos_token_id": 2,
    "hidden_size": 16,
    "intermediate_size": 16,
    "max_position_embeddings": 512,
    "model_type": "llama",
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "pad_token_id": 0,
    "rope_scaling": None,
    "tie_word_embeddings": False,
    "torch_dtype": "float16",
    "vocab_size": 300,
}
# As it came with versions 0 to 1.5; do_sample is not said, which newer transformers complain about.
_GENERATION = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0, "temperature": 0.9, "top_p": 0.6}


def save_tokenizer(folder: Path) -> None:
    """SentencePiece's own file, with Llama's settings, and what transformers 4 wrote beside it."""
    import sentencepiece

    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT),
        model_prefix=str(folder / "tokenizer"),
        vocab_size=_CONFIG["vocab_size"],
        hard_vocab_limit=False,
        model_type="bpe",
        byte_fallback=True,
        pad_id=-1,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        minloglevel=2,
    )
    (folder / "tokenizer.vocab").unlink()
    settings = {"tokenizer_class": "LlamaTokenizer", "legacy": False, "add_bos_token": True}
    marks = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({**settings, **marks}))
    (folder / "special_tokens_map.json").write_text(json.dumps({**marks, "pad_token": "<unk>"}))


def save_shards(folder: Path) -> None:
    """Two files of torch and their index, with the rotary buffers that older code saved too."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    state = LlamaForCausalLM(LlamaConfig(**_CONFIG)).half().state_dict()
    state |= {
        f"model.layers.{k}.self_attn.rotary_emb.inv_freq": torch.ones(4)
        for k in range(_CONFIG["num_hidden_layers"])  # type: ignore[call-overload]
    }
    shards: dict[str, dict[str, Any]] = {f"pytorch_model-0000{k}-of-00002.bin": {} for k in (1, 2)}
    for place, (name, value) in enumerate(state.items()):
        list(shards.values())[place % 2][name] = value
    for name, tensors in shards.items():
        torch.save(tensors, folder / name)
    listed = {tensor: name for name, tensors in shards.items() for tensor in tensors}
    index = {"metadata": {"total_size": 0}, "weight_map": listed}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (folder / "config.json").write_text(json.dumps(_CONFIG))
    (folder / "generation_config.json").write_text(json.dumps(_GENERATION))


@pytest.fixture(scope="module")
def vicuna(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights") / "vicuna-7b-v1.5"
    folder.mkdir()
    save_tokenizer(folder)
    save_shards(folder)
    return folder


@pytest.fixture(scope="module")
def pieces(vicuna: Path) -> Any:
    """What SentencePiece itself makes of text."""
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_file=str(vicuna / "tokenizer.model"))


@pytest.fixture(scope="module")
def model(vicuna: Path) -> LanguageModel:
    return LanguageModel.load(vicuna, {"image": 4}, torch.float32)


def writer(model: LanguageModel, preset: str) -> Writer:
    return Writer(load_config(preset).prompt, model.tokenizer, Signals(model.signals.first, {"image": 4}), 8)


def test_all_its_tokens_are_there(model: LanguageModel, pieces: Any) -> None:
    assert len(model.tokenizer) == len(pieces)


@pytest.mark.parametrize(
    ("preset", "text"),
    [
        ("7b", f"{SYSTEM} USER: what is it? ASSISTANT:"),
        ("7b-v0", "### Human: what is it?\n### Assistant:"),
    ],
)
def test_a_prompt_is_what_sentencepiece_makes_of_it(
    model: LanguageModel, pieces: Any, preset: str, text: str
) -> None:
    assert writer(model, preset).write([user("what is it?")]).ids == [1, *pieces.encode(text)]


def test_a_reply_and_the_next_turn_are_too(model: LanguageModel, pieces: Any) -> None:
    turns = [user("draw a cat"), assistant("here it is"), user("what is it?")]
    assert writer(model, "7b-v0").write(turns).ids == [
        1,
        *pieces.encode("### Human: draw a cat\n### Assistant: here it is\n###"),
        *pieces.encode("Human: what is it?\n### Assistant:"),
    ]


def test_it_speaks_until_its_end(model: LanguageModel, pieces: Any) -> None:
    own = writer(model, "7b-v0")
    ids = pieces.encode("here it is\n###")
    assert model._end_of(ids, own.end, model.decode(own.end)) == len(pieces.encode("here it is"))
    prompt = model.embed(torch.tensor([own.write([user("what is it?")]).ids]))[0]
    (reply,) = model.generate([prompt], end=own.end, max_new_tokens=4)
    assert len(reply.ids) == 4


def test_the_doctor_finds_each_file(vicuna: Path) -> None:
    part = {part.name: part for part in examine(load_config("7b"), vicuna.parent)}["language_model"]
    assert part.whole
    assert [file.name for file in part.files] == [
        "tokenizer.model",
        "config.json",
        "pytorch_model.bin.index.json",
        "pytorch_model-00001-of-00002.bin",
        "pytorch_model-00002-of-00002.bin",
    ]


@pytest.fixture
def copy(vicuna: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(vicuna, tmp_path / "copy"))


def shard(folder: Path) -> tuple[Path, dict[str, torch.Tensor]]:
    path = folder / "pytorch_model-00002-of-00002.bin"
    return path, torch.load(path, weights_only=True)


def refused(folder: Path) -> str:
    with pytest.raises(ConfigError) as error:
        LanguageModel.load(folder, {"image": 4}, torch.float32)
    return str(error.value)


def test_a_missing_tensor_is_not_made_up(copy: Path) -> None:
    path, tensors = shard(copy)
    name = next(name for name in tensors if "mlp" in name)
    torch.save({key: value for key, value in tensors.items() if key != name}, path)
    assert refused(copy) == f"copy: not the weights of its config.json: {name} is missing"


def test_a_tensor_of_another_shape_is_named_with_both(copy: Path) -> None:
    path, tensors = shard(copy)
    name = next(name for name in tensors if "mlp.down" in name)
    torch.save(tensors | {name: torch.zeros(3, 5)}, path)
    assert refused(copy).endswith(f"{name} has shape [3, 5], config.json says [16, 16]")


def test_a_file_that_runs_code_is_never_run(copy: Path, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "ran",)

    path, tensors = shard(copy)
    torch.save({**tensors, "evil": Evil()}, path)
    assert "no language model that transformers can load" in refused(copy)
    assert not (tmp_path / "ran").exists()


def test_no_tokenizer_at_all(copy: Path) -> None:
    (copy / "tokenizer.model").unlink()
    assert refused(copy) == "copy: the tokenizer is empty; is its vocabulary file missing?"
    (copy / "tokenizer_config.json").unlink()
    # Which of the two depends on the version of transformers.
    empty, none = "the tokenizer is empty", "no tokenizer: none of tokenizer.model, tokenizer.json"
    assert refused(copy).startswith((f"copy: {empty}", f"copy: {none}"))


def test_a_damaged_tokenizer_is_named(copy: Path) -> None:
    path = copy / "tokenizer.model"
    path.write_bytes(path.read_bytes()[100:])
    said = "copy: the tokenizer in tokenizer.model cannot be read; fetch it again: its vocabulary is damaged"
    assert refused(copy) == said


def test_a_tokenizer_cut_between_two_words_is_noticed(copy: Path) -> None:
    """What is left of the file is still one that can be read."""
    from sentencepiece import sentencepiece_model_pb2

    kind: Any = vars(sentencepiece_model_pb2)["ModelProto"]
    path = copy / "tokenizer.model"
    pieces = kind.FromString(path.read_bytes())
    del pieces.pieces[200:]
    path.write_bytes(pieces.SerializeToString())
    assert "knows 200 tokens, the model 300" in refused(copy)
