"""From returned sheets to a result: the key is opened after the last rating, and the result written down."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.harness.storage import RecordError, build, read_json, to_json, write_json
from reports.study.analysis import Agreed, Comparison, Findings, Followed, Result, Score, findings, followed
from reports.study.design import StudyError
from reports.study.judgements import Judgements, Quality, quality, unseal
from reports.study.material import REFERENCE
from reports.study.ratings import Returned, read_returned
from reports.study.records import RESULT, Study

OPENED = "opened.json"


def open_study(study: Study, *, early: bool = False) -> tuple[Result, Judgements, Returned]:
    """Read what came back, open the key, and analyse.

    The key is opened once every rater has answered everything. What was known then is hashed into
    ``opened.json``: ratings that differ from it later are told of in the result.

    Args:
        study: the study.
        early: open it although ratings are missing; the result says so for good.

    Raises:
        StudyError: nothing came back, or something is missing; names the raters.
        RecordError: the disk fails.
    """
    returned = read_returned(study)
    if not returned.sheets:
        first = f"; the first fault: {returned.complaints[0]}" if returned.complaints else ""
        raise StudyError(f"{study.folder}: no sheet has come back that can be used{first}")
    path = study.folder / OPENED
    missing = _missing(study, returned)
    if missing and not early and not path.exists():
        raise StudyError(
            f"{study.folder}: {missing}; the key stays closed until the last rating, "
            f"unless you say --open-early, which the result will tell"
        )
    key = study.key()
    remarks = [*returned.remarks, *_opening(study, returned, missing)]
    judgements = unseal(study, key, returned.sheets)
    careful = tuple(quality(study, key, sheet, REFERENCE) for sheet in returned.sheets)
    left_out = frozenset(each.rater for each in careful if each.reasons)
    everyone = findings(judgements)
    kept = judgements.without(left_out)
    if left_out and not kept.all:
        remarks.append("the rules would leave everyone out; what is shown is what all raters said")
        kept, left_out = judgements, frozenset()
    names = ["/".join(item) for item in key.items]
    result = Result(
        study.protocol.title,
        study.id,
        study.protocol.name,
        findings(kept) if left_out else everyone,
        everyone if left_out else None,
        careful,
        tuple(followed(kept, key.metrics, names)),
        tuple(remarks),
    )
    return result, judgements, returned


def write_result(folder: Path, result: Result) -> Path:
    """Write ``study-result.json``, which the comparison page of the folder of runs shows.

    Raises:
        RecordError: the disk is full or fails.
    """
    write_json(folder / RESULT, result.json())
    return folder / RESULT


def read_result(path: Path) -> Result:
    """A result as it was written.

    Raises:
        RecordError: missing, or other fields than those of a result.
    """
    found = read_json(path, dict)
    try:
        made = Result(
            found["title"],
            found["study"],
            found["design"],
            _findings(found["kept"], path),
            None if found["everyone"] is None else _findings(found["everyone"], path),
            tuple(build(Quality, row | {"reasons": tuple(row["reasons"])}, path) for row in found["quality"]),
            tuple(build(Followed, row, path) for row in found["metrics"]),
            tuple(map(str, found["remarks"])),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError(f"{path}: not the fields of a study's result ({error}); make it again") from error
    return replace(made, title=str(made.title), study=str(made.study), design=str(made.design))


def read_results(folder: Path) -> tuple[list[Result], list[str]]:
    """All results of studies below a folder, and why others can't be shown, a line each."""
    found, unread = list[Result](), list[str]()
    for path in sorted(folder.rglob(RESULT)):
        try:
            found.append(read_result(path))
        except RecordError as error:
            unread.append(str(error))
    return found, unread


def _findings(row: Any, path: Path) -> Findings:
    return Findings(
        int(row["raters"]),
        int(row["items"]),
        int(row["judgements"]),
        tuple(build(Score, each, path) for each in row["scores"]),
        tuple(build(Comparison, each, path) for each in row["comparisons"]),
        tuple(build(Agreed, each, path) for each in row["agreement"]),
    )


def _missing(study: Study, returned: Returned) -> str:
    """Who has not answered everything, in words; empty where all have."""
    answered = {sheet.rater: len(sheet.answers) for sheet in returned.sheets}
    short = [
        f"rater {rater} has answered {answered.get(rater, 0)} of {len(trials)} trials"
        for rater, trials in enumerate(study.trials, start=1)
        if answered.get(rater, 0) < len(trials)
    ]
    return "; ".join(short)


def _opening(study: Study, returned: Returned, missing: str) -> Sequence[str]:
    """Write down what was known when the key was first opened; what is to be said of it."""
    said = [
        [sheet.rater, sorted((t, sorted(a.items())) for t, a in sheet.answers.items())]
        for sheet in returned.sheets
    ]
    digest = hashlib.sha256(to_json(said)).hexdigest()
    path = study.folder / OPENED
    if not path.exists():
        write_json(path, {"ratings": digest, "missing": missing})
    known = read_json(path, dict)
    remarks = []
    if known.get("missing"):
        remarks.append(f"the key was opened early: {known['missing']}")
    if known.get("ratings") != digest:
        remarks.append("ratings have changed, or more have come, since the key was opened")
    return remarks
