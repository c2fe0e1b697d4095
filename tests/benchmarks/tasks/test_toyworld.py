from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest

from baselines.caption_then_tool import parse_calls
from benchmarks.harness.benchmark import Benchmark, Options, Sample
from benchmarks.registry import SUITES, load_benchmark
from benchmarks.tasks.toyworld.readings import PICTURES, TEXTS
from benchmarks.tasks.toyworld.scenes import AttributeF1, SceneAccuracy, first_picture
from metrics.metric import MetricInputError
from metrics.statistics import estimate
from nextgpt.media import Image
from nextgpt.messages import Message, assistant
from toyworld import dialogue, oracle
from toyworld.language import captions, describe, parse
from toyworld.questions import annotate, questions
from toyworld.render import render
from toyworld.scene import Scene, Thing
from toyworld.splits import scenes, split_of

TOY = [*SUITES["toyworld"].benchmarks, *SUITES["toyworld-compositional"].benchmarks]
SPLITS = ["test", "compositional"]
LITTLE = Scene.of(Thing(0, "small", "red", "circle"))


@cache
def loaded(name: str) -> tuple[Sample, ...]:
    found = tuple(load_benchmark(name).samples(Options()))
    assert all(isinstance(sample, Sample) for sample in found)
    return found  # type: ignore[return-value]


def named(task: str, split: str) -> str:
    return f"toy-{task}" if split == "test" else f"toy-{task}-{split}"


def measure(
    benchmark: Benchmark, metric: str, answers: Sequence[Message], samples: Sequence[Sample]
) -> float:
    use = next(use for use in benchmark.metrics if use.name == metric)
    made = use.make()
    statistics = made.statistics(
        [use.prediction(answer) for answer in answers], [use.reference(sample) for sample in samples]
    )
    return made.value(statistics)


def perfect(sample: Sample) -> Message:
    """What a pipeline answers that is given the true plan, and whose tool never errs."""
    calls = parse_calls(sample.hints["plan"])
    if not calls:
        return assistant(sample.hints["plan"])
    scene = parse(calls[0][1])
    assert scene is not None
    return assistant(render(scene))


# --- what is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TOY)
def test_it_has_as_many_samples_as_its_protocol_says(name: str) -> None:
    assert len(loaded(name)) == load_benchmark(name).protocol["samples"]


@pytest.mark.parametrize("name", TOY)
def test_two_loads_and_a_limited_one_are_the_same_samples(name: str) -> None:
    assert list(load_benchmark(name).samples(Options(limit=5))) == list(loaded(name)[:5])


@pytest.mark.parametrize("name", TOY)
def test_nothing_that_is_asked_gives_a_truth_away(name: str) -> None:
    for sample in loaded(name):
        assert sample.request.hints == {}
        assert sample.request.wanted is not None


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("task", ["captioning", "vqa", "text-to-image"])
def test_scenes_are_of_their_split(task: str, split: str) -> None:
    assert {split_of(sample.references["scene"]) for sample in loaded(named(task, split))} == {split}


def test_edits_of_the_test_split_end_in_pairs_that_training_knows() -> None:
    assert not any(sample.references["scene"].compositional for sample in loaded("toy-editing"))


@pytest.mark.parametrize("split", SPLITS)
def test_captions_through_the_official_file_are_those_of_the_world(split: Any) -> None:
    for sample, scene in zip(loaded(named("captioning", split)), scenes(split, 200), strict=True):
        assert sample.references["scene"] == scene
        assert sample.references["captions"] == captions(scene, random.Random(f"captions-0-{scene.key}"))
        assert sample.request.conversation[0].parts == (render(scene), dialogue.DESCRIBE)


@pytest.mark.parametrize("split", SPLITS)
def test_questions_through_the_official_files_are_those_of_the_world(split: Any) -> None:
    asked = iter(loaded(named("vqa", split)))
    for scene in scenes(split, 200):
        rng = random.Random(f"questions-0-{scene.key}")
        for question in questions(scene, rng, 2):
            sample = next(asked)
            annotation = sample.references["annotation"]
            assert sample.request.conversation[0].parts == (render(scene), question.text)
            assert annotation["answers"] == annotate(question, rng)
            assert (annotation["question_type"], annotation["answer_type"]) == (
                question.question_type,
                question.answer_type,
            )
            assert sample.hints["plan"] == question.answer


def test_questions_about_one_picture_are_one_group() -> None:
    groups = Counter(sample.group for sample in loaded("toy-vqa"))
    assert (len(groups), set(groups.values())) == (200, {2})


def test_prompts_are_those_that_the_world_speaks() -> None:
    first = loaded("toy-text-to-image")[0]
    assert first.request.conversation[0].text == dialogue.DRAW.format(caption=first.references["prompt"])
    assert parse(first.references["prompt"]) == first.references["scene"]


@pytest.mark.parametrize("name", TOY)
def test_every_slice_is_large_enough_to_be_reported(name: str) -> None:
    benchmark = load_benchmark(name)
    assert benchmark.slices is not None
    counts = Counter(benchmark.slices(sample) for sample in loaded(name))
    assert len(counts) in {3, 6, 7}
    assert min(counts.values()) >= 8


# --- what is scored ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TOY)
def test_true_plans_carried_out_without_error_are_right(name: str) -> None:
    benchmark, samples = load_benchmark(name), loaded(name)
    answers = [perfect(sample) for sample in samples]
    value = measure(benchmark, benchmark.headline, answers, samples)
    # Ten annotators sometimes disagree with each other, and so with the truth.
    assert value == 1.0 if benchmark.family != "vqa" else value > 0.95


@pytest.mark.parametrize("name", TOY)
def test_no_answer_at_all_is_wrong(name: str) -> None:
    benchmark, samples = load_benchmark(name), loaded(name)[:20]
    assert measure(benchmark, benchmark.headline, [assistant()] * len(samples), samples) == 0.0


@pytest.mark.parametrize("split", SPLITS)
def test_leaving_the_picture_as_it_was_is_no_edit(split: str) -> None:
    name = named("editing", split)
    samples = loaded(name)
    unchanged = [assistant(sample.request.conversation[0].images[0]) for sample in samples]
    assert measure(load_benchmark(name), "scene_accuracy", unchanged, samples) == 0.0
    assert measure(load_benchmark(name), "attribute_f1", unchanged, samples) > 0.5


def test_paraphrased_caption_is_as_right_as_the_canonical_one() -> None:
    samples = loaded("toy-captioning")
    for wording in range(5):
        said = [assistant(sample.references["captions"][wording]) for sample in samples]
        assert measure(load_benchmark("toy-captioning"), "scene_accuracy", said, samples) == 1.0


def test_picture_of_static_and_babble_are_wrong_and_never_raise() -> None:
    static = Image(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    blank = Image(np.full((3, 5, 3), 128, dtype=np.uint8))
    pictures = [static, blank, None]
    texts = ["red " * 500, "[IMG0] </s>", ""]
    for reader, predictions in ((PICTURES, pictures), (TEXTS, texts)):
        assert SceneAccuracy(reader).statistics(predictions, [LITTLE] * 3).tolist() == [0, 0, 0]
        assert AttributeF1(reader).statistics(predictions, [LITTLE] * 3).max() < 0.5


def test_scene_of_one_attribute_off_is_wrong_but_mostly_right() -> None:
    picture = render(Scene.of(Thing(0, "small", "blue", "circle")))
    assert SceneAccuracy(PICTURES).statistics([picture], [LITTLE]).tolist() == [0.0]
    assert AttributeF1(PICTURES).statistics([picture], [LITTLE]).tolist() == [0.75]


def test_first_of_several_pictures_is_judged() -> None:
    pictures = render(LITTLE), render(Scene.of(Thing(4, "large", "red", "star")))
    assert first_picture(assistant("here", *pictures)) == pictures[0]
    assert first_picture(assistant("none")) is None


def test_signatures_name_who_reads() -> None:
    assert SceneAccuracy(PICTURES).signature == f"scene_accuracy|reader:oracle-{oracle.VERSION}|v:1"
    assert SceneAccuracy(TEXTS).signature != SceneAccuracy(PICTURES).signature


def test_lists_of_different_length_are_refused() -> None:
    with pytest.raises(MetricInputError):
        SceneAccuracy(TEXTS).statistics(["a"], [])


def test_scene_metrics_have_intervals() -> None:
    metric = AttributeF1(TEXTS)
    said = [describe(LITTLE), "a small red square", ""] * 20
    found = estimate(metric, metric.statistics(said, [LITTLE] * 60))
    assert found.low < found.value < found.high
