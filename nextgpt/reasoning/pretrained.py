"""Reading a causal language model of transformers and its tokenizer from a folder, whole or not at all."""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch

from nextgpt.errors import ConfigError
from nextgpt.weights import gguf
from nextgpt.weights.files import VOCABULARIES, refuse_made_up, refuse_not_finite, variant_of

Bits = Literal[4, 8]


def read(
    folder: Path, dtype: torch.dtype, *, bits: Bits | None = None, device: torch.device | None = None
) -> tuple[Any, Any]:
    """A language model and its tokenizer.

    Args:
        folder: as transformers saves it, or with a GGUF file, whose numbers are made whole.
        dtype: of its weights; of what is computed where they are quantised.
        bits: 8 or 4 to quantise its linear layers by bitsandbytes while they are read.
        device: where to read it to; by default main memory.

    Raises:
        ConfigError: the folder holds no such model or no tokenizer, or bitsandbytes is not installed.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    packed = gguf.told(folder)
    if packed and bits is not None:
        raise ConfigError(f"{folder.name}: a GGUF is quantised as it is; leave out bits: {bits}")
    tokenizer = _tokenizer(folder, packed)
    try:
        # Safetensors where there are any; Vicuna comes in torch's files, of which only tensors are read.
        causal, found = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            dtype=dtype,
            weights_only=True,
            variant=variant_of(folder.glob("*")),
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # they are refused below, by name
            **packed,
            **_quantised(bits, dtype, device or torch.device("cpu")),
        )
    except Exception as error:  # as above; files are read by half a dozen libraries
        raise ConfigError(f"{folder.name}: no language model that transformers can load: {error}") from error
    refuse_made_up(folder.name, found)
    refuse_not_finite(folder.name, causal.named_parameters())
    _refuse_another_kind(folder.name, causal)
    rows = len(causal.get_input_embeddings().weight)
    if len(tokenizer) < 0.9 * rows:  # some models have a few more rows than words, for round numbers
        raise ConfigError(
            f"{folder.name}: the tokenizer knows {len(tokenizer):,} tokens, the model {rows:,}; it is "
            "cut off, or another model's"
        )
    return causal, tokenizer


def _refuse_another_kind(name: str, causal: Any) -> None:
    """See that a language model can be asked for what is asked of all of them."""
    layers = getattr(causal, causal.base_model_prefix, None)
    takes = inspect.signature(layers.forward).parameters if layers is not None else {}
    wanted = ("inputs_embeds", "attention_mask", "position_ids", "past_key_values", "use_cache")
    lacking = [argument for argument in wanted if argument not in takes]
    if getattr(causal.config, "max_position_embeddings", None) is None:
        lacking.append("max_position_embeddings")
    if causal.get_output_embeddings() is None:
        lacking.append("output embeddings")
    if lacking:
        raise ConfigError(
            f"{name}: a {type(causal).__name__} knows no {', '.join(lacking)}; take a decoder such as Llama, "
            "Qwen, Mistral or GPT-2"
        )


def _tokenizer(folder: Path, packed: Mapping[str, str]) -> Any:
    """The tokenizer of a folder.

    Raises:
        ConfigError: there is none, or it cannot be read.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, **packed)
    except Exception as error:  # the readers of files raise what they like, Exception itself included
        files = [name for name in VOCABULARIES if (folder / name).exists()] or list(packed.values())
        if not files:
            wanted = ", ".join(VOCABULARIES)
            raise ConfigError(f"{folder.name}: no tokenizer: none of {wanted} is there") from error
        # A damaged file of SentencePiece is taken for one of tiktoken's, which is then missed.
        why = "its vocabulary is damaged" if "tiktoken" in str(error) else str(error)
        raise ConfigError(
            f"{folder.name}: the tokenizer in {files[0]} cannot be read; fetch it again: {why}"
        ) from error
    if len(tokenizer) < 10:
        raise ConfigError(f"{folder.name}: the tokenizer is empty; is its vocabulary file missing?")
    return tokenizer


def _quantised(bits: Bits | None, dtype: torch.dtype, device: torch.device) -> dict[str, Any]:
    """What transformers has to be told to quantise a model while it reads it; nothing for a whole one."""
    if bits is None:
        return {}
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ConfigError(
            f"a language model in {bits} bits needs bitsandbytes, which is not installed; "
            "`pip install nextgpt[bits]`, or leave out the bits"
        )
    from transformers import BitsAndBytesConfig

    how = (
        {"load_in_8bit": True}
        if bits == 8
        # NormalFloat with quantised constants, as QLoRA has it (Dettmers et al. 2023).
        else {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": True,
            "bnb_4bit_compute_dtype": dtype,
        }
    )
    return {"quantization_config": BitsAndBytesConfig(**how), "device_map": {"": device}}
