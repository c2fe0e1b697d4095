"""One owner of a run's folder, from its first answer to its results.

The owner holds a lock on ``run.lock``, which says who it is. The system takes the lock back when the process
ends, however it ends, so what a killed owner left is simply taken over. A file that was locked and then
renamed or deleted locks nothing: it is the file that bears the name that counts.
"""

from __future__ import annotations

import json
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from benchmarks.harness.storage import RecordError, disk

LOCK = "run.lock"

_WAITS = (0.001, 0.01, 0.05)  # seconds, for one who only looks holds the lock for less than that

_held: set[int] = set()


class Owner:
    """Owns a run's folder while its context lasts; the folder is made when missing.

    Args:
        folder: the run's.

    Raises:
        RecordError: another process owns it, by name; or the folder can't be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / LOCK

    def __enter__(self) -> Owner:
        while True:
            with disk(self._path):
                self.folder.mkdir(parents=True, exist_ok=True)
                descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _lock(descriptor, self._path)
                # The owner before this one deletes its file as it leaves, perhaps after it was opened here.
                if bears(descriptor, self._path):
                    with disk(self._path):
                        _clear_up(self.folder)
                        os.truncate(descriptor, 0)
                        os.write(descriptor, _who().encode())
                    break
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
        self._descriptor = descriptor
        _held.add(descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor in _held:  # a forked child has let go
            _held.discard(self._descriptor)
            if bears(self._descriptor, self._path):
                self._path.unlink(missing_ok=True)
            os.close(self._descriptor)

    def check(self) -> None:
        """See that the folder is still this process's own.

        Raises:
            RecordError: it was moved or deleted, or somebody took the lock away.
        """
        if not bears(self._descriptor, self._path):
            raise RecordError(
                f"{self.folder}: moved, or its {LOCK} deleted, while the run wrote to it; what was answered "
                "before is safe where it is now: put the folder back, and run the same command again"
            )


def _clear_up(folder: Path) -> None:
    """Drop the unnamed files that a kill in the middle of a write leaves; those below have other owners."""
    for left in [*folder.glob(".*.part"), *folder.glob("media/.*.part")]:
        left.unlink(missing_ok=True)


def owned_by(folder: Path) -> str:
    """The owner of a run's folder in words; empty where nobody is at work there."""
    path = folder / LOCK
    try:
        import fcntl

        descriptor = os.open(path, os.O_RDONLY)
    except (ImportError, OSError):
        return ""
    try:
        # Shared, and let go at once: an owner who comes at this moment waits that long.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _named(path)
    finally:
        os.close(descriptor)
    return ""


def bears(descriptor: int, path: Path) -> bool:
    """Whether it is the open file that bears the name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _lock(descriptor: int, path: Path) -> None:
    try:
        import fcntl
    except ImportError:  # no such locks on Windows: two runs at once are the user's to avoid there
        return
    try:
        for wait in (*_WAITS, None):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if wait is None:
                    raise
                time.sleep(wait)
            else:
                return
    except BlockingIOError:
        other = _named(path)
        raise RecordError(
            f"{path.parent}: another run is at work here, {other}; wait for it, or choose another --out"
        ) from None
    except OSError as error:
        raise RecordError(
            f"{path}: this disk keeps no locks ({error.strerror}); choose an --out on another"
        ) from error


def _who() -> str:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since}) + "\n"


def _named(path: Path) -> str:
    """The owner in words, as far as its file tells."""
    try:
        owner = json.loads(path.read_bytes())
        return f"process {owner['pid']} on {owner['host']} since {owner['since']}"
    except (OSError, ValueError, TypeError, KeyError, RecursionError):  # it has this moment begun, or ended
        return "a process that does not say which"


def _let_go() -> None:
    """A child made by fork inherits the open file, and would hold the lock after its parent's death."""
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
