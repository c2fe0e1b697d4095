"""Two systems' pictures by a preference model, prompt by prompt: scores that are given, or a network's.

A file of scores is JSON, ``{"prompt": [0.21, 0.25]}``, or rows of ``prompt`` and ``score`` as JSON, JSON
lines or CSV, of one model for both systems. Folders of pictures of the same names are scored by a CLIP with a
preference model's weights. Prompts are compared one by one; no mean of scores over prompts is ever taken.

ImageReward is no CLIP, and its own class, in the package image-reward 1.5, imports what transformers 5 has no
more: its scores come in a file, made in an environment of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import registry
from benchmarks.harness.records import Result
from benchmarks.score.material import PICTURES, files_by_name, read_prompts
from benchmarks.score.sets import Rows
from benchmarks.tasks.official import DataError, read_json, rows_of, text
from nextgpt.media import Image

FAMILY = "preferences"
PICTURES_AT_ONCE = 16


def score_preferences(
    predictions: Path, references: Path, prompts: Path | None = None, extractor: str | None = None
) -> list[Result]:
    """How often the first system's pictures are preferred to the second's, with its interval.

    Args:
        predictions: a file of scores of the first system, or a folder of its pictures.
        references: the same of the second.
        prompts: JSON from a picture's name to its prompt, for folders.
        extractor: ``clip:FOLDER`` of the preference model's weights, for folders.

    Raises:
        DataError: a file or a folder that can't be used; names it.
        MetricInputError: other prompts on either side.
    """
    from metrics.pairs.preference import preference_win_rate

    if predictions.is_dir() != references.is_dir():
        raise DataError(
            f"{predictions} and {references}: give two files of scores, or two folders of pictures."
        )
    if predictions.is_dir():
        if prompts is None or extractor is None:
            raise DataError(
                f"{predictions}: pictures need a network; give --prompts, and --extractor clip:FOLDER "
                "with the preference model's weights."
            )
        model, sides = _by_network(predictions, references, read_prompts(prompts), extractor)
    else:
        model, sides = "given", [_read(predictions), _read(references)]
    rows = Rows(FAMILY, f"{predictions.name} over {references.name}")
    signature = f"preference_win_rate|model:{model}|per:prompt|ties:half|v:1"
    rows.add(signature, len(sides[0]), partial(preference_win_rate, *sides))
    return rows.results


def _read(path: Path) -> dict[str, list[float]]:
    """Scores by prompt."""
    if path.suffix == ".json":
        whole = read_json(path)
        if isinstance(whole, Mapping):
            return {
                str(prompt): [_number(each, path, prompt) for each in _listed(found)]
                for prompt, found in whole.items()
            }
    found: dict[str, list[float]] = {}
    for where, row in rows_of(path):
        found.setdefault(text(row, "prompt", where), []).append(_number(row.get("score"), path, where))
    return found


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def _number(value: Any, path: Path, where: object) -> float:
    from benchmarks.score.judged import number_or_reason

    number, why = number_or_reason(value)
    if number is None:
        raise DataError(f"{path}: {where}: {why}; give a score, or leave the picture out for both systems.")
    return number


def _by_network(
    predictions: Path, references: Path, prompts: Mapping[str, str], extractor: str
) -> tuple[str, list[dict[str, list[float]]]]:
    from metrics.pairs.preference import ClipPreference

    model = ClipPreference(registry.load_extractor(extractor))
    sides = []
    for folder in (predictions, references):
        files = files_by_name(folder, PICTURES, "pictures")
        nameless = sorted(files.keys() - prompts.keys())
        if nameless:
            raise DataError(f"{folder}: {nameless[0]} has no prompt ({len(nameless)} in all); name each.")
        found: dict[str, list[float]] = {}
        names = list(files)
        for start in range(0, len(names), PICTURES_AT_ONCE):
            part = names[start : start + PICTURES_AT_ONCE]
            pictures = [Image.open(files[name]).pixels for name in part]
            texts = [prompts[name] for name in part]
            for prompt, score in zip(texts, model.scores(pictures, texts).tolist(), strict=True):
                found.setdefault(prompt, []).append(score)
        sides.append(found)
    return model.signature, sides
