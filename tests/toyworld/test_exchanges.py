from __future__ import annotations

import itertools
from collections import Counter

import pytest

from nextgpt.media import Medium
from toyworld.clips.clip import Clip
from toyworld.exchanges import Exchange, _same, dialogues
from toyworld.kinds import KINDS, called, kind_of
from toyworld.scene import Scene, Thing
from toyworld.sounds.sound import Event, Sound
from toyworld.splits import Value

HELD = list(itertools.islice(dialogues("train"), 300))


def shown(exchange: Exchange) -> list[Value]:
    return [part for part in (*exchange.request, *exchange.reply) if not isinstance(part, str)]


def test_dialogues_have_three_to_five_exchanges_and_pass_from_one_medium_to_another() -> None:
    lengths = Counter(map(len, HELD))
    assert set(lengths) == {3, 4, 5}
    for held in HELD:
        media = {type(value) for exchange in held for value in shown(exchange)}
        assert len(media) >= 2
    pairs = Counter(
        (type(before).__name__, type(exchange.made).__name__)
        for held in HELD
        for before, exchange in _conversions(held)
    )
    assert len(pairs) == 6


def _conversions(held: tuple[Exchange, ...]) -> list[tuple[Value, Exchange]]:
    found, value = [], None
    for exchange in held:
        for part in exchange.request:
            value = value if isinstance(part, str) else part
        if exchange.kind == "convert" and value is not None:
            found.append((value, exchange))
        value = exchange.made or value
    return found


def test_a_reply_that_shows_says_first_what_it_shows() -> None:
    for exchange in itertools.chain.from_iterable(HELD):
        if exchange.made is not None:
            text, value = exchange.reply
            assert isinstance(text, str)
            assert called(text) == value
        else:
            assert len(exchange.reply) == 1


def test_training_shows_nothing_that_is_held_out() -> None:
    for exchange in itertools.chain.from_iterable(HELD):
        assert not any(value.compositional for value in shown(exchange))


def test_in_text_alone_descriptions_stand_where_media_stood() -> None:
    for exchange in itertools.chain.from_iterable(HELD):
        turn = exchange.turn
        for part in exchange.request:
            if not isinstance(part, str):
                assert turn.request.startswith(f"{kind_of(part).noun}: {kind_of(part).describe(part)}")
        assert (called(turn.reply) is not None) == (exchange.made is not None)


def test_messages_carry_the_media() -> None:
    for held in HELD[:15]:
        for exchange in held:
            asked, answered = exchange.messages
            assert (asked.role, answered.role) == ("user", "assistant")
            assert all(isinstance(medium, Medium) for medium in (*asked.media, *answered.media))
            assert len(asked.media) + len(answered.media) == len(shown(exchange))


def test_it_is_the_thing_last_talked_about() -> None:
    said = [e for held in HELD for e in held if e.kind == "edit" and " it" in f" {e.request[-1]}"]
    assert len(said) > 30
    scene = Scene.of(Thing(0, "small", "red", "star"), Thing(4, "large", "red", "circle"))
    assert _same(scene, 1) == [("it", 1), ("the red one", 1)]
    assert _same(scene, None) == []
    assert _same(Scene.of(Thing(0, "small", "red", "star")), None) == [("it", 0)]
    bells = Sound.of(Event("bell", "low", "soft", 1), Event("flute", "low", "soft", 1))
    assert _same(bells, 0) == [("it", 0), ("the low one", 0)]


def test_it_changes_the_one_thing_that_was_asked_about_before() -> None:
    checked = 0
    for held in itertools.islice(dialogues("train", kind=Scene), 1500):
        value: Value | None = None
        for before, exchange in itertools.pairwise(held):
            value = next((v for v in reversed(shown(before))), value)
            text = str(exchange.request[-1])
            if before.kind != "ask" or not {"it", "it."} & set(text.split()) or not isinstance(value, Scene):
                continue
            assert isinstance(exchange.made, Scene)
            if len(value.things) > 1:
                (changed,) = set(value.things) - set(exchange.made.things)
                asked = str(before.request[-1])
                assert f"the {changed.shape}" in asked or f"the {changed.colour} object" in asked
                checked += 1
    assert checked > 5


def test_what_the_world_does_not_hold_is_answered_with_what_it_holds() -> None:
    asked = [exchange for held in HELD for exchange in held if exchange.kind == "outside"]
    assert len(asked) > 10
    for exchange in asked:
        assert exchange.made is None
        assert "world" in str(exchange.reply[0])


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_dialogue_can_begin_with_a_kind(kind: type) -> None:
    for held in itertools.islice(dialogues("test", kind=kind), 10):
        assert isinstance(shown(held[0])[0], kind)


def test_the_same_seed_holds_the_same_dialogues() -> None:
    assert list(itertools.islice(dialogues("train"), 20)) == HELD[:20]
    assert list(itertools.islice(dialogues("train", 1), 20)) != HELD[:20]
    compositional = itertools.islice(dialogues("compositional", kind=Clip), 10)
    assert all(shown(held[0])[0].compositional for held in compositional)
