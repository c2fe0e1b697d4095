"""The networks that turn media into features, by name: what each is for, and where its weights are.

Strings alone: nothing here is imported before it is asked for, by `benchmarks.registry.load_extractor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ExtractorEntry:
    """A network that turns media into features: ``package.module:factory``.

    Attributes:
        name: as in ``--extractor NAME``, or ``NAME:WHERE`` with the file, folder or hub id of its weights.
        about: what it is for people.
        target: where its factory is found.
        media: what it looks at or listens to.
        source: the factory's argument where nobody says WHERE; None leaves it to the factory.
    """

    name: str
    about: str
    target: str
    media: Literal["pictures", "clips", "sounds", "texts", "all media"]
    source: str | None = None


NETWORKS: Mapping[str, ExtractorEntry] = {
    entry.name: entry
    for entry in (
        ExtractorEntry(
            "inception",
            "FID's Inception v3 of 2015; inception:FILE for its weights elsewhere",
            "metrics.extractors:InceptionExtractor",
            "pictures",
        ),
        ExtractorEntry(
            "clip",
            "CLIP ViT-B/32, as the published CLIPScore; clip:FOLDER for any other",
            "metrics.extractors:ClipExtractor",
            "pictures",
            "openai/clip-vit-base-patch32",
        ),
        ExtractorEntry(
            "clip-336",
            "CLIP ViT-L/14 at 336 pixels, resized as the published CMMD; clip-336:FOLDER for any other",
            "metrics.extractors:cmmd_clip",
            "pictures",
            "openai/clip-vit-large-patch14-336",
        ),
        ExtractorEntry(
            "dinov2",
            "DINOv2 ViT-L/14, as FD-DINOv2; dinov2:FOLDER for any other",
            "metrics.extractors:Dinov2Extractor",
            "pictures",
            "facebook/dinov2-large",
        ),
        ExtractorEntry(
            "videomae",
            "VideoMAE, as an FVD that sees motion; videomae:FOLDER for any other",
            "metrics.extractors:VideoMaeExtractor",
            "clips",
            "MCG-NJU/videomae-base",
        ),
        ExtractorEntry(
            "lite0",
            "EfficientNet-Lite0, whose weights a package carries: distances that are no FID",
            "metrics.extractors:EfficientNetLiteExtractor",
            "pictures",
            "packaged:lite0",
        ),
        ExtractorEntry(
            "yamnet",
            "YAMNet, whose weights a package carries: distances that are no FAD",
            "metrics.extractors:YamnetExtractor",
            "sounds",
            "packaged:yamnet",
        ),
        ExtractorEntry(
            "minilm",
            "all-MiniLM-L6-v2, sentences; minilm:FOLDER for any other that embeds them",
            "metrics.extractors:SentenceExtractor",
            "texts",
            "packaged:minilm",
        ),
        ExtractorEntry(
            "toyworld",
            "toyworld's own CLIP, which no judged system contains",
            "benchmarks.tasks.toyworld.extractor:load",
            "pictures",
        ),
        ExtractorEntry(
            "vggish",
            "VGGish, as the published FAD; vggish:FILE for its weights elsewhere",
            "metrics.extractors:VGGishExtractor",
            "sounds",
        ),
        ExtractorEntry(
            "panns",
            "PANNs' Cnn14, 32 kHz, as AudioLDM's FD and KL; panns:FILE for its weights elsewhere",
            "metrics.extractors:PannsExtractor",
            "sounds",
        ),
        ExtractorEntry(
            "clap",
            "LAION's CLAP by transformers; clap:FOLDER for any other",
            "metrics.extractors:ClapExtractor",
            "sounds",
            "laion/clap-htsat-unfused",
        ),
    )
}
