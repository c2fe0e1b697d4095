from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.harness.predictions import FILE
from benchmarks.harness.run import evaluate
from benchmarks.harness.storage import RecordError, disk, write_atomically
from tests.benchmarks.fakes import Speaker, noisy, numbers
from tests.benchmarks.harness.test_run import ROOT, VICTIM


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 256 KiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    made = (
        mount
        and not subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    )
    if not made:
        pytest.skip("only an administrator may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def remounted(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def victim(out: Path) -> str:
    """The last line of a run that must fail."""
    done = subprocess.run(
        [sys.executable, "-c", VICTIM, str(out)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr.strip().splitlines()[-1]


def test_a_full_disk_is_named_and_what_was_answered_is_kept(small_disk: Path) -> None:
    line = victim(small_disk)
    assert f"{small_disk}/speaker/numbers/" in line
    assert "cannot be written (No space left on device); " in line
    assert line.endswith("make room, then run the same command again")
    assert not list(small_disk.rglob("*.part"))
    log = small_disk / "speaker" / "numbers" / FILE
    kept = log.read_bytes().count(b"\n")
    assert 0 < kept < 400
    remounted(small_disk, "size=64m")
    system = Speaker(noisy)
    assert len(evaluate(numbers(400), system, small_disk).predictions) == 400
    assert sum(system.batches) == 400 - kept


def test_a_read_only_disk_is_not_told_to_make_room(small_disk: Path) -> None:
    remounted(small_disk, "ro")
    line = victim(small_disk)
    assert f"{small_disk}/speaker/numbers" in line
    assert line.endswith(
        "cannot be written (Read-only file system); make it writable or choose another folder, then run the "
        "same command again"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_folder_that_is_anothers_is_not_told_to_make_room(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    with pytest.raises(RecordError, match=r"\(Permission denied\); make it writable or choose another"):
        write_atomically(tmp_path / "a.json", b"")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "make room, then"),
        (errno.EDQUOT, "make room, then"),
        (errno.EROFS, "make it writable or choose another folder, then"),
        (errno.EACCES, "make it writable or choose another folder, then"),
        (errno.EIO, "; choose another folder, then"),
    ],
)
def test_every_error_of_a_disk_says_what_where_and_what_to_do(number: int, advice: str) -> None:
    with pytest.raises(RecordError) as error, disk(Path("runs/a")):
        raise OSError(number, os.strerror(number))
    assert str(error.value).startswith(f"runs/a: cannot be written ({os.strerror(number)}); ")
    assert advice in str(error.value)


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "private").write_text("mine")
    (tmp_path / "results.json").symlink_to(tmp_path / "private")
    write_atomically(tmp_path / "results.json", b"new")
    assert (tmp_path / "private").read_text() == "mine"
    assert (tmp_path / "results.json").read_bytes() == b"new"
