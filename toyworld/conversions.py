"""One medium turned into another, each with the right answer as far as the rule of `toyworld.ties` goes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from toyworld.clips.clip import DIRECTIONS, SPEEDS, Actor, Clip, Deed, Moment
from toyworld.instructions import names
from toyworld.kinds import kind_of
from toyworld.scene import Scene
from toyworld.sounds.sound import Sound
from toyworld.splits import Value
from toyworld.ties import agree, filmed, heard, pictured


@dataclass(frozen=True)
class Conversion:
    """A request for another medium, and its answer.

    Attributes:
        text: The request.
        target: The answer that is shown in training; where `exact`, the only one.
        kind: From what to what: ``image-to-audio``, ...
        exact: Whether every attribute of the answer is asked for; else what can be heard is.
    """

    text: str
    target: Value
    kind: str
    exact: bool

    def right(self, answer: Value | None) -> bool:
        """Whether an answer is right: the target itself, or what sounds like it where no more is asked for.

        Example:
            >>> from toyworld.scene import Thing
            >>> red, blue = (Scene.of(Thing(4, "large", colour, "star")) for colour in ("red", "blue"))
            >>> Conversion("draw what you hear", red, "audio-to-image", exact=False).right(blue)
            True
        """
        if answer is None or type(answer) is not type(self.target):
            return False
        return answer == self.target if self.exact else agree(answer, self.target)


def convert(
    value: Value, rng: random.Random, *, seen: bool = False, to: type | None = None
) -> Conversion | None:
    """One conversion of a value, or None where there is none: no picture is as loud as some sounds.

    Args:
        value: What is turned into something else.
        rng: Draws what into, and the wording.
        seen: Keep to results that training may show.
        to: Scene, Clip or Sound; any by default.

    Example:
        >>> from toyworld.scene import Thing
        >>> scene = Scene.of(Thing(4, "large", "red", "star"))
        >>> convert(scene, random.Random(0), to=Sound).target.events[0].timbre
        'trumpet'
    """
    makers = _MAKERS[type(value)]
    for make in rng.sample(makers, len(makers)):
        found = [
            c
            for c in make(value, rng)
            if (to is None or isinstance(c.target, to)) and not (seen and c.target.compositional)
        ]
        if found:
            return rng.choice(found)
    return None


def _of(value: Value, text: str, target: Value | None, *, exact: bool = True) -> Iterator[Conversion]:
    if target is not None:
        kind = f"{kind_of(value).modality}-to-{kind_of(target).modality}"
        yield Conversion(text, target, kind, exact)


def _sound_of_picture(scene: Scene, rng: random.Random) -> Iterator[Conversion]:
    text = rng.choice(("what does the picture sound like?", "play the picture."))
    yield from _of(scene, text, heard(scene))


def _sound_of_clip(clip: Clip, rng: random.Random) -> Iterator[Conversion]:
    yield from _of(clip, rng.choice(("what does the clip sound like?", "play the clip.")), heard(clip))


def _picture_set_in_motion(scene: Scene, rng: random.Random) -> Iterator[Conversion]:
    for words, thing in names(scene):
        way, speed = rng.choice(DIRECTIONS), rng.choice(SPEEDS)
        for told, deed in ((f"move {way} {speed}", Deed("moves", way, speed)), ("vanish", Deed("vanishes"))):
            actors = [Actor(t, deed, 1) if t == thing else Actor(t) for t in scene.things]
            try:
                clip = Clip(tuple(actors))
            except ValueError:  # there is no room
                continue
            yield from _of(scene, f"film how {words} starts to {told}.", clip)


def _still(clip: Clip, rng: random.Random) -> Iterator[Conversion]:
    moments: tuple[Moment, ...] = ("beginning", "end")
    for moment in moments:
        yield from _of(clip, f"draw the {moment} of the clip.", clip.still(moment))


def _picture_of_sound(sound: Sound, rng: random.Random) -> Iterator[Conversion]:
    text = rng.choice(("draw what you hear.", "draw a picture of the sound."))
    yield from _of(sound, text, pictured(sound), exact=False)


def _clip_of_sound(sound: Sound, rng: random.Random) -> Iterator[Conversion]:
    text = rng.choice(("film what you hear.", "film a clip of the sound."))
    yield from _of(sound, text, filmed(sound), exact=False)


_MAKERS: dict[type, tuple[Callable[..., Iterator[Conversion]], ...]] = {
    Scene: (_sound_of_picture, _picture_set_in_motion),
    Clip: (_sound_of_clip, _still),
    Sound: (_picture_of_sound, _clip_of_sound),
}
