"""Messages in OpenAI's form: media inside them as base64, both ways; never an address to fetch from."""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Mapping
from typing import Any

from baselines.endpoint import EndpointError
from nextgpt.media import Audio, Image, Medium, from_file
from nextgpt.messages import Message, Part


def content_of(turn: Message) -> str | list[dict[str, Any]]:
    """A message in the endpoint's form: one text where there is nothing else, as servers of text want it."""
    return [_sent(part) for part in turn.parts] if turn.media else turn.text


def _sent(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, Image):
        return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{_base64(part.png())}"}}
    if isinstance(part, Audio):
        return {"type": "input_audio", "input_audio": {"data": _base64(_pcm(part)), "format": "wav"}}
    return {"type": "video_url", "video_url": {"url": f"data:video/mp4;base64,{_base64(part.mp4())}"}}


def _pcm(sound: Audio) -> bytes:
    """A WAV file of sixteen bits, which every endpoint reads."""
    import numpy as np
    from scipy.io import wavfile

    buffer = io.BytesIO()
    wavfile.write(buffer, sound.rate, np.rint(sound.samples * 32767).astype(np.int16))
    return buffer.getvalue()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def choice_of(reply: Any) -> tuple[Mapping[str, Any], Any]:
    """The message of the first choice, and why it ended there.

    Raises:
        EndpointError: there is none, or it is a refusal.

    Example:
        >>> choice_of({"choices": [{"message": {"content": "a cat"}, "finish_reason": "stop"}]})
        ({'content': 'a cat'}, 'stop')
    """
    choices = reply.get("choices") if isinstance(reply, dict) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise EndpointError(f"the endpoint gave no choice: {brief(reply)}")
    said, why = choices[0].get("message"), choices[0].get("finish_reason")
    if not isinstance(said, dict):
        raise EndpointError(f"the endpoint's choice has no message: {brief(choices[0])}")
    if said.get("refusal") or why == "content_filter":
        reason = f"the endpoint refused: {brief(said.get('refusal') or why)}"
        raise EndpointError(reason, stage="refusal")
    return said, why


def parts_of(said: Mapping[str, Any]) -> list[Part]:
    """The parts of a message: its text, a list of parts, pictures and a sound beside it.

    Raises:
        EndpointError: a part of no known form, or one that only says where it lies.
        MediaError: a medium that can't be read.

    Example:
        >>> parts_of({"content": [{"type": "text", "text": " a cat"}]})
        ['a cat']
    """
    content = said.get("content")
    entries = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    images = said.get("images") or []
    parts = [_part(entry) for entry in (*entries, *(images if isinstance(images, list) else [images]))]
    sound = said.get("audio")
    if isinstance(sound, dict):
        parts.append(sound["transcript"] if isinstance(sound.get("transcript"), str) else "")
        parts.append(_medium("audio", sound.get("data")))
    return parts


def _part(entry: Any) -> Part:
    kind = entry.get("type") if isinstance(entry, dict) else None
    if kind in ("text", "output_text") and isinstance(entry.get("text"), str):
        text: str = entry["text"]
        return text.strip()
    if kind in ("image_url", "video_url", "audio_url"):
        place = entry.get(kind)
        url = place.get("url") if isinstance(place, dict) else place
        if isinstance(url, str) and url.startswith("data:"):
            return _medium(kind.removesuffix("_url"), url.partition(",")[2])
        raise EndpointError(f"the answer names a medium in place of holding it: {brief(url)}")
    raise EndpointError(f"the answer holds a part of no known form: {brief(entry)}")


def _medium(modality: str, data: Any) -> Medium:
    try:
        raw = base64.b64decode(data, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise EndpointError(f"the answer's {modality} is no base64: {brief(data)}") from None
    return from_file(modality, raw, f"the answer's {modality}")


def tokens_of(reply: Any, name: str) -> int:
    """A count of a reply's usage; 0 where it tells none.

    Example:
        >>> tokens_of({"usage": {"prompt_tokens": 7}}, "prompt_tokens")
        7
    """
    usage = reply.get("usage") if isinstance(reply, dict) else None
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and count > 0 else 0


def brief(value: Any) -> str:
    """A value of JSON in a few words, for an error.

    Example:
        >>> brief({"error": None})
        '{"error": null}'
    """
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 160 else f"{text[:160]}…"
