"""How likely answers are, against transformers' own loss and against the model's own greedy reply."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from baselines.huggingface import HuggingFace, load
from nextgpt.media import Image
from nextgpt.messages import Failure, Request, user
from tests.baselines import tiny_models

PICTURE = Image(np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, HuggingFace]:
    folder = tmp_path_factory.mktemp("models")
    return {name: load(str(tiny_models.build(name, folder / name))) for name in ("llama", "llava")}


def request(name: str) -> Request:
    return Request((user(PICTURE, "is it red?") if name == "llava" else user("is it red?"),))


@pytest.mark.parametrize("name", ["llama", "llava"])
def test_an_answer_is_as_likely_as_transformers_loss_says(models: dict[str, HuggingFace], name: str) -> None:
    system: Any = models[name]
    answers = ("a", "red a the")
    found = system.log_probabilities([request(name)], answers)[0]
    for answer, number in zip(answers, found, strict=True):
        inputs = system._placed_inputs(request(name))
        ids = torch.tensor([system._tokenizer(answer, add_special_tokens=False)["input_ids"]])
        prompt = inputs.pop("input_ids")
        inputs.pop("attention_mask")
        both = torch.cat([prompt, ids], dim=1)
        labels = torch.cat([torch.full_like(prompt, -100), ids], dim=1)
        extra = {key: value for key, value in inputs.items() if key == "pixel_values"}
        with torch.no_grad():
            loss = system._model(input_ids=both, labels=labels, **extra).loss
        assert number == pytest.approx(-float(loss) * ids.shape[1], rel=1e-4)


def test_one_token_answers_share_what_all_tokens_have(models: dict[str, HuggingFace]) -> None:
    system: Any = models["llama"]
    words = [system._tokenizer.decode([token]) for token in range(len(system._tokenizer))]
    alone = [w for w in words if len(system._tokenizer(w, add_special_tokens=False)["input_ids"]) == 1]
    found = system.log_probabilities([request("llama")], alone)[0]
    assert sum(map(math.exp, dict(zip(alone, found, strict=True)).values())) <= 1 + 1e-5


def test_what_a_model_can_not_read_is_that_request_s_failure(models: dict[str, HuggingFace]) -> None:
    shown = Request((user(PICTURE, "is it red?"),))
    (refused, told) = models["llama"].log_probabilities([shown, request("llama")], ("a", "the"))
    assert isinstance(refused, Failure)
    assert isinstance(told, list)
    with pytest.raises(ValueError, match="written in no token"):
        models["llama"].log_probabilities([request("llama")], ("a", ""))


@pytest.mark.weights
def test_nextgpt_is_surest_of_what_it_says(tmp_path: Path) -> None:
    import nextgpt
    from toyworld.kinds import kind_of
    from toyworld.splits import scenes

    model = nextgpt.load("tiny")
    pictures = [kind_of(scene).render(scene) for scene in scenes("test", 6)]
    for picture in pictures:
        asked = Request((user(picture, "how many objects are there?"),))
        (reply,) = model.respond([asked])
        options = ("0", "1", "2", "3")
        (found,) = model.log_probabilities([asked], options)
        assert isinstance(found, list)
        assert max(found) <= 0
        assert not isinstance(reply, Failure)
        assert options[int(np.argmax(found))] == reply.text
        (both,) = model.log_probabilities([asked], ("1", "1 red circle"))
        assert isinstance(both, list)
        assert both[1] < both[0]  # more words are less likely than their beginning
    sound: Any = model.log_probabilities([Request((user("how many?"),))], ("1",))
    assert len(sound[0]) == 1
