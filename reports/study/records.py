"""A study on disk: what is asked, in ``study.json``; what stands behind the labels, sealed, in ``key.json``.

``study.json`` holds the SHA-256 of ``key.json``: whoever reads the results can check that no label was moved
once ratings were known. The key holds a nonce, so that nobody finds it by trying.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from benchmarks.harness.storage import RecordError, build, read_file, read_json, to_json, write_atomically
from reports.study.design import StudyError
from reports.study.protocols import NEVER, SIDES, Criterion, Protocol, Rules, Scale

STUDY, KEY, RESULT = "study.json", "key.json", "study-result.json"
RATERS, RETURNED, SERVED = "raters", "returned", "served"
Value = int | float | str
Answer = Mapping[str, Value]
"""What a rater said to one trial, by field: a criterion, or of several outputs a criterion and a letter."""


@dataclass(frozen=True)
class Trial:
    """One trial as its rater sees it, without what it shows.

    Attributes:
        id: names it in answers, and says nothing.
        fields: what is to be answered, and by which criterion.
    """

    id: str
    fields: Mapping[str, str]


@dataclass(frozen=True)
class Hidden:
    """What a rater does not see of a trial.

    Attributes:
        kind: an item, an attention check, or a trial shown a second time.
        item: its number; -1 for a check.
        slots: the systems, as they stand from left to right.
        expected: the answer that a check tells its rater to give; empty for others.
        of: the trial that a duplicate repeats; empty for others.
        seconds: length of the clip, 0 where there is none.
    """

    kind: Literal["item", "check", "duplicate"]
    item: int
    slots: tuple[str, ...]
    expected: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Measured:
    """What an automatic metric says of the outputs: by system, a value per item, None where it has none."""

    metric: str
    benchmark: str
    signature: str
    lower_is_better: bool
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Key:
    """What stands behind the labels."""

    nonce: str
    seed: int
    systems: tuple[str, ...]
    items: tuple[tuple[str, str], ...]
    trials: Mapping[str, Hidden]
    metrics: tuple[Measured, ...] = ()

    @cached_property
    def data(self) -> bytes:
        """The bytes of its file."""
        return to_json(asdict(self))

    @property
    def commitment(self) -> str:
        """SHA-256 of its file."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Study:
    """What is known of a study before its key is opened.

    Attributes:
        folder: where it lies.
        id: changes with whatever is asked.
        protocol: the design.
        trials: by rater, from 1.
        systems, items: how many.
        commitment: SHA-256 of the key.
    """

    folder: Path
    id: str
    protocol: Protocol
    trials: tuple[tuple[Trial, ...], ...]
    systems: int
    items: int
    commitment: str

    @property
    def raters(self) -> int:
        """How many people judge."""
        return len(self.trials)

    @cached_property
    def criteria(self) -> Mapping[str, Criterion]:
        """The questions, by name."""
        return {criterion.name: criterion for criterion in self.protocol.criteria}

    def key(self) -> Key:
        """Open the seal.

        Raises:
            StudyError: the key is missing, or not the one that was sealed.
        """
        path = self.folder / KEY
        try:
            data = read_file(path)
            found = read_json(path, dict)
        except RecordError as error:
            raise StudyError(str(error)) from error
        if hashlib.sha256(data).hexdigest() != self.commitment:
            raise StudyError(
                f"{path}: not the key that was sealed (its SHA-256 is not the one in {STUDY}); put it back"
            )
        return Key(
            found["nonce"],
            found["seed"],
            tuple(found["systems"]),
            tuple((benchmark, sample) for benchmark, sample in found["items"]),
            {name: Hidden(**row | {"slots": tuple(row["slots"])}) for name, row in found["trials"].items()},
            tuple(Measured(**row) for row in found["metrics"]),
        )


def study_id(protocol: Protocol, commitment: str) -> str:
    """Names a study by all that it asks."""
    return hashlib.sha256(to_json([asdict(protocol), commitment])).hexdigest()[:16]


def write_study(study: Study, key: Key) -> None:
    """Write ``study.json``, and ``key.json`` for its owner's eyes alone.

    Raises:
        RecordError: the disk is full or fails.
    """
    write_atomically(study.folder / KEY, key.data)
    (study.folder / KEY).chmod(0o600)
    value = {
        "study": study.id,
        "protocol": asdict(study.protocol),
        "systems": study.systems,
        "items": study.items,
        "commitment": study.commitment,
        "trials": [[asdict(trial) for trial in trials] for trials in study.trials],
    }
    write_atomically(study.folder / STUDY, to_json(value, indent=1))


def read_study(folder: Path) -> Study:
    """Read a study's folder; its key stays closed.

    Raises:
        StudyError: there is none, or it is damaged or was changed.
    """
    path = folder / STUDY
    if not path.exists():
        raise StudyError(
            f"{folder}: no study here ({STUDY} is missing); make one with `nextgpt-report sheets`"
        )
    try:
        found = read_json(path, dict)
        protocol = _protocol(found["protocol"], path)
        trials = tuple(tuple(build(Trial, row, path) for row in rows) for rows in found["trials"])
        study = Study(
            folder, found["study"], protocol, trials, found["systems"], found["items"], found["commitment"]
        )
    except RecordError as error:
        raise StudyError(str(error)) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StudyError(f"{path}: not the fields of a study ({error}); restore it") from error
    if study.id != study_id(protocol, study.commitment):
        raise StudyError(f"{path}: changed since the study was made (its id is another); restore it")
    return study


def check_value(scale: Scale, value: object) -> Value:
    """A value as the scale has it.

    Raises:
        ValueError: it is not on the scale; says what is.

    Example:
        >>> check_value(Scale("points", 1, 10), "7")
        7
        >>> check_value(Scale("points", 1, 10), 11)
        Traceback (most recent call last):
        ValueError: 11 is not an answer; give a whole number from 1 to 10
    """
    shown = str(value)[:40]
    refusal = ValueError(f"{shown} is not an answer; give {scale.words}")
    text = str(value).strip().lower()
    if scale.kind == "choice":
        if text not in SIDES:
            raise refusal
        return text
    if scale.kind == "moment" and text == NEVER:
        return NEVER
    try:
        if isinstance(value, bool) or not text.isascii() or len(text) > 20:
            raise refusal
        number = float(text)
    except ValueError:
        raise refusal from None
    if scale.kind == "moment":
        if not 0 <= number <= 86_400:
            raise refusal
        return number
    if number != number // 1 or not scale.least <= number <= scale.most:
        raise refusal
    return int(number)


def _protocol(row: dict[str, Any], path: Path) -> Protocol:
    criteria = tuple(
        Criterion(each["name"], each["question"], build(Scale, each["scale"], path))
        for each in row["criteria"]
    )
    return Protocol(**row | {"criteria": criteria, "rules": build(Rules, row["rules"], path)})
