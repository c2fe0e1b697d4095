"""A conversation with a model: what has been said, and what is shown with what is said next."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from nextgpt.media import Audio, Image, MediaError, Medium, Video
from nextgpt.media.video import CHAT_FPS
from nextgpt.messages import Failure, Message, Modality, Request, seed_of, user
from nextgpt.model import NextGPT
from nextgpt.reasoning.prompts import HALVES
from nextgpt.signals import MODALITIES

ENDINGS: dict[Modality, str] = {"image": ".png", "video": ".mp4", "audio": ".wav"}
HELP = (
    "/image FILE, /video FILE and /audio FILE go with your next message, /forget takes them back, "
    "/new begins anew, /quit ends"
)


def open_medium(modality: str, path: Path) -> Medium:
    """Read a file as what it is said to be.

    Raises:
        MediaError: it is not.
    """
    if modality == "image":
        return Image.open(path)
    return Video.open(path, fps=CHAT_FPS) if modality == "video" else Audio.open(path)


class Chat:
    """A conversation.

    A medium goes with the message that it was given with, and with no other. Models that read earlier turns
    find it there, and what they made themselves too.

    Args:
        model: who answers.
        out: folder where media are saved, named by their content.
        seed: another seed makes other media.
        busy: a context for as long as an answer takes, such as something that turns.
    """

    def __init__(
        self,
        model: NextGPT,
        out: Path,
        seed: int = 0,
        busy: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self.model = model
        self.out = out
        self.seed = seed
        self.busy = busy
        self.messages: list[Message] = []
        self.shown: list[Medium] = []

    def show(self, medium: Medium) -> None:
        """Put a medium beside the next message."""
        self.shown.append(medium)

    def say(self, text: str) -> tuple[Message | Failure, list[Path]]:
        """Say something, with the media shown since the last time.

        Returns:
            The answer, and the files of the media in it. What failed is not remembered.
        """
        count = self.model.history
        earlier = self.messages[-count:] if count else []
        while earlier and earlier[0].role == "assistant":
            earlier = earlier[1:]
        said = user(*self.shown, HALVES.sub("\N{REPLACEMENT CHARACTER}", text))
        self.shown = []
        seed = seed_of(f"chat/{len(self.messages)}", self.seed)
        with self.busy():
            answer = self.model.respond([Request((*earlier, said), seed=seed)])[0]
        files: list[Path] = []
        if isinstance(answer, Message):
            self.messages += [said, answer]
            for medium in answer.media:
                files.append(self.out / f"{medium.content_hash[:16]}{ENDINGS[medium.modality]}")
                medium.save(files[-1])
        return answer, files

    def forget(self) -> None:
        """Take back what was to go with the next message."""
        self.shown = []

    def begin_anew(self) -> None:
        """Forget everything."""
        self.messages.clear()
        self.shown = []


def told(answer: Message | Failure, files: list[Path]) -> str:
    """An answer as lines for a terminal."""
    if isinstance(answer, Failure):
        return f"(no answer: {answer.stage}: {answer.reason})"
    lines = [answer.text] if answer.text else []
    lines += [f"({what}: {said})" for what, said in answer.steps]
    nouns = [MODALITIES[medium.modality].noun for medium in answer.media]
    lines += [f"{noun}: {file}" for noun, file in zip(nouns, files, strict=True)]
    return "\n".join(lines) or "(an empty answer)"


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
        if line.partition(" ")[0] == "/quit":
            return
        try:
            _obey(chat, line, write)
        except (MediaError, OSError) as error:  # the conversation goes on
            write(str(error))


def _obey(chat: Chat, line: str, write: Callable[[str], None]) -> None:
    command, _, rest = line.partition(" ")
    if command.startswith("/") and command[1:] in MODALITIES:
        chat.show(open_medium(command[1:], _path(rest.strip())))
    elif command == "/forget":
        chat.forget()
    elif command == "/new":
        chat.begin_anew()
    elif command.startswith("/"):
        write(HELP)
    elif line:
        write(told(*chat.say(line)))


def _path(typed: str) -> Path:
    """A path as it was typed; a home that nobody has is the name of a file, and no name holds a zero."""
    path = Path(typed.replace("\0", "\\x00"))
    try:
        return path.expanduser()
    except RuntimeError:
        return path
