"""What a run says about where it was made: enough to repeat it, nothing about who made it."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

PACKAGES = ("nextgpt", "numpy", "torch", "transformers", "diffusers", "peft", "pycocoevalcap", "pillow")

_SECRET_OPTION = re.compile(r"(?i)(key|token|secret|password|auth)")
_NAMED = r"(?:api.?key|token|secret|password|authorization)"
_SECRETS = (
    (re.compile(rf"(?i)\b({_NAMED} ?[=:] ?)(bearer )?\S+"), r"\1***"),
    (re.compile(r"\b(sk-|hf_|ghp_|xox[a-z]-)[\w-]{8,}"), r"\1***"),
    (re.compile(r"(://)[^/\s:@]+:[^/\s@]+@"), r"\1***@"),
)
# An absolute path, of which the last component stays; the slashes of a URL are none.
_WORD = r"[^\s/\\'\"<>|:,;()]+"
# Neither are those of a closing tag, </b>, which models write.
_PATH = re.compile(rf"(?<![\w/.~…-])(?!(?<=<)/\w[\w-]*>)(?:/(?!/)|[A-Za-z]:\\)(?:{_WORD}[/\\])*({_WORD})")
_QUOTED = re.compile(r"(['\"])(?:/|[A-Za-z]:\\)[^'\"\n]*[/\\]([^/\\'\"\n]*)\1")
_BELOW = re.compile(rf"…[/\\](?:{_WORD}[/\\])+")


def redact(text: str) -> str:
    """The text without secrets, absolute paths and the user names in them.

    Example:
        >>> redact("[Errno 2] No such file: '/home/jane/data/cat.jpg'")
        "[Errno 2] No such file: '…/cat.jpg'"
        >>> redact("expected </b>, got <b>")
        'expected </b>, got <b>'
        >>> redact("https://api.example.org/v1 refused api_key=sk-12345678")
        'https://api.example.org/v1 refused api_key=***'
    """
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    # Quotation marks and known folders first: names may hold spaces, which _PATH takes for the end.
    text = _QUOTED.sub(r"\1…/\2\1", text)
    for known in (Path.cwd(), Path.home(), Path(tempfile.gettempdir())):
        if known != Path(known.anchor):
            text = re.sub(rf"(?<![\w/]){re.escape(str(known))}(?=[/\\])", "…", text)
    return _PATH.sub(r"…/\1", _BELOW.sub("…/", text))


def command_line(arguments: Sequence[str] | None = None) -> str:
    """The command that is running, to be repeated by anyone: no secrets, no absolute paths.

    Example:
        >>> command_line(["/usr/bin/nextgpt-bench", "run", "--data", "/home/jane/coco", "--api-key", "1"])
        "nextgpt-bench run --data '…/coco' --api-key '***'"
    """
    words = list(sys.argv if arguments is None else arguments)
    started_as = getattr(sys.modules.get("__main__"), "__spec__", None)  # set by `python -m` alone
    if arguments is None and started_as is not None:
        words[:1] = ["python", "-m", started_as.name.removesuffix(".__main__")]
    else:
        words[:1] = [Path(word).name for word in words[:1]]
    shown = []
    hidden = False
    for word in words:
        option, equals, value = word.partition("=")
        secret = word.startswith("-") and _SECRET_OPTION.search(option) is not None
        if hidden:
            shown.append("***")
        elif secret and equals:
            shown.append(f"{option}=***")
        else:
            assigned = equals and word.startswith("-")
            shown.append(f"{option}={_relative(value)}" if assigned else _relative(word))
        hidden = secret and not equals
    return shlex.join(shown)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a number may depend on; nothing is imported."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> str:
    """The machine in words: processor type, number of cores, memory, and the GPU if torch is in use."""
    words = [f"{platform.system()} {platform.machine()}", f"{os.cpu_count()} cores"]
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        words.append(f"{memory / 2**30:.0f} GiB")
    torch = sys.modules.get("torch")  # a system that computes on a GPU has imported it by now
    if torch is not None and torch.cuda.is_available():
        words.append(torch.cuda.get_device_name())
    return ", ".join(words)


def _relative(word: str) -> str:
    # A whole word that is a path may hold any character, spaces included.
    return f"…/{Path(word).name}" if Path(word).is_absolute() else redact(word)
