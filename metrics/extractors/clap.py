"""CLAP from any folder that transformers can read: embeddings of sounds and texts.

LAION's own checkpoints (`630k-audioset-best.pt` and its kin) load too, key by key, into the same classes:
the folder then gives configuration, front end and tokenizer, and the checkpoint the weights.

Both CLAP libraries cut a random part out of a sound of more than ten seconds, and transformers marks a
random one of a batch of short sounds as long when the network fuses views. Here nothing is drawn: a long
sound is heard in evenly spaced windows, and no window counts as long.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from metrics.extractors.sounds import PREPARATION, waveforms
from metrics.extractors.weights import (
    MissingWeightsError,
    checked_hash,
    find_weights,
    load_strictly,
    local_folder,
    read_settings,
    read_state,
    refuse_misfits,
)
from metrics.metric import MetricInputError

FILES = ("config.json", "preprocessor_config.json", "tokenizer.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
DISABLES = ("clap_score", "fad and kad over CLAP")
TOKENS = 77  # of a text, as LAION cuts it
Embeddings = NDArray[np.float32]


class ClapWindows(nn.Module, abc.ABC):
    """What every CLAP has in common here: windows, their mean, and batches."""

    def __init__(self, rate: int, seconds: float, width: int, device: str, batch_size: int) -> None:
        super().__init__()
        self.rate, self.window, self.num_features = rate, round(rate * seconds), width
        self.device, self.batch_size = device, batch_size

    @property
    def hearing(self) -> str:
        """How a sound becomes windows, for the signature."""
        window = f"window:{self.window / self.rate:g}s,even,tail:1s,short:repeated"
        return f"{self.rate}Hz,{window},{PREPARATION}"

    @abc.abstractmethod
    def embed_sounds(self, waves: list[NDArray[np.float32]]) -> Tensor:
        """Unit embeddings [N, D] of waveforms of at most one window each."""

    @abc.abstractmethod
    def embed_texts(self, texts: list[str]) -> Tensor:
        """Unit embeddings [N, D] of texts."""

    def windows(self, items: Sequence[Any]) -> list[Embeddings]:
        """The embeddings of each sound's windows, of unit length, float32 [K_i, D] with K_i >= 1.

        A shorter sound is repeated to fill the window, as in training. A longer one has as many evenly
        spaced windows as cover it; a tail of less than a second gets no window of its own.

        Args:
            items: sounds, see `metrics.extractors.sounds.Sound`.

        Raises:
            MetricInputError: something that is no sound; names it by its index.
        """
        cut = [self._cut(wave) for wave in waveforms(items, self.rate)]
        rows = self._in_batches([wave for waves in cut for wave in waves], self.embed_sounds)
        return list(np.split(rows, np.cumsum([len(waves) for waves in cut])[:-1])) if cut else []

    def sounds(self, items: Sequence[Any]) -> Embeddings:
        """One embedding per sound, the mean of its windows', float32 [N, D]."""
        means = [rows.mean(axis=0) for rows in self.windows(items)]
        return np.stack(means) if means else np.zeros((0, self.num_features), np.float32)

    def features(self, items: Sequence[Any]) -> Embeddings:
        """What distances between sets take: the same as `sounds`."""
        return self.sounds(items)

    def texts(self, texts: Sequence[str]) -> Embeddings:
        """One embedding per text, of unit length, float32 [N, D]; texts are cut after 77 tokens."""
        return self._in_batches(list(texts), self.embed_texts)

    def forward(self, waves: Tensor) -> Tensor:
        """For torchmetrics: waveforms [N, samples] of at most one window at the network's rate, to [N, D]."""
        if waves.ndim != 2 or not 0 < waves.shape[1] <= self.window:
            raise ValueError(
                f"waveforms of shape {tuple(waves.shape)}; give [N, samples] of at most {self.window} each"
            )
        rows = self._in_batches(list(waves.float().cpu().numpy()), self.embed_sounds)
        return torch.from_numpy(rows).to(waves.device)

    def _cut(self, wave: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        beyond = len(wave) - self.window
        if beyond < self.rate:
            return [wave[: self.window]]
        count = 1 + -(-beyond // self.window)
        starts = np.linspace(0, beyond, count).round().astype(int)
        return [wave[start : start + self.window] for start in starts]

    def _in_batches(self, items: list[Any], embed: Any) -> Embeddings:
        parts = [torch.zeros(0, self.num_features)]
        with torch.inference_mode():
            for start in range(0, len(items), self.batch_size):
                rows = F.normalize(embed(items[start : start + self.batch_size]).float(), dim=-1)
                parts.append(rows.cpu())
        return torch.cat(parts).numpy()


class ClapExtractor(ClapWindows):
    """A CLAP in transformers' classes as an extractor; nothing is loaded before the first sound or text.

    Args:
        source: a folder, or a hub id whose files are in the local cache (`laion/clap-htsat-unfused`).
        weights: a checkpoint of LAION's own (`.pt`, read without unpickling code) instead of the folder's
            weights; the folder must then be of the same architecture.
        device: where the network runs.
        batch_size: windows or texts at a time.

    Raises:
        MissingWeightsError: no such folder, or a file missing in it.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        weights: Path | str | None = None,
        device: str = "cpu",
        batch_size: int = 8,
    ) -> None:
        name = str(source) if not Path(source).is_dir() else Path(source).resolve().name
        folder = local_folder(source)
        if folder is None:
            raise MissingWeightsError(f"CLAP {name}", "neither a folder nor in the local hub cache", DISABLES)
        for file in FILES:
            if not (folder / file).is_file():
                raise MissingWeightsError(f"CLAP {name}", f"{file} is missing", DISABLES)
        path = find_weights(f"CLAP {name}", folder if weights is None else weights, WEIGHTS, DISABLES)
        front_end = read_settings(folder / "preprocessor_config.json", DISABLES)
        config = read_settings(folder / "config.json", DISABLES)
        super().__init__(
            int(front_end.get("sampling_rate", 48_000)),
            float(front_end.get("max_length_s", 10)),
            int(config.get("projection_dim", 512)),
            device,
            batch_size,
        )
        self.name, self.folder, self.config = name, folder, config
        self.file, self.laion = path, weights is not None

    @cached_property
    def signature(self) -> str:
        """For example `clap:clap-htsat-unfused@1a2b3c4d,48000Hz,window:10s,...,text:77,unit,fp32`."""
        digits = checked_hash(self.file, DISABLES)
        return f"clap:{self.name}@{digits},{self.hearing},text:{TOKENS},unit,fp32"

    @property
    def logit_scale(self) -> float:
        """What the network learnt to multiply cosines of sounds and texts by, to classify with them."""
        return float(self._network.logit_scale_a.detach().exp())

    def embed_sounds(self, waves: list[NDArray[np.float32]]) -> Tensor:
        """See `ClapWindows.embed_sounds`."""
        network = self._network
        # "fusion" here only chooses the front end that such a network was trained with.
        cutting = "fusion" if network.config.audio_config.enable_fusion else "rand_trunc"
        inputs = self._front_end(waves, truncation=cutting, sampling_rate=self.rate, return_tensors="np")
        features = torch.from_numpy(np.asarray(inputs["input_features"], np.float32)).to(self.device)
        longer = torch.zeros(len(waves), 1, dtype=torch.bool, device=self.device)
        return _pooled(network.get_audio_features(input_features=features, is_longer=longer))

    def embed_texts(self, texts: list[str]) -> Tensor:
        """See `ClapWindows.embed_texts`."""
        encodings = self._tokenizer.encode_batch(texts)
        ids = torch.tensor([encoding.ids for encoding in encodings], device=self.device)
        mask = torch.tensor([encoding.attention_mask for encoding in encodings], device=self.device)
        return _pooled(self._network.get_text_features(input_ids=ids, attention_mask=mask))

    @cached_property
    def _network(self) -> Any:
        from transformers import ClapConfig, ClapModel

        if self.laion:
            config = ClapConfig.from_pretrained(self.folder)
            # That of roberta-base, with which LAION trained; the converted models' files say 1e-12.
            config.text_config.layer_norm_eps = _ROBERTA_EPS
            model = ClapModel(config)
            state = converted(read_state(self.file, DISABLES))
            # Counting buffers, which newer versions of transformers do not save.
            own = {key: value for key, value in model.state_dict().items() if key.endswith(_COUNTING)}
            load_strictly(model, {**own, **state}, f"CLAP {self.name}", self.file.name, DISABLES)
        else:
            model, report = ClapModel.from_pretrained(
                self.folder,
                local_files_only=True,
                use_safetensors=self.file.suffix == ".safetensors",
                dtype=torch.float32,
                output_loading_info=True,
            )
            refuse_misfits(report, _COUNTING, f"CLAP {self.name}", self.file.name, DISABLES)
        return model.eval().requires_grad_(False).to(self.device)

    @cached_property
    def _front_end(self) -> Any:
        from transformers import ClapFeatureExtractor

        return ClapFeatureExtractor.from_pretrained(self.folder, local_files_only=True)

    @cached_property
    def _tokenizer(self) -> Any:
        # Read directly: transformers returns an empty tokenizer without a word when files are missing.
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        text = self.config.get("text_config") or {}
        start, pad = int(text.get("bos_token_id", 0)), int(text.get("pad_token_id", 1))
        limit = min(TOKENS, int(text.get("max_position_embeddings", 514)) - pad - 1)
        tokenizer.enable_truncation(limit)
        tokenizer.enable_padding(pad_id=pad, pad_token=tokenizer.id_to_token(pad) or "<pad>")
        if tokenizer.encode("a").ids[0] != start:
            raise MetricInputError(
                f"CLAP {self.name}: tokenizer.json does not begin a text with token {start}, where its "
                "embedding is read; save the tokenizer with its post-processor"
            )
        return tokenizer


_ROBERTA_EPS = 1e-5
_COUNTING = ("position_ids", "token_type_ids")
_UNUSED = re.compile(
    r"text_transform\.|audio_transform\.|.*\.attn_mask$"
    r"|audio_branch\.(spectrogram_extractor|logmel_extractor|tscam_conv|head)\."
)
# What LAION's modules are called in transformers; order matters.
_NAMES = (
    (r"^text_branch\.", "text_model."),
    (r"^audio_branch\.bn0\.", "audio_model.audio_encoder.batch_norm."),
    (r"^audio_branch\.", "audio_model.audio_encoder."),
    (r"^(text|audio)_projection\.0\.", r"\1_projection.linear1."),
    (r"^(text|audio)_projection\.2\.", r"\1_projection.linear2."),
    (r"\.norm1\.", ".layernorm_before."),
    (r"\.norm2\.", ".layernorm_after."),
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"\.attn\.", ".attention.self."),
)


def converted(state: dict[str, Any]) -> dict[str, Tensor]:
    """The tensors of one of LAION's checkpoints by the names of transformers' `ClapModel`.

    Parts that no embedding goes through (classification heads, the front end's fixed filters) are left
    out; all else is kept, so that a strict loader sees what it does not know.

    Args:
        state: the checkpoint, or its `state_dict`; names may begin with `module.`.

    >>> for name, part in converted({"module.audio_branch.attn.qkv.bias": torch.arange(6)}).items():
    ...     print(name, part.tolist())
    audio_model.audio_encoder.attention.self.query.bias [0, 1]
    audio_model.audio_encoder.attention.self.key.bias [2, 3]
    audio_model.audio_encoder.attention.self.value.bias [4, 5]
    """
    tensors = {}
    for key, value in laion_tensors(state).items():
        if _UNUSED.match(key):
            continue
        for pattern, name in _NAMES:
            key = re.sub(pattern, name, key)  # noqa: PLW2901
        if ".self.qkv." in key:
            for part, third in zip(("query", "key", "value"), value.chunk(3), strict=True):
                tensors[key.replace(".qkv.", f".{part}.")] = third
        else:
            tensors[key] = value
    return tensors


def laion_tensors(state: dict[str, Any]) -> dict[str, Tensor]:
    """The network's tensors of one of LAION's training checkpoints, by their own names."""
    inside: dict[str, Tensor] = state.get("state_dict", state)
    return {key.removeprefix("module."): value for key, value in inside.items()}


def _pooled(output: Any) -> Tensor:
    """The embedding itself: transformers 5 wraps it, transformers 4 does not."""
    pooled: Tensor = getattr(output, "pooler_output", output)
    return pooled
