"""Systems and disks that misbehave while a run is made."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.harness.isolated import Isolated
from benchmarks.harness.owner import Owner
from benchmarks.harness.predictions import FILE
from benchmarks.harness.provenance import command_line
from benchmarks.harness.records import RESULTS, SCORES, read_run
from benchmarks.harness.results import read_scores
from benchmarks.harness.run import evaluate, run
from benchmarks.harness.system import System
from nextgpt.messages import Failure, Message, Request, assistant
from tests.benchmarks.fakes import Speaker, echo, numbers
from tests.outcomes.files import Case


def misbehave(what: str, request: Request) -> Message:
    """One of the ways in which a system does not do what it should."""
    match what:
        case "raises":
            raise RuntimeError("no luck")
        case "exits":
            sys.exit("enough")
        case "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        case "hangs":
            time.sleep(3600)
        case "fills memory":
            bytearray(2**62)
        case "leaks memory":
            used = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + 2**28,) * 2)  # a container has such a limit too
            kept = []
            while True:
                kept.append(bytearray(2**24))
        case "answers with an object":
            return object()  # type: ignore[return-value]
        case "prints":
            print("\x1b[2Jhello")
    return echo(request)


def system(what: str) -> System:
    """A system that does so."""
    return Speaker(partial(misbehave, what), name="odd")


class Short(Speaker):
    """Returns one answer too few."""

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return super().respond(requests)[1:]


def systems(at: Path) -> Iterator[Case]:
    """Systems, on one sample; those that need a process of their own get one, as ``--timeout`` gives it."""

    def answered(made: Callable[[], System]) -> object:
        found = made()
        try:
            (prediction,) = run(numbers(1), found, at / f"{time.monotonic_ns()}").predictions
            return prediction.answer
        finally:
            if isinstance(found, Isolated):
                found.close()

    for what in ("raises", "exits", "fills memory", "answers with an object", "prints"):
        yield f"a system that {what}", partial(answered, partial(system, what))
    yield "a system that returns the wrong number of answers", partial(answered, partial(Short, echo))
    for what, limit in (("hangs", 1.0), ("dies", 60.0), ("leaks memory", 60.0)):
        alone = partial(Isolated, partial(system, what), limit)
        yield f"a system that {what}, under --timeout", partial(answered, alone)


def disks(at: Path) -> Iterator[Case]:
    """Disks and other runs."""

    def limited(step: Callable[[], object]) -> object:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, hard))
        try:
            return step()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    speaker = Speaker(lambda request: assistant("word " * 30))
    yield (
        "a disk, quota or limit of file size that is full",
        lambda: limited(lambda: run(numbers(40), speaker, at / "full", batch_size=4)),
    )
    (at / "taken").write_text("a file")
    yield "a file where the folder of runs should be", lambda: run(numbers(2), speaker, at / "taken")
    yield "a folder that can't be written", lambda: run(numbers(2), speaker, Path("/proc/runs"))
    owned = Owner(at / "owned" / "speaker" / "numbers")

    def second() -> object:
        with owned:
            return run(numbers(2), Speaker(echo), at / "owned")

    yield "two runs on one folder", second
    for name in (RESULTS, SCORES):
        made = evaluate(numbers(3), Speaker(echo), at / name)
        path = made.folder / name
        path.write_bytes(path.read_bytes()[:-20])
        yield f"{name} that was cut", lambda made=made: _unscored(made.folder)
    yield "scores of a damaged file, read alone", lambda: read_scores(at / SCORES / "speaker" / "numbers")
    made = run(numbers(3), Speaker(echo), at / "log")
    (made.folder / FILE).write_bytes((made.folder / FILE).read_bytes() + b"\0" * 40 + b"\n")
    yield "a log with a line of NULs, continued", lambda: run(numbers(3), Speaker(echo), at / "log")


def _unscored(folder: Path) -> str:
    return read_run(folder).unscored


def sinks(at: Path) -> Iterator[Case]:
    """Hostile text in what is shown, and secrets in what is kept."""
    from nextgpt.rows import harmless
    from nextgpt.terminal import escape_markdown, visible
    from reports.paper.latex import escape as latex

    said = "\x1b[2J\u202e=HYPERLINK(1) | <script>x</script> \\input{x} [a](b)"
    yield "hostile words in a terminal", lambda: visible(said)
    yield "hostile words in Markdown", lambda: escape_markdown(said)
    yield "hostile words in LaTeX", lambda: latex(said)
    yield "a formula in CSV or a workbook", lambda: harmless("=HYPERLINK(1)")
    yield "hostile words in HTML", _in_html
    words = [
        "nextgpt-bench",
        "run",
        "--system",
        "openai:https://me:pass@example.org/v1",
        "--api-key",
        "sk-123",
    ]
    yield "secrets on the command line, in run.json", lambda: command_line(words)


def _in_html() -> str:
    from jinja2 import Environment

    return Environment(autoescape=True).from_string("{{ said }}").render(said="<script>x</script>")
