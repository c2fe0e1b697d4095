"""What is added to a frozen causal language model: low-rank adapters, and rows of its vocabulary."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from nextgpt.config import Lora
from nextgpt.errors import ConfigError


def adapt(causal: Any, lora: Lora) -> None:
    """Put low-rank adapters into a causal language model of transformers.

    Raises:
        ConfigError: it has no layers of the names that they are to stand beside; says which it has.
    """
    from peft import LoraConfig, inject_adapter_in_model

    there = {name.rpartition(".")[2] for name, _ in causal.named_modules()}
    missing = [name for name in lora.targets if name not in there]
    if missing:
        own = ", ".join(_usual(causal))
        raise ConfigError(
            f"lora: a {type(causal).__name__} has no {', '.join(missing)}; "
            f"say which of its layers adapters stand beside: lora: {{targets: [{own}]}}"
        )
    inject_adapter_in_model(
        LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,
            lora_dropout=lora.dropout,
            target_modules=list(lora.targets),
            bias="none",
        ),
        causal,
    )


def _usual(causal: Any) -> list[str]:
    """The layers that peft adapts in such a model, or else all linear layers but the output rows."""
    from peft.utils.constants import TRANSFORMERS_MODELS_TO_LORA_TARGET_MODULES_MAPPING as USUAL

    usual = USUAL.get(causal.config.model_type)
    if isinstance(usual, list):
        return usual
    head, linear = causal.get_output_embeddings(), nn.Linear
    names = [name for name, own in causal.named_modules() if isinstance(own, linear) and own is not head]
    return sorted({name.rpartition(".")[2] for name in names})


def adapters(causal: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters of a model's adapters, by name."""
    return {name: value for name, value in causal.named_parameters() if "lora_" in name}


def add_rows(causal: Any, total: int) -> None:
    """Bring the vocabulary to so many tokens; each new one begins as the mean of the others."""
    before = len(causal.get_input_embeddings().weight)
    if total <= before:
        return
    causal.resize_token_embeddings(total, mean_resizing=False)
    with torch.no_grad():
        for matrix in (causal.get_input_embeddings().weight, causal.get_output_embeddings().weight):
            matrix[before:] = matrix[:before].mean(0)


def untie(causal: Any) -> None:
    """Give the output rows a matrix of their own, where they shared the input embeddings'."""
    head, table = causal.get_output_embeddings(), causal.get_input_embeddings()
    if head.weight is table.weight:
        head.weight = nn.Parameter(table.weight.detach().clone())
        causal.config.tie_word_embeddings = False
