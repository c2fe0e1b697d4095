"""Scoring what another program wrote: a file of references against a file of answers.

References are official annotation files, answers are official results files or our own
``predictions.jsonl``. `benchmarks.score.formats.FAMILIES` says how each family's two files are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.benchmark import Benchmark, MetricUse
from benchmarks.harness.records import Prediction, Result, read_predictions
from benchmarks.harness.scoring import score_predictions, with_unchecked
from benchmarks.registry import EXTRACTORS, load_extractor
from benchmarks.score.formats import FAMILIES, Family
from benchmarks.score.material import missing_names
from benchmarks.tasks.official import DataError, holds_predictions, read_json, reference, said
from nextgpt.messages import Failure, Message, assistant

if TYPE_CHECKING:
    from metrics.metric import Metric

_ERROR = "fluency error"  # in an answer's steps, beside which its probability stands


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
    family: str,
    references: Path,
    predictions: Path,
    network: str,
    *,
    allow_missing: bool = False,
    fluency: Path | None = None,
) -> list[Result]:
    """Score captions by a network that embeds sentences, such as ``minilm``; otherwise as `score_files`.

    Args:
        family: with `references`, `predictions` and `allow_missing` as in `score_files`.
        references: of the captions.
        predictions: the captions.
        network: for `load_extractor`.
        allow_missing: as in `score_files`.
        fluency: JSON from a caption's id to the probability of a fluency error in it, from FENSE's own
            detector or another; with it FENSE is measured too.

    Raises:
        RegistryError: no such network.
        DataError: a network for other media, or probabilities of other captions.
        RecordError: as `score_files`.
    """
    entry = EXTRACTORS.get(network.partition(":")[0])
    if entry is not None and entry.media != "texts":
        raise DataError(f"{network} takes {entry.media}; captions are embedded by minilm or minilm:FOLDER.")
    uses = [MetricUse("sentence_similarity", partial(_similarity, network), said, reference("captions"))]
    odds = None if fluency is None else _read_fluency(fluency)
    if odds is not None:
        uses.append(MetricUse("fense", partial(_fense, network), _with_odds, reference("captions")))
    of_sentences = replace(FAMILIES[family], uses=lambda: tuple(uses))
    return _score(family, of_sentences, references, predictions, allow_missing=allow_missing, fluency=odds)


def _similarity(network: str) -> Metric[Any]:
    from metrics.captions.sentences import SentenceSimilarity

    return SentenceSimilarity(load_extractor(network))


def _fense(network: str) -> Metric[Any]:
    from metrics.captions.sentences import Fense

    return Fense(load_extractor(network))


@dataclass(frozen=True)
class _Fluency:
    """Probabilities of fluency errors.

    Attributes:
        path: where they stand.
        odds: by the caption's id.
    """

    path: Path
    odds: Mapping[str, float]

    def told(self, prediction: Prediction) -> Prediction:
        """The prediction, whose answer says its probability.

        Raises:
            DataError: there is none.
        """
        answer = prediction.answer
        if isinstance(answer, Failure):
            return prediction
        if prediction.sample not in self.odds:
            raise DataError(
                f"{self.path}: caption {prediction.sample} has no probability; give one for each."
            )
        step = (_ERROR, repr(self.odds[prediction.sample]))
        return replace(prediction, said=replace(answer, steps=(step,)))


def _read_fluency(path: Path) -> _Fluency:
    data = read_json(path)
    if not isinstance(data, dict) or not data:
        raise DataError(f'{path}: no JSON object; write {{"id of the caption": 0.02, ...}}.')
    for name, odds in data.items():
        if isinstance(odds, bool) or not isinstance(odds, int | float) or not 0 <= odds <= 1:
            raise DataError(f"{path}: caption {name} has no probability but {odds!r:.60}; give 0 to 1.")
    return _Fluency(path, data)


def _with_odds(answer: Message) -> tuple[str, float]:
    """What FENSE judges; a failed caption, which says nothing, has no error in it."""
    return answer.text, float(dict(answer.steps).get(_ERROR, 0))


def _score(
    name: str,
    family: Family,
    references: Path,
    predictions: Path,
    *,
    allow_missing: bool,
    fluency: _Fluency | None = None,
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
    if fluency is not None:
        missing_names(fluency.odds, {sample.id: sample for sample in samples}, fluency.path, references)
        answers = [fluency.told(prediction) for prediction in answers]
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
