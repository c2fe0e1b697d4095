"""Networks that turn media into features, one file per network; the distances know none of them.

Heavy libraries load when a network is built, not when this package is imported.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metrics.extractors.cache import CachedExtractor
    from metrics.extractors.clap import ClapExtractor
    from metrics.extractors.clip import ClipExtractor, cmmd_clip
    from metrics.extractors.inception import InceptionExtractor, InceptionV3
    from metrics.extractors.laion import LaionClapExtractor
    from metrics.extractors.packaged import EfficientNetLiteExtractor, YamnetExtractor
    from metrics.extractors.panns import PannsExtractor
    from metrics.extractors.sentences import SentenceExtractor
    from metrics.extractors.sounds import Sound, read_sound
    from metrics.extractors.vggish import VGGishExtractor
    from metrics.extractors.vision_transformers import Dinov2Extractor, VideoMaeExtractor
    from metrics.extractors.weights import MissingWeightsError

_HOMES = {
    "CachedExtractor": "cache",
    "ClapExtractor": "clap",
    "ClipExtractor": "clip",
    "Dinov2Extractor": "vision_transformers",
    "EfficientNetLiteExtractor": "packaged",
    "InceptionExtractor": "inception",
    "InceptionV3": "inception",
    "LaionClapExtractor": "laion",
    "MissingWeightsError": "weights",
    "PannsExtractor": "panns",
    "SentenceExtractor": "sentences",
    "Sound": "sounds",
    "VGGishExtractor": "vggish",
    "VideoMaeExtractor": "vision_transformers",
    "YamnetExtractor": "packaged",
    "cmmd_clip": "clip",
    "read_sound": "sounds",
}

__all__ = [
    "CachedExtractor",
    "ClapExtractor",
    "ClipExtractor",
    "Dinov2Extractor",
    "EfficientNetLiteExtractor",
    "InceptionExtractor",
    "InceptionV3",
    "LaionClapExtractor",
    "MissingWeightsError",
    "PannsExtractor",
    "SentenceExtractor",
    "Sound",
    "VGGishExtractor",
    "VideoMaeExtractor",
    "YamnetExtractor",
    "cmmd_clip",
    "read_sound",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
