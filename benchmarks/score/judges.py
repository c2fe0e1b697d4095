"""VQAScore and Soft-TIFA of anyone's pictures: how sure a system is that each shows what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from benchmarks.harness.progress import progress
from benchmarks.score.generated import Generated, Scored
from benchmarks.score.sets import Rows
from benchmarks.tasks.official import DataError
from nextgpt.media import Image, MediaError

JUDGE = "judge:"  # before a system that is asked, among the networks


@dataclass(frozen=True)
class Shown:
    """Pictures, and what each should show.

    Attributes:
        files: by name.
        prompts: by the same names; may be none.
        atoms: the statements that each prompt consists of, likewise.
        absent: names of pictures that are missing.
    """

    files: Mapping[str, Path]
    prompts: Mapping[str, str]
    atoms: Mapping[str, Sequence[str]]
    absent: Sequence[str]


def judge_pictures(judge: str, asked: Generated, scored: Scored, shown: Shown) -> None:
    """Add the rows of a judge, such as ``nextgpt-tiny?template=figure``.

    Raises:
        RegistryError: no such system or template, or a system that tells no likelihoods.
        MediaError: a picture that can't be read, where nobody allowed it.
    """
    from benchmarks.tasks.judging.judge import Asked, load
    from metrics.judges.scores import Mean, SoftTIFA, VQAScore, soft_tifa

    if not shown.prompts and not shown.atoms:
        scored.notes.append(f"vqa_score and soft_tifa by {judge}, which asks about --prompts and --atoms")
        return
    made = load(judge)
    told = Asked(made.scorer), made.template
    metric, lost = VQAScore(*told), list(shown.absent)
    whole: list[float] = []
    parts: list[list[float]] = []
    with progress(f"{judge} on {asked.predictions.name}", len(shown.files)) as tick:
        for name, path in shown.files.items():
            tick(1)
            try:
                picture = Image.open(path)
            except MediaError:
                if not asked.allow_missing:
                    raise
                lost.append(name)
                continue
            if shown.prompts:
                whole += metric.probabilities([picture], [shown.prompts[name]]).tolist()
            if shown.atoms:
                each = shown.atoms[name]
                parts.append(metric.probabilities([picture] * len(each), each).tolist())
    if not whole and not parts:
        raise DataError(
            f"{asked.predictions}: none of {len(shown.files)} files can be read; make them again."
        )
    rows = Rows(asked.family, asked.predictions.resolve().name, len(lost))
    if shown.prompts:
        rows.add_items(metric.signature, np.array(whole))
    for mean in get_args(Mean) if shown.atoms else ():
        rows.add_items(SoftTIFA(*told, mean).signature, np.array([soft_tifa(each, mean) for each in parts]))
    scored.results += rows.results
