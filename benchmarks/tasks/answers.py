"""A file of answers that another program wrote: three formats, told apart by their content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from benchmarks.harness.predictions import Prediction, read_predictions
from benchmarks.tasks.images.coco import read_caption_results
from benchmarks.tasks.images.vqa import read_vqa_results
from benchmarks.tasks.official import DataError, holds_predictions, rows_of
from nextgpt.messages import Failure, Message, assistant


class StoredAnswers(Mapping[str, Message | Failure]):
    """Answers by sample id, whose media are opened when one is looked at and not kept."""

    def __init__(self, predictions: Iterable[Prediction]) -> None:
        self._predictions = {prediction.sample: prediction for prediction in predictions}

    def __getitem__(self, sample: str) -> Message | Failure:
        return self._predictions[sample].answer

    def __iter__(self) -> Iterator[str]:
        return iter(self._predictions)

    def __len__(self) -> int:
        return len(self._predictions)


def read_answers(path: Path) -> Mapping[str, Message | Failure]:
    """Answers by sample id, from our ``predictions.jsonl``, or COCO's or VQA's official results.

    Raises:
        DataError: the file is missing, cut off, or of no known format, or answers a sample twice.
        RecordError: a line of a ``.jsonl`` file is no prediction.
    """
    if holds_predictions(path):
        return StoredAnswers(read_predictions(path))
    rows = [row for _, row in rows_of(path)]
    for key, read in (("question_id", read_vqa_results), ("image_id", read_caption_results)):
        if rows and key in rows[0]:
            return {sample: assistant(text) for sample, text in read(path).items()}
    raise DataError(
        f"{path}: neither COCO results (image_id, caption) nor VQA results (question_id, answer); "
        "our own predictions end in .jsonl."
    )
