"""NExT-GPT: messages in, messages out; text, pictures, clips and sounds either way.

Names load when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nextgpt.loading import load
    from nextgpt.media import Audio, Image, MediaError, Video
    from nextgpt.messages import Failure, Message, Modality, Part, Request, assistant, seed_of, user
    from nextgpt.model import NextGPT

_HOMES = {
    "load": "loading",
    "NextGPT": "model",
    "Audio": "media",
    "Image": "media",
    "Video": "media",
    "MediaError": "media",
    "Failure": "messages",
    "Message": "messages",
    "Modality": "messages",
    "Part": "messages",
    "Request": "messages",
    "assistant": "messages",
    "seed_of": "messages",
    "user": "messages",
}

__all__ = [
    "Audio",
    "Failure",
    "Image",
    "MediaError",
    "Message",
    "Modality",
    "NextGPT",
    "Part",
    "Request",
    "Video",
    "assistant",
    "load",
    "seed_of",
    "user",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'nextgpt' has no attribute {name!r}")
    return getattr(import_module(f"nextgpt.{_HOMES[name]}"), name)
