"""`nextgpt-bench score` for folders of clips."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.score.made import picture, rows
from tests.benchmarks.terminal import Command, only_line

pytestmark = pytest.mark.usefixtures("networks")


def test_frames_are_averaged_in_their_clip_first(bench: Command) -> None:
    rng = np.random.default_rng(0)
    for clip, colours in (("long", ["red"] * 3 + ["blue"]), ("short", ["green"])):
        for number, colour in enumerate(colours):
            picture(colour, rng, 1).save(f"clips/{clip}/{number}.png")
    Path("prompts.json").write_text(json.dumps({"long": "red", "short": "green"}))
    arguments = ("score", "text-to-video", "--prompts", "prompts.json", "--predictions", "clips")
    assert bench(*arguments, "--json", "rows.json")[0] == 0
    (row,) = rows().values()
    assert (row["metric"], row["n"]) == ("clipsim", 2)
    assert row["value"] == pytest.approx((0.75 + 1) / 2)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_clip_without_frames_is_named(bench: Command, allowed: bool) -> None:
    picture("red", np.random.default_rng(0)).save("clips/one/0.png")
    Path("clips/two").mkdir()
    Path("prompts.json").write_text(json.dumps({"one": "red", "two": "green"}))
    arguments = ["score", "text-to-video", "--prompts", "prompts.json", "--predictions", "clips"]
    code, _, err = bench(*arguments, *["--allow-missing"] * allowed)
    assert code == 1
    assert "clips/two: a clip without frames" in only_line(err)


def clips(folder: str, colours: list[list[str]]) -> None:
    rng = np.random.default_rng(len(folder))
    for number, frames in enumerate(colours):
        for place, colour in enumerate(frames):
            picture(colour, rng, 40).save(f"{folder}/{number}/{place}.png")


def test_flicker_needs_neither_network_nor_reference(bench: Command) -> None:
    clips("still", [["red"] * 3, ["blue"] * 4])
    clips("jumps", [["red", "blue", "red"], ["blue", "red"]])
    found = {}
    for folder in ("still", "jumps"):
        assert bench("score", "text-to-video", "--predictions", folder, "--json", "rows.json")[0] == 0
        (found[folder],) = rows().values()
        assert found[folder]["metric"] == "temporal_flickering"
        assert found[folder]["n"] == 2
    assert 0 < found["jumps"]["value"] < found["still"]["value"] <= 1
    assert found["jumps"]["standard_error"] is not None


def test_sets_of_clips_are_compared_over_a_network_that_sees_whole_clips(bench: Command) -> None:
    clips("said", [["red", "blue"], ["blue", "red"], ["red", "red"], ["green", "red"]])
    clips("true", [["red", "green"], ["blue", "red"], ["red", "red"], ["green", "red"], ["red", "blue"]])
    arguments = ("score", "text-to-video", "--extractor", "motion", "--references", "true")
    assert bench(*arguments, "--predictions", "said", "--json", "rows.json")[0] == 0
    found = {row["metric"]: row for row in rows().values()}
    assert found.keys() == {"temporal_flickering", "fvd", "kid", "precision", "recall"}
    assert found["fvd"]["value"] > 0
    assert "features:motion@1" in found["fvd"]["signature"]


def test_a_network_that_lacks_what_it_needs_is_named(bench: Command) -> None:
    clips("said", [["red", "blue"], ["blue", "red"]])
    clips("true", [["red", "blue"], ["blue", "red"]])
    arguments = ("score", "text-to-video", "--predictions", "said", "--references", "true")
    code, _, err = bench(*arguments, "--extractor", "clip")
    assert code == 0
    assert "clip was not asked: it needs --prompts" in err
    code, _, err = bench(*arguments, "--extractor", "ears")
    assert code != 0
    assert "ears takes sounds, text-to-video is about pictures and clips" in err
