"""NExT-GPT: messages in, messages out; text and pictures either way."""

from __future__ import annotations

from nextgpt.media import Image, MediaError
from nextgpt.messages import Failure, Message, Modality, Part, Request, assistant, seed_of, user

__all__ = [
    "Failure",
    "Image",
    "MediaError",
    "Message",
    "Modality",
    "Part",
    "Request",
    "assistant",
    "seed_of",
    "user",
]
