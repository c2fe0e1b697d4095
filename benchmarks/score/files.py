"""Scoring what another program wrote: a file of references against a file of answers.

References are official annotation files, answers are official results files or our own
``predictions.jsonl``. `benchmarks.score.formats.FAMILIES` says how each family's two files are read.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.harness.benchmark import Benchmark
from benchmarks.harness.records import Prediction, Result, read_predictions
from benchmarks.harness.scoring import score_predictions, with_unchecked
from benchmarks.score.formats import FAMILIES, Family
from benchmarks.tasks.official import holds_predictions
from nextgpt.messages import Failure, assistant


def score_files(
    family: str, references: Path, predictions: Path, *, allow_missing: bool = False
) -> list[Result]:
    """Score a file of answers.

    Args:
        family: a key of `FAMILIES`.
        references: the official annotation file, or the folder that holds it under its usual name.
        predictions: official results, or our own predictions.
        allow_missing: count a sample without an answer as failed; refuse it otherwise.

    Returns:
        Rows of the whole, then of the parts.

    Raises:
        DataError: an official file, or a record in it, can't be used.
        RecordError: the same of our own file; or the two files don't belong together.
    """
    samples = FAMILIES[family].references(references)
    ours = holds_predictions(predictions)
    if ours:
        answers = read_predictions(predictions)
    else:
        results = FAMILIES[family].results(predictions)
        answers = [Prediction(sample, assistant(text)) for sample, text in results.items()]
    if allow_missing:
        answered = {prediction.sample for prediction in answers}
        missing = Failure("missing", "no answer in the file")
        answers += [Prediction(sample.id, missing) for sample in samples if sample.id not in answered]
    rows: list[Result] = []
    benchmark = _benchmark(family, FAMILIES[family])
    slicings = FAMILIES[family].slicings or (None,)
    for slicing in slicings:
        scored = score_predictions(
            replace(benchmark, slices=slicing), samples, answers, system=predictions.name, where=predictions
        )
        # The official formats hold answers alone; ours may tell what they answer.
        scored = with_unchecked(scored, answers) if ours else scored
        rows += [row for row in scored.results if row.slice is not None or slicing is slicings[0]]
    return rows


def _benchmark(name: str, family: Family) -> Benchmark:
    """What measures answers to questions that others asked."""
    uses = family.uses()
    return Benchmark(
        name=name,
        family=family.task,
        version=1,
        source="the references given",
        licence="theirs",
        protocol={},
        load=lambda options: (),
        metrics=uses,
        headline=uses[0].name,
        accepts=frozenset(),
        produces=frozenset({"text"}),
    )
