"""What the fuzzers found, made anew and small: each was a traceback once, and is a line now."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

import pytest

from metrics.extractors.weights import MissingWeightsError, read_settings, read_state
from nextgpt.weights.files import BrokenFileError, shapes
from tests.fuzz.readers import complaints, readers

READERS = readers()

# Pickles that end in the middle of a number, take from an empty stack, or recall what was never kept.
PICKLES = {
    "a cut number of two bytes": b"\x80\x02M\x01",
    "a cut number of eight": b"\x80\x04\x8e" + struct.pack("<I", 7),
    "an empty stack": b"\x80\x02\x85.",
    "a mark that is not there": b"\x80\x02t.",
    "a memo that is not there": b"\x80\x02h\x09.",
    "protocol 5": pickle.dumps({"a": 1}, protocol=5),
}

FOUND = [
    ("msvd AllVideoDescriptions.txt", b"abc_1_9 a m\xb9n\n"),
    ("msvd youtube_mapping.txt", b"abc_1_9 vid\xff\n"),
    ("msvd youtube_mapping.txt", b"abc_1_9 vid" + b"9" * 5_000 + b"\n"),
    ("msvd-qa youtube_mapping.txt", b"\x80"),
    ("ucf-101 ucfTrainTestlist/testlist01.txt", b"ApplyEyeMakeup/v\xe5.avi\n"),
    ("mmbench mmbench_dev_20230712.tsv", b"index\tquestion\n" + b"9" * 5_000 + b"\tWhich?\n"),
    *[("weights, pickled", each) for each in PICKLES.values()],
]


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_has_a_defined_outcome(name: str, data: bytes, tmp_path: Path) -> None:
    READERS[name].make(tmp_path)
    assert complaints(READERS[name], tmp_path, data) == ""


def test_text_in_scores_that_is_no_text_is_a_line(tmp_path: Path) -> None:
    reader = READERS["scores"]
    reader.make(tmp_path)
    valid = (tmp_path / reader.file).read_bytes()
    place = valid.index(b"s0")
    assert complaints(reader, tmp_path, valid[:place] + b"\xb9\xb9" + valid[place + 2 :]) == ""


@pytest.mark.parametrize("data", PICKLES.values(), ids=PICKLES)
def test_damaged_pickles_of_networks_are_a_line(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(data)
    with pytest.raises((MissingWeightsError, BrokenFileError)):
        read_state(path, ("clip_score",))
    with pytest.raises(BrokenFileError):
        shapes(path)


@pytest.mark.parametrize("text", ["{", "[1]", "[" * 100_000, "", "\x00"])
def test_damaged_settings_of_a_network_are_a_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(MissingWeightsError, match=r"config\.json"):
        read_settings(path, ("clip_score",))
