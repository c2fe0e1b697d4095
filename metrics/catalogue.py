"""What is measured here, as one page of Markdown, `docs/metrics.md`; `write` makes it.

What each does is its docstring's first sentence, its direction its class's own; the rest, which no code
knows, stands
here: where it was published, what its values can be, which weights it looks through and under which licence.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NO_WEIGHTS = "none"
GIVEN = "any, as features"
CLIP = "CLIP ViT-B/32 as published, or any other; MIT"
VGGISH, PANNS, CLAP = "VGGish; Apache-2.0", "PANNs Cnn14; CC BY 4.0", "LAION CLAP; Apache-2.0"
INCEPTION = "FID's Inception of 2015; Apache-2.0"
JUDGE = "the judge's"


@dataclass(frozen=True)
class Entry:
    """One measurement.

    Attributes:
        names: what `metrics` exports of it, the usual one first.
        reference: who defined it.
        range: what its values can be.
        weights: networks that it looks through, and their licence.
    """

    names: str
    reference: str
    range: str
    weights: str = NO_WEIGHTS


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Captions": (
        Entry(
            "CaptionScores caption_scores caption_metrics CaptionCorpus",
            "COCO caption evaluation",
            "each its own",
        ),
        Entry("Bleu", "Papineni et al. 2002, as pycocoevalcap", "0 to 1"),
        Entry("Meteor", "Denkowski and Lavie 2014, METEOR 1.5", "0 to 1", "the program's tables; LGPL"),
        Entry("RougeL", "Lin 2004, as pycocoevalcap", "0 to 1"),
        Entry("CiderD", "Vedantam et al. 2015", "0 to 10"),
        Entry("Cider", "Vedantam et al. 2015", "0 to 10"),
        Entry("Spice", "Anderson et al. 2016", "0 to 1", "Stanford CoreNLP 3.6.0; GPL"),
        Entry("Spider", "Liu et al. 2017", "0 to 5.5", "Stanford CoreNLP 3.6.0; GPL"),
        Entry(
            "SentenceSimilarity sentence_similarity_items",
            "Zhou et al. 2022, FENSE's sentence part",
            "-1 to 1",
            "all-MiniLM-L6-v2 or any other; Apache-2.0",
        ),
        Entry("Fense", "Zhou et al. 2022", "-1 to 1", "as SentenceSimilarity; fluency is given"),
        Entry("fluency_penalised", "Zhou et al. 2022; SPIDEr-FL: DCASE 2023", "as its items"),
    ),
    "Answers": (
        Entry(
            "VqaAccuracy vqa_accuracy VqaScores vqa_normalized",
            "Antol et al. 2015, the official script",
            "0 to 1",
        ),
        Entry("VqaAccuracyLmmsEval", "lmms-eval's variant of it", "0 to 1"),
        Entry("ExactMatch", "equality of strings", "0 to 1"),
        Entry("ActivityNetScores activitynet_qa", "Yu et al. 2019", "0 to 1; WUPS likewise"),
        Entry("ChoiceAccuracy ChoiceCircular Choice chosen", "NExT-QA, MMBench, SEED-Bench", "0 to 1"),
        Entry("ChoiceUnparsed PollingUnparsed", "replies that choose nothing", "0 to 1"),
        Entry("Polling PollingAccuracy", "Li et al. 2023, POPE", "0 to 1"),
        Entry(
            "Wups OpenAnswer wordnet_similarity",
            "Malinowski and Fritz 2014; NExT-QA",
            "0 to 1",
            "WordNet 3.0; its own",
        ),
    ),
    "Distances between sets": (
        Entry("FID frechet_distance Moments RealSet", "Heusel et al. 2017", "0 and up", INCEPTION),
        Entry(
            "FVD",
            "Unterthiner et al. 2018; Ge et al. 2024 over VideoMAE",
            "0 and up",
            "I3D, VideoMAE; as features",
        ),
        Entry(
            "frechet_distance_infinity Extrapolation Measured", "Chong and Forsyth 2020", "0 and up", GIVEN
        ),
        Entry("KID kernel_distance", "Bińkowski et al. 2018", "about 0 and up", INCEPTION),
        Entry("CMMD cmmd", "Jayasumana et al. 2024", "0 and up", "CLIP ViT-L/14 at 336; MIT"),
        Entry("JEDi jedi", "Luo et al. 2024", "0 and up", "V-JEPA, as features; CC BY-NC 4.0"),
        Entry("precision_recall", "Kynkäänniemi et al. 2019", "0 to 1 each", GIVEN),
        Entry("inception_score", "Salimans et al. 2016", "1 and up", INCEPTION),
        Entry("FAD", "Kilgour et al. 2019", "0 and up", f"{VGGISH}, or {CLAP}"),
        Entry("FD", "Liu et al. 2023, AudioLDM", "0 and up", PANNS),
        Entry("KAD WindowKAD kernel_audio_distance", "Chung et al. 2025", "about 0 and up", PANNS),
        Entry("AudioInceptionScore", "Liu et al. 2023, AudioLDM", "1 and up", PANNS),
        Entry("KLDivergence kl_divergence kl_divergence_items", "AudioLDM, AudioCraft", "0 and up", GIVEN),
    ),
    "Pairs of items": (
        Entry("CLIPScore clip_score clip_score_items cosines", "Hessel et al. 2021", "0 to 2.5", CLIP),
        Entry("ref_clip_score ref_clip_score_items", "Hessel et al. 2021", "0 to 2.5", CLIP),
        Entry("CLIPSim clipsim clipsim_items", "Wu et al. 2021, GODIVA", "-1 to 1", CLIP),
        Entry("CLIPT", "edited pictures and their text", "-1 to 1", CLIP),
        Entry("CLIPI", "edited pictures and their truth", "-1 to 1", CLIP),
        Entry("CLAPScore clap_score", "Wu et al. 2023", "-1 to 1", CLAP),
        Entry("AudioKL", "Liu et al. 2023, AudioLDM", "0 and up", PANNS),
        Entry("MelCepstralDistortion mel_cepstral_distortion", "Kubichek 1993", "0 and up, decibels"),
        Entry("ImageBindScore", "Girdhar et al. 2023", "-1 to 1", "ImageBind; CC BY-NC-SA 4.0"),
        Entry("avh_score", "Mao et al. 2024, TAVGBench", "-1 to 1", "ImageBind; CC BY-NC-SA 4.0"),
        Entry("javis_score", "Liu et al. 2025, JavisBench", "-1 to 1", "ImageBind; CC BY-NC-SA 4.0"),
        Entry("AVAlign av_align Recording", "Yariv et al. 2024", "0 to 1"),
        Entry("TemporalFlickering temporal_flickering", "Huang et al. 2024, VBench", "0 to 1"),
        Entry("motion_smoothness", "Huang et al. 2024, VBench", "0 to 1", "AMT-S, as frames; CC BY-NC 4.0"),
        Entry("is_dynamic", "Huang et al. 2024, VBench", "yes or no", "RAFT, as flow; BSD-3"),
        Entry("is_static", "Huang et al. 2024, VBench", "yes or no", "RAFT, as flow; BSD-3"),
        Entry("GenEval Detected fulfils", "Ghosh et al. 2023", "0 to 1", "a detector's, as detections"),
        Entry(
            "PreferenceWinRate preference_win_rate prompt_wins ClipPreference",
            "HPSv2, PickScore, ImageReward; per prompt",
            "0 to 1",
            "HPSv2: Apache-2.0; PickScore: MIT; or scores as given",
        ),
    ),
    "Judges": (
        Entry("VQAScore TEMPLATES Template yes_probability", "Lin et al. 2024", "0 to 1", JUDGE),
        Entry("SoftTIFA soft_tifa", "Kamath et al. 2025, GenEval 2", "0 to 1", JUDGE),
        Entry("JudgedAnswers verdict prompt_hash", "after Maaz et al. 2024, Video-ChatGPT", "0 to 1", JUDGE),
        Entry("Clair clair_score", "after Chan et al. 2023", "0 to 1", JUDGE),
        Entry("VerdictAccuracy", "verdicts on answers of known truth", "0 to 1", JUDGE),
        Entry("JudgeAccuracy", "statements of known truth", "0 to 1", JUDGE),
        Entry("BrierScore", "Brier 1950", "0 to 1", JUDGE),
        Entry(
            "CalibrationError expected_calibration_error reliability Bin",
            "Naeini et al. 2015",
            "0 to 1",
            JUDGE,
        ),
    ),
    "People": (
        Entry("win_rate crossed_win_rate", "ties count half", "0 to 1"),
        Entry(
            "bradley_terry crossed_strengths",
            "Bradley and Terry 1952, on Elo's scale",
            "any; their mean is 1,000",
        ),
        Entry("crossed_mean crossed_difference Spread", "Cameron, Gelbach and Miller 2011", "as the ratings"),
        Entry("krippendorff_alpha", "Krippendorff 2011", "up to 1"),
        Entry("cohen_kappa", "Cohen 1960, 1968", "up to 1"),
        Entry("fleiss_kappa", "Fleiss 1971", "up to 1"),
        Entry("metric_agreement agreement_intervals Agreement", "Kendall's tau-b", "-1 to 1"),
        Entry("correlation", "Pearson; Spearman; Kendall's tau-b, Stuart's tau-c", "-1 to 1"),
        Entry("power items_needed raters_needed Variances", "noncentral t", "0 to 1, or a count"),
    ),
    "Statistics": (
        Entry("bootstrap estimate Estimate", "Efron 1979; Miller 2024 for clusters", "as what is measured"),
        Entry("bootstrap_bca", "Efron 1987", "as what is measured"),
        Entry("compare compare_metric Comparison", "Koehn 2004; sign flips", "as what is measured"),
        Entry("wilson proportion", "Wilson 1927", "0 to 1"),
        Entry("clopper_pearson", "Clopper and Pearson 1934", "0 to 1"),
        Entry("holm", "Holm 1979", "0 to 1"),
        Entry("benjamini_hochberg", "Benjamini and Hochberg 1995", "0 to 1"),
        Entry("minimum_detectable", "80 % power at 5 %", "0 and up"),
    ),
    "Contract": (
        Entry("Metric MeanMetric", "statistics of items, their merge, a value", "as what is measured"),
        Entry("MetricInputError IncomparableError JavaError", "what is refused, and why", "-"),
        Entry("RESIZES", "Parmar et al. 2022: how a picture is resized moves FID", "-"),
    ),
}

_HEAD = """# Metrics

<!-- Made by `metrics.catalogue.write`; a test holds this page to it. -->

All that `from metrics import ...` gives: what it is, who defined it, what its values can be, which way is
better, and which weights it looks through under which licence. Every value carries a signature, an interval
and a standard error; `nextgpt-bench doctor` says which weights are at hand. Over another network than its own
a metric has another name: `fd_dinov2`, `frechet_efficientnet_lite0`, `kernel_yamnet` are no FID and no FAD.
"""


def page() -> str:
    """The page as Markdown.

    >>> page().splitlines()[0]
    '# Metrics'
    """
    lines = [_HEAD]
    for title, entries in SECTIONS.items():
        lines += [f"## {title}", ""]
        lines += ["| name | what it is | defined by | values | better | weights, licence |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        lines += [_row(entry) for entry in entries]
        lines.append("")
    return "\n".join(lines)


def write(path: Path) -> None:
    """Write the page.

    >>> write(Path("docs/metrics.md"))  # doctest: +SKIP
    """
    path.write_text(page(), encoding="utf-8")


def named() -> Iterator[str]:
    """Every name on the page.

    >>> "CLIPScore" in set(named())
    True
    """
    for entries in SECTIONS.values():
        for entry in entries:
            yield from entry.names.split()


def _row(entry: Entry) -> str:
    import metrics

    names = entry.names.split()
    first = getattr(metrics, names[0])
    what = inspect.getdoc(first) if inspect.isclass(first) or inspect.isfunction(first) else ""
    told = " ".join((what or _CONSTANTS[names[0]]).split("\n\n")[0].split()).replace("|", "\\|")
    cells = (
        ", ".join(f"`{name}`" for name in names),
        told,
        entry.reference,
        entry.range,
        _better(first),
        entry.weights,
    )
    return f"| {' | '.join(cells)} |"


_CONSTANTS = {"RESIZES": "How a picture becomes Inception's input, by the name that a signature gives."}
_DIRECTIONS = {True: "more", False: "less"}
_MORE = (
    "precision_recall inception_score ref_clip_score soft_tifa avh_score javis_score motion_smoothness "
    "win_rate bradley_terry fluency_penalised krippendorff_alpha cohen_kappa fleiss_kappa metric_agreement "
    "correlation CaptionScores ActivityNetScores"
)
_BY_NAME = {
    **dict.fromkeys(("frechet_distance_infinity", "MelCepstralDistortion"), "less"),
    **dict.fromkeys(_MORE.split(), "more"),
}


def _better(measure: Any) -> str:
    found = getattr(measure, "higher_is_better", None)
    if isinstance(found, bool):
        return _DIRECTIONS[found]
    if getattr(measure, "__name__", "") == "Polling":
        return "more, but for the share of yes"
    return _BY_NAME.get(getattr(measure, "__name__", ""), "-")
