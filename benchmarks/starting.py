"""What a repository starts from: a test, a benchmark and a system of its own, and a workflow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness.storage import disk

_START = Path(__file__).parent / "start"
_FILES = {
    "quality_benchmark.py": "quality_benchmark.py.txt",
    "tests/test_quality.py": "test_quality.py.txt",
    ".github/workflows/quality.yml": "quality.yml",
}

NEXT = (
    "next: put your model into quality_benchmark.py, make its line with `pytest tests/test_quality.py "
    "--update-expected`, commit tests/expected, and from then on `pytest tests/test_quality.py` holds it"
)


def write_start(folder: Path) -> Iterator[tuple[Path, bool]]:
    """Write each file that is not there; yields its path, and whether it was written.

    Raises:
        RecordError: a file can't be written.
    """
    for name, source in _FILES.items():
        path = folder / name
        with disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                # Exclusive, so that what a person wrote is never lost.
                with path.open("x", encoding="utf-8") as file:
                    file.write((_START / source).read_text(encoding="utf-8"))
            except FileExistsError:
                yield path, False
            else:
                yield path, True
