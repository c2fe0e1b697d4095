"""A file of answers that another program wrote: ours or a data set's official form, told by its content."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.predictions import Prediction, read_predictions
from benchmarks.score.material import CLIPS, PICTURES, SOUNDS
from benchmarks.tasks.official import (
    LARGEST,
    DataError,
    by_id,
    holds_predictions,
    identity,
    is_csv,
    read_csv,
    read_json,
    rows_of,
    text,
)
from benchmarks.tasks.videos.next_qa import read_next_qa_results
from nextgpt.media import Audio, Image, MediaError, Medium, Video
from nextgpt.messages import Failure, Message, Modality, assistant

# What COCO, VQA, GQA, MSVD-QA, MMBench, AudioCaps and VizWiz call the id of what is answered, and the answer.
IDS = ("question_id", "questionId", "image_id", "video_id", "index", "id", "file_name", "image")
ANSWERS = ("answer", "caption", "prediction", "text")


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


class FolderAnswers(Mapping[str, Message | Failure]):
    """Media by sample id that lie in a folder, as ``sample_0000.mp4`` and ``sample_0000.wav`` of one answer.

    A file that can't be read is that sample's failure.

    Args:
        folder: where they lie; subfolders are part of an id.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._files = folder, dict[str, list[Path]]()
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in PICTURES | CLIPS | SOUNDS and path.is_file() and path.name[0] != ".":
                key = path.relative_to(folder).with_suffix("").as_posix()
                self._files.setdefault(key, []).append(path)
        if not self._files:
            raise DataError(f"{folder}: no pictures, clips or sounds here; give the folder that holds them.")

    @property
    def modalities(self) -> frozenset[Modality]:
        """Kinds of media that there are; none is opened to tell."""
        kinds: tuple[Modality, ...] = ("video", "image", "audio")
        return frozenset(kinds[_kind(path)] for files in self._files.values() for path in files)

    @property
    def digest(self) -> str:
        """A hash of all names and contents."""
        found = hashlib.sha256()
        for path in sorted(path for files in self._files.values() for path in files):
            found.update(f"{path.relative_to(self._folder)}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
        return found.hexdigest()

    def __getitem__(self, sample: str) -> Message | Failure:
        media = list[Medium]()
        for path in sorted(self._files[sample], key=_kind):
            try:
                media.append((Video, Image, Audio)[_kind(path)].open(path))
            except MediaError as error:
                return Failure("media", str(error))
        return assistant(*media)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def _kind(path: Path) -> int:
    """What a file is: a clip, a picture or a sound; a clip is seen before its sound is heard."""
    ending = path.suffix.lower()
    return 0 if ending in CLIPS else 1 if ending in PICTURES else 2


def read_answers(path: Path) -> Mapping[str, Message | Failure]:
    """Answers by sample id, from our ``predictions.jsonl``, official results, or a folder of made media.

    Official results are a list (JSON, JSON lines, CSV, TSV or XLSX) of records with an id and an answer, each
    under one of the names that data sets give it (`IDS`, `ANSWERS`); or an object from ids to answers.

    Raises:
        DataError: the file is missing, cut off, or of no known format, or answers a sample twice.
        RecordError: a line of a ``.jsonl`` file is no prediction.
    """
    if path.is_dir():
        return FolderAnswers(path)
    if holds_predictions(path):
        return StoredAnswers(read_predictions(path))
    if path.name.lower().endswith((".tsv", ".tsv.gz")):
        rows: Sequence[tuple[str, Mapping[str, Any]]] = read_csv(path, delimiter="\t")[1]
    elif path.suffix.lower() == ".xlsx":
        rows = _sheet(path)
    elif is_csv(path) or not isinstance(data := read_json(path), dict):
        rows = rows_of(path)
    elif (key := _named(data, IDS)) is not None and (answer := _named(data, ANSWERS)) is not None:
        return {_identity(key, data, str(path)): assistant(text(data, answer, str(path)))}  # a single line
    else:
        return {name: assistant(reply) for name, reply in read_next_qa_results(path).items()}
    key, answer = (_named(rows[0][1], names) if rows else None for names in (IDS, ANSWERS))
    if key is None or answer is None:
        raise DataError(
            f"{path}: no results of a known form; give an id under one of {', '.join(IDS)}, and an answer "
            f"under one of {', '.join(ANSWERS)}; our own predictions end in .jsonl."
        )
    found = ((_identity(key, row, where), text(row, answer, where)) for where, row in rows)
    return {sample: assistant(said) for sample, said in by_id(found, "sample", path).items()}


def _sheet(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """The rows of a workbook's first sheet, as MMBench takes results, columns named by the first.

    Raises:
        DataError: it is missing, damaged or far too large.
    """
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size > LARGEST:
            raise DataError(f"{path}: holds more than {LARGEST >> 20} MB; save it as CSV.")
        rows = load_workbook(path, read_only=True, data_only=True).worksheets[0].iter_rows(values_only=True)
        head = [str(cell) for cell in next(rows)]
        lines = [dict(zip(head, row, strict=True)) for row in rows if any(cell is not None for cell in row)]
    except DataError:
        raise
    except Exception as error:  # what is no workbook fails in zipfile, XML or openpyxl
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(f"{path}: no workbook that can be read ({reason}); save it as CSV.") from error
    return [(f"{path}, row {number}", line) for number, line in enumerate(lines, start=2)]


def _named(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first of some names that a record has."""
    return next((name for name in names if name in row), None)


def _identity(key: str, row: Mapping[str, Any], where: str) -> str:
    """A sample's id; where a picture names it, as in VizWiz, without the ending of its file."""
    found = identity(row, key, where)
    return Path(found).stem if key == "image" else found
