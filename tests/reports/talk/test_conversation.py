"""Conversations without a page: what is refused, what is hidden until the vote, what is stopped."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from nextgpt.media import Image
from nextgpt.messages import Failure, Message, Modality
from reports.study.foreign import read_foreign
from reports.talk.conversation import Talk, TalkError
from reports.talk.markup import transcript, unfinished
from reports.talk.shelf import Shelf
from reports.talk.votes import Ballot
from tests.hostile import raw
from tests.reports.talk.players import ATTACK, Player, clip, picture, sound

TEXT: frozenset[Modality] = frozenset({"text"})


def talk(*players: Player, seed: int = 0, who: str = "visitor-1") -> Talk:
    return Talk(players, threading.Lock(), who, seed)


def said(conversation: Talk, text: str = "hello", **more: object) -> list[Message | Failure | None]:
    for _ in conversation.say(text, **more):  # type: ignore[arg-type]
        pass
    return [pane.turns[-1][1] for pane in conversation.panes]


def two(**changes: object) -> tuple[Player, Player]:
    return Player("first", "one", **changes), Player("second", "two", **changes)  # type: ignore[arg-type]


def test_all_four_media_go_in_and_come_out() -> None:
    player = Player("p", "everything")
    conversation = talk(player)
    for medium in (picture(), clip(), sound()):
        conversation.attach(medium)
    list(conversation.say("see", frozenset({"image", "audio"})))
    answer = conversation.panes[0].turns[-1][1]
    assert isinstance(answer, Message)
    assert answer.text.startswith("heard image, video, audio")
    assert [medium.modality for medium in answer.media] == ["image", "video", "audio"]


def test_what_was_said_before_is_told_again_and_what_failed_is_not() -> None:
    asked: list[int] = []

    class Memory(Player):
        def respond(self, requests):  # type: ignore[no-untyped-def]
            asked.append(len(requests[0].conversation))
            return [Failure("plan", "no idea")] if len(asked) == 2 else super().respond(requests)

    conversation = talk(Memory("m", "one"))
    for _ in range(3):
        said(conversation)
    assert asked == [1, 3, 3]


def test_a_system_that_was_trained_on_single_turns_is_shown_single_turns() -> None:
    asked: list[int] = []

    class Single(Player):
        history = 0

        def respond(self, requests):  # type: ignore[no-untyped-def]
            asked.append(len(requests[0].conversation))
            return super().respond(requests)

    conversation = talk(Single("m", "one"))
    for _ in range(2):
        said(conversation)
    assert asked == [1, 1]


def test_a_medium_that_a_system_has_no_branch_for_is_refused_before_it_is_asked() -> None:
    player = Player("p", "one", accepts=frozenset({"text", "image"}), produces=TEXT)
    conversation = talk(player)
    for medium in (picture(), clip(), sound()):
        conversation.attach(medium)
    with pytest.raises(TalkError, match="p reads no clips and sounds: it reads text and pictures; take"):
        next(conversation.say("look"))
    conversation.attached.clear()
    with pytest.raises(TalkError, match="p makes no sounds: it makes text; take"):
        next(conversation.say("sing", frozenset({"audio"})))
    with pytest.raises(TalkError, match="write something"):
        next(conversation.say("  "))
    assert player.asked == 0
    assert said(conversation) != []


def test_a_refusal_does_not_tell_which_of_two_it_is() -> None:
    conversation = talk(Player("hears", "one"), Player("deaf", "two", accepts=TEXT))
    conversation.attach(sound())
    with pytest.raises(TalkError) as refused:
        next(conversation.say("listen"))
    assert str(refused.value).startswith("one of the two systems reads no sounds: take")


@pytest.mark.parametrize("behaviour", ["breaks", "wrong"])
def test_what_a_system_raises_is_one_line_and_the_conversation_goes_on(behaviour: str) -> None:
    conversation = talk(Player("p", behaviour))
    (failed,) = said(conversation)
    assert isinstance(failed, Failure)
    assert "\n" not in failed.reason
    assert len(said(conversation)) == 1


def test_nothing_that_is_shown_before_the_vote_names_a_system(tmp_path: Path) -> None:
    with Shelf() as shelf:
        conversation = talk(Player("alpha-system", "breaks"), Player("beta-system", "one"))
        shown = ""
        for _ in conversation.say("hello"):
            for place in range(2):
                shown += transcript(conversation, place, shelf) + unfinished(conversation, place)
        assert "alpha-system" not in shown
        assert "beta-system" not in shown
        assert "this system" in shown  # the error of the one that broke
        with pytest.raises(TalkError, match="no two answers"):
            conversation.vote("left")


def test_sides_are_drawn_by_seed_and_come_out_even() -> None:
    left = Counter(talk(*two(), who=f"visitor-{number}").panes[0].system.name for number in range(400))
    assert 160 < left["first"] < 240
    again = [talk(*two(), who="v", seed=seed).panes[0].system.name for seed in range(20)]
    assert again == [talk(*two(), who="v", seed=seed).panes[0].system.name for seed in range(20)]
    assert set(again) == {"first", "second"}


def test_a_vote_is_read_back_with_its_sides_and_names_are_shown_after_it(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    wins = Counter[str]()
    for number in range(12):
        ballot = Ballot(path)  # another day
        conversation = talk(*two(), who=f"visitor-{number % 3}", seed=number)
        said(conversation, f"question {number // 3}")
        names = [pane.system.name for pane in conversation.panes]
        assert conversation.name(0) == "Left"
        ballot.add(conversation.vote("right" if names[1] == "first" else "left"))
        conversation.tell("left")
        assert conversation.name(0) == f"Left: {names[0]}"
        assert not conversation.open_to_votes
    found = read_foreign(path)
    assert len(found.votes) == 12
    for vote in found.votes:
        wins[vote.first if vote.outcome == 1 else vote.second] += 1
    assert wins == {"first": 12}
    assert len({vote.item for vote in found.votes}) == 4
    assert len({vote.rater for vote in found.votes}) == 3
    assert set(json.loads(path.read_text().splitlines()[0])) == {
        "question_id", "model_a", "model_b", "winner", "judge", "criterion",
    }  # fmt: skip


def test_after_a_vote_another_round_begins_with_sides_drawn_anew() -> None:
    conversation = talk(*two())
    names = []
    for _ in range(20):
        said(conversation)
        names.append(conversation.panes[0].system.name)
        conversation.vote("tie")
        conversation.tell("tie")
    assert set(names) == {"first", "second"}
    assert len(conversation.panes[0].turns) == 1


def test_a_vote_half_written_by_a_kill_is_cut_off_and_a_whole_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "votes.jsonl"
    ballot = Ballot(path)
    conversation = talk(*two())
    said(conversation)
    ballot.add(conversation.vote("tie"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    Ballot(path)
    assert path.read_bytes() == whole
    path.write_bytes(whole.rstrip(b"\n"))
    Ballot(path)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(("behaviour", "stops"), [("slow", True), ("deaf", False)])
def test_an_answer_is_stopped_at_its_next_step_and_the_next_one_waits(behaviour: str, stops: bool) -> None:
    player = Player("p", behaviour)
    conversation = talk(player)
    news = conversation.say("go on")
    began = time.monotonic()
    for seen, _ in enumerate(news):
        if seen == 1:
            conversation.stop()
    assert time.monotonic() - began < 4.5
    answer = conversation.panes[0].turns[-1][1]
    assert isinstance(answer, Failure)
    assert answer.stage == "stopped"
    assert player.stopped == stops
    player.behaviour = "one"
    assert isinstance(said(conversation)[0], Message)  # whoever still works is waited for


def test_words_and_steps_are_shown_while_an_answer_is_made() -> None:
    conversation = talk(Player("p", "slow"))
    words, steps = set[str](), set[str]()
    for _ in conversation.say("go on"):
        shown = unfinished(conversation, 0)
        words |= set(re.findall(r">word (\d+)<", shown))
        steps |= set(re.findall(r"Drawing: step (\d+) of 100<", shown))
        if len(words) > 1 and len(steps) > 1:
            conversation.stop()
    assert len(words) > 1
    assert len(steps) > 1
    assert isinstance(conversation.panes[0].turns[-1][1], Failure)  # long before it was done


def test_a_second_message_while_one_is_answered_is_refused() -> None:
    conversation = talk(Player("p", "slow"))
    news = conversation.say("one")
    next(news)
    with pytest.raises(TalkError, match="an answer is being made"):
        next(conversation.say("two"))
    with pytest.raises(TalkError, match="an answer is being made"):
        conversation.begin_anew()
    conversation.stop()
    list(news)


def test_nothing_that_is_said_becomes_markup() -> None:
    conversation = talk(Player("p", "everything"))
    conversation.attach(picture())
    list(conversation.say(ATTACK))
    list(conversation.say("x" * 100_000))
    with Shelf() as shelf:
        shown = transcript(conversation, 0, shelf)
        assert "<script" not in shown
        assert "onerror='" not in shown
        assert shown.count("&lt;script&gt;") == 3
        assert "(80,000 more characters)" in shown
        assert raw(shown) == []


def test_a_shelf_keeps_no_more_than_it_may_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import numpy as np

    monkeypatch.setattr("reports.talk.shelf._MOST", 30_000)
    rng = np.random.default_rng(0)
    with Shelf() as shelf:
        names = [shelf.add(Image(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8))) for _ in range(5)]
        assert shelf.find(names[0]) is None
        assert shelf.find(names[-1]) is not None
        assert sum(path.stat().st_size for path in shelf.folder.iterdir()) < 40_000
        for name in ("../secret.png", "a.png", "/etc/passwd", names[-1] + "/..", ""):
            assert shelf.find(name) is None
        outside = tmp_path / "kept.png"
        outside.write_bytes(b"kept")
        shelf.drop(outside)
        shelf.drop(shelf.folder / ".." / outside.name)
        assert outside.exists()
        folder = shelf.folder
    assert not folder.exists()
