"""Diffusion models by modality: loaded when first needed, and out of the way when not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from nextgpt.config import Keep
from nextgpt.messages import Modality

if TYPE_CHECKING:
    from nextgpt.decoding.decoder import Decoder


class Shelf(Mapping[Modality, Any]):
    """The decoders of a model.

    Looking one up loads it, and leaves it where it is; `using` puts it away afterwards as `keep` says. Those
    that wait on the disk are in memory one at a time.

    Args:
        makers: load a decoder on its device, by modality.
        keep: where a decoder waits: "device", main "memory", or "disk".
    """

    def __init__(self, makers: Mapping[Modality, Callable[[], Decoder[Any]]], keep: Keep = "device") -> None:
        self._makers = dict(makers)
        self._keep = keep
        self._loaded: dict[Modality, Decoder[Any]] = {}
        self._homes: dict[Modality, torch.device] = {}

    def __iter__(self) -> Iterator[Modality]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __getitem__(self, modality: Modality) -> Decoder[Any]:
        if modality not in self._loaded:
            if self._keep == "disk":
                self._loaded.clear()
            self._loaded[modality] = self._makers[modality]()
            self._homes[modality] = self._loaded[modality].device
        decoder = self._loaded[modality]
        if decoder.device != self._homes[modality]:
            decoder.to(self._homes[modality])
        return decoder

    @contextmanager
    def using(self, modality: Modality) -> Iterator[Decoder[Any]]:
        """A decoder for as long as the context lasts."""
        try:
            yield self[modality]
        finally:
            if self._keep == "memory":
                self._loaded[modality].to(torch.device("cpu"))
            elif self._keep == "disk":
                self._loaded.pop(modality, None)

    @property
    def loaded(self) -> tuple[Modality, ...]:
        """Those in memory now."""
        return tuple(self._loaded)
