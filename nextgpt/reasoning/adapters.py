"""What is added to a frozen causal language model: low-rank adapters, and rows of its vocabulary."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from nextgpt.config import Lora


def adapt(causal: Any, lora: Lora) -> None:
    """Put low-rank adapters into a causal language model of transformers."""
    from peft import LoraConfig, inject_adapter_in_model

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
