"""Every speed that this project promises, measured here and now: one Markdown table, in eight minutes.

    python -m benchmarks.speed

Each line's values have been compared before its times are printed; the programs of a line run one after
the other on an otherwise idle machine, or the times mean nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import chain

from benchmarks.speed import captions, distances, vqa
from benchmarks.speed.timing import header


def main(arguments: Sequence[str] | None = None) -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args(arguments)
    print(header("pycocoevalcap", "scipy", "torchmetrics", "numpy"), flush=True)
    for line in chain(distances.rows(), vqa.rows(), captions.rows()):
        print(line, flush=True)


if __name__ == "__main__":
    main()
