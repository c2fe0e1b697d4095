"""PTB tokenisation, as every published caption score has been computed with.

The tokens are those of Stanford's PTBTokenizer 3.4.1 (the jar that pycocoevalcap ships), lower-cased,
without the punctuation that pycocoevalcap drops. Two things differ on purpose, and only where the
reference goes wrong:

- What Java takes for a line end inside a caption (a carriage return, a form feed, U+2028, ...) becomes
  a space. In the reference it shifts every caption that follows to another item.
- A caption's tokens do not depend on its neighbours. The reference hands the whole file to a lexer that
  looks past the line end, so that `in the year A.` keeps its period or loses it with the first letter
  of the *next* caption; here a line of its own stands between any two captions.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from metrics.captions.java import LOCALE_FLAGS, JavaError, complaint, environment, jar, java

NAME = "ptb-3.4.1"
"""How signatures name this tokenisation."""

# Brackets are in this list in capitals only, so the lower-cased `-lrb-` stays: pycocoevalcap's behaviour.
_DROPPED = "'' ' `` ` -LRB- -RRB- -LCB- -RCB- . ? ! , : - -- ... ;"
PUNCTUATION = frozenset(_DROPPED.split())

REMEMBERED = 500_000
"""Number of captions kept with their tokens, some 100 MB; twice COCO's whole validation set."""
_known: dict[str, str] = {}
_lock = threading.Lock()

_SEPARATOR = "x"  # lower case and no digit, so that nothing in the lexer looks past it

_LINE_END = re.compile("[\n\r\x0b\x0c\u2028\u2029]")


def tokenize(captions: Iterable[str]) -> list[str]:
    """Tokenises captions; each comes back as its tokens joined by single spaces.

    One Java process serves the whole call (half a second to start), so hand over everything in one call.
    Captions are remembered: the references of a second system's predictions cost nothing.

    Raises:
        JavaError: Java or the jar is missing, or the tokeniser failed.

    >>> tokenize(["A dog can't run!", "a dog (brown)", ""])
    ["a dog ca n't run", 'a dog -lrb- brown -rrb-', '']
    """
    lines = [_LINE_END.sub(" ", caption).strip(" ") for caption in captions]
    with _lock:
        unknown = [line for line in dict.fromkeys(lines) if line not in _known]
        if unknown and len(_known) + len(unknown) > REMEMBERED:
            _known.clear()
            unknown = list(dict.fromkeys(lines))
        _known.update(zip(unknown, run_tokenizer(unknown), strict=True))
        return [_known[line] for line in lines]


def run_tokenizer(lines: Sequence[str]) -> list[str]:
    """The tokens of each line, none with a line end in it, from one run of the program whatever is known.

    Raises:
        JavaError: as `tokenize`.
    """
    if not any(lines):
        return [""] * len(lines)
    with tempfile.TemporaryDirectory(prefix="ptb-") as folder:
        source = Path(folder) / "captions.txt"
        # Half a surrogate pair is no text; as "?" it is dropped like other punctuation.
        text = "".join([f"{line}\n{_SEPARATOR}\n" for line in lines])
        source.write_bytes(text.encode("utf-8", errors="replace"))
        program = str(jar("tokenizer/stanford-corenlp-3.4.1.jar"))
        command = [java(), *LOCALE_FLAGS, "-XX:+UseSerialGC", "-cp", program]
        options = ["edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase", source.name]
        done = subprocess.run(
            [*command, *options], cwd=folder, env=environment(), capture_output=True, check=False
        )
    if done.returncode != 0:
        raise JavaError(f"the PTB tokeniser ended with status {done.returncode}{complaint(done.stderr)}")
    output = done.stdout.decode("utf-8").split("\n")
    if len(output) != 2 * len(lines) + 1 or any(line != _SEPARATOR for line in output[1::2]):
        raise JavaError(
            f"the PTB tokeniser answered {len(lines)} captions with lines that do not line up; "
            "please report this with the captions"
        )
    return [_without_punctuation(line) for line in output[:-1:2]]


def _without_punctuation(line: str) -> str:
    return " ".join([token for token in line.rstrip().split(" ") if token not in PUNCTUATION])
