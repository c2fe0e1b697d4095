"""The door: what systems hand in is looked at once, here; what has passed can be written and read back.

Systems are other people's programs. An answer that breaks the contract is that sample's failure and says
how, like any other failure; a system that breaks it can't run at all.
"""

from __future__ import annotations

import re
import reprlib
from dataclasses import replace
from typing import Any, get_args

from benchmarks.harness.provenance import redact
from benchmarks.harness.system import System
from nextgpt.media import MediaError, Medium, refuse_if_large
from nextgpt.messages import Failure, Message, Modality

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")
_MODALITIES = frozenset(get_args(Modality))
_LONGEST_REASON = 500  # characters; a library's error message can be a page

_few_words = reprlib.Repr()
_few_words.maxstring = _few_words.maxother = 80


class ContractError(ValueError):
    """What was handed in is not what the contract asks for; the message says what is."""


def check_system(system: System) -> None:
    """Look at everything that a system says of itself.

    Raises:
        ContractError: a member is missing, raises, or is of another type than `System` says.
    """
    name = safe_name(_member(system, "name"))
    fingerprint = _member(system, "fingerprint")
    if not isinstance(fingerprint, str) or not fingerprint or not fingerprint.isprintable():
        raise ContractError(f"{name}: `fingerprint` must be text on one line, got {shown(fingerprint)}")
    for member, known in (("accepts", _MODALITIES), ("produces", _MODALITIES), ("given", None)):
        names = _member(system, member)
        if not isinstance(names, set | frozenset) or not all(isinstance(each, str) for each in names):
            raise ContractError(f"{name}: `{member}` must be a frozenset of names, got {shown(names)}")
        if known is not None and not names <= known:
            unknown = ", ".join(sorted(names - known))
            raise ContractError(f"{name}: `{member}` holds {unknown}; there are {', '.join(sorted(known))}")
    if not callable(_member(system, "respond")):
        raise ContractError(f"{name}: `respond` must be a method")


def safe_name(name: object) -> str:
    """A name that can be a folder's.

    Raises:
        ContractError: it is no text, or could lead out of the folder of all runs.
    """
    if not isinstance(name, str) or not _SAFE_NAME.fullmatch(name):
        raise ContractError(
            f"{shown(name)} can't name a folder; use letters, digits and - _ . + only, 200 at most"
        )
    return name


def answers_of(found: object, count: int) -> list[Any]:
    """What `respond` returned for a batch, one entry for each request; the entries are `admit`'s to judge.

    Raises:
        ContractError: no list, or one of another length.
    """
    if not isinstance(found, list) or len(found) != count:
        what = f"{len(found)} answers" if isinstance(found, list) else f"a {type(found).__name__}"
        raise ContractError(f"respond() must return a list of {count} answers, returned {what}")
    return list(found)


def admit(answer: object) -> Message | Failure:
    """The answer to one request, if it keeps the contract; otherwise a failure that says what is wrong.

    Example:
        >>> admit("a cat").reason
        "respond() must return messages or failures, returned 'a cat'"
    """
    try:
        if isinstance(answer, Failure):
            return _failure(answer)
        if isinstance(answer, Message):
            return _message(answer)
        raise ContractError(f"respond() must return messages or failures, returned {shown(answer)}")
    except ContractError as error:
        return Failure("contract", one_line(str(error)))
    except Exception as error:  # noqa: BLE001 - an object of a system may do anything when it is looked at
        return Failure("contract", one_line(f"the answer can't be looked at: {told(error)}"))


def told(error: BaseException) -> str:
    """An exception in words: its type, and what it says."""
    try:
        words = str(error)
    except Exception:  # noqa: BLE001 - a message of a system's own making may itself raise
        words = ""
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def one_line(reason: str) -> str:
    """A reason as it is kept: one line, not too long, without secrets and paths."""
    return redact(" ".join(reason.split()))[:_LONGEST_REASON]


def shown(value: object) -> str:
    """A value of any kind in a few words, the same in every run.

    Example:
        >>> shown(("caption", b"a cat")), shown(object())
        ("('caption', b'a cat')", 'an object of type object')
    """
    plain = isinstance(value, str | bytes | int | float | tuple | list | dict | None)
    return _few_words.repr(value) if plain else f"an object of type {type(value).__name__}"


def _member(system: System, member: str) -> Any:
    try:
        return getattr(system, member)
    except Exception as error:
        raise ContractError(f"{shown(system)}: `{member}` can't be read: {told(error)}") from error


def _failure(answer: Failure) -> Failure:
    for member in ("stage", "reason"):
        value = getattr(answer, member)
        if not isinstance(value, str):
            raise ContractError(f"the {member} of a failure must be text, not {shown(value)}")
    return replace(answer, reason=one_line(answer.reason), steps=_steps(answer.steps))


def _message(answer: Message) -> Message:
    if not isinstance(answer.parts, tuple | list):
        raise ContractError(f"the parts of a message must be a tuple, not {shown(answer.parts)}")
    for part in answer.parts:
        if isinstance(part, Medium):
            try:
                refuse_if_large(part)
            except MediaError as error:
                raise ContractError(f"the {part.modality} in the answer can't be kept: {error}") from error
        elif not isinstance(part, str):
            raise ContractError(f"a part of a message must be text or a medium, not {shown(part)}")
    steps = _steps(answer.steps)
    if type(answer.parts) is tuple and steps == answer.steps and answer.role in ("user", "assistant"):
        return answer  # as nearly all are; to make it anew, which looks at the role, costs more than all this
    return replace(answer, parts=tuple(answer.parts), steps=steps)


def _steps(steps: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(steps, tuple | list):
        raise ContractError(f"the steps of an answer must be a tuple of pairs, not {shown(steps)}")
    for step in steps:
        pair = isinstance(step, tuple | list) and len(step) == 2
        if not pair or not all(isinstance(word, str) for word in step):
            raise ContractError(f"a step must be a pair of texts, its name and content, not {shown(step)}")
    return tuple((name, content) for name, content in steps)
