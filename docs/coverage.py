"""How often 95 % intervals cover the truth, by number of samples: simulated, and drawn as coverage.svg.

    python docs/coverage.py                 # a thousand studies of each size, two minutes
    python docs/coverage.py --studies 20    # a look

Each study draws samples from a world whose true value is known, and asks whether the interval that every
page would show holds it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from metrics import bootstrap
from metrics.statistics import clopper_pearson
from reports.plots import Curve, curves, standalone

SIZES = (10, 20, 50, 100, 200, 500)
Study = tuple[NDArray[np.float64], NDArray[np.int64]]


def answers(rng: np.random.Generator, size: int) -> Study:
    """Right or wrong, each for itself; 0.8 are right."""
    return (rng.random(size) < 0.8).astype(float), np.arange(size)


def questions(rng: np.random.Generator, size: int) -> Study:
    """Five questions to a picture, that stand or fall together; 0.8 are right."""
    pictures = np.arange(size) // 5
    ease = rng.beta(1.6, 0.4, size // 5)
    return (rng.random(size) < ease[pictures]).astype(float), pictures


def scores(rng: np.random.Generator, size: int) -> Study:
    """Scores with a long tail, as CIDEr-D has; their mean is 0.8."""
    return rng.exponential(0.8, size), np.arange(size)


WORLDS: Mapping[str, Callable[[np.random.Generator, int], Study]] = {
    "right or wrong": answers,
    "right or wrong, five questions to a picture": questions,
    "scores with a long tail": scores,
}
TRUTH = 0.8


def covered(world: Callable[[np.random.Generator, int], Study], size: int, studies: int) -> int:
    """In how many of so many studies the interval holds the truth."""
    count = 0
    for study in range(studies):
        values, groups = world(np.random.default_rng((study, size)), size)
        found = bootstrap(values, groups=groups)
        count += found.low <= TRUTH <= found.high
    return count


def picture(studies: int) -> str:
    """The curves as a file, each point with the exact interval of its own share."""
    lines = []
    for series, (name, world) in enumerate(WORLDS.items()):
        points = []
        for size in SIZES:
            count = covered(world, size, studies)
            points.append((float(size), count / studies, *clopper_pearson(count, studies)))
        lines.append(Curve(name, tuple(points), series))
    title = f"Share of {studies:,} studies whose 95 % interval holds the truth, by number of samples"
    return standalone(
        curves("coverage", title, lines, x="samples", y="coverage", level=0.95, logarithmic=True)
    )


def main() -> None:
    """Simulate, and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("coverage.svg"))
    asked = parser.parse_args()
    asked.out.write_text(picture(asked.studies), encoding="utf-8")


if __name__ == "__main__":
    main()
