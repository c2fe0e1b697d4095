"""Random scenes, clips and sounds for property-based tests."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from toyworld.clips.clip import Clip
from toyworld.scene import Scene
from toyworld.sounds.sound import Sound
from toyworld.splits import random_clip, random_scene, random_sound

seeds = st.integers(0, 2**32)
any_scene: st.SearchStrategy[Scene] = seeds.map(lambda seed: random_scene(random.Random(seed)))
any_clip: st.SearchStrategy[Clip] = seeds.map(lambda seed: random_clip(random.Random(seed)))
any_sound: st.SearchStrategy[Sound] = seeds.map(lambda seed: random_sound(random.Random(seed)))
