"""How each family of pipelines encodes text, by its own `encode_prompt`, and tells of its steps."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from nextgpt import watching
from nextgpt.messages import Modality


def text_condition(pipeline: Any, prompts: list[str], device: torch.device) -> dict[str, Tensor]:
    """What a pipeline's own text encoders make of prompts, without guidance.

    Args:
        pipeline: of one of `conditions.FAMILIES`.
        prompts: long ones are cut off.
        device: where to compute.

    Returns:
        The parts of its condition by name; rows of padding that the pipeline would mask are zero.
    """
    kind = type(pipeline).__name__
    if kind == "StableDiffusionXLPipeline":
        answer = pipeline.encode_prompt(
            prompts, device=device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
        return {"prompt_embeds": answer[0], "pooled_prompt_embeds": answer[2]}
    if kind == "AudioLDMPipeline":
        return {"prompt_embeds": pipeline._encode_prompt(prompts, device, 1, False)}
    if kind == "AudioLDM2Pipeline":
        embeds, mask, generated = pipeline.encode_prompt(prompts, device, 1, False)
        return {"prompt_embeds": embeds * mask.unsqueeze(-1), "generated_prompt_embeds": generated}
    if kind == "StableAudioPipeline":
        return {"prompt_embeds": _stable_audio(pipeline, prompts, device)}
    if kind in ("WanPipeline", "CogVideoXPipeline"):
        embeds, _ = pipeline.encode_prompt(
            prompts,
            do_classifier_free_guidance=False,
            device=device,
            max_sequence_length=_longest(pipeline),
        )
        return {"prompt_embeds": embeds}
    return {"prompt_embeds": pipeline.encode_prompt(prompts, device, 1, False)[0]}


def _stable_audio(pipeline: Any, prompts: list[str], device: torch.device) -> Tensor:
    """The T5's answer, before the pipeline's own projection, which it applies to what it is given."""
    tokens = pipeline.tokenizer(
        prompts,
        padding="max_length",
        max_length=pipeline.tokenizer.model_max_length,
        truncation=True,
        return_tensors="pt",
    ).to(device)
    answer = pipeline.text_encoder(tokens.input_ids, attention_mask=tokens.attention_mask)[0]
    masked: Tensor = answer * tokens.attention_mask.unsqueeze(-1)
    return masked


def _longest(pipeline: Any) -> int:
    """Tokens of a prompt: a number of the transformer's configuration, or the default of the call.

    Wan's call and its encoder have different defaults; the call's is what it was trained with.
    """
    if "max_text_seq_length" in pipeline.transformer.config:
        return int(pipeline.transformer.config.max_text_seq_length)
    return int(inspect.signature(type(pipeline).__call__).parameters["max_sequence_length"].default)


def watched_steps(pipeline: Any, modality: Modality, steps: int | None = None) -> dict[str, Any]:
    """Arguments by which a pipeline's call tells of each step to whoever watches; each family has its own.

    Args:
        pipeline: of diffusers.
        modality: what it makes.
        steps: denoising steps; None for the call's own number.

    >>> class Silent:
    ...     def __call__(self, prompt: str) -> None: ...
    >>> watched_steps(Silent(), "image", 12)
    {}
    """
    known = inspect.signature(type(pipeline).__call__).parameters
    count = (
        known["num_inference_steps"].default if steps is None and "num_inference_steps" in known else steps
    )
    total = count or 1
    if "callback_on_step_end" in known:

        def told(_: Any, place: int, time: Any, changed: dict[str, Any]) -> dict[str, Any]:
            watching.step(modality, place + 1, total)
            return changed

        return {"callback_on_step_end": told}
    if "callback" in known:  # the older families'
        return {"callback": lambda place, *_: watching.step(modality, place + 1, total), "callback_steps": 1}
    return {}
