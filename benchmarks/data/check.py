"""What is there of a data set, file by file, held against its card; no medium is decoded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.cards import BenchmarkEntry, DataFile
from benchmarks.harness.benchmark import Benchmark, Broken, Options
from benchmarks.tasks.official import DataError, is_csv, lines_of, read_csv, read_json
from benchmarks.tasks.published import OfficialData
from benchmarks.tasks.real_sets import REAL, read_real_set
from benchmarks.tasks.stored import Stored, place
from nextgpt.media import MediaError

OK, MISSING, DIFFERS = "ok", "missing", "differs"
_PACKED = (".zip", ".tar", ".tar.gz", ".tgz", ".7z", ".rar")


@dataclass(frozen=True)
class Finding:
    """One row: what was looked for, and what was found.

    Attributes:
        what: a file's role, ``samples`` or ``media``.
        state: ``ok``, ``missing`` or ``differs``.
        found: how many; None where nothing can be counted.
        official: how many there are in what its owners publish; None where nobody counted.
        remark: where it lies, or what to do.
        confirmed: whether some document states the official number.
    """

    what: str
    state: str
    found: int | None
    official: int | None
    remark: str
    confirmed: bool = True

    @property
    def good(self) -> bool:
        """Whether there is nothing to mend."""
        return self.state == OK


@dataclass(frozen=True)
class Tally:
    """What the records of a data set come to.

    Attributes:
        samples: all of them.
        broken: those that cannot be used, their media not looked at.
        media: files that they name, each once.
        absent: those that are not there, or empty.
        example: the first absent file's name, or else the reason; empty where all is well.
        affected: samples whose media are not all there.
        reason: why the first broken one is.
    """

    samples: int
    broken: int
    media: int
    absent: int
    example: str
    affected: int
    reason: str = ""

    @property
    def usable(self) -> int:
        """Samples that a run can put to a system, as far as can be told without opening their media."""
        return self.samples - self.broken - self.affected


def official_data(benchmark: Benchmark) -> OfficialData:
    """A benchmark's data set.

    Raises:
        DataError: it makes its data itself, or reads them in a way of its own.
    """
    if not isinstance(benchmark.load, OfficialData):
        raise DataError(f"{benchmark.name} reads no official files: there is nothing to check.")
    return benchmark.load


def check(benchmark: Benchmark, data: Path) -> Iterator[Finding]:
    """Look at a data set's files, then at its samples, then at their media.

    Raises:
        DataError: no official files, or no such folder.
    """
    source = official_data(benchmark)
    folder = source.files(Options(data=data)).folder
    findings = [_file(file, folder, source.entry) for file in source.entry.files]
    yield from findings
    if any(finding.state == MISSING for finding in findings):
        return
    try:
        found = tally(benchmark, data)
    except DataError as error:
        confirmed = "samples" not in source.entry.unconfirmed
        yield Finding("samples", DIFFERS, None, source.entry.samples, str(error), confirmed)
        return
    yield _samples(found, source.entry)
    if found.media:
        yield _media(found, folder, source.entry)


def tally(benchmark: Benchmark, data: Path) -> Tally:
    """Count a data set's samples and media.

    Raises:
        DataError: no official files, no such folder, or a file that cannot be read.
    """
    source = official_data(benchmark)
    folder, media = source.files(Options(data=data)).folder, source.entry.media
    samples = broken = affected = 0
    there: dict[tuple[str, ...], bool] = {}
    reason = absent = ""
    for record in source.records(Options(data=data)):
        samples += 1
        if isinstance(record, Broken):
            broken += 1
            reason = reason or record.reason
            continue
        whole = True
        for medium in record.media:
            if medium.names not in there:
                there[medium.names] = bool(medium.content) or _lies(folder, media, medium)
                absent = absent or ("" if there[medium.names] else medium.names[0])
            whole = whole and there[medium.names]
        affected += not whole
    missing = sum(not each for each in there.values())
    return Tally(samples, broken, len(there), missing, absent or reason, affected, reason)


def _lies(folder: Path, media: tuple[str, ...], medium: Stored) -> bool:
    try:
        path = place(folder, media, medium)
        return path is not None and path.stat().st_size > 0
    except (MediaError, OSError):
        return False


def _media(found: Tally, folder: Path, entry: BenchmarkEntry) -> Finding:
    """What is there of the media, and how many samples that leaves."""
    there = found.media - found.absent
    if not found.absent:
        return Finding("media", OK, there, found.media, f"below {folder}")
    remark = f"{found.absent:,} are not there or empty, the first {found.example}; "
    remark += f"{found.usable:,} of {found.samples:,} samples can run"
    packed = [
        f"{name}{end}" for name in entry.media for end in _PACKED if (folder / f"{name}{end}").is_file()
    ]
    if packed:
        remark += f"; unpack {', '.join(packed)}"
    return Finding("media", MISSING, there, found.media, remark)


def _file(file: DataFile, folder: Path, entry: BenchmarkEntry) -> Finding:
    path = file.find(folder)
    finding = partial(
        Finding, file.role, official=file.records, confirmed=file.records is None or entry.confirmed(file)
    )
    if path is None:
        if file.optional:
            return finding(OK, found=None, remark=f"{file.names[0]} is not there, and not needed")
        return finding(MISSING, found=None, remark=f"fetch {file.names[0]} from {entry.origin}")
    try:
        if file.role.startswith(REAL):
            width = read_real_set(path).width
            return Finding(file.role, OK, None, None, f"{path}, features of {width} numbers")
        found = count_records(path)
    except DataError as error:
        return finding(DIFFERS, found=None, remark=str(error))
    if file.records in (None, found):
        return finding(OK, found=found, remark=str(path))
    known = f": as many as {file.others[found]}" if found in file.others else ""
    return finding(DIFFERS, found=found, remark=f"{path}{known}")


def _samples(found: Tally, entry: BenchmarkEntry) -> Finding:
    differs = entry.samples is not None and found.samples != entry.samples
    remark = f"split {entry.split}"
    if found.broken:
        remark += f"; {found.broken:,} cannot be used, the first as {found.reason.removesuffix('.')}"
    if differs:
        remark += "; another version or part of the data set: its numbers compare with no published ones"
    state = DIFFERS if differs or found.broken else OK
    confirmed = "samples" not in entry.unconfirmed
    return Finding("samples", state, found.samples, entry.samples, remark, confirmed)


def count_records(path: Path) -> int:
    """Records of a file: rows of a table, objects of the longest list of a JSON file, or lines.

    Raises:
        DataError: it is cut off or of another kind.
    """
    name = path.name.removesuffix(".gz").lower()
    if name.endswith(".txt"):
        return len(lines_of(path))
    if name.endswith(".tsv"):
        return len(read_csv(path, delimiter="\t", quoted=name.startswith("mmbench"))[1])
    if is_csv(path):
        return len(read_csv(path)[1])
    data = read_json(path)
    if isinstance(data, dict):
        lists = [len(value) for value in data.values() if isinstance(value, list)]
        return max(lists, default=len(data))
    return len(data) if isinstance(data, list) else 1
