"""The model at its full size on the GPU at hand, all checks in one go; the results are kept.

    python -m benchmarks.speed.full_size                     # preset 7b on the GPU
    python -m benchmarks.speed.full_size --preset tiny       # without a GPU: the same table, small

One any-to-any turn, one training step of each stage, tokens and samples a second, peak memory beside its
estimate, and the share of the device's arithmetic that was used. Weights are random: none need be there.
Results go to ``benchmarks/speed/results/PRESET-MACHINE.json``.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.registry import load_measurement

RESULTS = Path(__file__).parent / "results"
HEAD = (
    "| | batch | seconds | rate | arithmetic used | peak, GiB | estimated, GiB |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def line(row: Mapping[str, Any]) -> str:
    """One line of the table.

    Example:
        >>> line({"what": "a turn", "batch": 2, "seconds": 0.5, "rate": 4.0, "unit": "turns/s",
        ...       "used": 0.25, "gib": 1.0, "estimated": 1.2})
        '| a turn | 2 | 0.500 | 4.0 turns/s | 25.0% | 1.00 | 1.20 |'
    """
    if not row["batch"]:
        return f"| {row['what']} | does not fit | | | | | {row['estimated']:.2f} |"
    used = "" if row["used"] is None else f"{row['used']:.1%}"
    return (
        f"| {row['what']} | {row['batch']} | {row['seconds']:.3f} | {row['rate']:.1f} {row['unit']} | {used} "
        f"| {row['gib']:.2f} | {row['estimated']:.2f} |"
    )


def keep(found: Mapping[str, Any], machine: str, folder: Path = RESULTS) -> Path:
    """Write what was measured under the names of preset and machine."""
    name = re.sub(r"[^A-Za-z0-9.]+", "-", f"{found['preset']}-{machine}").strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"machine": machine, **found}, indent=1) + "\n", encoding="utf-8")
    return path


def main() -> None:
    """Measure, print the table, keep it."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--preset", default="7b")
    parser.add_argument("--machine", help="what to call this machine; by default the GPU's model")
    parser.add_argument("--layers", type=int, help="of the language model, for a GPU that cannot hold all")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and options.preset != "tiny":
        parser.error(f"no GPU is at hand for the preset {options.preset}; without one use --preset tiny")
    found = load_measurement("full-size")(options.preset, device=device, layers=options.layers)
    print(HEAD, *(line(row) for row in found["rows"]), sep="\n")
    print(f"\nkept in {keep(found, options.machine or found['device'], options.out)}")


if __name__ == "__main__":
    main()
