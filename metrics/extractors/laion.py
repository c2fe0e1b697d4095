"""CLAP through LAION's own package, an optional extra, for whoever wants to see that it makes no difference.

`ClapExtractor(folder, weights=checkpoint)` gives the same embeddings for the same checkpoint, and needs
neither this package nor its torchvision and old NumPy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metrics.extractors.clap import DISABLES, ClapWindows, laion_tensors
from metrics.extractors.weights import MissingWeightsError, checked_hash, load_strictly, read_state


class LaionClapExtractor(ClapWindows):
    """A CLAP in LAION's classes as an extractor.

    Sounds are not rounded to sixteen bits, as the package does with arrays. Its text tower is made from
    `roberta-base`, which must be in the local hub cache.

    Args:
        weights: one of LAION's checkpoints, `.pt`; read without unpickling code, which the package's own
            loader would run.
        model: the sound tower: `HTSAT-tiny`, or `HTSAT-base` for the music checkpoints.
        fusion: whether the checkpoint is of a network that fuses views (`*-fusion-best.pt`).
        device: where the network runs.
        batch_size: windows or texts at a time.

    Raises:
        ImportError: laion-clap is not installed.
        MissingWeightsError: no checkpoint, one of another architecture, or no roberta-base.
    """

    def __init__(
        self,
        weights: Path | str,
        *,
        model: str = "HTSAT-tiny",
        fusion: bool = False,
        device: str = "cpu",
        batch_size: int = 8,
    ) -> None:
        super().__init__(48_000, 10, 512, device, batch_size)
        path = Path(weights)
        if not path.is_file():
            raise MissingWeightsError("laion-clap", f"no file {path.name} where it was said to be", DISABLES)
        try:
            from laion_clap import CLAP_Module
        except ImportError as error:
            raise ImportError(
                f"laion-clap cannot be imported ({error}): pip install 'nextgpt[clap]' and then, by itself, "
                "pip install --no-deps laion-clap; or use ClapExtractor, which gives the same embeddings"
            ) from error
        try:
            module = CLAP_Module(enable_fusion=fusion, amodel=model, device=device)
        except OSError as error:
            missing = "roberta-base is not in the hub cache"
            raise MissingWeightsError("laion-clap", missing, DISABLES) from error
        state = laion_tensors(read_state(path, DISABLES))
        counting = "text_branch.embeddings.position_ids"  # a buffer that older versions of transformers saved
        if counting not in module.model.state_dict():
            state.pop(counting, None)
        load_strictly(module.model, state, f"laion-clap's {model}", path.name, DISABLES)
        module.eval().requires_grad_(False)
        self.module: Any = module
        self.name, self.hash = model, checked_hash(path, DISABLES)

    @property
    def signature(self) -> str:
        """For example `laion-clap:HTSAT-tiny@1a2b3c4d,48000Hz,window:10s,...,text:77,unit,fp32`."""
        return f"laion-clap:{self.name}@{self.hash},{self.hearing},text:77,unit,fp32"

    def embed_sounds(self, waves: list[NDArray[np.float32]]) -> Tensor:
        """See `ClapWindows.embed_sounds`."""
        rows: Tensor = self.module.get_audio_embedding_from_data(
            [torch.from_numpy(np.ascontiguousarray(wave)) for wave in waves], use_tensor=True
        )
        return rows

    def embed_texts(self, texts: list[str]) -> Tensor:
        """See `ClapWindows.embed_texts`."""
        rows: Tensor = self.module.get_text_embedding(texts, use_tensor=True)
        return rows
