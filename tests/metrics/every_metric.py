"""Every metric of the project with a few items to score; alone, and in two processes.

`torchrun -m tests.metrics.every_metric OUT` writes what each metric gives as a torchmetrics module that saw
its items in two processes, a part each; `alone` is what one pass gives.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from metrics.metric import Metric

N = 12
SPLIT = 7  # the first process sees so many, in two batches; the second the others
SAID = [
    *("a dog runs on the grass", "two cats sleep", "a red bus", "", "naïve café — 犬", "a big dog runs"),
    *("a man rides a horse", "one bird", "the bus is red", "a cat", "three boats at sea", "a tall tree"),
]
CAPTIONS = [
    [said or "nothing", f"{said} today", "a thing in a picture"][: 1 + number % 3]
    for number, said in enumerate(SAID)
]
WORDS = ["yes", "no", "red", "2"]


@dataclass(frozen=True)
class Case:
    """A metric, and the items that it is tried on."""

    make: Callable[[], Metric[Any]]
    predictions: Any
    references: Any


class Network:
    """Stands for a network: fixed features of arrays and of texts."""

    signature = "network"

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[len(text) + 1.0, text.count("a") + 0.5, 1.0] for text in texts])

    def sounds(self, items: Sequence[Any]) -> np.ndarray:
        return np.array([[np.abs(item).max(), np.mean(item), 1.0] for item in items])

    images = media = sounds

    def frames(self, recording: Any) -> np.ndarray:
        return self.sounds(list(recording.frames / 255))

    def windows(self, recording: Any, spans: Sequence[tuple[float, float]]) -> np.ndarray:
        return self.sounds([recording.samples + start for start, _ in spans])

    def probabilities(self, items: Sequence[Any]) -> np.ndarray:
        rows = np.exp([[np.mean(item), np.std(item), 0.1] for item in items])
        return np.asarray(rows / rows.sum(axis=1, keepdims=True))


def cases(*, java: bool = True) -> Mapping[str, Case]:
    """All metrics by a name of their own; without `java`, none that starts METEOR's or SPICE's program."""
    rng = np.random.default_rng(0)
    return {
        **_answers(),
        **_captions(java=java),
        **_pairs(rng),
        **_sets(rng),
        **_scenes(),
        **_judges(rng),
    }


def alone(case: Case) -> float:
    """The value of one pass over all items."""
    metric = case.make()
    return metric.value(metric.statistics(case.predictions, case.references))


def _answers() -> dict[str, Case]:
    from metrics.answers import accuracy, choices, polling, wups

    said = [WORDS[number % 4] for number in range(N)]
    other = [WORDS[(number * number) % 4] for number in range(N)]
    votes = [
        {"answers": [{"answer": WORDS[(k * i) % 4], "answer_id": k} for k in range(10)]} for i in range(N)
    ]
    labels = [WORDS[(number // 2) % 2] for number in range(N)]
    questions = [choices.Choice(("yes", "no", "red"), number % 3) for number in range(N)]
    turns = [choices.Turn(each, str(number // 3)) for number, each in enumerate(questions)]
    answers = [wups.OpenAnswer((word,)) for word in other]

    def similarity(one: str, other: str) -> float:
        return 1.0 if one == other else 0.3

    return {
        "vqa_accuracy": Case(accuracy.VqaAccuracy, said, votes),
        "vqa_accuracy_lmms_eval": Case(accuracy.VqaAccuracyLmmsEval, said, votes),
        "exact_match": Case(accuracy.ExactMatch, said, other),
        **{name: Case(partial(polling.Polling, name), said, labels) for name in polling.POLLED},
        "pope_accuracy": Case(polling.PollingAccuracy, said, labels),
        "pope_unparsed": Case(polling.PollingUnparsed, said, labels),
        "choice_accuracy": Case(choices.ChoiceAccuracy, said, questions),
        "choice_circular": Case(choices.ChoiceCircular, said, turns),
        "choice_unparsed": Case(choices.ChoiceUnparsed, said, questions),
        "wups": Case(lambda: wups.Wups(similarity, "toy"), said, answers),
    }


def _captions(*, java: bool) -> dict[str, Case]:
    from metrics.captions import metrics, sentences, spice

    kinds: dict[str, Callable[[], Metric[Any]]] = {
        **{f"bleu_{order}": partial(metrics.Bleu, order) for order in (1, 4)},
        "rouge_l": metrics.RougeL,
        "cider_d": metrics.CiderD,
        "cider": metrics.Cider,
    }
    if java:
        kinds["meteor"] = metrics.Meteor
    if java and spice.missing() is None:
        kinds |= {"spice": metrics.Spice, "spider": metrics.Spider}
    network = Network()
    kinds["sentence_similarity"] = lambda: sentences.SentenceSimilarity(network)
    odds = [(text, 0.95 if number % 4 == 0 else 0.1) for number, text in enumerate(SAID)]
    return {
        **{name: Case(make, SAID, CAPTIONS) for name, make in kinds.items()},
        "fense": Case(lambda: sentences.Fense(network), odds, CAPTIONS),
    }


def _pairs(rng: np.random.Generator) -> dict[str, Case]:
    from metrics.extractors import Sound
    from metrics.pairs import alignment, composition, media, motion, preference, similarity, sounds
    from metrics.sets.metrics import KLDivergence

    waves, others = list(rng.normal(size=(N, 50))), list(rng.normal(size=(N, 50)))
    clips = [list(rng.normal(size=(1 + number % 3, 50))) for number in range(N)]
    heard = [Sound(wave, 16_000) for wave in rng.normal(0, 0.1, size=(N, 2000))]
    films = rng.integers(0, 256, size=(N, 6, 4, 4, 3), dtype=np.uint8)
    shown = [
        alignment.Recording(film, 8.0, sound.samples, sound.rate)
        for film, sound in zip(films, heard, strict=True)
    ]
    verdicts = [[bool((number * k) % 3) for k in range(4)] for number in range(N)]
    prompts = [{"tag": WORDS[number % 4], "include": []} for number in range(N)]
    network = Network()
    opinions = list(network.probabilities(waves)), list(network.probabilities(others))
    return {
        "clip_score": Case(lambda: similarity.CLIPScore(network), waves, SAID),
        "clipsim": Case(lambda: similarity.CLIPSim(network), clips, SAID),
        "clip_t": Case(lambda: similarity.CLIPT(network), waves, SAID),
        "clip_i": Case(lambda: similarity.CLIPI(network), waves, others),
        "clap_score": Case(lambda: sounds.CLAPScore(network), waves, SAID),
        "audio_kl": Case(lambda: sounds.AudioKL(network), waves, others),
        "geneval": Case(composition.GenEval, verdicts, prompts),
        "mcd_dtw": Case(sounds.MelCepstralDistortion, heard, heard[1:] + heard[:1]),
        "kl_divergence": Case(KLDivergence, *opinions),
        "av_align": Case(alignment.AVAlign, shown, SAID),
        "imagebind_score": Case(lambda: media.ImageBindScore(network), waves, others),
        "avh_score": Case(lambda: media.ImageBindScore(network, "frames"), shown, SAID),
        "javis_score": Case(lambda: media.ImageBindScore(network, "windows"), shown, SAID),
        "temporal_flickering": Case(motion.TemporalFlickering, list(films), SAID),
        "preference_win_rate": Case(
            lambda: preference.PreferenceWinRate(preference.ClipPreference(network)),
            waves,
            list(zip(SAID, others, strict=True)),
        ),
    }


def _sets(rng: np.random.Generator) -> dict[str, Case]:
    from metrics.sets import metrics, sounds

    rows, others = rng.normal(size=(N, 3)).astype(np.float32), rng.normal(1, 1, size=(N, 3))
    heard, true = ([rng.normal(size=(1 + i % 3, 3)) for i in range(N)] for _ in range(2))
    shares = Network().probabilities(list(rng.normal(size=(N, 50))))
    return {
        "fid": Case(metrics.FID, rows, others),
        "fvd": Case(metrics.FVD, rows, others),
        "kid": Case(lambda: metrics.KID(subsets=5, subset_size=6), rows, others),
        "cmmd": Case(metrics.CMMD, rows, others),
        "kad": Case(metrics.KAD, rows, others),
        "jedi": Case(metrics.JEDi, rows, others),
        "fd": Case(sounds.FD, rows, others),
        "fad": Case(sounds.FAD, heard, true),
        "window_kad": Case(sounds.WindowKAD, heard, true),
        "audio_inception_score": Case(lambda: sounds.AudioInceptionScore(splits=2), shares, shares),
    }


def _judges(rng: np.random.Generator) -> dict[str, Case]:
    from metrics.judges import calibration, replies, scores, templates

    class Judge:
        signature = "judge"

        def log_probabilities(
            self, items: Sequence[Any], questions: Sequence[str], answers: Sequence[str]
        ) -> list[list[float]]:
            return [
                [-0.1 * len(asked), -2.0 - float(np.mean(item))]
                for item, asked in zip(items, questions, strict=True)
            ]

    template = templates.TEMPLATES["is-there"]
    seen, odds = list(rng.uniform(size=(N, 5))), list(rng.uniform(size=N))
    truths = [float(number % 3 == 0) for number in range(N)]
    said = ["yes" if number % 4 else "no" for number in range(N)]
    scored = [f'{{"score": {7 * number}}}' for number in range(N)]
    return {
        "vqa_score": Case(lambda: scores.VQAScore(Judge(), template), seen, SAID),
        "soft_tifa_gm": Case(lambda: scores.SoftTIFA(Judge(), template), seen, CAPTIONS),
        "judge_accuracy": Case(calibration.JudgeAccuracy, odds, truths),
        "brier_score": Case(calibration.BrierScore, odds, truths),
        "calibration_error": Case(calibration.CalibrationError, odds, truths),
        "judged_right": Case(replies.JudgedAnswers, said, SAID),
        "verdict_accuracy": Case(replies.VerdictAccuracy, said, [bool(true) for true in truths]),
        "clair": Case(replies.Clair, scored, SAID),
    }


def _scenes() -> dict[str, Case]:
    from benchmarks.tasks.toyworld.readings import TEXTS
    from benchmarks.tasks.toyworld.scenes import AttributeF1, SceneAccuracy
    from toyworld.scene import Scene, Thing

    things = [Thing(number % 9, "small", "red", "circle") for number in range(N)]
    said = ["a small red circle in the top left"] * N
    true = [Scene.of(thing) for thing in things]
    return {
        "scene_accuracy": Case(lambda: SceneAccuracy(TEXTS), said, true),
        "attribute_f1": Case(lambda: AttributeF1(TEXTS), said, true),
    }


def in_parts(case: Case, rank: int) -> float:
    """The value as a torchmetrics module gives it in each of two processes."""
    from metrics.modules import ToTorchmetrics

    module = ToTorchmetrics(case.make())
    for start, end in [(0, 3), (3, SPLIT)] if rank == 0 else [(SPLIT, N)]:
        module.update(case.predictions[start:end], case.references[start:end])
    return float(module.compute())


def all_on_one(case: Case, rank: int) -> float:
    """Likewise, where the second process sees nothing."""
    from metrics.modules import ToTorchmetrics

    module = ToTorchmetrics(case.make())
    if rank == 0:
        module.update(case.predictions, case.references)
    return float(module.compute())


def main(out: Path) -> None:
    from torch import distributed

    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    found = {name: in_parts(case, rank) for name, case in cases().items()}
    few = cases(java=False)
    idle = {name: all_on_one(few[name], rank) for name in ("exact_match", "cider_d", "fid", "fad")}
    (out / f"{rank}.json").write_text(json.dumps({"parts": found, "idle": idle}), encoding="utf-8")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
