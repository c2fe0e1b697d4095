"""Requests for what this world does not hold, and the answer: what it does hold."""

from __future__ import annotations

import random

from toyworld.scene import COLOURS, SHAPES
from toyworld.sounds.sound import TIMBRES
from toyworld.wording import listed

# In the reply stands nothing of the request: a model this small cannot repeat words that it has never seen.
_SHAPES, _INSTRUMENTS = (listed([f"{word}s" for word in words]) for words in (SHAPES, TIMBRES))
SHAPES_REPLY = f"there is no such thing in my world. it holds {_SHAPES}."
COLOURS_REPLY = f"there is no such color in my world. it holds {listed(list(COLOURS))}."
SOUNDS_REPLY = f"there is no such sound in my world. it holds {_INSTRUMENTS}."
WORLD_REPLY = f"that is outside my world. it holds {_SHAPES}, still or moving, and {_INSTRUMENTS}."
_THINGS = (
    "cat",
    "dog",
    "house",
    "tree",
    "car",
    "man",
    "woman",
    "boat",
    "hexagon",
    "heart",
    "horse",
    "flower",
)
_DOING = ("", " playing piano", " in the rain", " on a hill", " with a hat", " at night")
_COLOURS = ("pink", "orange", "brown", "white", "grey", "golden", "turquoise")
_SOUNDS = ("piano", "violin", "drum", "guitar", "barking dog", "thunderstorm", "siren")
_OTHER = (
    "what is the weather today?",
    "who won the election?",
    "write a poem about love.",
    "translate this into french.",
    "what is the capital of japan?",
    "tell me a joke.",
    "write code that sorts a list.",
    "how old are you?",
)


def outside(rng: random.Random) -> tuple[str, str]:
    """A request for something that is not of the world, and the reply.

    Example:
        >>> request, reply = outside(random.Random(0))
        >>> "world" in reply
        True
    """
    kind = rng.randrange(4)
    if kind == 0:
        verb = rng.choice(("draw me", "draw", "film", "show me", "i want a picture of", "film a clip of"))
        return f"{verb} a {rng.choice(_THINGS)}{rng.choice(_DOING)}.", SHAPES_REPLY
    if kind == 1:
        verb = rng.choice(("draw", "film", "show me", "i want a picture of"))
        return f"{verb} a {rng.choice(_COLOURS)} {rng.choice(SHAPES)}.", COLOURS_REPLY
    if kind == 2:
        return f"{rng.choice(('play', 'play me', 'i want to hear'))} a {rng.choice(_SOUNDS)}.", SOUNDS_REPLY
    return rng.choice(_OTHER), WORLD_REPLY
