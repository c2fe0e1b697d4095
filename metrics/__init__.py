"""Scores that can be trusted: exact, signed, with their intervals, and fast.

For people who only want a number: `frechet_distance(a, b)` over arrays of features,
`caption_scores(predictions, references)`, `vqa_accuracy(predictions, annotations)`, `clip_score(images,
texts)` over embeddings; `bootstrap` and `compare` for intervals and paired tests. Classes (`FID`,
`VqaAccuracy`, `CiderD` in `metrics.captions.metrics`) are the same measurements under one contract:
statistics per item, their merge, a value. Names load when used.

>>> from metrics import bootstrap
>>> round(bootstrap([0.0, 1.0, 1.0, 1.0]).value, 2)
0.75
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from metrics.answers.accuracy import ExactMatch, VqaAccuracy, VqaAccuracyLmmsEval, VqaScores, vqa_accuracy
    from metrics.answers.choices import Choice, ChoiceAccuracy, ChoiceCircular, ChoiceUnparsed, chosen
    from metrics.answers.normalizer import vqa_normalized
    from metrics.answers.polling import Polling, PollingAccuracy, PollingUnparsed
    from metrics.answers.videos import ActivityNetScores, activitynet_qa
    from metrics.answers.wups import OpenAnswer, Wups, wordnet_similarity
    from metrics.captions.corpus import CaptionCorpus
    from metrics.captions.java import JavaError
    from metrics.captions.metrics import Bleu, Cider, CiderD, Meteor, RougeL, Spice, Spider
    from metrics.captions.scores import CaptionScores, caption_metrics, caption_scores
    from metrics.captions.sentences import (
        Fense,
        SentenceSimilarity,
        fluency_penalised,
        sentence_similarity_items,
    )
    from metrics.extractors.pictures import RESIZES
    from metrics.judges.calibration import (
        Bin,
        BrierScore,
        CalibrationError,
        JudgeAccuracy,
        expected_calibration_error,
        reliability,
    )
    from metrics.judges.replies import (
        Clair,
        JudgedAnswers,
        VerdictAccuracy,
        clair_score,
        prompt_hash,
        verdict,
    )
    from metrics.judges.scores import SoftTIFA, VQAScore, soft_tifa
    from metrics.judges.templates import TEMPLATES, Template, yes_probability
    from metrics.metric import Comparison, Estimate, IncomparableError, MeanMetric, Metric, MetricInputError
    from metrics.pairs.alignment import AVAlign, Recording, av_align
    from metrics.pairs.composition import Detected, GenEval, fulfils
    from metrics.pairs.media import ImageBindScore, avh_score, javis_score
    from metrics.pairs.motion import (
        TemporalFlickering,
        is_dynamic,
        is_static,
        motion_smoothness,
        temporal_flickering,
    )
    from metrics.pairs.preference import ClipPreference, PreferenceWinRate, preference_win_rate, prompt_wins
    from metrics.pairs.similarity import (
        CLIPI,
        CLIPT,
        CLIPScore,
        CLIPSim,
        clip_score,
        clip_score_items,
        clipsim,
        clipsim_items,
        cosines,
        ref_clip_score,
        ref_clip_score_items,
    )
    from metrics.pairs.sounds import (
        AudioKL,
        CLAPScore,
        MelCepstralDistortion,
        clap_score,
        mel_cepstral_distortion,
    )
    from metrics.people.agreement import Agreement, agreement_intervals, krippendorff_alpha, metric_agreement
    from metrics.people.correlation import correlation
    from metrics.people.crossed import Spread, crossed_difference, crossed_mean, crossed_win_rate
    from metrics.people.kappa import cohen_kappa, fleiss_kappa
    from metrics.people.power import Variances, items_needed, power, raters_needed
    from metrics.people.preferences import bradley_terry, crossed_strengths, win_rate
    from metrics.sets.coverage import precision_recall
    from metrics.sets.divergences import inception_score, kl_divergence, kl_divergence_items
    from metrics.sets.frechet import (
        Extrapolation,
        Measured,
        Moments,
        frechet_distance,
        frechet_distance_infinity,
    )
    from metrics.sets.kernels import cmmd, jedi, kernel_audio_distance, kernel_distance
    from metrics.sets.metrics import CMMD, FID, FVD, KAD, KID, JEDi, KLDivergence
    from metrics.sets.real import RealSet
    from metrics.sets.sounds import FAD, FD, AudioInceptionScore, WindowKAD
    from metrics.statistics import (
        benjamini_hochberg,
        bootstrap,
        bootstrap_bca,
        clopper_pearson,
        compare,
        compare_metric,
        estimate,
        holm,
        minimum_detectable,
        proportion,
        wilson,
    )

_HOMES = {
    "people.agreement": (
        "Agreement",
        "agreement_intervals",
        "krippendorff_alpha",
        "metric_agreement",
    ),
    "people.preferences": (
        "bradley_terry",
        "crossed_strengths",
        "win_rate",
    ),
    "answers.accuracy": (
        "ExactMatch",
        "VqaAccuracy",
        "VqaAccuracyLmmsEval",
        "VqaScores",
        "vqa_accuracy",
    ),
    "captions.scores": (
        "CaptionScores",
        "caption_metrics",
        "caption_scores",
    ),
    "captions.corpus": ("CaptionCorpus",),
    "sets.coverage": ("precision_recall",),
    "sets.frechet": (
        "Extrapolation",
        "Measured",
        "Moments",
        "frechet_distance",
        "frechet_distance_infinity",
    ),
    "sets.divergences": (
        "inception_score",
        "kl_divergence",
        "kl_divergence_items",
    ),
    "captions.java": ("JavaError",),
    "sets.kernels": (
        "cmmd",
        "jedi",
        "kernel_audio_distance",
        "kernel_distance",
    ),
    "metric": (
        "Comparison",
        "Estimate",
        "IncomparableError",
        "MeanMetric",
        "Metric",
        "MetricInputError",
    ),
    "sets.metrics": (
        "CMMD",
        "FID",
        "FVD",
        "JEDi",
        "KAD",
        "KID",
        "KLDivergence",
    ),
    "extractors.pictures": ("RESIZES",),
    "pairs.alignment": (
        "AVAlign",
        "Recording",
        "av_align",
    ),
    "pairs.similarity": (
        "CLIPI",
        "CLIPScore",
        "CLIPSim",
        "CLIPT",
        "clip_score",
        "clip_score_items",
        "clipsim",
        "clipsim_items",
        "cosines",
        "ref_clip_score",
        "ref_clip_score_items",
    ),
    "pairs.sounds": (
        "AudioKL",
        "CLAPScore",
        "MelCepstralDistortion",
        "clap_score",
        "mel_cepstral_distortion",
    ),
    "sets.sounds": (
        "FAD",
        "FD",
        "AudioInceptionScore",
        "WindowKAD",
    ),
    "statistics": (
        "benjamini_hochberg",
        "bootstrap",
        "bootstrap_bca",
        "clopper_pearson",
        "compare",
        "compare_metric",
        "estimate",
        "holm",
        "minimum_detectable",
        "proportion",
        "wilson",
    ),
    "answers.polling": (
        "Polling",
        "PollingAccuracy",
        "PollingUnparsed",
    ),
    "answers.choices": (
        "Choice",
        "ChoiceAccuracy",
        "ChoiceCircular",
        "ChoiceUnparsed",
        "chosen",
    ),
    "answers.normalizer": ("vqa_normalized",),
    "answers.videos": (
        "ActivityNetScores",
        "activitynet_qa",
    ),
    "answers.wups": (
        "OpenAnswer",
        "Wups",
        "wordnet_similarity",
    ),
    "people.correlation": ("correlation",),
    "people.kappa": (
        "cohen_kappa",
        "fleiss_kappa",
    ),
    "pairs.motion": (
        "TemporalFlickering",
        "is_dynamic",
        "is_static",
        "motion_smoothness",
        "temporal_flickering",
    ),
    "pairs.media": (
        "ImageBindScore",
        "avh_score",
        "javis_score",
    ),
    "pairs.preference": (
        "ClipPreference",
        "PreferenceWinRate",
        "preference_win_rate",
        "prompt_wins",
    ),
    "captions.sentences": (
        "Fense",
        "SentenceSimilarity",
        "fluency_penalised",
        "sentence_similarity_items",
    ),
    "judges.templates": (
        "TEMPLATES",
        "Template",
        "yes_probability",
    ),
    "judges.scores": (
        "SoftTIFA",
        "VQAScore",
        "soft_tifa",
    ),
    "judges.calibration": (
        "Bin",
        "BrierScore",
        "CalibrationError",
        "JudgeAccuracy",
        "expected_calibration_error",
        "reliability",
    ),
    "judges.replies": (
        "Clair",
        "JudgedAnswers",
        "VerdictAccuracy",
        "clair_score",
        "prompt_hash",
        "verdict",
    ),
    "captions.metrics": (
        "Bleu",
        "Cider",
        "CiderD",
        "Meteor",
        "RougeL",
        "Spice",
        "Spider",
    ),
    "people.crossed": (
        "Spread",
        "crossed_difference",
        "crossed_mean",
        "crossed_win_rate",
    ),
    "people.power": (
        "Variances",
        "items_needed",
        "power",
        "raters_needed",
    ),
    "pairs.composition": (
        "Detected",
        "GenEval",
        "fulfils",
    ),
    "sets.real": ("RealSet",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "CLIPI",
    "CLIPT",
    "CMMD",
    "FAD",
    "FD",
    "FID",
    "FVD",
    "KAD",
    "KID",
    "RESIZES",
    "TEMPLATES",
    "AVAlign",
    "ActivityNetScores",
    "Agreement",
    "AudioInceptionScore",
    "AudioKL",
    "Bin",
    "Bleu",
    "BrierScore",
    "CLAPScore",
    "CLIPScore",
    "CLIPSim",
    "CalibrationError",
    "CaptionCorpus",
    "CaptionScores",
    "Choice",
    "ChoiceAccuracy",
    "ChoiceCircular",
    "ChoiceUnparsed",
    "Cider",
    "CiderD",
    "Clair",
    "ClipPreference",
    "Comparison",
    "Detected",
    "Estimate",
    "ExactMatch",
    "Extrapolation",
    "Fense",
    "GenEval",
    "ImageBindScore",
    "IncomparableError",
    "JEDi",
    "JavaError",
    "JudgeAccuracy",
    "JudgedAnswers",
    "KLDivergence",
    "MeanMetric",
    "Measured",
    "MelCepstralDistortion",
    "Meteor",
    "Metric",
    "MetricInputError",
    "Moments",
    "OpenAnswer",
    "Polling",
    "PollingAccuracy",
    "PollingUnparsed",
    "PreferenceWinRate",
    "RealSet",
    "Recording",
    "RougeL",
    "SentenceSimilarity",
    "SoftTIFA",
    "Spice",
    "Spider",
    "Spread",
    "Template",
    "TemporalFlickering",
    "VQAScore",
    "Variances",
    "VerdictAccuracy",
    "VqaAccuracy",
    "VqaAccuracyLmmsEval",
    "VqaScores",
    "WindowKAD",
    "Wups",
    "activitynet_qa",
    "agreement_intervals",
    "av_align",
    "avh_score",
    "benjamini_hochberg",
    "bootstrap",
    "bootstrap_bca",
    "bradley_terry",
    "caption_metrics",
    "caption_scores",
    "chosen",
    "clair_score",
    "clap_score",
    "clip_score",
    "clip_score_items",
    "clipsim",
    "clipsim_items",
    "clopper_pearson",
    "cmmd",
    "cohen_kappa",
    "compare",
    "compare_metric",
    "correlation",
    "cosines",
    "crossed_difference",
    "crossed_mean",
    "crossed_strengths",
    "crossed_win_rate",
    "estimate",
    "expected_calibration_error",
    "fleiss_kappa",
    "fluency_penalised",
    "frechet_distance",
    "frechet_distance_infinity",
    "fulfils",
    "holm",
    "inception_score",
    "is_dynamic",
    "is_static",
    "items_needed",
    "javis_score",
    "jedi",
    "kernel_audio_distance",
    "kernel_distance",
    "kl_divergence",
    "kl_divergence_items",
    "krippendorff_alpha",
    "mel_cepstral_distortion",
    "metric_agreement",
    "minimum_detectable",
    "motion_smoothness",
    "power",
    "precision_recall",
    "preference_win_rate",
    "prompt_hash",
    "prompt_wins",
    "proportion",
    "raters_needed",
    "ref_clip_score",
    "ref_clip_score_items",
    "reliability",
    "sentence_similarity_items",
    "soft_tifa",
    "temporal_flickering",
    "verdict",
    "vqa_accuracy",
    "vqa_normalized",
    "wilson",
    "win_rate",
    "wordnet_similarity",
    "yes_probability",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
