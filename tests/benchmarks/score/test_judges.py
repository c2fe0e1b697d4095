"""`nextgpt-bench score` for pictures by a judge: VQAScore of prompts, Soft-TIFA of their atoms."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from nextgpt.messages import Failure, Message, Request
from tests.benchmarks.score.made import picture, rows
from tests.benchmarks.terminal import Command, only_line

JUDGE = ("--extractor", "judge:tests.benchmarks.score.test_judges:Looker")
ATOMS = {"0": ["a red thing", "a thing"], "1": ["a blue thing", "a red thing"]}
RED, OTHER, ANY = 0.9, 0.2, 0.5  # how sure the judge is of what is named


class Looker:
    """Sees whether a picture is mostly of the colour that is named."""

    name, fingerprint = "looker", "1"
    accepts = produces = frozenset({"text", "image"})
    given: frozenset[str] = frozenset()
    asked: list[str] = []  # noqa: RUF012 - the test looks into it

    def respond(self, requests: Sequence[Request]) -> list[Message | Failure]:
        return [Failure("say", "it judges") for _ in requests]

    def log_probabilities(self, requests: Sequence[Request], answers: Sequence[str]) -> list[list[float]]:
        return [self._of(request) for request in requests]

    def _of(self, request: Request) -> list[float]:
        said = request.conversation[-1]
        self.asked.append(said.text)
        means = said.images[0].pixels.reshape(-1, 3).mean(axis=0)
        named = [k for k, colour in enumerate(("red", "green", "blue")) if colour in said.text]
        yes = ANY if not named else RED if means.argmax() == named[0] else OTHER
        return [math.log(yes), math.log(1 - yes)]


@pytest.fixture
def judged(bench: Command) -> Command:
    import numpy as np

    Looker.asked.clear()
    for name, colour in (("0", "red"), ("1", "blue")):
        picture(colour, np.random.default_rng(0)).save(f"said/{name}.png")
    Path("atoms.json").write_text(json.dumps(ATOMS))
    Path("prompts.json").write_text(json.dumps({"0": "red", "1": "red"}))

    def run(*more: object) -> tuple[int, str, str]:
        return bench("score", "text-to-image", "--predictions", "said", "--json", "rows.json", *more)

    return run


def test_soft_tifa_is_the_mean_of_each_picture_s_atoms(judged: Command) -> None:
    assert judged(*JUDGE, "--atoms", "atoms.json")[::2] == (0, "")
    found = {row["metric"]: row for row in json.loads(Path("rows.json").read_text())}
    assert found.keys() == {"soft_tifa_am", "soft_tifa_gm"}
    pairs = ((RED, ANY), (RED, OTHER))
    assert found["soft_tifa_am"]["value"] == pytest.approx(sum(a + b for a, b in pairs) / 4, rel=1e-9)
    assert found["soft_tifa_gm"]["value"] == pytest.approx(
        sum(math.sqrt(a * b) for a, b in pairs) / 2, rel=1e-9
    )
    assert found["soft_tifa_gm"]["n"] == 2
    assert found["soft_tifa_gm"]["signature"].startswith("soft_tifa_gm|judge:looker@")
    assert len(Looker.asked) == 4, "each atom is judged once for both means"


def test_prompts_and_atoms_are_judged_side_by_side(judged: Command) -> None:
    assert judged(*JUDGE, "--atoms", "atoms.json", "--prompts", "prompts.json")[0] == 0
    found = {metric: row for (metric, _), row in rows().items()}
    assert found.keys() == {"vqa_score", "soft_tifa_am", "soft_tifa_gm"}
    assert found["vqa_score"]["value"] == pytest.approx((RED + OTHER) / 2, rel=1e-9)


def test_a_picture_that_is_missing_or_cannot_be_read_is_counted(judged: Command) -> None:
    Path("said/1.png").write_bytes(b"no picture")
    code, _, err = judged(*JUDGE, "--atoms", "atoms.json")
    assert code == 1
    assert "said/1.png" in only_line(err)
    Path("atoms.json").write_text(json.dumps({**ATOMS, "2": ["a thing"]}))
    assert "without 2" in judged(*JUDGE, "--atoms", "atoms.json")[2]
    assert judged(*JUDGE, "--atoms", "atoms.json", "--allow-missing")[0] == 0
    (row, _) = rows().values()
    assert (row["n"], row["failed"]) == (1, 2)


@pytest.mark.parametrize(
    ("atoms", "complaint"),
    [
        ({"0": ["a"]}, "said: 1 (1 of 2 in all) is not in atoms.json, which has 1"),
        ({**ATOMS, "1": []}, "atoms.json: 1 has no list of texts but []"),
        ({**ATOMS, "1": "a red thing"}, "atoms.json: 1 has no list of texts but 'a red thing'"),
        ({**ATOMS, "1": ["a", " "]}, "atoms.json: 1 has no list of texts"),
        (["a"], "atoms.json: no JSON object"),
    ],
)
def test_atoms_that_are_none_are_named(judged: Command, atoms: object, complaint: str) -> None:
    Path("atoms.json").write_text(json.dumps(atoms))
    code, out, err = judged(*JUDGE, "--atoms", "atoms.json")
    assert (code, out) == (1, "")
    assert complaint in only_line(err)


def test_atoms_need_a_judge_and_a_judge_something_to_ask(judged: Command) -> None:
    assert "name a judge too" in only_line(judged("--atoms", "atoms.json")[2])
    _, _, err = judged(*JUDGE, "--references", "said")
    assert "vqa_score and soft_tifa by tests.benchmarks.score.test_judges:Looker, which asks about" in err
