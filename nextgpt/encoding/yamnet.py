"""YAMNet as an encoder: sounds in, a token for each of twenty moments out; it sees nothing.

Its weights come in a package (`nextgpt.weights.packaged`), a TFLite file in eight bits that ai-edge-litert
runs on CPUs. A moment is 0.975 s of the sound, heard at 16 kHz; its token is what the classifier reads.
"""

from __future__ import annotations

import importlib.util
import io
import threading
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nextgpt.errors import ConfigError
from nextgpt.media import Audio, Medium
from nextgpt.messages import Modality

FILE = "yamnet.tflite"
CLASSES, MOMENTS = 521, 20
RATE, SAMPLES = 16_000, 15_600
_WIDTH = 1024
_LABELS = "yamnet_label_list.txt"  # the file is a zip archive too, which holds the names


class Yamnet(nn.Module):
    """A tagger of sounds whose last layer but one is read.

    Args:
        interpreter: of ai-edge-litert, which keeps what is between the layers.
        names: of AudioSet's classes, in the order of its scores.
        between: the tensor before the classifier, as the interpreter describes it.
    """

    reads: frozenset[Modality] = frozenset({"audio"})
    out_dim = _WIDTH

    def __init__(self, interpreter: Any, names: Sequence[str], between: Mapping[str, Any]) -> None:
        super().__init__()
        self.names = tuple(names)
        self._interpreter, self._between = interpreter, int(between["index"])
        self._scale, self._zero = map(np.float32, between["quantization"])
        self._heard = interpreter.get_input_details()[0]["index"]
        self._said = interpreter.get_output_details()[0]["index"]
        self._one = threading.Lock()

    @classmethod
    def load(cls, folder: Path) -> Yamnet:
        """Read the weights of a folder.

        Raises:
            ConfigError: they are missing or another network's, or the program that runs them is missing.
        """
        path = folder / FILE
        if not path.is_file():
            raise ConfigError(f"{folder}: no {FILE}; a YAMNet was expected")
        if importlib.util.find_spec("ai_edge_litert") is None:
            raise ConfigError(f"{path.name}: what runs it is missing; `pip install nextgpt[packaged]`")
        from ai_edge_litert.interpreter import Interpreter

        data = path.read_bytes()
        try:
            with warnings.catch_warnings(action="ignore"):  # that this takes memory
                interpreter = Interpreter(
                    model_content=data, num_threads=1, experimental_preserve_all_tensors=True
                )
            interpreter.allocate_tensors()
            tensors = interpreter.get_tensor_details()
        except (ValueError, RuntimeError) as error:
            raise ConfigError(f"{path}: no TFLite model, or damaged: {error}") from error
        names = _names(data, path)
        shape = [int(size) for size in interpreter.get_output_details()[0]["shape"]]
        if shape != [1, CLASSES] or len(names) != CLASSES:
            raise ConfigError(
                f"{path}: a tagger of {shape[-1]} classes and {len(names)} names; AudioSet's {CLASSES} were "
                "expected, as YAMNet has them"
            )
        between = [t for t in tensors if [int(n) for n in t["shape"]] == [1, 1, 1, _WIDTH]]
        return cls(interpreter, names, between[-1])

    def encode(self, media: Sequence[Medium]) -> Tensor:
        """Tokens of sounds: float ``[N, 1 + 20, 1024]``, their mean first."""
        tokens = torch.from_numpy(np.stack([self._run(medium)[0] for medium in media]))
        return torch.cat([tokens.mean(1, keepdim=True), tokens], dim=1)

    def scores(self, sound: Audio) -> NDArray[np.float32]:
        """Scores float32 ``[20, 521]``, 0 to 1, of the classes at each moment."""
        return self._run(sound)[1]

    def _run(self, sound: Medium) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if not isinstance(sound, Audio):
            raise ValueError("YAMNet sees nothing; name an encoder for what is to be seen")
        tokens, scores = [], []
        with self._one:
            for piece in moments_of(sound):
                self._interpreter.set_tensor(self._heard, piece)
                self._interpreter.invoke()
                scores.append(self._interpreter.get_tensor(self._said)[0].copy())
                tokens.append(self._between_layers())
        return np.stack(tokens), np.stack(scores)

    def _between_layers(self) -> NDArray[np.float32]:
        whole = self._interpreter.get_tensor(self._between).reshape(-1)
        real: NDArray[np.float32] = (whole.astype(np.float32) - self._zero) * self._scale
        return real


def moments_of(sound: Audio) -> list[NDArray[np.float32]]:
    """Twenty pieces float32 ``[15600]`` at 16 kHz, spread evenly; a shorter sound is followed by silence.

    Example:
        >>> len(moments_of(Audio(np.zeros(8000, np.float32), rate=16000)))
        20
    """
    samples = sound.resampled(RATE).samples
    if len(samples) < SAMPLES:
        samples = np.pad(samples, (0, SAMPLES - len(samples)))
    starts = np.linspace(0, len(samples) - SAMPLES, MOMENTS).round().astype(int)
    return [np.ascontiguousarray(samples[start : start + SAMPLES], np.float32) for start in starts]


def _names(data: bytes, path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [line for line in archive.read(_LABELS).decode("utf-8").splitlines() if line]
    except (zipfile.BadZipFile, KeyError) as error:
        raise ConfigError(f"{path}: no names of its classes, {_LABELS}, are inside") from error
