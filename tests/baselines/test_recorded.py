from __future__ import annotations

import gc
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from baselines.recorded import Recorded
from benchmarks.harness.predictions import Prediction, to_line
from benchmarks.harness.system import System
from benchmarks.tasks.answers import read_answers
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Request, assistant, seed_of, user


def ask(system: Recorded, *samples: str, base: int = 0) -> list[Message | Failure]:
    return system.respond([Request((user("?"),), seed=seed_of(sample, base)) for sample in samples])


def recorded(answers: dict[str, Message | Failure]) -> Recorded:
    return Recorded(answers, name="r", fingerprint="f")


def test_answers_come_back_by_sample_in_any_order() -> None:
    failure = Failure("plan", "no call")
    system = recorded({"a": assistant("1"), "b": failure, "c": assistant("")})
    assert isinstance(system, System)
    assert ask(system, "c", "b", "a") == [assistant(""), failure, assistant("1")]


def test_sample_without_answer_is_a_failure_and_so_is_another_base_seed() -> None:
    system = recorded({"a": assistant("1")})
    assert all(isinstance(answer, Failure) for answer in [*ask(system, "b"), *ask(system, "a", base=1)])


def test_it_produces_pictures_when_it_has_some() -> None:
    picture = Image(np.zeros((4, 4, 3), dtype=np.uint8))
    assert recorded({"a": assistant("1")}).produces == {"text"}
    assert recorded({"a": assistant(picture)}).produces == {"text", "image"}


def test_ids_that_share_a_seed_are_failures_unless_their_answers_agree(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    numbers = count()
    monkeypatch.setattr("baselines.recorded.seed_of", lambda sample: next(numbers) // 2)
    system = recorded({"a": assistant("1"), "b": assistant("2"), "c": assistant("3"), "d": assistant("3")})
    apart, alike = system.respond([Request((user("?"),), seed=seed) for seed in (0, 1)])
    assert isinstance(apart, Failure)
    assert alike == assistant("3")


def test_pictures_in_files_are_opened_when_they_are_asked_for_and_not_held(tmp_path: Path) -> None:
    def alive() -> int:
        return sum(isinstance(each, Image) for each in gc.get_objects())

    def line(number: int) -> bytes:
        picture = Image(np.full((4, 4, 3), number, dtype=np.uint8))
        return to_line(Prediction(str(number), assistant(picture)), tmp_path)

    before = alive()
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(b"".join(line(number) for number in range(8)))
    system = Recorded(read_answers(path), name="r", fingerprint="f")
    assert system.produces == {"text", "image"}
    assert alive() == before
    (answer,) = ask(system, "5")
    assert isinstance(answer, Message)
    assert answer.images[0].pixels[0, 0, 0] == 5
