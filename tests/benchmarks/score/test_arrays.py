"""`nextgpt-bench score` for features that another program extracted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from metrics.sets.frechet import frechet_distance
from metrics.sets.kernels import cmmd
from tests.benchmarks.score.made import rows
from tests.benchmarks.terminal import Command, only_line

pytestmark = pytest.mark.usefixtures("networks")


@pytest.fixture
def features(bench: Command) -> Command:
    rng = np.random.default_rng(0)
    for name, shift in (("said", 0.5), ("true", 0.0)):
        shape = rng.normal(shift, 1, size=(50, 4))
        np.save(f"{name}.npy", shape)
        np.savez(f"{name}.npz", features=shape, probabilities=rng.dirichlet(np.ones(3), 50))
    return bench


NPY, NPZ = (("--references", f"true.{end}", "--predictions", f"said.{end}") for end in ("npy", "npz"))


@pytest.mark.parametrize(("family", "metric"), [("text-to-video", "fvd"), ("text-to-audio", "fad")])
def test_given_features_have_the_distance_of_their_family(
    features: Command, family: str, metric: str
) -> None:
    assert features("score", family, *NPY, "--json", "rows.json")[0] == 0
    row = rows()[metric, "colours"]
    assert row["value"] == pytest.approx(frechet_distance(np.load("said.npy"), np.load("true.npy")))
    assert row["signature"].startswith(f"{metric}|features:given|cov:ddof1-f64|n:50/50|ref:")


@pytest.mark.parametrize("family", ["text-to-image", "editing"])
def test_given_features_of_pictures_have_cmmd_too(features: Command, family: str) -> None:
    assert features("score", family, *NPY, "--json", "rows.json")[0] == 0
    row = rows()["cmmd", "colours"]
    said, true = (np.load(name) for name in ("said.npy", "true.npy"))
    unit = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (said, true))
    assert row["value"] == pytest.approx(cmmd(*unit))
    assert row["signature"].startswith("cmmd|features:given|")


def test_features_that_overflow_have_no_distance_and_a_reason(features: Command) -> None:
    for name in ("said", "true"):
        np.save(f"{name}.npy", np.load(f"{name}.npy") * 1e160)
    code, out, err = features("score", "text-to-image", *NPY, "--json", "rows.json")
    assert code == 1
    assert "overflow" in out
    assert err == ""
    assert all(row["value"] is None and "undefined" in row["method"] for row in rows().values())


def test_class_probabilities_have_divergence_and_inception_score(features: Command) -> None:
    assert features("score", "text-to-audio", *NPZ, "--json", "rows.json")[0] == 0
    assert {metric for metric, _ in rows()} == {
        "fad",
        "fad_infinity",
        "kad",
        "kl_reference_prediction",
        "inception_score",
    }


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (np.ones((1, 4)), "said.npy has 1 sample; a distance between sets needs at least 2 in each"),
        (np.ones((5, 3)), "features of 3 and 4 dimensions; use one extractor for both sets"),
        (np.full((5, 4), np.nan), "said.npy[0] holds a value that is not finite"),
        (np.ones(5), "said.npy has shape (5,)"),
        (np.array(["a"]), "said.npy: features holds <U1, no numbers"),
        (np.array([{}]), "said.npy: no readable NumPy file"),
    ],
)
def test_features_without_a_distance_are_named(features: Command, said: Any, complaint: str) -> None:
    np.save("said.npy", said, allow_pickle=True)
    code, out, err = features("score", "text-to-audio", *NPY)
    assert (code, out) == (1, "")
    assert complaint in only_line(err)


def test_constant_features_have_a_distance_but_no_bandwidth(features: Command) -> None:
    np.save("said.npy", np.ones((20, 4)))
    code, out, _ = features("score", "text-to-audio", *NPY, "--json", "rows.json")
    assert code == 0
    found = rows()
    assert found["fad", "colours"]["value"] > 0
    assert found["kad", "colours"]["value"] is None
    assert "the bandwidth is 0" in out


def test_unpaired_probabilities_are_refused(features: Command) -> None:
    np.savez("said.npz", probabilities=np.full((9, 3), 1 / 3))
    code, _, err = features("score", "text-to-audio", *NPZ)
    assert code == 1
    assert "9 predictions but 50 references; give one for each" in only_line(err)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--predictions", "said.npy"), "said.npy: features; give features of the references too"),
        ((*NPY, "--extractor", "clip"), "features are scored as they are; leave --extractor out"),
        (("--references", "true.npy", "--predictions", "none.npy"), "none.npy: no such file"),
    ],
)
def test_options_that_do_not_fit_features_are_refused(
    features: Command, arguments: tuple[str, ...], complaint: str
) -> None:
    code, _, err = features("score", "text-to-audio", *arguments)
    assert code == 1
    assert complaint in only_line(err)


def test_features_are_held_against_statistics_of_a_real_set(features: Command) -> None:
    true = np.load("true.npy")
    np.savez("real.npz", mu=true.mean(axis=0), sigma=np.cov(true, rowvar=False))
    command = ("score", "text-to-video", "--predictions", "said.npy", "--references", "real.npz")
    assert features(*command, "--json", "rows.json")[0] == 0
    (row,) = rows().values()
    assert row["metric"] == "fvd"
    assert row["value"] == pytest.approx(frechet_distance(np.load("said.npy"), true))
    assert row["low"] < row["value"] < row["high"]
