"""ImageBind as an embedder: pictures, clips, sounds and texts in one space, for scores of pairs.

`metrics.ImageBindScore` takes it, over whole items, over frames or over windows of time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextgpt.encoding.imagebind import ImageBind
from nextgpt.encoding.preprocessing import (
    AUDIO_RATE,
    preprocess_audio,
    preprocess_image,
    preprocess_video,
)
from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Image, Video

TOKENIZER = "tokenizer.json"


class MediaEmbedder:
    """One embedding of each medium or text, as ImageBind's own `forward` gives it.

    Args:
        network: with the trunks that are needed.
        signature: of its weights.
        tokenizer: of texts, by the library tokenizers; None where no text is embedded.
    """

    def __init__(self, network: ImageBind, signature: str, tokenizer: Any = None) -> None:
        self.network, self.signature, self._tokenizer = network.eval(), signature, tokenizer

    def media(self, items: Sequence[Any]) -> NDArray[np.float32]:
        """Embeddings of media and texts of any kind, float32 ``[N, out_dim]``.

        Raises:
            ValueError: something that is neither, or a trunk or tokenizer that lacks.
        """
        return np.stack([self._one(item) for item in items])

    def frames(self, recording: Any) -> NDArray[np.float32]:
        """Embeddings of a clip's frames, as of pictures, float32 ``[T, out_dim]``."""
        return self.media([Image(frame) for frame in recording.frames])

    def windows(self, recording: Any, spans: Sequence[tuple[float, float]]) -> NDArray[np.float32]:
        """Embeddings of a clip's sound in spans of seconds, float32 ``[M, out_dim]``."""
        rate = recording.rate
        pieces = [recording.samples[int(start * rate) : int(end * rate)] for start, end in spans]
        return self.media([Audio(np.asarray(piece, np.float32), rate=rate) for piece in pieces])

    @torch.no_grad()
    def _one(self, item: Any) -> NDArray[np.float32]:
        config = self.network.config
        if isinstance(item, str):
            found = self.network("text", self._ids(item))
        elif isinstance(item, Image):
            found = self.network("vision", preprocess_image(item.pixels, config.image_size)[None])
        elif isinstance(item, Video):
            pieces = preprocess_video(item.frames, item.fps, config.image_size, config.kernel[0])
            found = self.network("vision", pieces[None])
        elif isinstance(item, Audio):
            samples = item.resampled(AUDIO_RATE).samples
            found = self.network("audio", preprocess_audio(samples, config.mel_bins, config.mel_frames)[None])
        else:
            raise ValueError(f"a {type(item).__name__} is no medium and no text")
        return cast("NDArray[np.float32]", cast(Tensor, found)[0].float().cpu().numpy())

    def _ids(self, text: str) -> Tensor:
        if self._tokenizer is None:
            raise ValueError(f"texts need {TOKENIZER} (CLIP's) beside ImageBind's weights")
        config = self.network.config
        ids = [token for token in self._tokenizer.encode(text).ids if token != config.end_token]
        return torch.tensor([[*ids[: config.context - 1], config.end_token]])


def load(folder: str | Path) -> MediaEmbedder:
    """The embedder of a folder of ImageBind's weights; texts need CLIP's ``tokenizer.json`` in it.

    Raises:
        ConfigError: there are none, or the weights are another network's.
    """
    from nextgpt.checkpoints import folder_hash
    from nextgpt.loading import load_encoder
    from nextgpt.weights.places import locate

    place = locate(str(folder))
    network = load_encoder(place)
    if not isinstance(network, ImageBind):
        raise ConfigError(f"{place}: a {type(network).__name__}; an ImageBind was expected")
    tokenizer = None
    if (place / TOKENIZER).is_file():
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(place / TOKENIZER))
    digest = hashlib.sha256(folder_hash(place).encode()).hexdigest()[:8]
    return MediaEmbedder(network, f"imagebind:{place.name}@{digest}", tokenizer)
