"""Griffin and Lim's method behind the interface of AudioLDM's vocoder: nothing is learnt.

A pipeline that is saved with it names `toyworld.sounds.vocoder` in its `model_index.json`. Diffusers imports
no module because a folder names it; `nextgpt.decoding.reading` imports this one, which is an entry point of
the installed package.
"""

from __future__ import annotations

import numpy as np
import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor

from toyworld.sounds.mel import BINS, ROUNDS, griffin_lim
from toyworld.sounds.render import RATE


class GriffinLim(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """What `transformers.SpeechT5HifiGan` is to an AudioLDM, by an old method instead of a network.

    Args:
        sampling_rate: Of its sounds, in Hz.
        upsample_rates: Their product is the samples of a frame.
        model_in_dim: Bins of a frame.
        rounds: Of the method.

    Example:
        >>> GriffinLim()(torch.full((2, 20, 64), -5.0)).shape
        torch.Size([2, 3200])
    """

    config_name = "config.json"

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        sampling_rate: int = RATE,
        upsample_rates: tuple[int, ...] = (5, 4, 2, 2, 2),
        model_in_dim: int = BINS,
        rounds: int = ROUNDS,
    ) -> None:
        super().__init__()
        # Where it is and how exactly it computes: a module without weights could not be asked.
        self.place = torch.nn.Parameter(torch.zeros(1), requires_grad=False)

    def forward(self, mel: Tensor) -> Tensor:
        """Samples float ``[B, 160 * frames]`` of log mel amplitudes ``[B, frames, 64]``."""
        if mel.is_meta:  # shapes alone are asked for
            return mel.new_empty(len(mel), 160 * mel.shape[1])
        waves = [griffin_lim(one, self.config.rounds) for one in mel.float().cpu().numpy()]
        return torch.from_numpy(np.stack(waves)).to(mel.device, mel.dtype)
