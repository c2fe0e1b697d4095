"""How fast a model is at its full size: networks of its shapes with random weights, run on a device.

Speed and memory do not depend on what weights say, so none are needed: one any-to-any turn, one training
step of each stage, tokens a second, samples a second, peak memory and the share of the device's arithmetic
that was used. The batch of a task that does not fit into memory is halved until it does; what does not fit
even alone is left out, and said to be.

The turn is made of the networks' own passes (`nextgpt.sizing.passes.Passes`): with random weights no
reply would ask for a medium, and here each one is made.
"""

from __future__ import annotations

import ctypes
import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import torch

from nextgpt.config import load_config
from nextgpt.sizing.counting import operations
from nextgpt.sizing.memory import available
from nextgpt.sizing.passes import Load, Passes
from nextgpt.sizing.rehearsal import GIB, PAPER, TASKS, Need, Task, need
from nextgpt.sizing.structure import Structure, build, parts_of, reduced

# Dense operations a second in half precision, by the makers' data sheets; others are measured.
_RATED = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "4090": 165e12, "V100": 125e12}
# Tokens of a reply.
_SAID = {"cuda": 64, "cpu": 16}


@dataclass(frozen=True)
class Row:
    """One thing that was measured.

    Attributes:
        what: "one any-to-any turn", "stage encoding, one step", ...
        batch: requests or examples at once; 0 for what does not fit.
        seconds: wall-clock time.
        rate: tokens or samples a second.
        unit: of `rate`.
        used: share of the device's arithmetic, 0 to 1; None where operations were not counted.
        gib: peak memory in GiB, as measured.
        estimated: as `nextgpt.sizing.rehearsal.need` says.
    """

    what: str
    batch: int
    seconds: float
    rate: float
    unit: str
    used: float | None
    gib: float
    estimated: float


def measure(
    preset: str = "tiny",
    *,
    device: str = "cpu",
    layers: int | None = None,
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measure everything.

    Args:
        preset: a preset's name or file.
        device: "cpu" or "cuda".
        layers: of the language model, where the device cannot hold them all; recorded with the results.
        tell: is called with a line about each task before it runs.

    Returns:
        What was measured and on what, ready for JSON.
    """
    config = load_config(preset)
    dtype: torch.dtype = getattr(torch, config.dtype) if device == "cuda" else torch.float32
    parts = parts_of(config) if layers is None else reduced(parts_of(config), layers)
    plan, free = build(parts, dtype=dtype), _free(device)
    loads = {task: _fitting(plan, task, _smaller(task, device), free) for task in TASKS}
    tell(f"{preset} on {_name(device)}, {free / GIB:.1f} GiB free")
    # On a CPU the process itself is large already.
    base = 0 if device == "cuda" else _resident("VmRSS")
    structure = build(parts, device=device, dtype=dtype)
    rated = _rate(device, dtype)
    rows: list[Row] = []
    for task in TASKS:
        wanted = loads[task]
        if wanted.total > free:
            tell(f"{task}: left out, needs {wanted.total / GIB:.1f} GiB")
            rows.append(Row(task, 0, 0.0, 0.0, "", None, 0.0, wanted.total / GIB))
            continue
        tell(f"{task}: batch {wanted.load.batch}, about {wanted.total / GIB:.1f} GiB")
        passes = Passes(structure, wanted.load)
        made = _turn(passes, config.generation.steps) if task == "inference" else _step(passes, task)
        rows += [_timed(work, wanted, rated, device, base) for work in made]
    return {
        "preset": preset,
        "language_model_layers": structure.language_model.causal.config.num_hidden_layers,
        "device": _name(device),
        "operations_per_second": rated,
        "dtype": str(dtype).removeprefix("torch."),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "rows": [vars(row) for row in rows],
    }


class _Work(NamedTuple):
    """What is timed, and what it makes."""

    what: str
    run: Callable[[], object]
    made: int
    unit: str


def _turn(passes: Passes, steps: int) -> Iterator[_Work]:
    """A turn that reads everything, speaks, and makes everything; and speaking alone."""
    lm, load = passes.structure.language_model, passes.load
    said = _SAID[lm.signal_embeddings.device.type]

    def speak() -> None:
        prompts = passes.random(load.batch, load.tokens, lm.width)
        lm.generate(list(prompts), end=[-1], max_new_tokens=said)

    def turn() -> None:
        for modality in passes.heard:
            passes.read(modality)
        speak()
        for modality in passes.modalities:
            for _ in range(steps):
                passes.guided(modality)
            passes.finish(modality)

    yield _Work("speaking", speak, load.batch * said, "tokens/s")
    yield _Work("one any-to-any turn", turn, load.batch, "turns/s")


def _step(passes: Passes, stage: Task) -> Iterator[_Work]:
    """One step of AdamW."""
    trained = passes.structure.trained(stage)
    optimizer = torch.optim.AdamW(trained, lr=1e-6)
    modality = None if stage == "encoding" else passes.modalities[0]

    def step() -> None:
        passes.learn(stage, modality).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    yield _Work(f"stage {stage}, one step", step, passes.load.batch, "samples/s")


def _timed(work: _Work, wanted: Need, rated: float, device: str, base: int) -> Row:
    # The first time nothing is warm, and operations are counted; of two more the faster one is taken.
    done = operations(work.run)
    seconds, highest = [], 0
    for _ in range(2):
        with _watched(device) as peak:
            start = time.perf_counter()
            work.run()
            if device == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
        highest = max(highest, peak[0] - base)
    best = min(seconds)
    return Row(
        work.what,
        wanted.load.batch,
        best,
        work.made / best,
        work.unit,
        done / best / rated,
        highest / GIB,
        wanted.total / GIB,
    )


# The device --------------------------------------------------------------------------------------


def _smaller(task: Task, device: str) -> Load:
    """The paper's load; on a CPU, which has the tiny preset, one that it does in seconds."""
    load = PAPER[task]
    return load if device == "cuda" else Load(min(load.batch, 4), tokens=64, said=_SAID["cpu"])


def _fitting(plan: Structure, task: Task, load: Load, free: int) -> Need:
    found = need(plan, task, load)
    while found.total > free and load.batch > 1:
        load = replace(load, batch=load.batch // 2)
        found = need(plan, task, load)
    return found


def _free(device: str) -> int:
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    return available() or 2**62


def _name(device: str) -> str:
    if device == "cuda":
        return str(torch.cuda.get_device_name())
    return f"{platform.machine()}, {torch.get_num_threads()} threads"


def _rate(device: str, dtype: torch.dtype) -> float:
    """Operations a second that the device can do: its data sheet's, or those of a large product here."""
    if device == "cuda":
        for model, rated in _RATED.items():
            if model in _name(device):
                return rated
    size = 8192 if device == "cuda" else 1024
    matrix = torch.randn(size, size, device=device, dtype=dtype)
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        product = matrix @ matrix
        product[0, 0].item()  # waits for the device
        best = min(best, time.perf_counter() - start)
    return float(2 * size**3 / best)


@contextmanager
def _watched(device: str) -> Iterator[list[int]]:
    """The peak of memory meanwhile, in bytes, in a list of one."""
    peak = [0]
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        _forget_peak()
    yield peak
    peak[0] = torch.cuda.max_memory_allocated() if device == "cuda" else _resident("VmHWM")


def _forget_peak() -> None:
    """Let Linux count this process's peak anew; elsewhere nothing happens, and no peak is told."""
    # What was freed but kept by the allocator would hide as much of the peak.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
    if trim is not None:
        trim(0)
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _resident(which: str) -> int:
    """Bytes of this process in memory now ("VmRSS"), or at most ("VmHWM"); 0 where no one tells."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(which)), 0)
