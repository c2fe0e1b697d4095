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
