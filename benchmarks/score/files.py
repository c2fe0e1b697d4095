"""Scoring what another program wrote: a file of references against a file of answers.

References are official annotation files, answers are official results files or our own
``predictions.jsonl``. `benchmarks.score.formats.FAMILIES` says how each family's two files are read.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.benchmark import Benchmark, MetricUse
from benchmarks.harness.records import Prediction, Result, read_predictions
from benchmarks.harness.scoring import score_predictions, with_unchecked
from benchmarks.registry import EXTRACTORS, load_extractor
from benchmarks.score.formats import FAMILIES, Family
from benchmarks.tasks.official import DataError, holds_predictions, reference, said
from nextgpt.messages import Failure, assistant

if TYPE_CHECKING:
    from metrics.metric import Metric


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
    return _score(family, FAMILIES[family], references, predictions, allow_missing=allow_missing)


def score_sentences(
    family: str, references: Path, predictions: Path, network: str, *, allow_missing: bool = False
) -> list[Result]:
    """Score captions by a network that embeds sentences, such as ``minilm``; otherwise as `score_files`.

    Raises:
        RegistryError: no such network.
        DataError: a network for other media.
        RecordError: as `score_files`.
    """
    entry = EXTRACTORS.get(network.partition(":")[0])
    if entry is not None and entry.media != "texts":
        raise DataError(f"{network} takes {entry.media}; captions are embedded by minilm or minilm:FOLDER.")
    use = MetricUse("sentence_similarity", partial(_similarity, network), said, reference("captions"))
    of_sentences = replace(FAMILIES[family], uses=lambda: (use,))
    return _score(family, of_sentences, references, predictions, allow_missing=allow_missing)


def _similarity(network: str) -> Metric[Any]:
    from metrics.captions.sentences import SentenceSimilarity

    return SentenceSimilarity(load_extractor(network))


def _score(
    name: str, family: Family, references: Path, predictions: Path, *, allow_missing: bool
) -> list[Result]:
    samples = family.references(references)
    ours = holds_predictions(predictions)
    if ours:
        answers = read_predictions(predictions)
    else:
        results = family.results(predictions)
        answers = [Prediction(sample, assistant(text)) for sample, text in results.items()]
    if allow_missing:
        answered = {prediction.sample for prediction in answers}
        missing = Failure("missing", "no answer in the file")
        answers += [Prediction(sample.id, missing) for sample in samples if sample.id not in answered]
    rows: list[Result] = []
    benchmark = _benchmark(name, family)
    slicings = family.slicings or (None,)
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
