"""Answering a batch of sixteen mixed requests against answering them one by one.

    python -m benchmarks.speed.answering

Descriptions, questions, drawings, changes and small talk in turn, over toyworld's test scenes; of a system in
all media, over clips and sounds too. Both ways answer the same requests with the same seeds; no time is shown
before the answers are found equal: texts to the letter, media to `LEVELS` of 255, since sums over a batch are
rounded in another order. The two ways take turns, and each one's best time counts, so that other work on the
machine troubles both alike.

All is measured twice, alone on the machine and beside a process that never rests: threads that spin while
they wait for each other would take many times longer there (`nextgpt.threads`).
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.registry import load_system
from nextgpt.media import Audio, Medium, Video
from nextgpt.messages import Failure, Message, Modality, Request, seed_of, user
from nextgpt.threads import wait_asleep
from toyworld.dialogue import DESCRIBE_WORDINGS, DRAW_WORDINGS, SMALL_TALK
from toyworld.instructions import instruct
from toyworld.kinds import KINDS
from toyworld.language import paraphrase
from toyworld.questions import questions
from toyworld.render import render
from toyworld.scene import Scene
from toyworld.splits import stream

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.harness.system import System

LEVELS = 2
TEXT: frozenset[Modality] = frozenset({"text"})
PICTURE: frozenset[Modality] = frozenset({"image"})


def requests(count: int = 16) -> list[Request]:
    """Requests of the five kinds in turn, always the same ones.

    Example:
        >>> [len(request.conversation[0].images) for request in requests(5)]
        [1, 1, 0, 1, 0]
    """
    rng = random.Random("answering")
    scenes = stream("test", 0)
    made: list[Request] = []
    while len(made) < count:
        kind = _KINDS[len(made) % len(_KINDS)]
        asked = kind(next(scenes), rng)
        if asked is not None:
            message, wanted = asked
            made.append(Request((message,), wanted=wanted, seed=seed_of(f"answering/{len(made)}")))
    return made


Asked = tuple[Message, frozenset[Modality]] | None


def _describe(scene: Scene, rng: random.Random) -> Asked:
    return user(render(scene), rng.choice(DESCRIBE_WORDINGS)), TEXT


def _ask(scene: Scene, rng: random.Random) -> Asked:
    return user(render(scene), questions(scene, rng, 1)[0].text), TEXT


def _draw(scene: Scene, rng: random.Random) -> Asked:
    return user(rng.choice(DRAW_WORDINGS).format(caption=paraphrase(scene, rng))), PICTURE


def _edit(scene: Scene, rng: random.Random) -> Asked:
    edit = instruct(scene, rng)
    return None if edit is None else (user(render(scene), edit.text), PICTURE)


def _talk(scene: Scene, rng: random.Random) -> Asked:
    return user(rng.choice(SMALL_TALK)[0]), TEXT


_KINDS: tuple[Callable[[Scene, random.Random], Asked], ...] = (_describe, _ask, _draw, _edit, _talk)


def requests_in_all_media(count: int = 16) -> list[Request]:
    """Descriptions, questions, things to be made and changes in turn, each of a picture, a clip and a sound.

    Example:
        >>> [request.conversation[0].media[0].modality for request in requests_in_all_media(3)]
        ['image', 'video', 'audio']
    """
    rng = random.Random("answering")
    streams = {kind: entry.stream("test", 0) for kind, entry in KINDS.items()}
    found: list[Request] = []
    for place in range(count):
        kind, entry = list(KINDS.items())[place % len(KINDS)]
        value = next(streams[kind])
        asked: tuple[str, frozenset[Modality]] = rng.choice(entry.describe_requests), TEXT
        shown: tuple[Medium, ...] = (entry.render(value),)
        task = place // len(KINDS) % 4
        if task == 1:
            asked = entry.questions(value, rng, 1)[0].text, TEXT
        elif task == 2:
            wording = rng.choice(entry.make_requests).format(caption=entry.paraphrase(value, rng))
            asked, shown = (wording, frozenset({entry.modality})), ()
        elif task == 3 and (edit := entry.instruct(value, rng, seen=True)) is not None:
            asked = f"{edit.text}.", frozenset({entry.modality})
        found.append(Request((user(*shown, asked[0]),), wanted=asked[1], seed=seed_of(f"answering/{place}")))
    return found


def difference(left: Sequence[Message | Failure], right: Sequence[Message | Failure]) -> int:
    """The largest difference between two systems' media, in levels of 255.

    Raises:
        AssertionError: a text, a failure or the number of parts differs.
    """
    import numpy as np

    largest = 0
    for number, (one, other) in enumerate(zip(left, right, strict=True)):
        if isinstance(one, Failure) or isinstance(other, Failure):
            assert one == other, f"request {number}: {one} and {other}"
            continue
        assert len(one.parts) == len(other.parts), f"request {number}: {one.text!r} and {other.text!r}"
        for part, same in zip(one.parts, other.parts, strict=True):
            if isinstance(part, str) or isinstance(same, str):
                assert part == same, f"request {number}: {part!r} and {same!r}"
            else:
                assert type(part) is type(same), f"request {number}: {part!r} and {same!r}"
                a, b = _levels(part), _levels(same)
                largest = max(largest, round(float(np.abs(a - b).max())))
    return largest


def _levels(medium: Medium) -> NDArray[np.float32]:
    """What a medium holds, in levels of 255."""
    import numpy as np

    if isinstance(medium, Audio):
        return np.asarray(medium.samples * 127.5, np.float32)
    return np.asarray(medium.frames if isinstance(medium, Video) else medium.pixels, np.float32)


def timed(program: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds of one call."""
    start, cpu = time.perf_counter(), time.process_time()
    program()
    return time.perf_counter() - start, time.process_time() - cpu


def measure(system: System, asked: Sequence[Request], repeats: int) -> dict[str, tuple[float, float]]:
    """Best wall-clock and best processor seconds of both ways, which take turns."""
    ways: dict[str, Callable[[], object]] = {
        "one by one": lambda: [system.respond([request]) for request in asked],
        "together": lambda: system.respond(asked),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            times[name].append(timed(way))
    return {name: (min(w for w, _ in found), min(c for _, c in found)) for name, found in times.items()}


@contextmanager
def beside_a_busy_process() -> Iterator[None]:
    """While this lasts, another process computes without a pause."""
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


def rows(machine: str, best: dict[str, tuple[float, float]]) -> Iterator[str]:
    r"""The table's two rows of one state of the machine.

    Example:
        >>> print(*rows("idle", {"one by one": (4.0, 6.0), "together": (2.0, 3.0)}), sep="\n")
        | idle, wall clock | 4.00 | 2.00 | **2.0** |
        | idle, processor | 6.00 | 3.00 | 2.0 |
    """
    (wall, cpu), (wall_batch, cpu_batch) = best["one by one"], best["together"]
    yield f"| {machine}, wall clock | {wall:.2f} | {wall_batch:.2f} | **{wall / wall_batch:.1f}** |"
    yield f"| {machine}, processor | {cpu:.2f} | {cpu_batch:.2f} | {cpu / cpu_batch:.1f} |"


def main() -> None:
    """Print the table."""
    wait_asleep()
    import torch

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--system", default="nextgpt-tiny", help="a name of the registry")
    parser.add_argument("--repeats", type=int, default=5, help="of each way, in turns")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="by default one for each core")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    system = load_system(options.system)
    asked = requests_in_all_media() if {"video", "audio"} <= system.produces else requests()
    together = system.respond(asked)
    alone = [system.respond([request])[0] for request in asked]
    levels = difference(together, alone)
    assert levels <= LEVELS, f"media differ by {levels} levels of 255: no time is shown"
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}; {platform.machine()}, "
        f"{options.threads} threads, best of {options.repeats}; {len(asked)} requests, "
        f"{sum(len(a.media) for a in together if isinstance(a, Message))} media made, "
        f"which differ by at most {levels} of 255\n"
    )
    print("| | one by one, s | together, s | times faster |\n| --- | ---: | ---: | ---: |")
    print(*rows("idle", measure(system, asked, options.repeats)), sep="\n", flush=True)
    with beside_a_busy_process():
        print(*rows("beside a busy process", measure(system, asked, options.repeats)), sep="\n")


if __name__ == "__main__":
    main()
