from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.harness.door import ContractError
from benchmarks.harness.records import FILE, Run
from benchmarks.harness.run import evaluate
from nextgpt.media import Audio, Image, Video
from nextgpt.messages import Failure, Message, Request, assistant
from tests.benchmarks.fakes import Speaker, echo, numbers, text_of


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


class Shy:
    def __repr__(self) -> str:
        raise RuntimeError("not to be looked at")


class Whole(Speaker):
    """A system made of one function from a batch to whatever it returns."""

    def __init__(self, answer: Callable[[Sequence[Request]], Any]) -> None:
        super().__init__(echo)
        self.answer = answer

    def respond(self, requests: Sequence[Request]) -> Any:
        return self.answer(requests)


def forged(**members: Any) -> Message:
    """A message that no constructor has seen."""
    message = object.__new__(Message)
    for name, value in members.items():
        object.__setattr__(message, name, value)
    return message


def with_second(answer: Callable[[], object], folder: Path) -> tuple[Run, Failure]:
    """A scored run whose second sample is answered so, and what became of that answer."""

    def say(request: Request) -> object:
        return answer() if text_of(request) == "1" else echo(request)

    run = evaluate(numbers(4), Speaker(say), folder)
    (failed,) = [each for each in run.predictions if each.failed]
    assert failed.sample == "s1"
    assert isinstance(failed.answer, Failure)
    for line in (run.folder / FILE).read_text().splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert evaluate(numbers(4), Speaker(say), folder).results == run.results  # it can be read back
    return run, failed.answer


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (lambda: None, "must return messages or failures, returned None"),
        (Shy, "returned an object of type Shy"),
        (lambda: b"x" * 1_000_000, "returned b'xxxx"),
        (lambda: Failure("plan", ValueError("why")), "the reason of a failure must be text"),  # type: ignore[arg-type]
        (lambda: Failure(None, "why"), "the stage of a failure must be text, not None"),  # type: ignore[arg-type]
        (lambda: Failure("plan", "why", steps="ab"), "the steps of an answer must be a tuple of pairs"),  # type: ignore[arg-type]
        (lambda: assistant("x", steps="ab"), "the steps of an answer must be a tuple of pairs"),  # type: ignore[arg-type]
        (lambda: assistant("x", steps=("ab",)), "a step must be a pair of texts"),  # type: ignore[arg-type]
        (lambda: assistant("x", steps=(("a", b"b"),)), "a step must be a pair of texts"),  # type: ignore[arg-type]
        (lambda: assistant("x", steps=(("a", float("nan")),)), "a step must be a pair of texts"),  # type: ignore[arg-type]
        (lambda: Message("assistant", "abc"), "the parts of a message must be a tuple, not 'abc'"),  # type: ignore[arg-type]
        (lambda: forged(role="assistant", parts=(3,), steps=()), "must be text or a medium, not 3"),
        (lambda: forged(role="system", parts=("x",), steps=()), "role of a message"),
        (forged, "can't be looked at"),
        (lambda: assistant(Image(np.zeros((7000, 7000, 3), np.uint8))), "49.0 megapixels, more than 40"),
        (lambda: assistant(Video(np.zeros((130, 4, 4, 3), np.uint8), 1)), "lasts 130.0 s, longer than 120"),
        (lambda: assistant(Audio(np.zeros(700_000, np.float32), 1000)), "lasts 700.0 s, longer than 600"),
        (lambda: assistant(Video(np.zeros((2, 70_000, 1, 3), np.uint8), 8)), "can't be kept"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_a_failure_that_says_how(
    tmp_path: Path, answer: Callable[[], object], complaint: str
) -> None:
    run, failure = with_second(answer, tmp_path)
    assert failure.stage == "contract"
    assert complaint in failure.reason
    assert run.results[0].value == 0.5


@pytest.mark.parametrize(
    "error",
    [SystemExit(0), GeneratorExit(), asyncio.CancelledError(), StopIteration(), MemoryError(), MuteError()],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_system_raises_is_that_samples_failure(tmp_path: Path, error: BaseException) -> None:
    def fall() -> object:
        raise error

    _, failure = with_second(fall, tmp_path)
    assert failure.stage == "system"
    assert failure.reason.startswith(type(error).__name__)


@pytest.mark.parametrize(
    ("respond", "found"),
    [
        (lambda requests: (echo(request) for request in requests), "returned a generator"),
        (lambda requests: None, "returned a NoneType"),
        (lambda requests: [echo(request) for request in requests] * 2, "returned 2 answers"),
        (lambda requests: echo(requests[0]), "returned a Message"),
    ],
)
def test_a_system_that_returns_no_list_of_answers_fails_at_each_sample(
    tmp_path: Path, respond: Callable[[Sequence[Request]], Any], found: str
) -> None:
    run = evaluate(numbers(3), Whole(respond), tmp_path)
    reasons = [each.answer.reason for each in run.predictions if isinstance(each.answer, Failure)]
    assert reasons == [f"respond() must return a list of 1 answers, {found}"] * 3


@pytest.mark.parametrize("change", ["sort", "pop", "reverse", "clear"])
def test_what_a_system_does_to_its_list_shifts_no_answer(tmp_path: Path, change: str) -> None:
    def respond(requests: Sequence[Request]) -> list[Message]:
        answers = [echo(request) for request in requests]
        getattr(requests, change)()
        return answers

    run = evaluate(numbers(4), Whole(respond), tmp_path)
    assert all("'tuple' object has no attribute" in each.answer.reason for each in run.predictions)  # type: ignore[union-attr]


def test_a_system_that_changes_the_current_folder_changes_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    def wander(request: Request) -> Message:
        os.chdir(tmp_path / "elsewhere")
        return echo(request)

    run = evaluate(numbers(4), Speaker(wander), Path("runs"), batch_size=1)
    assert run.folder == tmp_path / "runs" / "speaker" / "numbers"
    assert len(run.predictions) == 4
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("member", "value", "complaint"),
    [
        ("name", "a\x1b[2J", "can't name a folder"),
        ("name", None, "None can't name a folder"),
        ("name", "x" * 300, "can't name a folder"),
        ("fingerprint", 3, "`fingerprint` must be text on one line, got 3"),
        ("fingerprint", "a\x1b[2J", "`fingerprint` must be text on one line"),
        ("accepts", ["text"], "`accepts` must be a frozenset of names, got ['text']"),
        ("produces", "text", "`produces` must be a frozenset of names, got 'text'"),
        (
            "produces",
            frozenset({"text", "smell"}),
            "`produces` holds smell; there are audio",
        ),
        ("given", None, "`given` must be a frozenset of names, got None"),
        ("respond", 3, "`respond` must be a method"),
    ],
)
def test_a_system_that_breaks_the_contract_cannot_run(
    tmp_path: Path, member: str, value: object, complaint: str
) -> None:
    system = Speaker(echo)
    setattr(system, member, value)
    with pytest.raises(ContractError) as error:
        evaluate(numbers(2), system, tmp_path)
    assert complaint in str(error.value)
    assert str(error.value).isprintable()
    assert list(tmp_path.iterdir()) == []
