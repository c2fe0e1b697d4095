"""The benchmarks over clips, sounds and several media at once."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from benchmarks.harness.asked import asked, digest
from benchmarks.harness.benchmark import Options, Sample
from benchmarks.harness.results import Result
from benchmarks.harness.run import CannotTakePartError, evaluate
from benchmarks.registry import SUITES, load_benchmark
from benchmarks.tasks.toyworld.captioning import METRICS
from benchmarks.tasks.toyworld.conversions import cells
from benchmarks.tasks.toyworld.readings import CLIP_TEXTS, CLIPS, SOUND_TEXTS, SOUNDS, Reader
from benchmarks.tasks.toyworld.scenes import AttributeF1, SceneAccuracy
from benchmarks.tasks.toyworld.truths import Truth, answered, right
from nextgpt.media import Audio, Image, Medium, Video
from nextgpt.messages import Failure, Message, Modality, Request, assistant
from tests.benchmarks.fakes import Speaker
from toyworld.clips.clip import Actor, Clip, Deed
from toyworld.clips.questions import choices
from toyworld.kinds import called, kind_of
from toyworld.language import parse
from toyworld.scene import Scene, Thing
from toyworld.sounds.sound import Event, Sound
from toyworld.splits import Value, split_of
from toyworld.ties import heard

TEST = SUITES["toyworld-media"].benchmarks
COMPOSITIONAL = SUITES["toyworld-media-compositional"].benchmarks
ALL = (*TEST, *COMPOSITIONAL)
ATTRIBUTES = ("cell", "size", "colour", "shape")
EVERYTHING: frozenset[Modality] = frozenset({"text", "image", "video", "audio"})
RED, BLUE = (Scene.of(Thing(4, "large", colour, "star")) for colour in ("red", "blue"))


@cache
def loaded(name: str, limit: int | None = None) -> tuple[Sample, ...]:
    found = tuple(load_benchmark(name).samples(Options(limit=limit)))
    assert all(isinstance(sample, Sample) for sample in found)
    return found  # type: ignore[return-value]


def through_a_file(medium: Medium) -> Medium:
    """As players take it: mp4 is lossy, wav is not."""
    if isinstance(medium, Video):
        return Video.decode(medium.mp4(), "answer.mp4")
    if isinstance(medium, Audio):
        return Audio.decode(medium.wav(), "answer.wav")
    return Image.decode(medium.png(), "answer.png")


def carried_out(plan: str) -> Message:
    """Says a plan, or renders what it calls for, a line each."""
    return assistant(*map(_carried_out, plan.splitlines()))


def _carried_out(line: str) -> str | Medium:
    value = called(line)
    return line if value is None else through_a_file(kind_of(value).render(value))


def perfect(request: Request) -> Message:
    return carried_out(request.hints["plan"])


class Told(Speaker):
    """A system that is given the truth."""

    accepts = produces = EVERYTHING
    given = frozenset({"plan"})


def measured(
    name: str, say: Callable[[Request], Message | Failure], folder: Path, limit: int = 24
) -> dict[str, Result]:
    """The whole benchmark's results, by metric, of a system made of one function; without caption metrics."""
    whole = load_benchmark(name)
    benchmark = replace(whole, metrics=tuple(use for use in whole.metrics if use.name not in METRICS))
    run = evaluate(benchmark, Told(say, name="told"), folder, Options(limit=limit))
    return {row.metric: row for row in run.results if row.slice is None}


def headline(name: str, found: dict[str, Result]) -> float:
    value = found[load_benchmark(name).headline].value
    assert value is not None
    return value


# --- what is asked -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_it_has_as_many_samples_as_its_protocol_says(name: str) -> None:
    assert len(loaded(name)) == load_benchmark(name).protocol["samples"]


@pytest.mark.parametrize("name", ALL)
def test_a_limited_load_is_the_first_samples_and_gives_no_truth_away(name: str) -> None:
    for limited, whole in zip(loaded(name, 5), loaded(name), strict=False):
        assert (limited.id, asked(limited)) == (whole.id, asked(whole))
        assert limited.request.hints == {}
        assert limited.request.wanted


# The first ten samples of each: whoever moves one raises the benchmark's version.
ASKED = {
    "toy-video-captioning": (1, "1cc0dfda7b3b"),
    "toy-audio-captioning": (1, "f532c3505c4a"),
    "toy-video-qa": (1, "f4cf5400524a"),
    "toy-video-qa-choice": (1, "dd861e5adb88"),
    "toy-text-to-video": (1, "41cc69081b42"),
    "toy-text-to-audio": (1, "875e34922139"),
    "toy-video-editing": (1, "407a76c9e13c"),
    "toy-audio-editing": (1, "3505b245a699"),
    "toy-conversions": (1, "0ca080f93f4c"),
    "toy-sight-and-sound": (1, "51a567dae6a7"),
    "toy-attributes": (1, "9ff113bfbdaa"),
    "toy-hard-to-say": (1, "00b16a40a3cb"),
    "toy-dialogues": (2, "b209f76021e6"),
    "toy-video-captioning-compositional": (1, "2ac65ba66942"),
    "toy-audio-captioning-compositional": (1, "e3776abf4935"),
    "toy-video-qa-compositional": (1, "a704ad82e905"),
    "toy-video-qa-choice-compositional": (1, "c770ce8cae2e"),
    "toy-text-to-video-compositional": (1, "f99246792436"),
    "toy-text-to-audio-compositional": (1, "9614debce2e7"),
    "toy-video-editing-compositional": (1, "4fe6355599dc"),
    "toy-audio-editing-compositional": (1, "12bf36e26cde"),
    "toy-conversions-compositional": (1, "4463e98730c6"),
    "toy-sight-and-sound-compositional": (1, "17a443d9bf53"),
    "toy-attributes-compositional": (1, "e80272009716"),
    "toy-hard-to-say-compositional": (1, "cd57beefc662"),
    "toy-dialogues-compositional": (2, "272585c22555"),
}


@pytest.mark.parametrize("name", ALL)
def test_samples_are_those_of_its_version_on_every_machine(name: str) -> None:
    hashes = "".join(digest(asked(sample)) for sample in loaded(name)[:10])
    assert (load_benchmark(name).version, hashlib.sha256(hashes.encode()).hexdigest()[:12]) == ASKED[name]


@pytest.mark.parametrize("name", ALL)
def test_values_are_of_their_split(name: str) -> None:
    split = "compositional" if name in COMPOSITIONAL else "test"
    key = {"clip", "sound"} & loaded(name)[0].references.keys()
    if key and "editing" not in name:
        assert {split_of(sample.references[key.copy().pop()]) for sample in loaded(name)} == {split}
    if split == "test":
        targets = [t.target for s in loaded(name) for t in s.references.get("truths", ())]
        assert not any(target is not None and target.compositional for target in targets)


@pytest.mark.parametrize("name", ["toy-video-captioning", "toy-audio-captioning"])
def test_captions_are_those_that_the_official_export_holds(name: str, tmp_path: Path) -> None:
    from toyworld.clips import export as of_clips
    from toyworld.sounds import export as of_sounds

    key, export = ("clip", of_clips) if "video" in name else ("sound", of_sounds)
    first = loaded(name)[:3]
    text = export.write_captions(tmp_path, [sample.references[key] for sample in first]).read_text()
    for sample in first:
        assert all(caption in text for caption in sample.references["captions"])


def test_every_cell_is_asked_or_known_as_empty() -> None:
    for name, split in (("toy-conversions", "test"), ("toy-conversions-compositional", "compositional")):
        full, empty = cells(split), cells(split, empty=True)  # type: ignore[arg-type]
        assert len(full) + len(empty) == len({*full, *empty}) == 16
        counts = Counter(sample.references["kind"] for sample in loaded(name))
        assert counts == {f"{given}-to-{wanted}": 25 for given, wanted in full}
        assert load_benchmark(name).protocol["empty cells"] == ", ".join("-to-".join(each) for each in empty)


def test_the_claim_is_asked_for_one_to_six_attributes_and_for_one_to_three_of_what_is_hard_to_say() -> None:
    for sample in loaded("toy-attributes"):
        before = parse(sample.hints["caption"])
        assert before is not None
        pairs = zip(before.things, sample.references["scene"].things, strict=True)
        changed = sum(getattr(a, name) != getattr(b, name) for a, b in pairs for name in ATTRIBUTES)
        assert changed == sample.references["attributes"]
    assert Counter(sample.references["attributes"] for sample in loaded("toy-attributes")) == dict.fromkeys(
        range(1, 7), 40
    )
    kinds = Counter(sample.references["kind"] for sample in loaded("toy-hard-to-say"))
    assert set(kinds.values()) == {20}
    assert {"exact places, 1 thing", "many things, 3 things", "order in time, 2 deeds"} < set(kinds)
    assert len(kinds) == 11


def test_questions_with_options_are_asked_as_they_are_learnt() -> None:
    for sample in loaded("toy-video-qa-choice")[:20]:
        clip = sample.references["clip"]
        learnt = choices(clip, random.Random(f"choices-0-{clip.key}"), 2)
        assert sample.request.conversation[0].text in [choice.asked for choice in learnt]


def test_dialogues_have_three_turns_or_more_and_media_on_both_sides() -> None:
    samples = loaded("toy-dialogues")
    assert all(len(sample.request.conversation) >= 5 for sample in samples)
    roles = {turn.role for sample in samples for turn in sample.request.conversation if turn.media}
    assert roles == {"user", "assistant"}


# --- what is scored ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_true_plans_through_real_files_are_right(name: str, tmp_path: Path) -> None:
    found = measured(name, perfect, tmp_path)
    assert headline(name, found) == 1.0
    for metric in {"attribute_f1", "structure_exact", "structure_f1", "sight_sound_agreement"} & found.keys():
        assert found[metric].value == 1.0
    assert found.get("choice_unparsed") is None or found["choice_unparsed"].value == 0.0
    assert {(row.failed, row.unjudged) for metric, row in found.items() if metric != "av_align"} == {(0, 0)}


@pytest.mark.parametrize("name", TEST)
def test_no_answer_is_worth_nothing(name: str, tmp_path: Path) -> None:
    assert headline(name, measured(name, lambda request: assistant(), tmp_path, limit=8)) == 0.0


# What guessing gives at most: questions have few answers, and of captions many attributes are shared.
CHANCE = {
    "toy-video-captioning": 0.55,
    "toy-audio-captioning": 0.6,
    "toy-video-qa": 0.55,
    "toy-video-qa-choice": 0.35,
    "toy-dialogues": 0.25,
}


def guesses(name: str, samples: Sequence[Sample]) -> Iterator[str]:
    """For each sample the truth of the next one of its slice that is about something else; may be none."""
    slices = load_benchmark(name).slices
    assert slices is not None
    for place, sample in enumerate(samples):
        others = (other for other in (*samples[place + 1 :], *samples[:place]) if other.group != sample.group)
        yield next((other.hints["plan"] for other in others if slices(other) == slices(sample)), "")


@pytest.mark.parametrize("name", TEST)
def test_who_neither_sees_nor_hears_is_near_chance_and_half_as_many_right_are_half(
    name: str, tmp_path: Path
) -> None:
    guessed = list(guesses(name, loaded(name)[:60]))
    blind = iter(guessed)
    chance = headline(name, measured(name, lambda request: carried_out(next(blind)), tmp_path / "blind", 60))
    assert chance <= CHANCE.get(name, 0.1)

    halves = iter(enumerate(guessed))

    def half(request: Request) -> Message:
        place, guess = next(halves)
        return carried_out(guess if place % 2 else request.hints["plan"])

    degraded = headline(name, measured(name, half, tmp_path / "half", 60))
    assert chance < degraded < 1.0
    assert degraded == pytest.approx((1 + chance) / 2, abs=0.1)


@pytest.mark.parametrize("name", ["toy-video-editing", "toy-audio-editing"])
def test_leaving_a_medium_as_it_was_is_no_edit(name: str, tmp_path: Path) -> None:
    found = measured(name, lambda request: assistant(*request.conversation[0].media), tmp_path)
    assert headline(name, found) == 0.0
    assert found["attribute_f1"].value is not None
    assert found["attribute_f1"].value > 0.5


def test_one_attribute_off_is_wrong_but_mostly_right() -> None:
    bell, star = Event("bell", "low", "soft", 2), Thing(4, "large", "blue", "star")
    slowly, quickly = (Clip.of(Actor(star, Deed("moves", "up", speed), 1)) for speed in ("slowly", "quickly"))
    pairs: list[tuple[Reader, Reader, Value, Value]] = [
        (SOUNDS, SOUND_TEXTS, Sound.of(bell), Sound.of(replace(bell, pitch="high"))),
        (CLIPS, CLIP_TEXTS, slowly, quickly),
    ]
    for media, texts, true, wrong in pairs:
        for reader, said in ((media, kind_of(wrong).render(wrong)), (texts, kind_of(wrong).describe(wrong))):
            assert SceneAccuracy(reader).statistics([said], [true]).tolist() == [0.0]
            assert 0.7 < AttributeF1(reader).statistics([said], [true])[0] < 1


def test_from_a_sound_any_colour_is_right_and_otherwise_it_is_not() -> None:
    blue = answered(assistant(kind_of(BLUE).render(BLUE)))
    assert [right(blue, Truth(RED, exact=exact)) for exact in (False, True)] == [1.0, 0.0]
    assert right(answered(assistant("a star")), Truth(RED)) == 0.0
    assert right(answered(assistant("It is a star!")), Truth(None, "it is a star")) == 1.0


def test_media_in_the_wrong_order_or_number_break_the_structure_and_sounds_of_others_the_agreement(
    tmp_path: Path,
) -> None:
    name = "toy-sight-and-sound"

    def backwards(request: Request) -> Message:
        return assistant(*reversed(perfect(request).parts))

    def twice(request: Request) -> Message:
        return assistant(*perfect(request).parts, *perfect(request).parts)

    def out_of_tune(request: Request) -> Message:
        sight = [part for part in perfect(request).parts if not isinstance(part, Audio)]
        return assistant(*sight, kind_of(heard(RED)).render(heard(RED)))

    turned = measured(name, backwards, tmp_path / "backwards")
    assert (turned["structure_exact"].value, turned["structure_f1"].value) == (0.0, 1.0)
    assert turned["sight_sound_agreement"].value == turned["answer_accuracy"].value == 1.0
    doubled = measured(name, twice, tmp_path / "twice")
    assert doubled["structure_exact"].value == 0.0
    assert doubled["structure_f1"].value == pytest.approx(2 / 3)
    assert measured(name, out_of_tune, tmp_path / "tune")["sight_sound_agreement"].value == 0.0


def test_only_clips_with_a_sound_are_aligned_and_the_others_are_counted(tmp_path: Path) -> None:
    align = measured("toy-sight-and-sound", perfect, tmp_path)["av_align"]
    assert (align.n, align.failed, align.unjudged) == (12, 0, 12)
    assert align.value is not None
    assert 0 < align.value < 1


def test_failures_are_counted_apart_and_both_ways(tmp_path: Path) -> None:
    turns = iter(range(24))
    found = measured(
        "toy-text-to-audio",
        lambda request: Failure("decoding", "no sound") if next(turns) % 4 == 0 else perfect(request),
        tmp_path,
    )["sound_accuracy"]
    assert (found.value, found.answered) == (0.75, 1.0)
    assert (found.n, found.failed, found.unjudged) == (24, 6, 0)


def test_a_system_without_the_modality_is_told_which(tmp_path: Path) -> None:
    with pytest.raises(CannotTakePartError, match="does not accept video"):
        evaluate(load_benchmark("toy-video-qa"), Speaker(perfect), tmp_path)
