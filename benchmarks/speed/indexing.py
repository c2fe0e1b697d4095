"""What it takes to index VQA v2's validation split, 214,354 questions with ten answers each, and to list all.

    python -m benchmarks.speed.indexing

The official two files are written first, their content made up, and not counted. Each command runs in a
process of its own, start of Python included; no picture is opened.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path

from benchmarks.speed.rescoring import timed

QUESTIONS, PICTURES = 214_354, 40_504
WORDS = (
    "yes",
    "no",
    "red",
    "blue",
    "two",
    "three",
    "dog",
    "cat",
    "pizza",
    "street",
    "left",
    "wood",
    "tennis",
)


def write(folder: Path, count: int) -> None:
    """VQA v2's pair of files, a record at a time: a child's peak begins at its parent's."""
    rng = random.Random(0)
    with (
        (folder / "v2_OpenEnded_mscoco_val2014_questions.json").open("w") as questions,
        (folder / "v2_mscoco_val2014_annotations.json").open("w") as annotations,
    ):
        questions.write('{"data_subtype": "val2014", "questions": [')
        annotations.write('{"annotations": [')
        for number in range(count):
            ids = {"question_id": 10 * number, "image_id": number % PICTURES + 1}
            answers = [
                {"answer": rng.choice(WORDS), "answer_confidence": "yes", "answer_id": k}
                for k in range(1, 11)
            ]
            kinds = {"question_type": "what is the", "answer_type": rng.choice(("yes/no", "number", "other"))}
            comma = ", " if number else ""
            asked = {**ids, "question": f"What is the {rng.choice(WORDS)} thing here?"}
            questions.write(comma + json.dumps(asked))
            annotations.write(comma + json.dumps({**ids, **kinds, "answers": answers}))
        questions.write("]}")
        annotations.write("]}")


def index(folder: Path) -> int:
    """The number of records; each is looked at once and let go."""
    from benchmarks.harness.benchmark import Options
    from benchmarks.registry import load_benchmark
    from benchmarks.tasks.published import OfficialData

    source = load_benchmark("vqav2").load
    assert isinstance(source, OfficialData)
    return sum(1 for _ in source.records(Options(data=folder)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=QUESTIONS, help="questions")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)  # what a child process is asked for
    options = parser.parse_args()
    if options.one:
        print(index(options.one))
        return
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), options.size)
        print("what              seconds   CPU seconds   peak MiB so far")
        steps = {"list": ["benchmarks.cli", "list"], "index questions": [__spec__.name, "--one", folder]}
        for what, command in steps.items():
            seconds, cpu, peak = timed(command)
            print(f"{what:15s} {seconds:9.2f} {cpu:13.2f} {peak:17.0f}", flush=True)


if __name__ == "__main__":
    main()
