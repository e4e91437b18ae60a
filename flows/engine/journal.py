"""What a run already did, in memory: steps are matched by their path and n-th occurrence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from crm.conversations.types import JournalEntry


@dataclass(frozen=True)
class Slot:
    """The place of one step."""

    path: str
    occurrence: int

    def __str__(self) -> str:
        return f"{self.path}#{self.occurrence}"


class Journal:
    """The entries of one run; `added` and `removed` say how they differ from what is stored."""

    def __init__(self, stored: Iterable[JournalEntry] = ()) -> None:
        self._stored = {Slot(entry.path, entry.occurrence): entry for entry in stored}
        self._entries = dict(self._stored)
        self._met: Counter[str] = Counter()
        self._next = 1 + max((entry.position for entry in self._stored.values()), default=-1)

    def slot(self, path: str) -> Slot:
        """The place of the next step with this path."""
        self._met[path] += 1
        return Slot(path, self._met[path])

    def find(self, slot: Slot) -> JournalEntry | None:
        """What was recorded there."""
        return self._entries.get(slot)

    def record(self, slot: Slot, value: Any, *, is_effect: bool = False) -> None:
        """Record a step that was just made."""
        self._entries[slot] = JournalEntry(slot.path, slot.occurrence, self._next, is_effect, value)
        self._next += 1

    def shrink(self, prefix: str, slot: Slot, value: Any) -> None:
        """Replace all that stands below `prefix` by one entry, which counts as an effect if any of them did."""
        inside = [found for found in self._entries if found.path.startswith(prefix)]
        is_effect = any(self._entries.pop(found).is_effect for found in inside)
        self.record(slot, value, is_effect=is_effect)

    def effects_after(self, entry: JournalEntry) -> list[str]:
        """Paths of the effects that were recorded after `entry`, in order."""
        return [found.path for found in self._ordered() if found.is_effect and found.position > entry.position]

    def effects(self) -> list[str]:
        """Paths of all recorded effects, in order."""
        return [found.path for found in self._ordered() if found.is_effect]

    def cut(self, entry: JournalEntry) -> None:
        """Forget `entry` and all that came after it."""
        kept = {slot: found for slot, found in self._entries.items() if found.position < entry.position}
        self._entries = kept

    def added(self) -> list[JournalEntry]:
        """Entries that are not stored yet, in order."""
        return [found for found in self._ordered() if self._stored.get(Slot(found.path, found.occurrence)) is not found]

    def removed(self) -> list[JournalEntry]:
        """Stored entries that are gone or were replaced."""
        return [entry for slot, entry in self._stored.items() if self._entries.get(slot) is not entry]

    def _ordered(self) -> list[JournalEntry]:
        return sorted(self._entries.values(), key=lambda entry: entry.position)
