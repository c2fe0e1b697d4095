"""`nextgpt-bench score preferences`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from metrics.extractors import ClipExtractor
from metrics.pairs.preference import ClipPreference
from nextgpt.media import Image
from tests.benchmarks.score.made import picture, rows
from tests.benchmarks.terminal import Command
from tests.metrics.extractors.tiny_networks import tiny_clip


def test_given_scores_are_compared_prompt_by_prompt(bench: Command) -> None:
    """The second system's mean is higher, for one prompt's scores are far above the others'."""
    first = {f"p{k}": [0.1 * k + 0.05] for k in range(9)} | {"far": [5.0]}
    second = [{"prompt": f"p{k}", "score": 0.1 * k} for k in range(9)] + [{"prompt": "far", "score": 90}]
    Path("a.json").write_text(json.dumps(first))
    Path("b.jsonl").write_text("".join(json.dumps(row) + "\n" for row in second))
    command = ("score", "preferences", "--predictions", "a.json", "--references", "b.jsonl")
    assert bench(*command, "--json", "rows.json")[0] == 0
    (row,) = rows().values()
    assert (row["metric"], row["system"]) == ("preference_win_rate", "a.json over b.jsonl")
    assert (row["value"], row["n"]) == (0.9, 10)
    assert row["low"] > 0.5
    assert row["standard_error"] == pytest.approx(0.1)


def test_pictures_are_scored_by_a_clip_with_a_preference_model_s_weights(bench: Command) -> None:
    folder = tiny_clip(Path("weights") / "tiny")
    prompts = {f"{k}": text for k, text in enumerate(("a red circle", "a blue square", "circle", "red"))}
    Path("prompts.json").write_text(json.dumps(prompts))
    for system, seed in (("mine", 1), ("theirs", 2)):
        rng = np.random.default_rng(seed)
        for name in prompts:
            picture("red", rng, 200).save(f"{system}/{name}.png")
    command = ["score", "preferences", "--predictions", "mine", "--references", "theirs"]
    code, _, err = bench(*command)
    assert code == 1
    assert "give --prompts, and --extractor clip:FOLDER" in err
    command += ["--prompts", "prompts.json", "--extractor", f"clip:{folder}"]
    assert bench(*command, "--json", "rows.json")[0] == 0
    (row,) = rows().values()
    model = ClipPreference(ClipExtractor(folder))
    scores = [
        model.scores(
            [Image.open(Path(f"{system}/{name}.png")).pixels for name in prompts], [*prompts.values()]
        )
        for system in ("mine", "theirs")
    ]
    assert row["value"] == pytest.approx(np.mean(scores[0] > scores[1]))
    assert "model:clip:tiny@" in row["signature"]


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ({"a": 1.0}, {"b": 1.0}, "only one system has pictures of"),
        ({"a": "good"}, {"a": 1.0}, "'good' is no number"),
        ({"a": None}, {"a": 1.0}, "no value; give a score, or leave the picture out"),
    ],
)
def test_scores_that_can_not_be_compared_are_named(
    bench: Command, first: dict[str, object], second: dict[str, object], why: str
) -> None:
    Path("a.json").write_text(json.dumps(first))
    Path("b.json").write_text(json.dumps(second))
    code, out, err = bench("score", "preferences", "--predictions", "a.json", "--references", "b.json")
    assert code == 1
    assert why in " ".join((out + err).split())
