"""The nearest training caption: what of captioning is looking up, with the same eyes and ears.

A picture, a clip or a sound is given the caption of what lies nearest to it among what nextgpt-photo learnt
from, by the mean tokens of nextgpt-photo's own frozen encoders. A clip is compared with photographs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from baselines.optional import fingerprint
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Medium
from nextgpt.messages import Failure, Message, Modality, Request, assistant

VERSION = 1


class NearestCaption:
    """Captions of a folder, looked up.

    Args:
        folder: holds captioned photographs and sounds; see `nextgpt.captioned`.
        encoder: of them; see `nextgpt.model.Encoder`.
        about: what identifies the encoder.

    Raises:
        ConfigError: nothing in the folder is to be learnt from.
    """

    name = "nearest-caption"
    accepts: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
    produces: frozenset[Modality] = frozenset({"text"})
    given: frozenset[str] = frozenset()

    def __init__(self, folder: Path, encoder: Any, about: str) -> None:
        from nextgpt.captioned import read

        self._encoder = encoder
        self._known = [item for item in read(folder) if not item.kept_back]
        if not self._known:
            raise ConfigError(f"{folder}: all of it is kept back for measuring; there is nothing to look up")
        captions = [(item.id, item.captions) for item in self._known]
        self.fingerprint = fingerprint(VERSION, about, captions)
        self._tokens: dict[str, tuple[Any, list[str]]] = {}

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """A caption for the first medium of each request."""
        return [self._look_up(request) for request in requests]

    def _look_up(self, request: Request) -> Message | Failure:
        media = [medium for turn in request.conversation for medium in turn.media]
        if not media:
            return Failure("encode", "there is nothing to look up a caption of")
        kind = "audio" if media[0].modality == "audio" else "image"
        rows, captions = self._of_kind(kind)
        if not captions:
            return Failure("encode", f"no captions of the kind {kind} were learnt from")
        return assistant(captions[int((rows @ self._mean(media[0])).argmax())])

    def _of_kind(self, kind: str) -> tuple[Any, list[str]]:
        """Mean tokens float ``[N, D]`` of what was learnt from, and the first caption of each."""
        import torch

        if kind not in self._tokens:
            items = [item for item in self._known if item.kind == kind]
            opened = (Audio.open(item.path) if kind == "audio" else Image.open(item.path) for item in items)
            rows = [self._mean(medium) for medium in opened]
            captions = [item.captions[0] for item in items]
            self._tokens[kind] = (torch.stack(rows) if rows else None, captions)
        return self._tokens[kind]

    def _mean(self, medium: Medium) -> Any:
        """Float ``[D]``, of unit length."""
        import torch

        return torch.nn.functional.normalize(self._encoder.encode([medium])[0, 0], dim=-1)


def load(place: str) -> NearestCaption:
    """The captions of a folder, looked up with the encoders of nextgpt-photo.

    Raises:
        ConfigError: weights are missing, or nothing in the folder is to be learnt from.
        CaptionedError: a file of the folder cannot be read.
    """
    from nextgpt.config import load_config
    from nextgpt.loading import backbones, load_encoders

    config = load_config("photo")
    return NearestCaption(Path(place), load_encoders(config), backbones(config, "encoding")["encoder"])
