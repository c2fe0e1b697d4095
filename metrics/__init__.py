"""Scores that can be trusted: exact, signed, with their intervals, and fast.

For people who only want a number: `frechet_distance(a, b)` over arrays of features,
`caption_scores(predictions, references)`, `vqa_accuracy(predictions, annotations)`, `clip_score(images,
texts)` over embeddings; `bootstrap` and `compare` for intervals and paired tests. Names load when used.

>>> from metrics import bootstrap
>>> round(bootstrap([0.0, 1.0, 1.0, 1.0]).value, 2)
0.75
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metrics.agreement import bradley_terry, krippendorff_alpha, metric_agreement, win_rate
    from metrics.answers import vqa_accuracy
    from metrics.captions import caption_scores
    from metrics.coverage import precision_recall
    from metrics.distances import Measured, frechet_distance, frechet_distance_infinity
    from metrics.divergences import inception_score, kl_divergence
    from metrics.kernel_distances import cmmd, kernel_audio_distance, kernel_distance
    from metrics.metric import Comparison, Estimate, IncomparableError, MeanMetric, Metric, MetricInputError
    from metrics.set_metrics import CMMD, FID, KAD, KID, KLDivergence
    from metrics.similarity import CLIPI, CLIPT, CLIPScore, CLIPSim, clip_score, clipsim, ref_clip_score
    from metrics.statistics import (
        bootstrap,
        compare,
        compare_metric,
        estimate,
        holm,
        minimum_detectable,
        wilson,
    )

_HOMES = {
    "agreement": ("bradley_terry", "krippendorff_alpha", "metric_agreement", "win_rate"),
    "answers": ("vqa_accuracy",),
    "captions": ("caption_scores",),
    "coverage": ("precision_recall",),
    "distances": ("Measured", "frechet_distance", "frechet_distance_infinity"),
    "divergences": ("inception_score", "kl_divergence"),
    "kernel_distances": ("cmmd", "kernel_audio_distance", "kernel_distance"),
    "metric": ("Comparison", "Estimate", "IncomparableError", "MeanMetric", "Metric", "MetricInputError"),
    "set_metrics": ("CMMD", "FID", "KAD", "KID", "KLDivergence"),
    "similarity": ("CLIPI", "CLIPT", "CLIPScore", "CLIPSim", "clip_score", "clipsim", "ref_clip_score"),
    "statistics": (
        "bootstrap",
        "compare",
        "compare_metric",
        "estimate",
        "holm",
        "minimum_detectable",
        "wilson",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CLIPI",
    "CLIPT",
    "CMMD",
    "FID",
    "KAD",
    "KID",
    "CLIPScore",
    "CLIPSim",
    "Comparison",
    "Estimate",
    "IncomparableError",
    "KLDivergence",
    "MeanMetric",
    "Measured",
    "Metric",
    "MetricInputError",
    "bootstrap",
    "bradley_terry",
    "caption_scores",
    "clip_score",
    "clipsim",
    "cmmd",
    "compare",
    "compare_metric",
    "estimate",
    "frechet_distance",
    "frechet_distance_infinity",
    "holm",
    "inception_score",
    "kernel_audio_distance",
    "kernel_distance",
    "kl_divergence",
    "krippendorff_alpha",
    "metric_agreement",
    "minimum_detectable",
    "precision_recall",
    "ref_clip_score",
    "vqa_accuracy",
    "wilson",
    "win_rate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
