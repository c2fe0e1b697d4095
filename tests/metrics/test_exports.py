"""What `from metrics import ...` promises: every name is there, and shows how it is used."""

from __future__ import annotations

import doctest
import inspect

import pytest

import metrics

# The names that the face for people who only want a number is promised to have.
PROMISED = [
    "frechet_distance",
    "kernel_distance",
    "inception_score",
    "cmmd",
    "kernel_audio_distance",
    "kl_divergence",
    "caption_scores",
    "vqa_accuracy",
    "clip_score",
    "clip_score_items",
    "ref_clip_score_items",
    "clipsim_items",
    "chosen",
    "vqa_normalized",
    "RESIZES",
    "clipsim",
    "krippendorff_alpha",
    "bradley_terry",
    "bootstrap",
    "compare",
    "CaptionCorpus",
    "activitynet_qa",
    "ChoiceAccuracy",
    "ChoiceUnparsed",
    "Wups",
]


@pytest.mark.parametrize("name", metrics.__all__)
def test_every_name_resolves_and_what_computes_has_an_example(name: str) -> None:
    found = getattr(metrics, name)
    if name == "RESIZES":
        assert sorted(found) == ["clean", "pytorch-fid", "tf1", "torchmetrics"]
        return
    if name == "TEMPLATES":
        assert {key: each.name for key, each in found.items()} == {key: key for key in found}
        return
    assert found.__name__ == name
    computes = inspect.isfunction(found) or issubclass(found, metrics.Metric)
    own = [test for test in doctest.DocTestFinder(recurse=False).find(found) if test.examples]
    assert own or not computes, f"{name} has no example"
    assert inspect.getdoc(found), f"{name} says nothing about itself"


def test_the_promised_names_are_all_there() -> None:
    assert set(PROMISED) <= set(metrics.__all__)


def test_names_are_those_that_type_checkers_see() -> None:
    assert sorted(metrics._HOME_OF) == sorted(metrics.__all__)


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="cidr"):
        _ = metrics.cidr
