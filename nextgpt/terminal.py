"""What a program shows a person: text of models, data sets and files commands neither terminal nor page.

An answer, a file's name or another program's error may hold escape sequences, which clear a screen, rename a
window or type on behalf of the person before it, and direction marks, which make a line read as another one.
`visible` shows them as what they are. All that the programs print goes through `say` or `cell`, and what
pages hold through `visible`; `tests/test_architecture.py` sees that nothing prints past them.

Results are said (`say`), as are errors. What helps whoever waits is a `note`, which ``--quiet`` silences as
it does bars; what helps whoever looks for a cause is a `detail`, which only ``--verbose`` shows.
"""

from __future__ import annotations

import enum
import io
import logging
import os
import re
import signal
import sys
import threading
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.text import Text
    from typer import Exit, Typer

# Control characters of both sets but tab and newline, marks that turn the direction of text, separators that
# end a line for some programs alone, annotations, halves of surrogate pairs, and what is no character.
_COMMANDS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)

_LONGEST_ERROR = 2_000  # characters

# All that Markdown, GitHub's included, gives a meaning to inside a line: emphasis, code, links, tables, tags,
# entities, maths. What has a meaning at the start of a line only never stands there.
_MARKDOWN = re.compile(r"([\\`*_\[\]<|~$&])")


def visible(text: object) -> str:
    r"""Text as it stands, but each character that would command a terminal or a page as its escape.

    Tabs and newlines stay; a newline of Windows becomes one of ours.

    Example:
        >>> print(visible("a star" + chr(27) + "[2J" + chr(0x202E) + "!"))
        a star\x1b[2J\u202e!
    """
    return _COMMANDS.sub(_escape, str(text).replace("\r\n", "\n"))


def one_line(text: object) -> str:
    r"""The same on a single line, for notes and errors.

    Example:
        >>> print(one_line("first" + chr(10) + "  second" + chr(7)))
        first second\x07
    """
    return " ".join(visible(text).split())


def error_line(error: object) -> str:
    r"""An error on a line that a person reads to its end; what it quotes of a file may be longer than that.

    Example:
        >>> error_line("a.csv: no column" + chr(10) + "a" * 9_000)[-12:]
        'aaaaaaaa ...'
    """
    line = one_line(error)
    return line if len(line) <= _LONGEST_ERROR else f"{line[:_LONGEST_ERROR]} ..."


def escape_markdown(text: object) -> str:
    r"""Plain text as Markdown that renders as just that text, on one line, inside a table or outside.

    Example:
        >>> print(escape_markdown("a | b `c`" + chr(10) + "<script>"))
        a \| b \`c\` ⏎ \<script>
    """
    escaped = _MARKDOWN.sub(r"\\\1", visible(text))
    # A colon before // and a dot after www would let GitHub turn bare text into a link.
    escaped = escaped.replace("://", ":\\//").replace("www.", "www\\.")
    return re.sub(r"\s*\n\s*", " ⏎ ", escaped)


def say(text: object = "", *, err: bool = False, flush: bool = False) -> None:
    r"""Print text, made visible, to standard output or standard error.

    Example:
        >>> say("answer" + chr(7))
        answer\x07
    """
    print(visible(text), file=sys.stderr if err else sys.stdout, flush=flush)


def refusal(problem: object) -> Exit:
    """Print one line on standard error; raise what this returns to leave a command with status 1."""
    from typer import Exit

    say(f"error: {error_line(problem)}", err=True)
    return Exit(1)


class Volume(enum.IntEnum):
    """How much a program says beside its results and its errors."""

    QUIET = 0
    NORMAL = 1
    VERBOSE = 2


_volume = Volume.NORMAL


def volume() -> Volume:
    """How much is said: by default neither little nor much.

    Example:
        >>> volume().name
        'NORMAL'
    """
    return _volume


def set_volume(chosen: Volume) -> None:
    """Say little or much from here on, in this process; much is also what libraries log."""
    global _volume  # noqa: PLW0603 - a process has one terminal
    _volume = chosen
    if chosen is Volume.VERBOSE:
        logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")


def note(text: object) -> None:
    """Say on standard error what helps whoever waits; nothing where the person wants quiet."""
    if _volume > Volume.QUIET:
        say(text, err=True)


def detail(text: object) -> None:
    """Say on standard error what helps whoever looks for a cause; only where the person wants to hear it."""
    if _volume > Volume.NORMAL:
        say(text, err=True)


def watched() -> bool:
    """Whether a person sees standard error and wants to know how far things are."""
    return sys.stderr.isatty() and _volume > Volume.QUIET


def cell(text: object, style: str = "") -> Text:
    """The same for rich's tables, bars and consoles; square brackets are no markup there."""
    from rich.text import Text

    return Text(visible(text), style)


def run_app(app: Typer | Callable[..., Any]) -> None:
    """Run a typer app as a program; its usage errors and a bug's trace are shown as all else is.

    Each of its commands takes ``--quiet`` and ``--verbose`` too.

    A request to end (SIGTERM, or SIGHUP of a terminal that was closed) ends it as Ctrl-C does: what it began
    is cleaned up, and its status is 128 and the signal's number. Output that nobody takes is no bug either.

    Args:
        app: the app, or a function that does what a command does; a command ends with a status by raising
            `typer.Exit`.

    Raises:
        SystemExit: always, unless an exception is to be told by the caller or is a bug.
    """
    from nextgpt.volume import audible

    # A terminal of few letters is shown escapes of the others; what it sends that is no text is marked.
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace" if stream is sys.stdin else "backslashreplace")
    with _stoppable() as received:
        try:
            status = audible(app)(standalone_mode=False)
            sys.stdout.flush()
        except OSError as error:
            if error.filename is not None or not _refuses(sys.stdout):
                raise
            if not isinstance(error, BrokenPipeError):  # `| head` has seen enough, and needs no telling
                reason = f"standard output can't be written ({error.strerror})"
                say(f"error: {reason}; send it elsewhere", err=True)
            status = 1
        except Exception as error:
            # Typer carries a copy of click or imports it, by version: its errors are known by what they do.
            if not hasattr(error, "show") or not hasattr(error, "exit_code"):
                raise
            shown = io.StringIO()
            error.show(shown)
            say(shown.getvalue().rstrip("\n"), err=True)
            status = error.exit_code
        finally:
            sys.excepthook = _tell_bug  # typer has set its own
    raise SystemExit(128 + received[0] if received else status)


@contextmanager
def _stoppable() -> Iterator[list[int]]:
    """Requests to end raise `KeyboardInterrupt`, and are listed; a second one ends at once.

    One process of several leaves them alone: its launcher ends it because another fell, and there is nothing
    to wait for.
    """
    received: list[int] = []

    def stop(number: int, _: object) -> None:
        received.append(number)
        signal.signal(number, signal.SIG_DFL)
        # Not by `say`: the signal may have come in the middle of it.
        os.write(2, f"stopped by {signal.Signals(number).name}\n".encode())
        raise KeyboardInterrupt

    ends = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    if "RANK" in os.environ or threading.current_thread() is not threading.main_thread():
        ends = []  # and only the main thread may take signals
    # What is ignored stays ignored: nohup asks for that.
    ends = [number for number in ends if signal.getsignal(number) is signal.SIG_DFL]
    for number in ends:
        signal.signal(number, stop)
    try:
        yield received
    finally:
        for number in ends:
            signal.signal(number, signal.SIG_DFL)


def _refuses(stream: TextIO) -> bool:
    """Whether a stream takes no more; then what waits in it is dropped, or Python would fail on it again."""
    try:
        descriptor = stream.fileno()
    except OSError:  # no file at all
        return False
    try:
        stream.flush()
        os.write(descriptor, b"\n")  # some drop what they could not write, and have nothing to flush
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
        return True
    return False


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _tell_bug(*error: Any) -> None:
    say("".join(traceback.format_exception(*error)).rstrip("\n"), err=True)
