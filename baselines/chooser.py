"""Choosing among sentences: the option whose meaning lies nearest to a text, by MiniLM's sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nextgpt.errors import ConfigError

VERSION = 1


class Chooser:
    """A network of sentences.

    Args:
        folder: ``packaged:minilm``.

    Raises:
        ConfigError: there is no such network.
    """

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModel, AutoTokenizer

        from baselines.optional import fingerprint
        from nextgpt.decoding.reading import hushed

        try:
            with hushed():
                self._words = AutoTokenizer.from_pretrained(folder, local_files_only=True)
                self._network = AutoModel.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError) as error:
            raise ConfigError(f"{folder}: no network of sentences: {error}") from error
        self.fingerprint = fingerprint(VERSION, folder)

    def choose(self, said: str, options: Sequence[str]) -> int:
        """Which option lies nearest to what is said, from 0; the first of several that lie alike."""
        vectors = self._vectors([said, *options])
        return int((vectors[1:] @ vectors[0]).argmax())

    def _vectors(self, texts: Sequence[str]) -> Any:
        """Float ``[N, 384]``, of unit length: the masked mean over the tokens."""
        import torch

        inputs = self._words(list(texts), padding=True, truncation=True, return_tensors="pt")
        with torch.inference_mode():
            hidden = self._network(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=-1)
