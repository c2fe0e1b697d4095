"""A conversation with a model: what has been said, and which picture is being talked about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nextgpt.media import Image, MediaError
from nextgpt.messages import Failure, Message, Request, seed_of, user
from nextgpt.model import NextGPT

HELP = "/image FILE shows a picture, /forget takes it away, /new begins anew, /quit ends"


class Chat:
    """A conversation.

    The picture in view is the last one shown by the user or made by the model. It goes with every message,
    so that "mirror the scene" needs no file; a model that reads earlier turns finds it there instead.

    Args:
        model: who answers.
        out: folder where pictures are saved, named by their content.
        seed: another seed makes other pictures.
    """

    def __init__(self, model: NextGPT, out: Path, seed: int = 0) -> None:
        self.model = model
        self.out = out
        self.seed = seed
        self.messages: list[Message] = []
        self.view: Image | None = None

    def say(self, text: str) -> tuple[Message | Failure, list[Path]]:
        """Say something.

        Returns:
            The answer, and the files of the pictures in it. What failed is not remembered.
        """
        count = self.model.config.generation.history
        earlier = self.messages[-count:] if count else []
        while earlier and earlier[0].role == "assistant":
            earlier = earlier[1:]
        shown = any(self.view == image for message in earlier for image in message.images)
        said = user(text) if self.view is None or shown else user(self.view, text)
        seed = seed_of(f"chat/{len(self.messages)}", self.seed)
        answer = self.model.respond([Request((*earlier, said), seed=seed)])[0]
        files: list[Path] = []
        if isinstance(answer, Message):
            self.messages += [said, answer]
            for image in answer.images:
                files.append(self.out / f"{image.content_hash[:16]}.png")
                image.save(files[-1])
                self.view = image
        return answer, files

    def forget(self) -> None:
        """Take the picture out of view."""
        self.view = None

    def begin_anew(self) -> None:
        """Forget everything."""
        self.messages.clear()
        self.view = None


def told(answer: Message | Failure, files: list[Path]) -> str:
    """An answer as lines for a terminal."""
    if isinstance(answer, Failure):
        return f"(no answer: {answer.stage}: {answer.reason})"
    lines = [answer.text] if answer.text else []
    lines += [f"({what}: {said})" for what, said in answer.steps]
    return "\n".join([*lines, *(f"picture: {file}" for file in files)]) or "(an empty answer)"


def loop(chat: Chat, read: Callable[[], str], write: Callable[[str], None]) -> None:
    """Read, answer, write, until the input ends or `/quit`.

    Args:
        chat: the conversation.
        read: gives the next line; raises EOFError at the end.
        write: shows an answer.
    """
    write(HELP)
    while True:
        try:
            line = read().strip()
        except EOFError:
            return
        command, _, rest = line.partition(" ")
        if command == "/quit":
            return
        if command == "/image":
            try:
                chat.view = Image.open(Path(rest.strip()).expanduser())
            except MediaError as error:
                write(str(error))
        elif command == "/forget":
            chat.forget()
        elif command == "/new":
            chat.begin_anew()
        elif command.startswith("/"):
            write(HELP)
        elif line:
            write(told(*chat.say(line)))
