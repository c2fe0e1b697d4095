"""How likely a model of transformers is to answer so: the numbers that VQAScore reads, of any such model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def log_probabilities(
    model: Any, tokenizer: Any, inputs: Mapping[str, Any], answers: Sequence[str]
) -> list[float]:
    """The log-probability of each answer as the beginning of the reply to one prompt.

    The sum over the answer's tokens of the log-softmax over the whole vocabulary. An answer is spelt as it is
    given and tokenised by itself, so "Yes" and " Yes" are different answers; what stands before it is the end
    of the chat template, or the decoder's start token of a model with an encoder.

    Args:
        model: causal, or with encoder and decoder.
        tokenizer: its own.
        inputs: of one prompt, as the processor gives them, on the model's device.
        answers: one or more.

    Returns:
        One number for each.

    Raises:
        ValueError: an answer that the tokenizer writes in no token.
    """
    import torch

    spoken = [tokenizer(answer, add_special_tokens=False)["input_ids"] for answer in answers]
    if not all(spoken):
        raise ValueError(f"answers {list(answers)}: one of them is written in no token")
    with torch.inference_mode():
        if max(map(len, spoken)) == 1:  # one pass tells all
            odds = _next(model, inputs, [])[-1:]
            return [float(odds[0, ids[0]]) for ids in spoken]
        found = []
        for ids in spoken:
            odds = _next(model, inputs, ids[:-1])[-len(ids) :]
            found.append(float(sum(odds[place, token] for place, token in enumerate(ids))))
        return found


def _next(model: Any, inputs: Mapping[str, Any], said: Sequence[int]) -> Any:
    """Log-probabilities of what comes next at each place up to the end of what was said, ``[places, V]``."""
    import torch

    given = dict(inputs)
    if model.config.is_encoder_decoder:
        start = model.generation_config.decoder_start_token_id or model.config.decoder_start_token_id
        given["decoder_input_ids"] = torch.tensor([[start, *said]], device=model.device)
    elif said:
        prompt = given["input_ids"]
        more = torch.tensor([list(said)], device=prompt.device, dtype=prompt.dtype)
        for name, value in inputs.items():
            if getattr(value, "shape", None) == prompt.shape:
                added = more if name == "input_ids" else torch.full_like(more, int(name == "attention_mask"))
                given[name] = torch.cat([value, added.to(value.dtype)], dim=1)
    return model(**given).logits[0].float().log_softmax(-1)
