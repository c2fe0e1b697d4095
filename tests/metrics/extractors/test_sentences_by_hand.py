"""Sentences' embeddings against a BERT written out in NumPy, of random weights and of MiniLM's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.special import erf, softmax
from tokenizers import Tokenizer

from metrics.extractors import SentenceExtractor
from nextgpt.weights.packaged import place
from tests.metrics.extractors.tiny_networks import tiny_sentences
from tests.packaged import needs

Rows = NDArray[np.float64]
SAID = ["a red circle", "circle", "a blue square"]


class Written:
    """BERT's forward pass and the mean of its tokens, in float64."""

    def __init__(self, folder: Path) -> None:
        weights = load_file(folder / "model.safetensors")
        self.weights = {name.removeprefix("bert."): rows.astype(np.float64) for name, rows in weights.items()}
        self.config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()

    def embedded(self, text: str) -> Rows:
        ids = self.tokenizer.encode(text).ids
        table = "embeddings.{}_embeddings.weight"
        words = self.weights[table.format("word")][ids]
        places = self.weights[table.format("position")][: len(ids)]
        rows = self._norm(
            words + places + self.weights[table.format("token_type")][0], "embeddings.LayerNorm"
        )
        for number in range(self.config["num_hidden_layers"]):
            rows = self._layer(rows, f"encoder.layer.{number}.")
        mean = rows.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean))

    def _layer(self, rows: Rows, at: str) -> Rows:
        heads = self.config["num_attention_heads"]
        query, key, value = (
            self._linear(rows, f"{at}attention.self.{name}").reshape(len(rows), heads, -1).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        seen = softmax(query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1]), axis=-1) @ value
        seen = self._linear(seen.transpose(1, 0, 2).reshape(rows.shape), f"{at}attention.output.dense")
        rows = self._norm(rows + seen, f"{at}attention.output.LayerNorm")
        wide = self._linear(rows, f"{at}intermediate.dense")
        wide = wide * 0.5 * (1 + erf(wide / np.sqrt(2)))
        return self._norm(rows + self._linear(wide, f"{at}output.dense"), f"{at}output.LayerNorm")

    def _linear(self, rows: Rows, at: str) -> Rows:
        return np.asarray(rows @ self.weights[f"{at}.weight"].T + self.weights[f"{at}.bias"])

    def _norm(self, rows: Rows, at: str) -> Rows:
        away = rows - rows.mean(axis=-1, keepdims=True)
        scale = np.sqrt((away**2).mean(axis=-1, keepdims=True) + self.config["layer_norm_eps"])
        return np.asarray(away / scale * self.weights[f"{at}.weight"] + self.weights[f"{at}.bias"])


def held(folder: Path, texts: list[str]) -> None:
    written, found = Written(folder), SentenceExtractor(folder).texts(texts)
    expected = np.stack([written.embedded(text) for text in texts])
    assert found == pytest.approx(expected, abs=1e-5)


def test_random_weights_embed_as_they_are_written_out(tmp_path: Path) -> None:
    held(tiny_sentences(tmp_path / "tiny"), SAID)


@pytest.mark.packaged
@needs("minilm")
def test_minilm_embeds_as_it_is_written_out(caplog: pytest.LogCaptureFixture) -> None:
    texts = ["A dog runs across a field.", "Two people sit at a table with plates of food.", "dog"]
    held(place() / "minilm", texts)
    assert "UNEXPECTED" not in caplog.text
    a, b, c = SentenceExtractor(place() / "minilm").texts([*texts[:2], "A puppy is running on the grass."])
    assert a @ c > 2 * (a @ b)
