"""GenEval's score of pictures, from what a detector saw in them, or from its own program's verdicts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness.columns import finite
from benchmarks.harness.records import Result
from benchmarks.tasks.official import DataError, by_id, rows_of, text

if TYPE_CHECKING:
    from metrics.pairs.composition import Detected

FAMILY = "geneval"
_FOLDER = re.compile(r"[0-9]{5}")  # GenEval keeps the pictures of a prompt in 00042/samples/


def score_composition(metadata: Path, seen: Path, *, allow_missing: bool = False) -> list[Result]:
    """Rows of the whole, then of each kind of prompt.

    Args:
        metadata: GenEval's ``evaluation_metadata.jsonl``.
        seen: a line for each picture: its ``filename``, which names the prompt's number as a folder, and
            ``objects``, a list of ``class``, ``box`` (left, top, right, bottom), ``score`` and, where colours
            are asked for, ``color``; or ``correct``, as in the ``results.jsonl`` of GenEval's program.
        allow_missing: count a prompt without pictures as wrong; refuse it otherwise.

    Raises:
        DataError: a file that can't be used, pictures of other prompts, or a prompt without any.
    """
    from metrics.metric import MetricInputError
    from metrics.pairs.composition import GenEval
    from metrics.statistics import estimate

    prompts = [_prompt(where, row) for where, row in rows_of(metadata)]
    pictures = _pictures(seen, prompts)
    missing = [number for number in range(len(prompts)) if not pictures.get(number)]
    if missing and not allow_missing:
        raise DataError(
            f"{seen}: no picture of prompt {missing[0]:05} ({len(missing)} of {len(prompts)} in all); judge "
            "them too, or count them as wrong by --allow-missing."
        )
    metric, shown = GenEval(), [pictures.get(number, []) for number in range(len(prompts))]
    try:
        statistics = metric.statistics(shown, prompts)
    except MetricInputError as error:
        raise DataError(f"{seen}: {re.sub('item', 'prompt', str(error), count=1)}.") from error
    tags = [prompt["tag"] for prompt in prompts]
    rows = []
    for part in (None, *dict.fromkeys(tags)):
        chosen = [number for number, tag in enumerate(tags) if part in (None, tag)]
        found = estimate(metric, statistics[chosen])
        failed = len(set(missing).intersection(chosen))
        method = f"{found.method}; {failed} failed, scored as wrong" if failed else found.method
        low, high = finite(found.low), finite(found.high)
        rows.append(
            Result(
                benchmark=FAMILY,
                system=seen.stem,
                metric=metric.name,
                signature=metric.signature,
                value=found.value,
                low=low,
                high=high,
                n=len(chosen),
                failed=failed,
                slice=part,
                method=method,
            )
        )
    return rows


def _prompt(where: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A prompt, its wishes checked.

    Raises:
        DataError: of another form.
    """
    wishes = [*row.get("include", ()), *row.get("exclude", ())]
    good = wishes and all(
        isinstance(wish, dict) and isinstance(wish.get("class"), str) and isinstance(wish.get("count"), int)
        for wish in wishes
    )
    places = [wish["position"] for wish in row.get("include", ()) if good and "position" in wish]
    if not good or not all(
        len(place) == 2 and isinstance(place[1], int) and 0 <= place[1] < len(row["include"])
        for place in places
    ):
        raise DataError(f"{where}: include and exclude name no class and count; is this GenEval's metadata?")
    return {**row, "tag": text(row, "tag", where), "prompt": text(row, "prompt", where)}


def _pictures(path: Path, prompts: list[dict[str, Any]]) -> dict[int, list[bool | list[Detected]]]:
    """What each prompt's pictures came to."""
    lines = by_id(
        ((text(row, "filename", where), (where, row)) for where, row in rows_of(path)), "picture", path
    )
    found: dict[int, list[bool | list[Detected]]] = {}
    for name, (where, row) in lines.items():
        folders = [part for part in re.split(r"[/\\]", name) if _FOLDER.fullmatch(part)]
        number = int(folders[-1]) if folders else -1
        if not 0 <= number < len(prompts):
            raise DataError(
                f"{where}: {name:.80} names none of {len(prompts)} prompts; write 00042/0000.png."
            )
        prompt = prompts[number]["prompt"]
        if row.get("prompt", prompt) != prompt:
            raise DataError(
                f"{where}: {row['prompt']!r:.80} is not prompt {number:05}; give its own metadata."
            )
        found.setdefault(number, []).append(_judged(where, row))
    return found


def _judged(where: str, row: Mapping[str, Any]) -> bool | list[Detected]:
    """Whether a picture is right, or what was seen in it.

    Raises:
        DataError: neither.
    """
    from metrics.pairs.composition import Detected

    if isinstance(row.get("objects"), list):
        try:
            return [
                Detected(
                    str(each["class"]),
                    _box(each["box"]),
                    float(each.get("score", 1)),
                    each.get("color") or "",
                )
                for each in row["objects"]
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"{where}: an object of another form ({error!r:.60}); give class, box, score and color."
            ) from error
    if isinstance(row.get("correct"), bool):
        return bool(row["correct"])
    raise DataError(f"{where}: neither objects nor correct; give what was seen, or whether it is right.")


def _box(values: Any) -> tuple[float, float, float, float]:
    left, top, right, bottom = map(float, values)
    return left, top, right, bottom
