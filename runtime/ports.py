"""What services reach through their session, made when it is first asked for.

A process that serves people makes everything at its start, so that nobody waits; a lean one only what it uses.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Ports(Mapping[str, Any]):
    """Implementations by name; each is made once."""

    def __init__(self, makers: Mapping[str, Callable[[], Any]]) -> None:
        self._makers = makers
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def make_all(self) -> None:
        """Make what is not made yet."""
        for name in self._makers:
            self[name]
