"""Scores that can be trusted: exact, signed, with their intervals, and fast.

For people who only want a number: `frechet_distance(a, b)` over arrays of features,
`caption_scores(predictions, references)`, `vqa_accuracy(predictions, annotations)`, `clip_score(images,
texts)` over embeddings; `bootstrap` and `compare` for intervals and paired tests. Classes (`FID`,
`VqaAccuracy`, `CiderD` in `metrics.caption_metrics`) are the same measurements under one contract: statistics
per item, their merge, a value. Names load when used.

>>> from metrics import bootstrap
>>> round(bootstrap([0.0, 1.0, 1.0, 1.0]).value, 2)
0.75
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metrics.agreement import Agreement, bradley_terry, krippendorff_alpha, metric_agreement, win_rate
    from metrics.answers import ExactMatch, VqaAccuracy, VqaAccuracyLmmsEval, VqaScores, vqa_accuracy
    from metrics.captions import CaptionScores, caption_scores
    from metrics.corpus import CaptionCorpus
    from metrics.coverage import precision_recall
    from metrics.distances import Extrapolation, Measured, frechet_distance, frechet_distance_infinity
    from metrics.divergences import inception_score, kl_divergence
    from metrics.java import JavaError
    from metrics.kernel_distances import cmmd, kernel_audio_distance, kernel_distance
    from metrics.metric import Comparison, Estimate, IncomparableError, MeanMetric, Metric, MetricInputError
    from metrics.set_metrics import CMMD, FID, KAD, KID, KLDivergence
    from metrics.similarity import CLIPI, CLIPT, CLIPScore, CLIPSim, clip_score, clipsim, ref_clip_score
    from metrics.sound_pairs import (
        AudioKL,
        CLAPScore,
        MelCepstralDistortion,
        clap_score,
        mel_cepstral_distortion,
    )
    from metrics.sound_sets import FAD, FD, AudioInceptionScore, WindowKAD
    from metrics.statistics import (
        bootstrap,
        compare,
        compare_metric,
        estimate,
        holm,
        minimum_detectable,
        wilson,
    )
    from metrics.video_answers import (
        ActivityNetScores,
        Choice,
        ChoiceAccuracy,
        ChoiceUnparsed,
        activitynet_qa,
    )
    from metrics.wups import OpenAnswer, Wups, wordnet_similarity

_HOMES = {
    "agreement": ("Agreement", "bradley_terry", "krippendorff_alpha", "metric_agreement", "win_rate"),
    "answers": ("ExactMatch", "VqaAccuracy", "VqaAccuracyLmmsEval", "VqaScores", "vqa_accuracy"),
    "captions": ("CaptionScores", "caption_scores"),
    "corpus": ("CaptionCorpus",),
    "coverage": ("precision_recall",),
    "distances": ("Extrapolation", "Measured", "frechet_distance", "frechet_distance_infinity"),
    "divergences": ("inception_score", "kl_divergence"),
    "java": ("JavaError",),
    "kernel_distances": ("cmmd", "kernel_audio_distance", "kernel_distance"),
    "metric": ("Comparison", "Estimate", "IncomparableError", "MeanMetric", "Metric", "MetricInputError"),
    "set_metrics": ("CMMD", "FID", "KAD", "KID", "KLDivergence"),
    "similarity": ("CLIPI", "CLIPT", "CLIPScore", "CLIPSim", "clip_score", "clipsim", "ref_clip_score"),
    "sound_pairs": (
        "AudioKL",
        "CLAPScore",
        "MelCepstralDistortion",
        "clap_score",
        "mel_cepstral_distortion",
    ),
    "sound_sets": ("FAD", "FD", "AudioInceptionScore", "WindowKAD"),
    "statistics": (
        "bootstrap",
        "compare",
        "compare_metric",
        "estimate",
        "holm",
        "minimum_detectable",
        "wilson",
    ),
    "video_answers": ("ActivityNetScores", "Choice", "ChoiceAccuracy", "ChoiceUnparsed", "activitynet_qa"),
    "wups": ("OpenAnswer", "Wups", "wordnet_similarity"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CLIPI",
    "CLIPT",
    "CMMD",
    "FAD",
    "FD",
    "FID",
    "KAD",
    "KID",
    "ActivityNetScores",
    "Agreement",
    "AudioInceptionScore",
    "AudioKL",
    "CLAPScore",
    "CLIPScore",
    "CLIPSim",
    "CaptionCorpus",
    "CaptionScores",
    "Choice",
    "ChoiceAccuracy",
    "ChoiceUnparsed",
    "Comparison",
    "Estimate",
    "ExactMatch",
    "Extrapolation",
    "IncomparableError",
    "JavaError",
    "KLDivergence",
    "MeanMetric",
    "Measured",
    "MelCepstralDistortion",
    "Metric",
    "MetricInputError",
    "OpenAnswer",
    "VqaAccuracy",
    "VqaAccuracyLmmsEval",
    "VqaScores",
    "WindowKAD",
    "Wups",
    "activitynet_qa",
    "bootstrap",
    "bradley_terry",
    "caption_scores",
    "clap_score",
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
    "mel_cepstral_distortion",
    "metric_agreement",
    "minimum_detectable",
    "precision_recall",
    "ref_clip_score",
    "vqa_accuracy",
    "wilson",
    "win_rate",
    "wordnet_similarity",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
