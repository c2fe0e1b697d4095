"""What precomputed features gain: steps with them against steps that compute what is frozen anew each time.

    python -m nextgpt.training.gain
    python -m nextgpt.training.gain --pairs DIR/cc3m.json

The first two stages of a preset, on the same examples and from the same weights. The preset's own examples
are in memory; of pairs in the released code's format, whose media are files, those are opened and decoded
anew in each step too, as whoever trains without features has to. Both ways take the same steps; no time is
shown before their losses are found equal to 1e-4 of them, since a frozen network rounds otherwise among
other neighbours. The two ways take turns, step by step, so that other work on the machine troubles both
alike.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import math
import platform
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nextgpt.terminal import say
from nextgpt.training import native
from nextgpt.training.data import Broken, Example

if TYPE_CHECKING:
    from nextgpt.config import Config, Stage
    from nextgpt.training.steps import Run

STAGES: tuple[Stage, ...] = ("encoding", "decoding")
TOLERANCE = 1e-4  # relative
_WARM_UP = 2  # steps that are not counted: memory is allocated in them


class _Computed:
    """A stage's run whose features are there before each step, or computed as a part of it."""

    def __init__(
        self, config: Config, stage: Stage, steps: int, out: Path, *, anew: bool, pairs: Path | None = None
    ) -> None:
        from nextgpt.training.batches import Prepared
        from nextgpt.training.loop import planned
        from nextgpt.training.stages import begin
        from nextgpt.training.steps import Run

        plan, read = planned(config, stage)
        self.stage, self.pairs = stage, pairs
        count = plan.batch * (steps + _WARM_UP)
        chosen = _first(read if pairs is None else native.read(pairs, stage), count)
        self.numbers, self.examples = list(chosen), list(chosen.values())
        self.model = begin(config, stage, seed=plan.seed)
        data = Prepared(self.model, self.examples)
        # As at the beginning of a longer run: at the peak of the learning rate rounding would grow.
        self.run: Run = Run(self.model, data, dataclasses.replace(plan, held_out=0, steps=count), out)
        self.anew = anew
        self.loss = math.nan

    def step(self) -> None:
        """One step."""
        if self.anew:
            from nextgpt.training.batches import compute
            from nextgpt.training.features import Features

            self.run.data.features = Features()
            compute(self.run.data.features, self._read(self.run.order.rows(self.run.step)), self.model)
        self.loss = float(self.run.advance()["loss"])
        self.run.step += 1

    def _read(self, rows: Sequence[int]) -> list[Example]:
        """The examples of a step: those at hand, or from their files once more."""
        if self.pairs is None:
            return [self.examples[row] for row in rows]
        numbers = [self.numbers[row] for row in rows]
        return list(_first(native.read(self.pairs, self.stage, numbers), len(rows)).values())


def _first(read: Iterable[Example | Broken], count: int) -> dict[int, Example]:
    """The first examples of a stream, at most so many, by their place in it; broken ones are passed over."""
    whole = ((place, item) for place, item in enumerate(read) if isinstance(item, Example))
    return dict(itertools.islice(whole, count))


def rows(config: Config, steps: int, pairs: Path | None = None) -> Iterator[str]:
    """The table's lines, a stage each.

    Args:
        config: the preset.
        steps: of each stage and each way, after those to warm up.
        pairs: a json file of pairs to learn from instead of the preset's own examples.

    Raises:
        AssertionError: a loss differs between the two ways.
    """
    for stage in STAGES:
        with tempfile.TemporaryDirectory() as folder:
            both = partial(_Computed, config, stage, steps, Path(folder), pairs=pairs)
            ways = [both(anew=False), both(anew=True)]
            wall, cpu = [0.0, 0.0], [0.0, 0.0]
            for number in range(_WARM_UP + steps):
                for place, way in enumerate(ways):
                    start, used = time.perf_counter(), time.process_time()
                    way.step()
                    if number >= _WARM_UP:
                        wall[place] += (time.perf_counter() - start) / steps
                        cpu[place] += (time.process_time() - used) / steps
                one, other = (way.loss for way in ways)
                equal = math.isclose(one, other, rel_tol=TOLERANCE)
                assert equal, f"step {number}: losses of {one} and {other}: no time is shown"
        yield (
            f"| {stage} | {wall[1]:.3f} | {wall[0]:.3f} | **{wall[1] / wall[0]:.2f}** | 2 "
            f"| {cpu[1] / cpu[0]:.2f} |"
        )


def main() -> None:
    """Print the table."""
    import torch

    from nextgpt.config import load_config

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--preset", default="tiny", help="a preset's name, or a YAML file")
    parser.add_argument("--pairs", type=Path, help="json file of pairs, its media in files beside it")
    parser.add_argument("--steps", type=int, default=20, help="of each stage and each way")
    options = parser.parse_args()
    say(
        f"Python {platform.python_version()}, torch {torch.__version__}; {platform.machine()}, "
        f"{torch.get_num_threads()} threads; mean of {options.steps} steps; losses equal to {TOLERANCE:g}\n\n"
        "| stage | computed each step, s | precomputed, s | times faster | at least | in CPU time |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        flush=True,
    )
    for line in rows(load_config(options.preset), options.steps, options.pairs):
        say(line, flush=True)


if __name__ == "__main__":
    main()
