"""One sentence for everything: where the scales of captioning and of answering begin.

A number means something only beside it, for a sentence that fits anything scores above nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nextgpt.messages import Failure, Message, Modality, Request, assistant

SENTENCES: Mapping[Modality, str] = {
    "image": "a man is standing next to a table with a plate of food",
    "video": "a man is playing with a dog",
    "audio": "A man is speaking as a vehicle passes by",
    "text": "I do not know.",
}
ANSWER, WORD, CHOICE = "no", "man", "A"


class Constant:
    """Says one sentence of a picture, one of a clip, one of a sound; one word to any question.

    Example:
        >>> from nextgpt.messages import user
        >>> Constant().respond([Request((user("Is it day?"),))])[0].text
        'no'
    """

    name, fingerprint = "constant-sentence", "constant:2"
    accepts: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
    produces: frozenset[Modality] = frozenset({"text"})
    given: frozenset[str] = frozenset()

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """The same, for each."""
        return [assistant(_said(request)) for request in requests]


def _said(request: Request) -> str:
    last = request.conversation[-1]
    if "describe the " in last.text.lower():
        kinds = [medium.modality for medium in last.media]
        return SENTENCES[kinds[0] if kinds else "text"]
    if "letter" in last.text:
        return CHOICE
    return WORD if "one word" in last.text else ANSWER
