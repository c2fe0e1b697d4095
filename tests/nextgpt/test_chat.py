"""A conversation: what goes with a message, what is remembered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from nextgpt.chat import Chat, loop
from nextgpt.config import Generation
from nextgpt.media import Audio, Video
from nextgpt.messages import Failure, Message, Request, assistant
from tests.nextgpt.backbones import plain

SOUND = Audio(np.zeros(800, np.float32), 16000)
CLIP = Video(np.zeros((4, 16, 16, 3), np.uint8), 4)


@dataclasses.dataclass
class Parrot:
    """Answers with media when asked to, fails when asked to, and repeats all else."""

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
        if text == "everything":
            return [assistant("all", CLIP, "of it", SOUND)]
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


def last_media(parrot: Parrot) -> list[tuple]:
    return [request.conversation[-1].media for request in parrot.asked]


def test_what_is_made_is_saved(tmp_path: Path) -> None:
    parrot = Parrot()
    told = talk(parrot, tmp_path / "made", "hello", "draw", "everything")
    files = {file.suffix: file for file in (tmp_path / "made").iterdir()}
    assert told == [
        "hello",
        f"here\npicture: {files['.png']}",
        f"all of it\nclip: {files['.mp4']}\nsound: {files['.wav']}",
    ]
    assert Audio.open(files[".wav"]) == SOUND


def test_a_medium_goes_with_its_own_message_alone(tmp_path: Path) -> None:
    for history in (0, 8):
        parrot = Parrot(history)
        plain("blue").save(tmp_path / "blue.png")
        SOUND.save(tmp_path / "a.wav")
        CLIP.save(tmp_path / "a.mkv")
        files = [f"/{kind} {tmp_path / name}" for kind, name in (("image", "blue.png"), ("audio", "a.wav"))]
        talk(
            parrot, tmp_path, *files, "what?", "and now?", f"/video {tmp_path / 'a.mkv'}", "draw", "mirror it"
        )
        assert last_media(parrot) == [(plain("blue"), SOUND), (), (CLIP,), ()]
        # Models that read earlier turns find it where it was given.
        assert parrot.asked[1].conversation[0].media == ((plain("blue"), SOUND) if history else ())
        assert [len(request.conversation) for request in parrot.asked] == (
            [1, 3, 5, 7] if history else [1, 1, 1, 1]
        )


def test_earlier_turns_are_read_by_models_that_can(tmp_path: Path) -> None:
    parrot = Parrot(history=4)
    talk(parrot, tmp_path, "one", "draw", "two", "three")
    assert [len(request.conversation) for request in parrot.asked] == [1, 3, 5, 5]
    assert parrot.asked[2].conversation[3].images == (plain("green"),)


def test_taking_back_and_wrong_files(tmp_path: Path) -> None:
    parrot = Parrot()
    plain("blue").save(tmp_path / "blue.png")
    shown = f"/image {tmp_path / 'blue.png'}"
    told = talk(
        parrot, tmp_path, shown, "/forget", "hm", "/audio nowhere.wav", f"/video {tmp_path / 'blue.png'} "
    )
    assert last_media(parrot) == [()]
    assert told[1] == "nowhere.wav: no such file; check the path."
    told = talk(parrot, tmp_path, f"/audio {tmp_path / 'blue.png'}", "/quit", "x")
    assert "not a sound" in told[0]
    assert len(parrot.asked) == 1


def test_a_failure_is_told_and_not_remembered(tmp_path: Path) -> None:
    parrot = Parrot(history=4)
    plain("blue").save(tmp_path / "blue.png")
    told = talk(parrot, tmp_path, f"/image {tmp_path / 'blue.png'}", "fail", "", "/what", "/new", "hello")
    assert told[0] == "(no answer: reason: it cannot)"
    assert told[1].startswith("/image")
    assert len(parrot.asked[-1].conversation) == 1
    assert last_media(parrot) == [(plain("blue"),), ()]


def test_bytes_that_are_no_text_are_marked_before_they_reach_a_model(tmp_path: Path) -> None:
    parrot = Parrot()
    assert talk(parrot, tmp_path, "caf\udce9 \ud800") == ["caf\ufffd \ufffd"]


def test_each_turn_has_its_own_seed(tmp_path: Path) -> None:
    parrot = Parrot()
    talk(parrot, tmp_path, "one", "two")
    assert parrot.asked[0].seed != parrot.asked[1].seed


def test_what_cannot_be_opened_or_kept_does_not_end_the_conversation(tmp_path: Path) -> None:
    parrot = Parrot()
    long = f"/image {'a' * 5000}"
    told = talk(parrot, tmp_path, "/image ~nobody/x.png", "/audio \0", f"/video {tmp_path}", long, "hello")
    assert len(told) == 5
    assert told[-1] == "hello"
    (tmp_path / "file").write_text("")
    told = talk(parrot, tmp_path / "file", "draw", "hello")
    assert "file" in told[0]
    assert told[-1] == "hello"
