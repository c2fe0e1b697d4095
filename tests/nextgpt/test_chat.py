"""A conversation: what is in view, what is remembered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

from nextgpt.chat import Chat, loop
from nextgpt.config import Generation
from nextgpt.messages import Failure, Message, Request, assistant
from tests.nextgpt.backbones import plain


@dataclasses.dataclass
class Parrot:
    """Answers with a picture when asked to draw, fails when asked to, and repeats all else."""

    history: int = 0
    asked: list[Request] = dataclasses.field(default_factory=list)

    @property
    def config(self) -> SimpleNamespace:
        return SimpleNamespace(generation=Generation(history=self.history))

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        self.asked += requests
        text = requests[0].conversation[-1].text
        if text == "fail":
            return [Failure("reason", "it cannot")]
        return [assistant("here", plain("green")) if text == "draw" else assistant(text)]


def talk(parrot: Parrot, folder: Path, *lines: str) -> list[str]:
    told: list[str] = []
    given: Iterator[str] = iter(lines)

    def read() -> str:
        line = next(given, None)
        if line is None:
            raise EOFError
        return line

    loop(Chat(parrot, folder), read, told.append)  # type: ignore[arg-type]
    return told[1:]  # the first line explains the commands


def test_pictures_are_saved_and_come_into_view(tmp_path: Path) -> None:
    parrot = Parrot()
    told = talk(parrot, tmp_path / "pictures", "hello", "draw", "mirror it")
    (file,) = (tmp_path / "pictures").iterdir()
    assert told == ["hello", f"here\npicture: {file}", "mirror it"]
    assert [request.conversation[-1].images for request in parrot.asked] == [(), (), (plain("green"),)]
    assert [len(request.conversation) for request in parrot.asked] == [1, 1, 1]


def test_earlier_turns_are_read_by_models_that_can(tmp_path: Path) -> None:
    parrot = Parrot(history=4)
    talk(parrot, tmp_path, "one", "draw", "two", "three")
    assert [len(request.conversation) for request in parrot.asked] == [1, 3, 5, 5]
    # The picture is there already, as the model's own.
    assert not parrot.asked[2].conversation[-1].images


def test_showing_forgetting_and_beginning_anew(tmp_path: Path) -> None:
    parrot = Parrot()
    plain("blue").save(tmp_path / "blue.png")
    told = talk(
        parrot,
        tmp_path,
        f"/image {tmp_path / 'blue.png'}",
        "what?",
        "/forget",
        "hm",
        "/image nowhere.png",
        "/quit",
        "x",
    )
    assert [request.conversation[-1].images for request in parrot.asked] == [(plain("blue"),), ()]
    assert told[-1] == "nowhere.png: no such file; check the path."


def test_a_failure_is_told_and_not_remembered(tmp_path: Path) -> None:
    parrot = Parrot(history=4)
    told = talk(parrot, tmp_path, "fail", "", "/what", "/new", "hello")
    assert told[0] == "(no answer: reason: it cannot)"
    assert told[1].startswith("/image")
    assert len(parrot.asked[-1].conversation) == 1


def test_each_turn_has_its_own_seed(tmp_path: Path) -> None:
    parrot = Parrot()
    talk(parrot, tmp_path, "one", "two")
    assert parrot.asked[0].seed != parrot.asked[1].seed
