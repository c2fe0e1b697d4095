"""Any model of transformers as a system: pictures, clips, sounds and text in, text out.

Which of transformers' classes reads a folder says its own configuration; what it can be shown say the parts
of its processor; how a conversation is written says its chat template. A model without a template is given
one message, its text alone beside the media, as BLIP-2 and Whisper were trained. Answers are greedy.

A medium that a model can't take, and a conversation that it can't be given, is that request's failure. No
code of a hub runs, and nothing is downloaded.

transformers reads clips only beside torchvision. Without it, and for models that know pictures alone,
``clips=pictures`` shows a clip as pictures of its frames.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from baselines.options import parse, safe
from nextgpt import watching
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Failure, Message, Modality, Request, Steps, assistant

VERSION = 1  # of this file; part of the fingerprint

# What a processor has for each kind of media.
_READERS: Mapping[Modality, str] = {
    "image": "image_processor",
    "video": "video_processor",
    "audio": "feature_extractor",
}
# Whatever else a model's own generation_config.json says holds, such as a penalty for repetition.
_GREEDY: Mapping[str, Any] = {"do_sample": False, "num_beams": 1}


@dataclass(frozen=True)
class Options:
    """How a model is asked; each changes the fingerprint, but for `batch`.

    Attributes:
        max_new_tokens: longest answer.
        frames: of a clip, evenly spread, as many as the model was trained with; shorter clips keep theirs.
        clips: what a clip is shown as: a "video", or "pictures" of its frames.
        batch: requests answered in one go.
    """

    max_new_tokens: int = 256
    frames: int = 8
    clips: Literal["video", "pictures"] = "video"
    batch: int = 8

    def __post_init__(self) -> None:
        if min(self.max_new_tokens, self.frames, self.batch) < 1:
            raise ConfigError(f"the options of a model must be at least 1, got {dataclasses.asdict(self)}")


class HuggingFace:
    """A model and its processor.

    Args:
        name: of the system.
        model: of transformers; it generates.
        processor: what `AutoProcessor` gives; of a model of text alone, its tokenizer.
        options: how it is asked.
        template: a chat template where the processor comes without one, in Jinja.
        fingerprint: of weights, options and this file.
    """

    produces: frozenset[Modality] = frozenset({"text"})
    given: frozenset[str] = frozenset()

    def __init__(
        self,
        name: str,
        model: Any,
        processor: Any,
        options: Options | None = None,
        *,
        template: str | None = None,
        fingerprint: str = "",
    ) -> None:
        self.name, self.fingerprint = name, fingerprint
        self._model, self._processor, self._options = model, processor, options or Options()
        self._tokenizer = getattr(processor, "tokenizer", processor)
        self._template = getattr(processor, "chat_template", None) or template
        seen = {modality for modality, part in _READERS.items() if getattr(processor, part, None) is not None}
        if self._options.clips == "pictures":
            seen = seen - {"video"} | ({"video"} if "image" in seen else set())
        self.accepts: frozenset[Modality] = frozenset({"text", *seen})
        # Whisper and its kind hear a sound and read no words.
        self._only_hears = model.main_input_name == "input_features" and model.config.is_encoder_decoder
        # BLIP-2 and its kind see exactly one picture.
        self._needs_picture = model.main_input_name == "pixel_values" and self._template is None
        self._longest = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        if not model.config.is_encoder_decoder:
            self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        model.generation_config.max_length = None  # max_new_tokens says it

    @property
    def talks(self) -> bool:
        """Whether it takes conversations: it has a chat template."""
        return self._template is not None

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Answer a batch, the requests with the same kinds of media together."""
        answers: list[Message | Failure | None] = [self._impossible(request) for request in requests]
        if self._options.clips == "pictures":
            requests = [self._in_pictures(request) for request in requests]
        alike: dict[tuple[str, ...], list[int]] = {}
        for row, request in enumerate(requests):
            if answers[row] is None:
                kinds = sorted({medium.modality for medium in _media(request)})
                alike.setdefault(tuple(kinds), []).append(row)
        for rows in alike.values():
            for start in range(0, len(rows), self._options.batch):
                part = rows[start : start + self._options.batch]
                for row, answer in zip(part, self._answer([requests[row] for row in part]), strict=True):
                    answers[row] = answer
        return [answer for answer in answers if answer is not None]

    def _impossible(self, request: Request) -> Failure | None:
        if unable := (request.wanted or frozenset()) - self.produces:
            return Failure("reply", f"{self.name} can't answer in {', '.join(sorted(unable))}")
        media = _media(request)
        if unknown := {medium.modality for medium in media} - self.accepts:
            return Failure("encode", f"{self.name} can't take {', '.join(sorted(unknown))}")
        if (self._only_hears or self._needs_picture) and len(media) != 1:
            what = "sound" if self._only_hears else "picture"
            return Failure("encode", f"{self.name} takes one {what}, and is given {len(media)}")
        if self._template is None and len(request.conversation) > 1:
            return Failure("encode", f"{self.name} has no chat template: it takes a single message")
        return None

    def _answer(self, requests: Sequence[Request]) -> list[Message | Failure]:
        import torch

        from nextgpt.decoding.reading import hushed

        inputs = self._inputs(requests)
        prompt = inputs.get("input_ids")
        length = 0 if prompt is None else prompt.shape[1]
        room = self._longest and self._longest - self._options.max_new_tokens
        if room is not None and length > room:
            if len(requests) > 1:  # only those that are too long themselves
                return [answer for request in requests for answer in self._answer([request])]
            return [Failure("encode", f"the prompt has {length} tokens; {max(room, 0)} fit {self.name}")]
        inputs = {key: self._placed(value) for key, value in inputs.items()}
        with torch.inference_mode(), hushed():  # of settings for sampling, which are not used
            made = self._model.generate(
                **inputs,
                **_GREEDY,
                max_new_tokens=self._options.max_new_tokens,
                stopping_criteria=[self._watched(prompt)],
            )
        answers = _without(prompt, made).tolist()
        mask = None if prompt is None else inputs.get("attention_mask")
        read = [length] * len(requests) if mask is None else mask.sum(1).tolist()
        return [self._told(*each) for each in zip(requests, answers, read, strict=True)]

    def _watched(self, prompt: Any) -> Any:
        """Tells whoever watches of each token of the first answer; stops nothing by itself."""

        def tell(ids: Any, _: Any, **__: Any) -> Any:
            watching.words(lambda: self._text(_without(prompt, ids)[0].tolist()))
            return ids.new_zeros(len(ids), dtype=bool)

        return tell

    def log_probabilities(
        self, requests: Sequence[Request], answers: Sequence[str]
    ) -> list[list[float] | Failure]:
        """How likely each answer is to begin the reply; see `baselines.likelihood`."""
        from baselines.likelihood import log_probabilities

        found: list[list[float] | Failure] = []
        for request in requests:
            impossible = self._impossible(request)
            shown = self._in_pictures(request) if self._options.clips == "pictures" else request
            found.append(
                impossible
                or log_probabilities(self._model, self._tokenizer, self._placed_inputs(shown), answers)
            )
        return found

    def _placed_inputs(self, request: Request) -> dict[str, Any]:
        return {key: self._placed(value) for key, value in self._inputs([request]).items()}

    def _told(self, request: Request, ids: list[int], read: int) -> Message:
        ends = self._model.generation_config.eos_token_id
        # Whisper takes the end away; what is padded has ended before.
        ends = {*(ends if isinstance(ends, list) else [ends]), self._tokenizer.pad_token_id}
        hears = getattr(getattr(self._processor, "feature_extractor", None), "n_samples", None)
        steps: Steps = tuple(
            ("problem", f"of a sound of {sound.seconds:.1f} s the first {hears / self._rate:g} were heard")
            for sound in _of(request, Audio)
            if hears is not None and sound.seconds > hears / self._rate
        )
        if len(ids) >= self._options.max_new_tokens and not ends.intersection(ids):
            steps += (("problem", f"the reply was cut off at {len(ids)} tokens"),)
        written = next((place for place, token in enumerate(ids) if token in ends), len(ids))
        steps += (("tokens", f"{read} read, {written} written"),)
        return assistant(self._text(ids), steps=steps)

    def _text(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text.strip()

    def _placed(self, value: Any) -> Any:
        if not hasattr(value, "to"):
            return value
        value = value.to(self._model.device)
        return value.to(self._model.dtype) if value.is_floating_point() else value

    # What the model is given ----------------------------------------------------------------------

    def _inputs(self, requests: Sequence[Request]) -> dict[str, Any]:
        rate = self._rate
        sounds = [_samples(each, rate) for request in requests for each in _of(request, Audio)]
        if self._only_hears:
            return dict(self._processor.feature_extractor(sounds, sampling_rate=rate, return_tensors="pt"))
        texts = [self._written(request) for request in requests]
        given: dict[str, Any] = {"padding": True, "return_tensors": "pt"}
        bos = self._tokenizer.bos_token
        if self._template is not None and bos is not None and texts[0].startswith(bos):
            given["add_special_tokens"] = False  # the template has written them
        pictures = [[each.to_pil() for each in _of(request, Image)] for request in requests]
        if any(pictures):
            given["images"] = pictures
        clips = [[self._frames(each) for each in _of(request, Video)] for request in requests]
        if any(clips):
            given["videos"] = clips
        if sounds:
            given |= {"audio": sounds, "sampling_rate": rate}
        inputs = dict(self._processor(text=texts, **given))
        if "token_type_ids" in inputs and self._tokenizer is self._processor:
            del inputs["token_type_ids"]  # causal models know none
        return inputs

    @property
    def _rate(self) -> int:
        """Samples per second that the model hears, in Hz."""
        return int(getattr(getattr(self._processor, "feature_extractor", None), "sampling_rate", 16000))

    def _in_pictures(self, request: Request) -> Request:
        """The same with each clip as pictures of its frames."""
        turns = [
            dataclasses.replace(
                turn,
                parts=tuple(
                    piece
                    for part in turn.parts
                    for piece in (map(Image, self._frames(part)) if isinstance(part, Video) else [part])
                ),
            )
            for turn in request.conversation
        ]
        return dataclasses.replace(request, conversation=tuple(turns))

    def _frames(self, clip: Video) -> Any:
        import numpy as np

        count = min(self._options.frames, len(clip.frames))
        return clip.frames[np.linspace(0, len(clip.frames) - 1, count).round().astype(int)]

    def _written(self, request: Request) -> str:
        """The conversation as the model reads it."""
        if self._template is None:
            return request.conversation[-1].text
        plain = self._tokenizer is self._processor  # templates of text alone take a message as one text
        turns = [
            {
                "role": turn.role,
                "content": turn.text if plain else [_part(part) for part in turn.parts],
            }
            for turn in request.conversation
        ]
        written: str = self._processor.apply_chat_template(
            turns, chat_template=self._template, add_generation_prompt=True, tokenize=False
        )
        return written


def load(place: str, *, template: str | None = None) -> HuggingFace:
    """Read a model from ``FOLDER`` or a hub id, with ``?max_new_tokens=64&frames=8&batch=8`` behind it.

    Raises:
        ConfigError: there is none, it is of no kind that answers in text, its weights are not whole, or don't
            fit into memory, or it needs code of its own.
    """
    from baselines.transformers_files import read
    from nextgpt.checkpoints import folder_hash
    from nextgpt.weights.places import locate

    where, options = parse(place, Options)
    folder = locate(where)
    model, processor = read(folder)
    about = {
        **dataclasses.asdict(options),
        "version": VERSION,
        "template": template,
        "weights": folder_hash(folder),
    }
    del about["batch"]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    name = safe(f"hf-{Path(where).name}")
    return HuggingFace(name, model, processor, options, template=template, fingerprint=digest)


def _without(prompt: Any, made: Any) -> Any:
    """The answers' ids [B, L]: some models give back the prompt before the answer, some the answer alone."""
    length = 0 if prompt is None else prompt.shape[1]
    if length and made.shape[1] >= length and (made[:, :length].cpu() == prompt.cpu()).all():
        return made[:, length:]
    return made


def _media(request: Request) -> list[Medium]:
    return [medium for turn in request.conversation for medium in turn.media]


def _of(request: Request, kind: type[Any]) -> list[Any]:
    return [medium for medium in _media(request) if isinstance(medium, kind)]


def _samples(sound: Audio, rate: int) -> Any:
    return sound.resampled(rate).samples


def _part(part: str | Medium) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    return {
        "type": part.modality,
        part.modality: "",
    }  # the template writes its place; the medium goes beside it
