"""What sight and sound have to do with each other: the one place where the rule stands.

======================================  ================================================================
seen                                    heard
======================================  ================================================================
shape                                   timbre: circle flute, square clarinet, triangle bell, star trumpet
size                                    pitch: large low, small high
speed                                   loudness: what moves quickly is loud, everything else soft
picture: things alike in shape and      repeats: one event, heard as often as there are such things
size
picture: reading order                  order in time, by the first of those alike
clip: deed                              repeats: who moves is heard once, who appears twice, who vanishes
                                        three times
clip: order in time                     order in time; who stays is silent
======================================  ================================================================

A colour, a place and a direction cannot be heard. So a conversion has many right answers: every answer is
right in which the same would be heard (`agree`), and one is the canonical one, which is shown in training:
black things side by side in the middle row, which move up where they move.
"""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType

from toyworld.clips.clip import Actor, Clip, Deed
from toyworld.scene import MOST_THINGS, Scene, Thing
from toyworld.sounds.sound import Event, Sound

TIMBRE_OF = MappingProxyType({"circle": "flute", "square": "clarinet", "triangle": "bell", "star": "trumpet"})
PITCH_OF = MappingProxyType({"large": "low", "small": "high"})
LOUDNESS_OF = MappingProxyType({"slowly": "soft", "quickly": "loud", "": "soft"})
REPEATS_OF = MappingProxyType({"moves": 1, "appears": 2, "vanishes": 3})
_SHAPE_OF = {timbre: shape for shape, timbre in TIMBRE_OF.items()}
_SIZE_OF = {pitch: size for size, pitch in PITCH_OF.items()}
_KIND_OF = {repeats: kind for kind, repeats in REPEATS_OF.items()}
_UNHEARD_COLOUR, _UNHEARD_DIRECTION, _FIRST_CELL = "black", "up", 3

Seen = Scene | Clip


def heard(seen: Seen) -> Sound:
    """The sound of a picture or of a clip.

    Example:
        >>> circle, star = Thing(0, "small", "red", "circle"), Thing(4, "large", "blue", "star")
        >>> heard(Scene.of(circle, star, Thing(8, "small", "blue", "circle"))).events
        (Event(timbre='flute', pitch='high', loudness='soft', repeats=2),
         Event(timbre='trumpet', pitch='low', loudness='soft', repeats=1))
        >>> heard(Clip.of(Actor(circle), Actor(star, Deed("moves", "up", "quickly"), 1))).events
        (Event(timbre='trumpet', pitch='low', loudness='loud', repeats=1),)
    """
    if isinstance(seen, Scene):
        alike = Counter((thing.shape, thing.size) for thing in seen.things)  # keeps the order of the first
        return Sound(
            tuple(
                Event(TIMBRE_OF[shape], PITCH_OF[size], LOUDNESS_OF[""], count)
                for (shape, size), count in alike.items()
            )
        )
    return Sound(
        tuple(
            Event(
                TIMBRE_OF[actor.thing.shape],
                PITCH_OF[actor.thing.size],
                LOUDNESS_OF[actor.deed.speed],
                REPEATS_OF[actor.deed.kind],
            )
            for actor in seen.acting
            if actor.deed
        )
    )


def pictured(sound: Sound) -> Scene | None:
    """The canonical picture of a sound, or None where no picture sounds so.

    A picture holds at most three things, none of them loud, and says of each kind of thing only once how many
    there are.

    Example:
        >>> bell = Event("bell", "low", "soft", 2)
        >>> [(thing.shape, thing.cell) for thing in pictured(Sound.of(bell)).things]
        [('triangle', 3), ('triangle', 4)]
        >>> pictured(Sound.of(bell, bell)) is None
        True
    """
    kinds = [event for event in sound.events for _ in range(event.repeats)]
    if len(kinds) > MOST_THINGS:
        return None
    scene = Scene(tuple(_thing(event, _FIRST_CELL + k) for k, event in enumerate(kinds)))
    return scene if heard(scene) == sound else None


def filmed(sound: Sound) -> Clip | None:
    """The canonical clip of a sound, or None where no clip sounds so: only what moves can be loud.

    Example:
        >>> (actor,) = filmed(Sound.of(Event("bell", "low", "soft", 3))).actors
        >>> actor.thing.shape, actor.deed.kind
        ('triangle', 'vanishes')
    """
    actors = []
    for k, event in enumerate(sound.events):
        kind = _KIND_OF[event.repeats]
        moves = kind == "moves"
        speed = ("quickly" if event.loudness == "loud" else "slowly") if moves else ""
        deed = Deed(kind, _UNHEARD_DIRECTION if moves else "", speed)
        actors.append(Actor(_thing(event, _FIRST_CELL + k), deed, k + 1))
    clip = Clip(tuple(actors))
    return clip if heard(clip) == sound else None


def agree(first: Seen | Sound, second: Seen | Sound) -> bool:
    """Whether two things say the same, as far as both can be heard.

    Example:
        >>> red, blue = (Scene.of(Thing(4, "large", colour, "star")) for colour in ("red", "blue"))
        >>> agree(red, blue), agree(heard(red), blue)
        (True, True)
    """
    return _as_sound(first) == _as_sound(second)


def _as_sound(value: Seen | Sound) -> Sound:
    return value if isinstance(value, Sound) else heard(value)


def _thing(event: Event, cell: int) -> Thing:
    return Thing(cell, _SIZE_OF[event.pitch], _UNHEARD_COLOUR, _SHAPE_OF[event.timbre])
