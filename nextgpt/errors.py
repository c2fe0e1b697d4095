"""What a person can put right: the command line prints these as one line, without a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class UserError(ValueError):
    """The base of all errors whose message says what is wrong, where, and what to do about it."""


class ConfigError(UserError):
    """A preset that cannot be used, or weights that are not there; the message says what to do."""


class DiskError(UserError):
    """A file that cannot be written; the message names it and says what to do."""


@contextmanager
def written_aside(path: Path, mark: str = "") -> Iterator[Path]:
    """A file beside `path`, which takes its name once it is whole; what was there before stays until then.

    Args:
        path: the file.
        mark: where several processes write the same file, what tells theirs apart, with a dot at its end.

    Raises:
        DiskError: the disk is full, read-only or fails. What torch and safetensors raise then is as good as
            anything, so all but what a person wrote counts as that.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with written_aside(Path(folder) / "a.txt") as aside:
        ...         _ = aside.write_text("whole")
        ...     [path.name for path in Path(folder).iterdir()]
        ['a.txt']
    """
    aside = path.with_name(f".{path.name}.{mark}part")
    try:
        yield aside
        aside.replace(path)
    except UserError:
        raise
    except Exception as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
        raise DiskError(
            f"{path}: cannot be written ({reason}); make room or choose another folder, then go on: what was "
            "there before is kept"
        ) from error
    finally:
        aside.unlink(missing_ok=True)
