from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from toyworld.clips.questions import choices
from toyworld.drills import drills
from toyworld.exchanges import Exchange
from toyworld.kinds import KINDS, called
from toyworld.splits import clips
from toyworld.ties import agree

DRAWN = list(itertools.islice(drills("train"), 300))


def values(exchange: Exchange) -> list[object]:
    return [part for part in (*exchange.request, *exchange.reply) if not isinstance(part, str)]


def test_every_kind_of_request_and_every_medium_has_its_share() -> None:
    kinds = Counter(held[0].kind for held in DRAWN)
    assert min(kinds[kind] for kind in ("ask", "edit", "convert", "describe", "make")) >= 15
    media = Counter(type(values(held[0])[0]) for held in DRAWN)
    assert min(media[kind] for kind in KINDS) >= 80


def test_nothing_held_out_is_shown_and_a_reply_shows_what_it_calls_for() -> None:
    for exchange in itertools.chain.from_iterable(DRAWN):
        assert not any(value.compositional for value in values(exchange))  # type: ignore[attr-defined]
        for said, shown in itertools.pairwise(exchange.reply):
            if isinstance(said, str) and not isinstance(shown, str):
                assert called(said) == shown


def test_two_media_in_one_answer_agree_and_come_in_the_order_asked_for() -> None:
    both = [held[0] for held in DRAWN if len(held[0].reply) == 4]
    assert len(both) >= 5
    for exchange in both:
        first, second = (part for part in exchange.reply if not isinstance(part, str))
        assert agree(first, second)
        request = exchange.request[0]
        assert isinstance(request, str)
        assert request.startswith("play") == exchange.reply[0].startswith("play")  # type: ignore[union-attr]


def test_a_question_with_options_is_answered_by_one_of_them() -> None:
    asked = [e for held in DRAWN for e in held if "answer with the letter" in str(e.request[-1])]
    assert asked
    for exchange in asked:
        assert f". {exchange.reply[0]}\n" in str(exchange.request[-1])
    (choice, *_) = choices(clips("train", 1)[0], random.Random(0))
    assert choice.asked.splitlines()[1] == f"A. {choice.options[0]}"


@pytest.mark.parametrize("kind", list(KINDS))
def test_one_kind_can_be_drilled_alone(kind: type) -> None:
    for held in itertools.islice(drills("train", kind=kind), 20):
        about = next(value for exchange in held for value in values(exchange))
        assert isinstance(about, kind) or len(held[0].reply) == 4  # two media, the sound first
