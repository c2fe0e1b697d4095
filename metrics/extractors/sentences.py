"""Sentences to vectors, as sentence-transformers does for MiniLM: the tokens' mean, at unit length."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metrics.extractors.weights import MissingWeightsError, file_hash, local_folder, refuse_misfits

FILES = ("config.json", "tokenizer.json", "model.safetensors")
DISABLES = ("sentence_similarity", "fense")
LONGEST = 256  # tokens; all-MiniLM-L6-v2 was trained with so many, and the rest of a text is not read


class SentenceExtractor:
    """A BERT that embeds sentences, such as all-MiniLM-L6-v2; nothing is loaded before the first text.

    Args:
        source: a folder with `config.json`, `tokenizer.json` and `model.safetensors`, or a hub id whose files
            are in the local cache.
        device: where the network runs.
        batch_size: texts at a time, of like length.

    Raises:
        MissingWeightsError: no such folder, or a file missing in it.
    """

    def __init__(self, source: str | Path, *, device: str = "cpu", batch_size: int = 64) -> None:
        name = str(source) if not Path(source).is_dir() else Path(source).resolve().name
        folder = local_folder(source)
        if folder is None:
            raise MissingWeightsError(
                f"sentences {name}", "neither a folder nor in the local hub cache", DISABLES
            )
        for file in FILES:
            if not (folder / file).is_file():
                raise MissingWeightsError(f"sentences {name}", f"{file} is missing", DISABLES)
        self.name, self.folder, self.device, self.batch_size = name, folder, device, batch_size

    @cached_property
    def signature(self) -> str:
        """For example `sentences:minilm@1a2b3c4d,mean-of-tokens,unit,256`."""
        weights = file_hash(self.folder / "model.safetensors")
        return f"sentences:{self.name}@{weights},mean-of-tokens,unit,{self._longest}"

    def texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeddings of unit length, float32 [N, D]; an empty text has one too, of its end marks alone."""
        import torch

        encodings = self._tokenizer.encode_batch(list(texts)) if texts else []
        rows = np.zeros((len(encodings), int(self._config["hidden_size"])), np.float32)
        order = sorted(range(len(encodings)), key=lambda number: len(encodings[number].ids))
        for start in range(0, len(order), self.batch_size):
            part = order[start : start + self.batch_size]
            longest = len(encodings[part[-1]].ids)
            ids = torch.zeros(len(part), longest, dtype=torch.long)
            mask = torch.zeros(len(part), longest, dtype=torch.long)
            for row, number in enumerate(part):
                own = torch.tensor(encodings[number].ids)
                ids[row, : len(own)], mask[row, : len(own)] = own, 1
            with torch.inference_mode():
                ids, mask = ids.to(self.device), mask.to(self.device)
                states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
                seen = mask.unsqueeze(-1).float()
                mean = (states * seen).sum(1) / seen.sum(1)
                rows[part] = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
        return rows

    @cached_property
    def _config(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "config.json").read_text(encoding="utf-8")))

    @property
    def _longest(self) -> int:
        return min(LONGEST, int(self._config.get("max_position_embeddings", LONGEST)))

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(self._longest)
        return tokenizer

    @cached_property
    def _model(self) -> Any:
        import torch
        from safetensors import safe_open
        from transformers import AutoModel

        # A pooler that a file has is read, and not used: it would be reported as a misfit otherwise.
        with safe_open(self.folder / "model.safetensors", "pt") as file:
            pooled = any(name.endswith("pooler.dense.weight") for name in file.keys())  # noqa: SIM118
        model, report = AutoModel.from_pretrained(
            self.folder,
            local_files_only=True,
            trust_remote_code=False,
            dtype=torch.float32,
            add_pooling_layer=pooled,
            output_loading_info=True,
        )
        refuse_misfits(report, "position_ids", f"sentences {self.name}", "model.safetensors", DISABLES)
        return model.eval().requires_grad_(False).to(self.device)
