"""How likely answers are: what a judge reads off a model in place of a reply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nextgpt.messages import Failure, Request

if TYPE_CHECKING:
    from nextgpt.model import NextGPT


@torch.no_grad()
def log_probabilities(
    model: NextGPT, requests: Sequence[Request], answers: Sequence[str]
) -> list[list[float] | Failure]:
    """The log-probability that a model would begin its reply with each answer, request by request.

    The sum over an answer's tokens of the log-softmax over all text tokens: signals are left out, as they are
    for who wants text. An answer is written as the template writes one, which puts a space before it.

    Args:
        model: the judge.
        requests: conversations that end with the user.
        answers: one or more, none of them empty.

    Returns:
        A number for each answer, or why the request can't be read, for each request, in order.

    Raises:
        ValueError: an answer that is written in no token.
    """
    model.eval()
    spoken = [model.writer.typed(f" {answer.strip()}") for answer in answers]
    if not all(spoken):
        raise ValueError(f"answers {list(answers)}: one of them is empty")
    found: list[list[float] | Failure] = []
    for request in requests:
        unread = model.unreadable(request)
        found.append(unread if isinstance(unread, Failure) else _of(model, unread, spoken))
    return found


def _of(model: NextGPT, prompt: Tensor, spoken: Sequence[Sequence[int]]) -> list[float]:
    """Of each answer after one prompt ``[L, D]``; all in one batch, padded behind."""
    language_model, length = model.language_model, len(prompt)
    longest = max(map(len, spoken))
    rows = prompt.new_zeros(len(spoken), length + longest - 1, prompt.shape[1])
    rows[:, :length] = prompt
    for row, ids in zip(rows, spoken, strict=True):
        if len(ids) > 1:
            row[length : length + len(ids) - 1] = language_model.embed(
                torch.tensor([ids[:-1]], device=prompt.device)
            )[0]
    states = language_model.hidden(rows)[:, length - 1 :]
    odds = language_model.logits(states, signals=False).log_softmax(-1)
    return [
        float(sum(odds[row, place, token] for place, token in enumerate(ids)))
        for row, ids in enumerate(spoken)
    ]
