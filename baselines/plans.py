"""Plans as a language model writes them: calls of tools, as a list in JSON somewhere in its words."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from nextgpt.errors import UserError

_LIST = re.compile(r"\[\s*\{")
_RESULT = re.compile(r"\{(\d+)\}")
_LONGEST = 4_000  # characters of a call's text, the results of others put in


class PlanError(UserError):
    """A plan that can't be carried out; the message is also told to the planner."""


@dataclass(frozen=True)
class Call:
    """One call: the tool's name, the name of a medium, a text; the last two may be empty."""

    tool: str
    media: str = ""
    text: str = ""


def calls_in(reply: str) -> list[Call]:
    """The calls that a reply makes, in order; none where it is an answer.

    Raises:
        PlanError: it begins a list of calls that can't be read.

    Example:
        >>> calls_in('First: [{"tool": "make_image", "text": "a dog"}]')
        [Call(tool='make_image', media='', text='a dog')]
        >>> calls_in("Here is your dog: <image-1>")
        []
    """
    begin = _LIST.search(reply)
    if begin is None:
        return []
    try:
        found, _ = json.JSONDecoder().raw_decode(reply, begin.start())
    except (ValueError, RecursionError) as error:
        raise PlanError(f"the list of calls can't be read: {error}") from None
    return [_call(entry) for entry in found]


def _call(entry: object) -> Call:
    values = entry if isinstance(entry, dict) else {}
    told = {key: values.get(key, "") for key in ("tool", "media", "text")}
    wrong = [key for key, value in told.items() if not isinstance(value, str)]
    if wrong or not told["tool"]:
        raise PlanError(
            f'a call is {{"tool": NAME, "media": NAME, "text": TEXT}}, not {json.dumps(entry)[:80]}'
        )
    return Call(**{key: value.strip() for key, value in told.items()})


def filled(text: str, results: Sequence[str]) -> str:
    """A call's text with the results of earlier calls in the place of their numbers.

    Raises:
        PlanError: there is no such result yet, it is an error, or the text becomes far too long.

    Example:
        >>> filled("{1}, at night", ["a dog"])
        'a dog, at night'
    """

    def result(match: re.Match[str]) -> str:
        number = int(match[1]) if len(match[1]) < 4 else 0
        if not 1 <= number <= len(results):
            raise PlanError(f"there is no result {match[0]}; {len(results)} calls have run")
        if results[number - 1].startswith("error: "):
            raise PlanError(f"call {number} gave nothing: {results[number - 1]}")
        return results[number - 1]

    written = _RESULT.sub(result, text)
    if len(written) > _LONGEST:
        raise PlanError(f"the text of a call has {len(written):,} characters; {_LONGEST:,} at most")
    return written
