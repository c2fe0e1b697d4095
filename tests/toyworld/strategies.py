"""Random scenes for property-based tests."""

from __future__ import annotations

import random

from hypothesis import strategies as st

from toyworld.scene import Scene
from toyworld.splits import random_scene

seeds = st.integers(0, 2**32)
any_scene: st.SearchStrategy[Scene] = seeds.map(lambda seed: random_scene(random.Random(seed)))
