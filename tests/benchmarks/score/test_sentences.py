"""`nextgpt-bench score` for captions by what they mean: sentence similarity, and FENSE with given fluency."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from metrics.extractors import SentenceExtractor
from tests.benchmarks.score.made import rows
from tests.benchmarks.terminal import Command
from tests.metrics.extractors.tiny_networks import tiny_sentences

SAID = {1: "a red circle", 2: "a red a", 3: "circle"}
TRUE = {1: ["a red circle", "circle"], 2: ["blue square"], 3: ["a blue circle"]}
ODDS = {"1": 0.95, "2": 0.1, "3": 0.9}


@pytest.fixture
def captions(bench: Command) -> Command:
    """Scores three captions by a tiny network, with more options."""
    folder = tiny_sentences(Path("weights") / "tiny")
    notes = [(key, text) for key, texts in TRUE.items() for text in texts]
    annotations = [{"id": k, "image_id": key, "caption": text} for k, (key, text) in enumerate(notes)]
    Path("true.json").write_text(
        json.dumps({"images": [{"id": k} for k in TRUE], "annotations": annotations})
    )
    Path("said.json").write_text(json.dumps([{"image_id": k, "caption": text} for k, text in SAID.items()]))

    def run(*more: object, network: str = f"minilm:{folder}") -> tuple[int, str, str]:
        both = ("--predictions", "said.json", "--references", "true.json", "--json", "rows.json")
        return bench("score", "image-captioning", *both, "--extractor", network, *more)

    return run


def fluent(odds: object) -> str:
    Path("fluency.json").write_text(json.dumps(odds))
    return "fluency.json"


def found() -> dict[str, dict[str, Any]]:
    return {row["metric"]: row for row in rows().values()}


def by_hand() -> list[float]:
    """The mean cosine of each caption with its references."""
    network = SentenceExtractor(Path("weights") / "tiny")
    return [float(np.mean(network.texts(TRUE[key]) @ network.texts([SAID[key]])[0])) for key in SAID]


def test_captions_are_scored_by_what_they_mean(captions: Command) -> None:
    assert captions()[0] == 0
    row = found()["sentence_similarity"]
    assert row["value"] == pytest.approx(np.mean(by_hand()), rel=1e-6)
    assert row["n"] == 3
    assert "cider_d" in found()
    assert "fense" not in found()


def test_fense_takes_nine_tenths_from_what_is_probably_not_fluent(captions: Command) -> None:
    assert captions("--fluency", fluent(ODDS))[0] == 0
    row, items = found()["fense"], by_hand()
    assert row["value"] == pytest.approx((items[0] * 0.1 + items[1] + items[2]) / 3, rel=1e-6)
    assert row["low"] <= row["value"] <= row["high"]
    assert row["signature"].startswith("fense|model:sentences:tiny@")
    assert "fluency:given,>0.9" in row["signature"]
    assert found()["sentence_similarity"]["value"] == pytest.approx(np.mean(items), rel=1e-6)


def test_a_caption_that_is_missing_needs_no_probability(captions: Command) -> None:
    Path("said.json").write_text(json.dumps([{"image_id": k, "caption": SAID[k]} for k in (1, 2)]))
    few = {key: odds for key, odds in ODDS.items() if key != "3"}
    assert captions("--fluency", fluent(few), "--allow-missing")[0] == 0
    assert (found()["fense"]["n"], found()["fense"]["failed"]) == (3, 1)
    assert found()["fense"]["value"] == pytest.approx((by_hand()[0] * 0.1 + by_hand()[1]) / 3, rel=1e-6)


@pytest.mark.parametrize(
    ("odds", "complaint"),
    [
        ({"1": 0.1, "2": 0.2}, "fluency.json: caption 3 has no probability; give one for each"),
        ({**ODDS, "9": 0.1}, "fluency.json: 9 (1 of 4 in all) is not in true.json"),
        ({**ODDS, "2": 1.5}, "fluency.json: caption 2 has no probability but 1.5; give 0 to 1"),
        ({**ODDS, "2": "high"}, "caption 2 has no probability but 'high'"),
        ({**ODDS, "2": True}, "caption 2 has no probability but True"),
        ([0.1], "fluency.json: no JSON object"),
    ],
)
def test_probabilities_that_belong_to_nothing_are_named(
    captions: Command, odds: object, complaint: str
) -> None:
    code, out, err = captions("--fluency", fluent(odds))
    assert (code, out) == (1, "")
    assert complaint in err


def test_options_that_are_of_no_use_are_named(bench: Command) -> None:
    both = ("--predictions", "said.json", "--references", "true.json")
    assert (
        "--fluency needs a network of sentences too"
        in bench("score", "image-captioning", *both, "--fluency", "fluency.json")[2]
    )
    assert "--fluency is of no use for vqa" in bench("score", "vqa", *both, "--fluency", "f.json")[2]
    assert (
        "--atoms is of no use for text-to-audio"
        in bench("score", "text-to-audio", *both, "--atoms", "f.json")[2]
    )


def test_a_network_for_sounds_embeds_no_captions(captions: Command) -> None:
    code, _, err = captions(network="vggish")
    assert code == 1
    assert "vggish takes sounds; captions are embedded by minilm" in err
