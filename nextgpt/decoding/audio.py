"""Sounds from conditions: AudioLDM, AudioLDM 2, Stable Audio."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nextgpt.decoding.decoder import Decoder
from nextgpt.errors import ConfigError
from nextgpt.media import Audio
from nextgpt.messages import Modality

# AudioLDM's spectrograms; all else about them stands in the vocoder's configuration.
_FFT, _LOWEST_HERTZ, _FLOOR = 1024, 0.0, 1e-5
_PEAK = 0.5


class AudioDecoder(Decoder[Audio]):
    """A frozen text-to-audio pipeline."""

    modality: ClassVar[Modality] = "audio"
    at_once: ClassVar[int] = 8

    @property
    def rate(self) -> int:
        """Samples per second of its sounds, in Hz."""
        pipeline = self.pipeline
        if "vocoder" in pipeline.components:
            return int(pipeline.vocoder.config.sampling_rate)
        return int(pipeline.vae.config.sampling_rate)

    def _empty(self) -> Tensor | None:
        # Stable Audio was trained with zeros in the empty text's place; left alone, its pipeline does so.
        return None if type(self.pipeline).__name__ == "StableAudioPipeline" else super()._empty()

    def _media(self, out: Any) -> list[Audio]:
        waves = np.asarray(out.audios, np.float32)
        if waves.ndim == 3:  # [B, channels, N]
            waves = waves.mean(axis=1)
        return [Audio(np.clip(wave, -1, 1), self.rate) for wave in waves]

    @torch.no_grad()
    def encode_latents(self, media: Sequence[Audio]) -> Tensor:
        """Latents float ``[B, C, h, w]`` of sounds, scaled as the UNet knows them; the posterior's mode."""
        mels = np.stack([self._mel(sound) for sound in media])
        return self._latents(torch.from_numpy(mels).unsqueeze(1).to(self.device, self.pipeline.vae.dtype))

    def _mel(self, sound: Audio) -> NDArray[np.float32]:
        """Log mel amplitudes float32 ``[frames, bins]`` of as long a piece as the pipeline makes.

        As AudioLDM was trained: mean removed, peak at 0.5, a Hann window of 1024 samples, Slaney's scale up
        to half the rate, natural logarithm of at least 1e-5. Short sounds are followed by silence.
        """
        from transformers.audio_utils import mel_filter_bank, spectrogram, window_function

        if "vocoder" not in self.pipeline.components:
            raise ConfigError(
                f"{type(self.pipeline).__name__}: its denoising is no loss here; set its weight to 0 "
                "(losses: {denoising: 0}) and train by alignment alone"
            )
        vocoder = self.pipeline.vocoder.config
        hop = int(np.prod(vocoder.upsample_rates))
        frames = self.pipeline.unet.config.sample_size * self.pipeline.vae_scale_factor
        wave = sound.resampled(self.rate).samples[: frames * hop].astype(np.float64)
        wave = wave - wave.mean()
        wave = wave / (np.abs(wave).max() + 1e-8) * _PEAK
        wave = np.pad(wave, (0, frames * hop - len(wave)))
        mel = spectrogram(
            wave,
            window_function(_FFT, "hann"),
            frame_length=_FFT,
            hop_length=hop,
            power=1.0,
            mel_filters=mel_filter_bank(
                num_frequency_bins=_FFT // 2 + 1,
                num_mel_filters=vocoder.model_in_dim,
                min_frequency=_LOWEST_HERTZ,
                max_frequency=self.rate / 2,
                sampling_rate=self.rate,
                norm="slaney",
                mel_scale="slaney",
            ),
            mel_floor=_FLOOR,
            log_mel="log",
        )
        return np.ascontiguousarray(mel.T[:frames], np.float32)

    def predict(self, noisy: Tensor, step: Tensor, condition: Tensor) -> Tensor:
        """What the UNet sees in noisy latents: AudioLDM's as the class, AudioLDM 2's as two sequences."""
        unet = self.pipeline.unet
        told = self.shape.unpack(condition.to(unet.dtype))
        if "generated_prompt_embeds" in told:
            how: dict[str, Any] = {
                "encoder_hidden_states": told["generated_prompt_embeds"],
                "encoder_hidden_states_1": told["prompt_embeds"],
                "encoder_attention_mask_1": told["prompt_embeds"].detach().ne(0).any(-1).long(),
            }
        else:
            how = {"encoder_hidden_states": None, "class_labels": told["prompt_embeds"]}
        predicted: Tensor = unet(noisy, step, return_dict=False, **how)[0]
        return predicted
