"""Who sees what, and in which order: balanced by construction, drawn by seed.

What is compared is a *treatment*: a system, or a pair of systems. Every rater meets every item once, under
one treatment. With N items, R raters and T treatments:

* each rater meets each treatment equally often, exactly or off by one, and so do all raters together;
* each item is met under several treatments, and each treatment of an item by two raters or more where there
  are four raters or more, so that their agreement can be told;
* of a pair, each system stands on the left equally often, exactly or off by one;
* within each rater's sequence every block of T trials holds each treatment once, in the order of a row of a
  Williams square, in which each follows each other equally often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray


class StudyError(ValueError):
    """A study that can't be made or read; the message says what is wrong and what to do."""


@dataclass(frozen=True)
class Showing:
    """One item as one rater meets it.

    Attributes:
        item: its number.
        treatment: number of what it is shown under.
        swapped: whether the second of a pair stands on the left.
    """

    item: int
    treatment: int
    swapped: bool = False


def williams_square(count: int) -> list[list[int]]:
    """Orders of `count` treatments in which each follows each other equally often.

    An even number takes as many rows, an odd one twice as many.

    Example:
        >>> williams_square(4)
        [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]]
    """
    zigzag = [0, *(step // 2 + 1 if step % 2 == 0 else count - step // 2 - 1 for step in range(count - 1))]
    rows = [[(entry + shift) % count for entry in zigzag] for shift in range(count)]
    return rows if count % 2 == 0 else [*rows, *(row[::-1] for row in rows)]


def pairs_of(count: int) -> list[tuple[int, int]]:
    """All pairs of `count` systems, by rounds in which nobody meets twice.

    Example:
        >>> pairs_of(4)
        [(0, 3), (1, 2), (1, 3), (2, 0), (2, 3), (0, 1)]
    """
    seats = count + count % 2
    pairs = []
    for turn in range(seats - 1):
        ring = [(turn + step) % (seats - 1) for step in range(seats - 1)]
        meet = [(ring[0], seats - 1), *((ring[k], ring[-k]) for k in range(1, seats // 2))]
        pairs += [pair for pair in meet if max(pair) < count]
    return pairs


def treatments_of(items: int, raters: int, treatments: int) -> NDArray[np.intp]:
    """The treatment under which each rater meets each item, [raters, items].

    Example:
        >>> treatments_of(4, 4, 2).tolist()
        [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]
    """
    laps, left = divmod(items, treatments)
    item = np.arange(laps * treatments)
    groups = min(treatments, max(1, raters // 2)) if raters > 1 else 1
    coprime = [step for step in range(1, treatments) if gcd(step, treatments) == 1] or [0]
    steps = np.array(coprime)[(item // treatments) % len(coprime)]
    group = np.arange(raters)[:, None] % groups
    table = (item + group * steps) % treatments
    # The items that are left over: each rater goes on where the one before stopped, round and round.
    turns = treatments // gcd(left, treatments)
    start = np.arange(raters) * left + np.arange(raters) // turns
    rest = (start[:, None] + np.arange(left)) % treatments
    return np.concatenate([table, rest], axis=1)


def showings(
    items: int, raters: int, treatments: int, *, paired: bool, rng: np.random.Generator
) -> list[list[Showing]]:
    """What each rater meets, in order.

    Args:
        items: how many there are.
        raters: how many people judge.
        treatments: systems, pairs of systems, or 1 where all systems are shown at once.
        paired: whether a treatment is a pair, which has sides.
        rng: draws which item gets which place.

    Raises:
        StudyError: fewer than one of anything.

    Example:
        >>> shown = showings(6, 2, 3, paired=False, rng=np.random.default_rng(0))
        >>> [sorted(showing.treatment for showing in rater) for rater in shown]
        [[0, 0, 1, 1, 2, 2], [0, 0, 1, 1, 2, 2]]
    """
    if min(items, raters, treatments) < 1:
        raise StudyError(f"{items} items, {raters} raters: a study needs one of each at least")
    place = rng.permutation(items)
    label = rng.permutation(treatments)
    table = treatments_of(items, raters, treatments)
    met = np.zeros(treatments, dtype=np.intp)
    rows = williams_square(treatments)
    found = []
    for rater in range(raters):
        waiting: dict[int, list[Showing]] = {}
        for column in rng.permutation(items):
            treatment = int(label[table[rater, column]])
            swapped = bool(paired and met[treatment] % 2)
            met[treatment] += 1
            waiting.setdefault(treatment, []).append(Showing(int(place[column]), treatment, swapped))
        for each in waiting.values():
            rng.shuffle(each)
        found.append(_in_blocks(waiting, rows, int(rng.integers(len(rows)))))
    return found


def _in_blocks(waiting: dict[int, list[Showing]], rows: Sequence[Sequence[int]], first: int) -> list[Showing]:
    """Showings in blocks, each with one of every treatment in the order of a row; the last holds the rest."""
    order, block = list[Showing](), first
    while any(waiting.values()):
        order += [waiting[entry].pop() for entry in rows[block % len(rows)] if waiting.get(entry)]
        block += 1
    return order
