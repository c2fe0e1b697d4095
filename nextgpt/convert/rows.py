"""Token rows: the vocabulary matrices of the released code, cut into signals, tags and the rest.

The released code grew the language model's own matrices. Here signals have rows of their own, and the
matrices stay as they were, unless the preset says that a checkpoint brings them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nextgpt.config import Config
from nextgpt.convert.layouts import EMBEDDINGS, LOGITS, SIGNALS
from nextgpt.convert.reading import Source

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """What is known of the token rows.

    Attributes:
        keys: of the source's matrices, by `EMBEDDINGS` and `LOGITS`.
        tokens: of the language model, before anything was added.
        width: of the language model.
        config: the preset.
        trained: whether the checkpoint is to bring the language model's own rows.
    """

    keys: Mapping[str, str]
    tokens: int
    width: int
    config: Config
    trained: bool


def signal_rows(source: Source, rows: Rows) -> tuple[dict[str, Tensor], dict[str, str], list[str]]:
    """Cut the vocabulary matrices.

    Returns:
        Tensors by their names here, what was left out and why, and what does not fit.
    """
    added = dict(source.added_tokens) or source.layout.added_tokens(rows.tokens)
    total = max([rows.tokens, *(place + 1 for place in added.values())])
    problems = [
        f"{name.removeprefix('rows.')} of all tokens are missing, the preset needs {[total, rows.width]}"
        for name in (EMBEDDINGS, LOGITS)
        if name not in rows.keys
    ]
    problems += _unknown_tokens(source, rows, added)
    tensors: dict[str, Tensor] = {}
    left_out: dict[str, str] = {}
    for name, key in rows.keys.items():
        matrix, kind = source.tensors[key], name.removeprefix("rows.")
        # The newer code may save the added rows alone.
        alone = not rows.trained and matrix.shape == (total - rows.tokens, rows.width)
        if matrix.shape != (total, rows.width) and not alone:
            problems.append(
                f"{key} has shape {list(matrix.shape)}, the preset needs {[total, rows.width]}: "
                f"{rows.tokens:,} tokens of the language model and {total - rows.tokens} added ones"
            )
        elif not problems:
            first = rows.tokens if alone else 0
            signals = [added[token] - first for token in _signals(source, rows)]
            tensors[f"signals.{kind}"] = matrix[signals]
            if rows.trained:
                tags = [added[tag] for tag in rows.config.prompt.tags]
                tensors[f"vocabulary.{kind}"] = matrix[[*range(rows.tokens), *tags]]
            elif not alone:
                left_out[f"{key}[0:{rows.tokens}]"] = (
                    f"the preset {rows.config.name} keeps the language model's own rows (vocabulary: frozen)"
                )
            left_out |= {
                f"{key}[{place}], {token}": f"no token of the preset {rows.config.name}"
                for token, place in added.items()
                if place >= rows.tokens and token not in _wanted(source, rows)
            }
    return tensors, left_out, problems


def _signals(source: Source, rows: Rows) -> list[str]:
    """The source's names of the preset's signals, in the preset's order."""
    return source.layout.signals(kind for kind in rows.config.signals if kind in SIGNALS)


def _wanted(source: Source, rows: Rows) -> set[str]:
    return {*_signals(source, rows), *rows.config.prompt.tags}


def _unknown_tokens(source: Source, rows: Rows, added: Mapping[str, int]) -> list[str]:
    """Tokens that the preset needs and the source does not have, or not after the vocabulary."""
    problems = [
        f"the preset has {count} {kind} signals, the layout {SIGNALS.get(kind, 0)}"
        for kind, count in rows.config.signals.items()
        if SIGNALS.get(kind) != count
    ]
    for token in [*rows.config.prompt.tags, *_signals(source, rows)]:
        if token not in added:
            problems.append(f"the token {token} is not among the added ones")
        elif added[token] < rows.tokens:
            problems.append(
                f"the token {token} has id {added[token]}, but the language model has {rows.tokens:,} tokens"
            )
    return problems
