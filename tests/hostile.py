"""Text that commands terminals and pages where nobody escapes it."""

from __future__ import annotations

import re

HOSTILE = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m\x00\x08\x7f\u202e\u2066\u2069\u200f\u061c\u2028\ud800"
    "[bold]b[/bold][link=http://evil.example]l[/link][/]"
)
# The same as far as a file's name and an argument can hold it.
NAME = re.sub("[\0/\ud800]", "", HOSTILE)
_RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]")


def raw(text: str) -> list[str]:
    """Every character of a text that commands whoever shows it."""
    return _RAW.findall(text)


assert len(raw(HOSTILE)) == 14
