"""Somebody who watches an answer in the making."""

from __future__ import annotations

from nextgpt.watching import Stop


class Ears:
    """Keeps what it is told, and stops the answer after so many steps, or so many words."""

    def __init__(self, *, stop_after: int = 10**9) -> None:
        self.heard: list[str] = []
        self.steps: list[tuple[str, int, int]] = []
        self._left = stop_after

    def words(self, text: str) -> None:
        self.heard.append(text)
        self._count()

    def step(self, what: str, done: int, total: int) -> None:
        self.steps.append((what, done, total))
        self._count()

    def _count(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Stop
