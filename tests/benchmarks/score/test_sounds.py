"""`nextgpt-bench score` for folders of sounds."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.score.made import BOTH, rows
from tests.benchmarks.terminal import Command, only_line

pytestmark = pytest.mark.usefixtures("networks")


@pytest.fixture
def sounds(bench: Command) -> Command:
    rng = np.random.default_rng(0)
    for folder in ("true", "said"):
        Path(folder).mkdir()
        for number in range(6):
            samples = (rng.uniform(-1, 1, 4000) * (number + 1) / 7 * 32767).astype("<i2")
            with wave.open(f"{folder}/{number}.wav", "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(samples.tobytes())
    Path("prompts.json").write_text(json.dumps({str(number): "loud" for number in range(6)}))
    return bench


EARS = ("score", "text-to-audio", *BOTH, "--extractor", "ears", "--json", "rows.json")


def test_sounds_have_distances_divergence_and_fit(sounds: Command) -> None:
    code, _, err = sounds(*EARS, "--prompts", "prompts.json")
    assert (code, err) == (0, "")
    assert {(row["metric"], row["n"]) for row in rows().values()} == {
        (metric, 6)
        for metric in ("fad", "kad", "fd", "kl_reference_prediction", "audio_inception_score", "clap_score")
    }


def test_sounds_of_other_names_are_no_pairs(sounds: Command) -> None:
    Path("said/0.wav").rename("said/other.wav")
    code, _, err = sounds(*EARS)
    assert code == 0
    assert "no kl_reference_prediction of pairs" in only_line(err)
    assert {"fad", "fd"} <= {metric for metric, _ in rows()}


def test_a_sound_that_is_cut_off_is_named_or_counted(sounds: Command) -> None:
    path = Path("said/3.wav")
    path.write_bytes(path.read_bytes()[:100])
    code, _, err = sounds(*EARS)
    assert code == 1
    assert "said/3.wav: " in only_line(err)
    assert sounds(*EARS, "--allow-missing")[0] == 0
    assert {(row["n"], row["failed"]) for row in rows().values()} == {(5, 1)}


@pytest.mark.parametrize("form", ["moments", "features"])
def test_statistics_of_a_real_set_stand_for_its_sounds(sounds: Command, form: str) -> None:
    true = np.random.default_rng(0).normal(size=(40, 2))
    kept = {"mu": true.mean(axis=0), "sigma": np.atleast_2d(np.cov(true, rowvar=False))}
    np.savez("real.npz", **(kept if form == "moments" else {"features": true}))
    command = ("score", "text-to-audio", "--predictions", "said", "--references", "real.npz")
    assert sounds(*command, "--extractor", "ears", "--json", "rows.json")[0] == 0
    found = {metric for metric, _ in rows()}
    assert found == {"fad", "fd", "audio_inception_score"} | ({"kad"} if form == "features" else set())
    np.savez("real.npz", mu=np.zeros(99), sigma=np.eye(99))
    _, _, err = sounds(*command, "--extractor", "ears", "--json", "rows.json")
    assert "distances by ears: its features have" in err
    assert {metric for metric, _ in rows()} == {"audio_inception_score"}
