"""VQA accuracy against the official script's way of computing it: the same answers, values, time and memory.

    python -m benchmarks.speed.vqa                          # 214,354 questions, VQA v2's validation set
    python -m benchmarks.speed.vqa --questions 5000

Annotations are in memory before the time starts, as a JSON file leaves them there: reading the 120 MB costs
both sides the same.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed import vqa_rules
from benchmarks.speed.timing import (
    Arrays,
    assert_around,
    fastest,
    header,
    interval_row,
    largest_difference,
    measured,
    row,
)
from metrics.answers.accuracy import VqaAccuracy, vqa_accuracy
from metrics.statistics import estimate

UNANIMOUS = 0.36  # share of VQA v2's questions whose ten annotators agree
RARE_ANSWERS = 100_000  # distinct answers are many, and most are given once


def questions(count: int, seed: int = 0) -> tuple[list[str], list[dict[str, Any]]]:
    """Predictions and annotations with VQA v2's agreement and long tail; the same for every seed."""
    rng = random.Random(seed)
    predictions, annotations = [], []
    for number in range(count):
        kind, answers = _answers(rng)
        given = [
            {"answer": answer, "answer_confidence": "yes", "answer_id": i + 1}
            for i, answer in enumerate(answers)
        ]
        annotations.append(
            {
                "question_id": number,
                "answer_type": kind,
                "question_type": f"type {number % 65}",
                "answers": given,
            }
        )
        predictions.append(rng.choice(answers) if rng.random() < 0.7 else "no idea, sorry")
    return predictions, annotations


def _answers(rng: random.Random) -> tuple[str, list[str]]:
    kind = rng.choice(("yes/no", "number", "other"))
    first = {
        "yes/no": rng.choice(("yes", "no")),
        "number": str(int(30 * rng.random() ** 3)),
        "other": _rare(rng),
    }[kind]
    if rng.random() < UNANIMOUS:
        return kind, [first] * 10
    others = [_rare(rng) for _ in range(rng.randint(1, 5))]
    agreeing = rng.randint(1, 10 - len(others))
    answers = [first] * agreeing + others + rng.choices(others, k=10 - agreeing - len(others))
    rng.shuffle(answers)
    return kind, answers


def _rare(rng: random.Random) -> str:
    word = f"o{int(RARE_ANSWERS * rng.random() ** 9)}"
    return rng.choice((word, word, word, word, f"a {word}", f"red-{word}", f"{word}."))


def rows(count: int = 214_354) -> Iterator[str]:
    """Measures, and gives the lines of the table; an error where a value differs."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "questions.json"
        file.write_text(json.dumps(questions(count)), encoding="utf-8")
        setup = partial(_read, file)
        first, there, second = (measured(program, setup) for program in (_ours, _theirs, _ours))
    here = fastest([first, second])
    difference = largest_difference(here.arrays, there.arrays, {})
    overall = float(there.arrays["of all questions"][0])
    yield row(f"VQA accuracy, {count:,} x 10", "the official script's rules", here, there, difference, 50)
    intervals = measured(partial(_interval, VqaAccuracy(), here.arrays["vqa_accuracy"]))
    assert_around("vqa_accuracy", intervals.arrays["interval"], overall)
    yield interval_row("VQA accuracy", intervals, here)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints; nothing is printed where a value differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--questions", type=int, default=214_354, help="how many (default: VQA v2's validation set)"
    )
    options = parser.parse_args(arguments)
    print(header("numpy"), flush=True)
    for line in rows(options.questions):
        print(line, flush=True)


def _read(file: Path) -> tuple[list[str], list[dict[str, Any]]]:
    predictions, annotations = json.loads(file.read_text(encoding="utf-8"))
    return predictions, annotations


def _ours(predictions: list[str], annotations: list[dict[str, Any]]) -> Arrays:
    scores = vqa_accuracy(predictions, annotations)
    return _arrays(scores.items, scores.accuracy, scores.by_question_type, scores.by_answer_type)


def _theirs(predictions: list[str], annotations: list[dict[str, Any]]) -> Arrays:
    items = vqa_rules.accuracies(predictions, annotations)
    types = [vqa_rules.accuracy_by(key, annotations, items) for key in ("question_type", "answer_type")]
    return _arrays(items, sum(items) / len(items), *types)


def _arrays(items: Any, overall: float, *types: Mapping[str, float]) -> Arrays:
    by_type = {kind: np.array(mean) for means in types for kind, mean in means.items()}
    return {"vqa_accuracy": np.asarray(items), "of all questions": np.array([overall]), **by_type}


def _interval(metric: VqaAccuracy, items: Any) -> Arrays:
    result = estimate(metric, items)
    return {"interval": np.array([result.low, result.high, result.value])}


if __name__ == "__main__":
    main()
