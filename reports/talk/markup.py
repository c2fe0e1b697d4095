"""What was said, as HTML. Whatever anybody said is escaped here, and nowhere else is it put into markup."""

from __future__ import annotations

from markupsafe import Markup, escape

from nextgpt.media import Audio, Image, Medium
from nextgpt.messages import Failure, Message
from nextgpt.terminal import visible
from reports.talk.answering import Making
from reports.talk.conversation import Talk
from reports.talk.shelf import Shelf

_LONGEST = 20_000  # characters of a text that are shown
_MAKES = {"image": "Drawing", "video": "Making the clip", "audio": "Making the sound"}


def transcript(talk: Talk, place: int, shelf: Shelf) -> str:
    """All finished turns of one side."""
    pane = talk.panes[place]
    rows = [Markup("<h2>{}</h2>").format(talk.name(place))]
    for said, got in pane.turns:
        rows.append(_bubble("you", "You", [_part(part, shelf) for part in said.parts]))
        if got is not None:
            rows.append(_answer(talk, place, got, shelf))
    if not pane.turns:
        rows.append(Markup('<p class="empty">Nothing has been said yet.</p>'))
    return str(Markup("").join(rows))


def unfinished(talk: Talk, place: int) -> str:
    """The answer that is being made on one side, empty where none is."""
    pane = talk.panes[place]
    if not pane.turns or pane.turns[-1][1] is not None:
        return ""
    making = pane.making
    parts = [_text(making.words)] if making.words else []
    parts.append(_progress(making))
    return str(_bubble("system", talk.name(place), parts))


def beside(talk: Talk, shelf: Shelf) -> str:
    """What goes with the next message, empty where nothing does."""
    if not talk.attached:
        return ""
    parts = Markup("").join(_part(medium, shelf) for medium in talk.attached)
    return str(Markup("<h2>Goes with your next message</h2>{}").format(parts))


def _answer(talk: Talk, place: int, got: Message | Failure, shelf: Shelf) -> Markup:
    name = talk.panes[place].system.name
    if isinstance(got, Failure):
        reason = f"No answer ({got.stage}): {got.reason}"
        # As long as nobody is to know who answers, an error must not say it.
        reason = reason.replace(name, "this system") if talk.blind else reason
        parts = [Markup('<p class="failure">{}</p>').format(" ".join(visible(reason).split()))]
    else:
        parts = [_part(part, shelf) for part in got.parts] or [
            Markup('<p class="empty">(an empty answer)</p>')
        ]
    if got.steps and not talk.blind:
        rows = Markup("").join(Markup("<li><b>{}</b> {}</li>").format(*map(visible, s)) for s in got.steps)
        parts.append(
            Markup("<details><summary>How it came about</summary><ul>{}</ul></details>").format(rows)
        )
    return _bubble("system", talk.name(place), parts)


def _bubble(kind: str, who: str, parts: list[Markup]) -> Markup:
    inside = Markup("").join(parts)
    return Markup('<section class="said {}"><h3>{}</h3>{}</section>').format(kind, who, inside)


def _part(part: str | Medium, shelf: Shelf) -> Markup:
    if isinstance(part, str):
        return _text(part)
    source = f"/media/{shelf.add(part)}"
    if isinstance(part, Image):
        small = "drawn" if part.width <= 128 else ""
        return Markup('<img class="{}" src="{}" alt="Picture, {} by {} pixels">').format(
            small, source, part.width, part.height
        )
    tag, noun = ("audio", "Sound") if isinstance(part, Audio) else ("video", "Clip")
    return Markup('<{0} controls preload="metadata" src="{1}" aria-label="{2} of {3} seconds"></{0}>').format(
        Markup(tag), source, noun, f"{part.seconds:.1f}"
    )


def _text(text: str) -> Markup:
    shown = visible(text)
    more = f" … ({len(shown) - _LONGEST:,} more characters)" if len(shown) > _LONGEST else ""
    return Markup('<p class="text" dir="auto">{}{}</p>').format(escape(shown[:_LONGEST]), more)


def _progress(making: Making) -> Markup:
    if making.what:
        words = _MAKES.get(making.what, "Working")
        told = f"{words}: step {making.done} of {making.total}"
        return Markup(
            '<p class="doing">{0}<progress max="{1}" value="{2}" aria-label="{0}"></progress></p>'
        ).format(told, max(1, making.total), making.done)
    told = "Waiting for another conversation …" if making.waits else "Answering …"
    return Markup('<p class="doing">{0}<progress aria-label="{0}"></progress></p>').format(told)
