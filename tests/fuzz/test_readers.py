"""Whatever a file holds, its reader yields a value or an error that is a line for a person."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import TOKENS, mutated
from tests.fuzz.readers import Reader, complaints, readers

READERS = readers()
FEW = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(params=[*READERS.items()], ids=[*READERS])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Reader, Path, bytes]:
    reader: Reader = request.param[1]
    reader.make(tmp_path)
    valid = (tmp_path / reader.file).read_bytes()
    reader.read(tmp_path)  # or nothing that follows means anything
    return reader, tmp_path, valid


@FEW
@given(seed=st.integers(0, 2**32))
def test_an_attacked_file_has_a_defined_outcome(made: tuple[Reader, Path, bytes], seed: int) -> None:
    reader, folder, valid = made
    assert complaints(reader, folder, mutated(valid, Random(seed))) == ""


def test_files_of_hostile_words_have_a_defined_outcome(made: tuple[Reader, Path, bytes]) -> None:
    reader, folder, valid = made
    for word in [b"", *TOKENS]:
        for data in (word, valid + word, word + valid, valid[: len(valid) // 2]):
            assert complaints(reader, folder, data) == "", data[:80]
