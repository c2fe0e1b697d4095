"""Any pipeline of diffusers as a system: the words of a request in; a picture, a clip or a sound out.

What it makes is read from what its call takes. One whose call takes an ``image`` too, such as
InstructPix2Pix, is given the request's picture. Steps, guidance and size are the pipeline's own where nobody
says.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from baselines.options import parse, safe
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, MediaError, Medium, Video
from nextgpt.messages import Failure, Message, Modality, Request, assistant

VERSION = 1  # of this file; part of the fingerprint

# How the call of a pipeline tells what it makes; what has none of these makes pictures.
_SIGNS: Mapping[str, Modality] = {
    "num_frames": "video",
    "audio_length_in_s": "audio",
    "audio_end_in_s": "audio",
}
# An option's name here, and those in the calls of pipelines.
_NAMES = {
    "steps": ("num_inference_steps",),
    "guidance": ("guidance_scale",),
    "height": ("height",),
    "width": ("width",),
    "frames": ("num_frames",),
    "seconds": ("audio_length_in_s", "audio_end_in_s"),
}


@dataclass(frozen=True)
class Options:
    """How a pipeline is called; each changes the fingerprint, but for `batch`.

    Attributes:
        steps: denoising steps.
        guidance: classifier-free guidance scale.
        height: of pictures and frames, in pixels.
        width: of pictures and frames, in pixels.
        frames: of a clip.
        fps: frames per second of a clip.
        seconds: of a sound.
        batch: requests answered in one go.
    """

    steps: int | None = None
    guidance: float | None = None
    height: int | None = None
    width: int | None = None
    frames: int | None = None
    fps: float = 8.0
    seconds: float | None = None
    batch: int = 4


class Diffusers:
    """A pipeline.

    Args:
        name: of the system.
        pipeline: of diffusers.
        options: how it is called.
        fingerprint: of weights, options and this file.

    Raises:
        ConfigError: its call takes no prompt, or an option that was given makes no sense to it.
    """

    given: frozenset[str] = frozenset()

    def __init__(
        self, name: str, pipeline: Any, options: Options | None = None, *, fingerprint: str = ""
    ) -> None:
        self.name, self.fingerprint = name, fingerprint
        self._pipeline, self._options = pipeline, options or Options()
        call = inspect.signature(type(pipeline).__call__).parameters
        kind = type(pipeline).__name__
        if "prompt" not in call or "generator" not in call:
            raise ConfigError(f"{name}: a {kind} takes no prompt; it can't answer requests")
        self._makes: Modality = next((makes for sign, makes in _SIGNS.items() if sign in call), "image")
        self._told: dict[str, Any] = {}
        for option, names in _NAMES.items():
            if (value := getattr(self._options, option)) is None:
                continue
            argument = next((name for name in names if name in call), None)
            if argument is None:
                raise ConfigError(f"options: {option}: a {kind} takes no {' or '.join(names)}")
            self._told[argument] = value
        longest = getattr(getattr(pipeline, "transformer", None), "config", {}).get("max_text_seq_length")
        if longest is not None and "max_sequence_length" in call:
            self._told["max_sequence_length"] = longest  # CogVideoX's call has another default
        self.accepts: frozenset[Modality] = frozenset({"text", "image"} if "image" in call else {"text"})
        self.produces: frozenset[Modality] = frozenset({self._makes})
        pipeline.set_progress_bar_config(disable=True)

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """Make a medium for each request."""
        answers: list[Message | Failure | None] = [self._impossible(request) for request in requests]
        rows = [row for row, answer in enumerate(answers) if answer is None]
        # With and without a picture are two calls.
        for shown in (False, True):
            some = [row for row in rows if bool(_pictures(requests[row])) == shown]
            for start in range(0, len(some), self._options.batch):
                part = some[start : start + self._options.batch]
                for row, answer in zip(part, self._make([requests[row] for row in part]), strict=True):
                    answers[row] = answer
        return [answer for answer in answers if answer is not None]

    def _impossible(self, request: Request) -> Failure | None:
        if unable := (request.wanted or frozenset()) - self.produces:
            return Failure("reply", f"{self.name} can't answer in {', '.join(sorted(unable))}")
        media = [medium.modality for turn in request.conversation for medium in turn.media]
        if unknown := set(media) - self.accepts:
            return Failure("encode", f"{self.name} can't take {', '.join(sorted(unknown))}")
        if len(media) > 1:
            return Failure("encode", f"{self.name} takes one picture, and is given {len(media)}")
        if not request.conversation[-1].text:
            return Failure("encode", "the last message says nothing to be made")
        return None

    def _make(self, requests: Sequence[Request]) -> list[Message | Failure]:
        import torch

        from nextgpt.decoding.pipelines import watched_steps
        from nextgpt.decoding.reading import hushed

        pictures = [_pictures(request)[0].to_pil() for request in requests if _pictures(request)]
        with torch.inference_mode(), hushed():  # it would tell of every prompt that is cut off
            out = self._pipeline(
                prompt=[request.conversation[-1].text for request in requests],
                # Noise is drawn on the CPU: a GPU would draw another for the same seed.
                generator=[torch.Generator().manual_seed(request.seed) for request in requests],
                output_type="np",
                **({"image": pictures} if pictures else {}),
                **watched_steps(self._pipeline, self._makes, self._told.get("num_inference_steps")),
                **self._told,
            )
        return [self._message(made) for made in self._arrays(out)]

    def _arrays(self, out: Any) -> Any:
        field = {"image": "images", "video": "frames", "audio": "audios"}[self._makes]
        return getattr(out, field)

    def _message(self, made: Any) -> Message | Failure:
        import numpy as np

        array = np.asarray(made, np.float32)
        if not np.isfinite(array).all():
            return Failure("decode", "the pipeline made NaN or infinity; half precision may be too little")
        try:
            return assistant(self._medium(array))
        except MediaError as error:
            return Failure("decode", str(error))

    def _medium(self, array: Any) -> Medium:
        import numpy as np

        if self._makes == "audio":
            wave = array.mean(axis=0) if array.ndim == 2 else array  # [channels, N]
            return Audio(np.clip(wave, -1, 1), self._rate)
        levels = np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)
        return Image(levels) if self._makes == "image" else Video(levels, self._options.fps)

    @property
    def _rate(self) -> int:
        """Samples per second of its sounds, in Hz."""
        maker = getattr(self._pipeline, "vocoder", None) or self._pipeline.vae
        return int(maker.config.sampling_rate)


def load(place: str) -> Diffusers:
    """Read a pipeline from ``FOLDER`` or a hub id, with ``?steps=25&guidance=7.5`` behind it; see `Options`.

    Raises:
        ConfigError: there is none, or it is not whole, or an option does not fit.
    """
    from nextgpt.checkpoints import folder_hash
    from nextgpt.weights.places import locate

    where, options = parse(place, Options)
    folder = locate(where)
    about = {**dataclasses.asdict(options), "version": VERSION, "weights": folder_hash(folder)}
    del about["batch"]
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    return Diffusers(safe(f"diffusers-{Path(where).name}"), _read(folder), options, fingerprint=digest)


def _read(folder: Path) -> Any:
    import torch

    from nextgpt.decoding.reading import hushed, read_pipeline

    pipeline = read_pipeline(folder)
    where, dtype = "cpu", torch.float32  # half precision is emulated, and slow, on CPUs
    if torch.cuda.is_available():
        networks = (part for part in pipeline.components.values() if isinstance(part, torch.nn.Module))
        types = {weight.dtype for network in networks for weight in network.parameters()}
        # What was trained in bfloat16 overflows in float16.
        where, dtype = "cuda", torch.bfloat16 if torch.bfloat16 in types else torch.float16
    with hushed():  # some parts come in the type of their files, others do not: the cast makes them one
        return pipeline.to(where, dtype)


def _pictures(request: Request) -> list[Image]:
    return [picture for turn in request.conversation for picture in turn.images]
