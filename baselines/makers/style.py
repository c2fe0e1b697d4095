"""Style transfer: a picture repainted in colours that are named, by arbitrary stylisation in ONNX.

The network takes any picture for a style. Here it is given one of brush strokes in the colours that the
words name, drawn anew each time from the words alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from baselines.optional import fingerprint, package
from nextgpt.errors import ConfigError
from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Request, assistant

VERSION = 1
_SIDE, _STYLE_SIDE, _STROKES = 384, 256, 240


class Style:
    """A worker that repaints the first picture of a request in the colours that its words name.

    Args:
        folder: ``packaged:style``.

    Raises:
        ConfigError: the package or a file is missing.
    """

    def __init__(self, folder: Path) -> None:
        runtime = package("onnxruntime", "style transfer")
        alone = runtime.SessionOptions()
        alone.intra_op_num_threads = alone.inter_op_num_threads = 1
        try:
            self._predict, self._transform = (
                runtime.InferenceSession(str(folder / f"arbitrary_{name}.onnx"), alone)
                for name in ("predict", "transform")
            )
        except Exception as error:  # its classes of errors are made at run time
            raise ConfigError(f"{folder}: no style transfer that onnxruntime reads: {error}") from error
        self.fingerprint = fingerprint(VERSION, folder)

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        """A picture for each request."""
        return [self._repaint(request) for request in requests]

    def _repaint(self, request: Request) -> Message | Failure:
        said = request.conversation[-1]
        if not said.images:
            return Failure("make", "there is no picture to be repainted")
        style = strokes(said.text).astype(np.float32)[None] / 255
        picture = said.images[0]
        seen = picture.resized(_SIDE, _SIDE).pixels.astype(np.float32)[None] / 255
        look = self._predict.run(None, {self._predict.get_inputs()[0].name: style})[0]
        content, bottleneck = (each.name for each in self._transform.get_inputs())
        painted = self._transform.run(None, {content: seen, bottleneck: look})[0][0]
        whole = Image(np.rint(np.clip(painted, 0, 1) * 255).astype(np.uint8))
        scale = _SIDE / max(picture.width, picture.height)
        return assistant(whole.resized(round(picture.width * scale), round(picture.height * scale)))


def strokes(words: str) -> NDArray[np.uint8]:
    """A picture uint8 ``[256, 256, 3]`` of brush strokes in named colours, or in blue and orange.

    Example:
        >>> (strokes("red") == strokes("red")).all(), (strokes("red") == strokes("green")).all()
        (np.True_, np.False_)
    """
    from PIL import Image as Pil
    from PIL import ImageColor, ImageDraw

    named = [word for word in re.findall(r"[a-z]+", words.lower()) if word in ImageColor.colormap]
    colours = [ImageColor.getrgb(name) for name in named or ("navy", "orange")]
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(words.encode()).digest()[:8]))
    canvas = Pil.new("RGB", (_STYLE_SIDE, _STYLE_SIDE), colours[0])
    draw = ImageDraw.Draw(canvas)
    for _ in range(_STROKES):
        x, y, across, down = rng.integers(-40, _STYLE_SIDE + 40, 4).tolist()
        shade = rng.uniform(0.6, 1.4)
        colour = colours[int(rng.integers(len(colours)))]
        tint = tuple(int(min(255, shade * channel + 20)) for channel in colour[:3])
        draw.line((x, y, x + (across - 128) // 3, y + (down - 128) // 3), fill=tint, width=8)
    return np.asarray(canvas)
