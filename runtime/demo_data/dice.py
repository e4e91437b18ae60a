"""Repeatable chance: the same seed gives the same tea shop."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_SPAN = 1 << 32


class Dice:
    """A stream of numbers derived from a seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._rolls = 0

    def chance(self) -> float:
        """A number in [0, 1)."""
        self._rolls += 1
        digest = hashlib.sha256(f"{self._seed}:{self._rolls}".encode()).digest()
        return int.from_bytes(digest[:4], "big") / _SPAN

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self.chance() * (high - low + 1))

    def pick(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.whole(0, len(items) - 1)]

    def some(self, items: Sequence[T], most: int) -> list[T]:
        """Up to `most` different items."""
        return sorted({self.pick(items) for _ in range(self.whole(0, most))}, key=items.index)
