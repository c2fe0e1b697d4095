"""Attacks on all readers for as long as one likes, led by coverage where atheris is installed.

    python -m tests.fuzz --minutes 60 --found FOLDER [--only NAME]

What a reader meets with an outcome that is not defined is kept in FOLDER, named after the reader; the search
goes on. Made anew and small, such a file becomes a case of ``test_found.py``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from tests.fuzz.mutations import mutated

if TYPE_CHECKING:
    from tests.fuzz.readers import Reader

SLOW = 30.0  # seconds
_MEMORY = Path("/dev/shm")


class Attacker:
    """Hands files to readers, counts, and keeps what has no defined outcome.

    Args:
        readers: whom to attack.
        found: folder of what is kept.
        minutes: how long; the process ends itself then, for a fuzzer would not.
    """

    def __init__(self, readers: Mapping[str, Reader], found: Path, minutes: float) -> None:
        self.readers, self.found = [*readers.items()], found
        self.counts, self._seen = Counter[str](), set[str]()
        self._start = time.monotonic()
        self._end = self._start + minutes * 60
        scratch = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
        self._folders = [scratch / f"{place}" for place in range(len(self.readers))]
        self.valid = []
        for folder, (name, reader) in zip(self._folders, self.readers, strict=True):
            folder.mkdir()
            reader.make(folder)
            self.valid.append((folder / reader.file).read_bytes())
            said = self._read(len(self.valid) - 1, self.valid[-1])
            assert not said, f"{name}: {said}"

    def attack(self, place: int, data: bytes) -> None:
        """One file for one reader."""
        name = self.readers[place][0]
        self.counts[name] += 1
        (self.found / "last").write_bytes(data)  # what a crash of the whole process leaves
        said = self._read(place, data)
        kind = f"{name}: {said[:60]}"
        if said and kind not in self._seen:
            self._seen.add(kind)
            stem = f"{name.replace('/', '_')}-{hashlib.sha256(data).hexdigest()[:8]}"
            (self.found / f"{stem}.bin").write_bytes(data)
            (self.found / f"{stem}.txt").write_text(said, encoding="utf-8", errors="backslashreplace")
        over = time.monotonic() > self._end
        if over or self.counts.total() % 1000 == 0:
            spent = {"minutes": (time.monotonic() - self._start) / 60, "files": self.counts.total()}
            (self.found / "counts.json").write_text(json.dumps(spent | self.counts, indent=1), "utf-8")
        if over:
            os._exit(0)

    def _read(self, place: int, data: bytes) -> str:
        from tests.fuzz.readers import complaints

        start = time.monotonic()
        said = complaints(self.readers[place][1], self._folders[place], data)
        took = time.monotonic() - start
        return f"slow: {took:.0f} s" if not said and took > SLOW else said


def at_random(attacker: Attacker, seed: int) -> None:
    """Without anything that looks at coverage."""
    random = Random(seed)
    while True:
        place = random.randrange(len(attacker.readers))
        attacker.attack(place, mutated(attacker.valid[place], random))


def led_by_coverage(attacker: Attacker, seed: int, atheris: Any) -> None:
    """The first two bytes of an input say whose it is."""
    corpus = attacker.found / "corpus"
    corpus.mkdir(exist_ok=True)
    for place, data in enumerate(attacker.valid):
        (corpus / f"valid-{place}").write_bytes(place.to_bytes(2, "big") + data)
    random = Random(seed)

    def one(data: bytes) -> None:
        if len(data) > 2:
            attacker.attack(int.from_bytes(data[:2], "big") % len(attacker.readers), data[2:])

    def mutate(data: bytes, most: int, _: int) -> bytes:
        if len(data) < 3:
            return data
        head, rest = data[:2], data[2:]
        rest = bytes(atheris.Mutate(rest, most - 2)) if random.random() < 0.5 else mutated(rest, random)
        return (head + rest)[:most]

    limits = ["-max_len=8192", "-timeout=120", "-rss_limit_mb=4000"]
    atheris.Setup([sys.argv[0], f"-seed={seed + 1}", *limits, str(corpus)], one, custom_mutator=mutate)
    atheris.Fuzz()


def main() -> None:
    """Attack until the time is over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--found", type=Path, required=True)
    parser.add_argument("--only", default="", help="readers whose name holds this")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.found.mkdir(parents=True, exist_ok=True)
    try:
        import atheris
    except ImportError:
        from tests.fuzz.readers import readers

        chosen = {name: each for name, each in readers().items() if options.only in name}
        return at_random(Attacker(chosen, options.found, options.minutes), options.seed)
    with atheris.instrument_imports(include=["benchmarks", "metrics", "nextgpt", "reports"]):
        from tests.fuzz.readers import readers
    chosen = {name: each for name, each in readers().items() if options.only in name}
    return led_by_coverage(Attacker(chosen, options.found, options.minutes), options.seed, atheris)


if __name__ == "__main__":
    main()
