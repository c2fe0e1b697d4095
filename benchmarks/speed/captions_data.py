"""Made-up captions with the statistics of real ones, for measuring speed; the same for every seed."""

from __future__ import annotations

import random

_ADJECTIVES = (
    "small large brown black white young old wet tall green wooden busy quiet happy red blue dirty shiny"
)
_NOUNS = """
    man woman dog cat child horse bus train bird boy girl car bicycle table plate pizza kitchen bench street
    boat elephant giraffe player skateboard surfboard umbrella laptop phone sandwich cake teddy bear truck
    motorcycle sheep cow zebra clock toilet sink bathroom bedroom couch television bottle glass vase flower
    tree building sign traffic light snowboard skier wave beach ocean river mountain field fence airplane
"""
_VERBS = """
    sits stands rides holds watches eats walks plays runs carries jumps looks waits sleeps talks flies catches
    pulls pushes hits throws drinks lies crosses follows chases leans reads smiles swims
"""
_PLACES = "on in near behind beside under above across from around inside next to in front of"
_ENDINGS = (".", ".", ".", "", "", "!", " .", "...")
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()  # noqa: SIM905
RARE_WORDS = 20_000


def captions(items: int, references: int = 5, seed: int = 0) -> tuple[list[str], list[list[str]]]:
    """Raw captions: `items` predictions, each with its references.

    An item's captions speak of the same things in other words, one word in thirty is rare, as in COCO's
    long tail, and capitals, commas and full stops are there for the tokeniser to remove.
    """
    rng = random.Random(seed)
    words = [text.split() for text in (_ADJECTIVES, _NOUNS, _VERBS, _PLACES)]
    predictions, groups = [], []
    for _ in range(items):
        theme = [rng.sample(kind, 4) for kind in words]
        predictions.append(_caption(theme, rng))
        groups.append([_caption(theme, rng) for _ in range(references)])
    return predictions, groups


def _caption(theme: list[list[str]], rng: random.Random) -> str:
    adjectives, nouns, verbs, places = theme
    words = [
        rng.choice(("A", "The", "a", "Two")),
        rng.choice(adjectives),
        rng.choice(nouns),
        rng.choice(verbs),
    ]
    for _ in range(rng.choice((1, 1, 1, 2))):
        words += [rng.choice(places), rng.choice(("a", "the", "his")), rng.choice(nouns)]
    if rng.random() < 0.3:
        words[-1] += ","
        words += ["and", "a", rng.choice(nouns), rng.choice(verbs)]
    if rng.random() < 0.4:
        words[rng.randrange(1, len(words))] = _rare_word(rng)
    return " ".join(words) + rng.choice(_ENDINGS)


def _rare_word(rng: random.Random) -> str:
    number = int(RARE_WORDS * rng.random() ** 2)
    return "".join(_SYLLABLES[number // 20**place % 20] for place in range(4))
