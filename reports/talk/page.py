"""The page itself: Gradio brings upload, queue and streaming; what is said is markup of our own."""

from __future__ import annotations

import mimetypes
import secrets
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from markupsafe import escape

from benchmarks.harness.storage import RecordError
from benchmarks.harness.system import System
from nextgpt.media import Audio, Image, MediaError, Medium, Video
from nextgpt.media.video import CHAT_FPS
from nextgpt.messages import Modality
from nextgpt.terminal import one_line
from reports.talk.conversation import VOTES, Talk, TalkError
from reports.talk.markup import beside, transcript, unfinished
from reports.talk.shelf import Shelf
from reports.talk.votes import Ballot

STYLE = Path(__file__).parent / "templates" / "talk.css"
_WANTED: dict[str, Modality] = {"picture": "image", "clip": "video", "sound": "audio"}
_MOST_VISITORS = 200
_MOST_LETTERS = 100_000
_LABELS = {
    "left": "Left is better",
    "right": "Right is better",
    "tie": "Equally good",
    "both bad": "Both are bad",
}


class Visitors:
    """Everybody's conversation, by Gradio's name of the page; the oldest is forgotten beyond a number."""

    def __init__(self, systems: Sequence[System], seed: int) -> None:
        self._systems, self._seed = systems, seed
        self._turn = threading.Lock()
        self._talks: dict[str, Talk] = {}

    def talk(self, page: str | None) -> Talk:
        """The conversation that a page shows."""
        name = page or ""
        if name not in self._talks:
            who = f"visitor-{secrets.token_hex(6)}"
            self._talks[name] = Talk(self._systems, self._turn, who, self._seed)
            while len(self._talks) > _MOST_VISITORS:
                self._talks.pop(next(iter(self._talks))).stop()
        return self._talks[name]

    def leave(self, page: str | None) -> None:
        """Forget a conversation whose page was closed."""
        talk = self._talks.pop(page or "", None)
        if talk is not None:
            talk.stop()


class Page:
    """What happens when something is pressed; each handler gives what is to be shown anew.

    Args:
        systems: one, or two to be compared.
        shelf: keeps media that are shown.
        ballot: keeps votes; None where there is but one system.
        seed: of answers and sides.
    """

    def __init__(self, systems: Sequence[System], shelf: Shelf, ballot: Ballot | None, seed: int) -> None:
        self.visitors, self._shelf, self._ballot = Visitors(systems, seed), shelf, ballot
        self._sides = len(systems)

    def build(self) -> Any:
        """The page, as Gradio's blocks."""
        import gradio as gr

        for handler in (
            Page.attach,
            Page.forget,
            Page.send,
            Page.stop,
            Page.begin_anew,
            Page.look,
            Page.leave,
            Page.vote,
        ):
            # Gradio tells who asks to what is annotated so; its class is known here and not above.
            handler.__annotations__["request"] = gr.Request
        with gr.Blocks(analytics_enabled=False, title="Talk to it", delete_cache=(600, 600)) as blocks:
            gr.HTML(self._heading())
            with gr.Row():
                panes = []
                for _ in range(self._sides):
                    with gr.Column(min_width=280):
                        done = gr.HTML(elem_classes="talk")
                        panes += [done, gr.HTML(elem_classes="talk")]
            alert = gr.HTML(elem_classes="alert")
            votes = []
            if self._ballot is not None:
                with gr.Row():
                    votes = [gr.Button(label, interactive=False) for label in _LABELS.values()]
            text = gr.Textbox(
                label="Your message",
                placeholder="Enter sends, Shift and Enter begins a new line",
                max_lines=8,
                max_length=_MOST_LETTERS,
                autofocus=True,
            )
            with gr.Row():
                send = gr.Button("Send", variant="primary")
                stop = gr.Button("Stop", interactive=False)
                anew = gr.Button("New conversation")
            attached = gr.HTML(elem_classes="talk attached")
            with gr.Row():
                add = gr.UploadButton(
                    "Add pictures, clips, sounds",
                    file_count="multiple",
                    file_types=["image", "video", "audio"],
                )
                forget = gr.Button("Take them back")
            wanted = gr.CheckboxGroup(list(_WANTED), label="Wanted back", info="None: as it sees fit")
            shown = [*panes, alert, *votes, stop, attached]
            quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
            for trigger in (send.click, text.submit):
                trigger(self.send, [text, wanted], [*shown, text], concurrency_limit=16, **quiet)
            add.upload(self.attach, add, shown, concurrency_limit=4, **quiet)
            forget.click(self.forget, None, shown, **quiet)
            stop.click(self.stop, None, None, concurrency_limit=16, **quiet)
            anew.click(self.begin_anew, None, shown, **quiet)
            for choice, button in zip(VOTES, votes, strict=False):
                button.click(self._voting(choice), None, shown, **quiet)
            blocks.load(self.look, None, shown, **quiet)
            blocks.unload(self.leave)
        return blocks.queue(max_size=64, api_open=False)

    def attach(self, files: list[str], request: Any) -> list[Any]:
        """Put files beside the next message."""
        talk = self.visitors.talk(request.session_hash)
        problem = ""
        for file in files:
            try:
                talk.attach(_open(Path(file)))
            except (TalkError, MediaError) as error:
                problem = problem or str(error)
            finally:
                self._shelf.drop(Path(file))  # what it holds is in memory now
        return self._shown(talk, problem)

    def forget(self, request: Any) -> list[Any]:
        """Take back what was to go with the next message."""
        talk = self.visitors.talk(request.session_hash)
        talk.attached.clear()
        return self._shown(talk)

    def send(self, text: str, wanted: list[str], request: Any) -> Iterator[list[Any]]:
        """Say something; yields as the answer grows."""
        import gradio as gr

        talk = self.visitors.talk(request.session_hash)
        try:
            news = talk.say(text[:_MOST_LETTERS], frozenset(_WANTED[name] for name in wanted))
            for step, _ in enumerate(news):
                yield [*self._shown(talk, busy=True), gr.skip() if step else ""]
            yield [*self._shown(talk), gr.skip()]
        except TalkError as error:
            yield [*self._shown(talk, str(error)), gr.skip()]

    def stop(self, request: Any) -> None:
        """Want no more of what is being made."""
        self.visitors.talk(request.session_hash).stop()

    def begin_anew(self, request: Any) -> list[Any]:
        """Forget what was said."""
        talk = self.visitors.talk(request.session_hash)
        try:
            talk.begin_anew()
        except TalkError as error:
            return self._shown(talk, str(error), busy=True)
        return self._shown(talk)

    def look(self, request: Any) -> list[Any]:
        """What there is to be seen when a page is opened."""
        return self._shown(self.visitors.talk(request.session_hash))

    def leave(self, request: Any) -> None:
        """A page was closed."""
        self.visitors.leave(request.session_hash)

    def vote(self, choice: str, request: Any) -> list[Any]:
        """Keep a vote, then show the names."""
        assert self._ballot is not None
        talk = self.visitors.talk(request.session_hash)
        try:
            self._ballot.add(talk.vote(choice))
            talk.tell(choice)
        except (TalkError, RecordError) as error:
            return self._shown(talk, str(error))
        return self._shown(talk)

    def _voting(self, choice: str) -> Any:
        def voting(request: Any) -> list[Any]:
            return self.vote(choice, request)

        voting.__annotations__ = self.vote.__annotations__
        return voting

    def _shown(self, talk: Talk, problem: str = "", *, busy: bool = False) -> list[Any]:
        import gradio as gr

        sides = []
        for place in range(self._sides):
            sides += [transcript(talk, place, self._shelf), unfinished(talk, place)]
        told = (
            f"Your vote: {_LABELS[talk.voted].lower()}. Your next message begins a new round."
            if talk.voted
            else ""
        )
        kind = "alert" if problem else "status"
        words = (
            f'<p role="{kind}">{escape(one_line(problem))}</p>' if problem else f'<p role="status">{told}</p>'
        )
        can_vote = talk.open_to_votes and not busy
        votes = [gr.update(interactive=can_vote) for _ in VOTES] if self._ballot is not None else []
        return [*sides, words, *votes, gr.update(interactive=busy), beside(talk, self._shelf)]

    def _heading(self) -> str:
        if self._ballot is None:
            return "<h1>Talk to it</h1><p class='lead'>With words, pictures, clips and sounds.</p>"
        return (
            "<h1>Which answer is better?</h1><p class='lead'>Two systems answer what you say. Their sides "
            "are drawn, and their names are told after your vote.</p>"
        )


def _open(path: Path) -> Medium:
    """A file as the medium that its ending says.

    Raises:
        MediaError: it is none, or its ending says nothing; names it without its folder.
    """
    kind = (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]
    try:
        match kind:
            case "image":
                return Image.open(path)
            case "video":
                return Video.open(path, fps=CHAT_FPS)
            case "audio":
                return Audio.open(path)
    except MediaError as error:
        raise MediaError(str(error).replace(str(path), path.name)) from error
    raise MediaError(f"{path.name}: no picture, clip or sound by its ending; choose another file")
