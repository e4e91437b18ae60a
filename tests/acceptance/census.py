"""Who runs on this machine: to prove that nothing is left behind."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True)
class Mark:
    """A process that no other can be mistaken for: its number and when it began."""

    pid: int
    began: int
    parent: int
    name: str


def _read(pid: int) -> Mark | None:
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    return None if fields[0] in {"Z", "X"} else Mark(pid, int(fields[19]), int(fields[1]), name)


def everybody() -> list[Mark]:
    """Every running process that can be seen."""
    found = (_read(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [mark for mark in found if mark is not None]


def family_of(pid: int) -> list[Mark]:
    """The process with all that it started, and what those started."""
    known = everybody()
    family = {pid}
    while True:
        grown = family | {mark.pid for mark in known if mark.parent in family}
        if grown == family:
            return [mark for mark in known if mark.pid in family]
        family = grown


def still_there(marks: Iterable[Mark]) -> list[Mark]:
    """Those of `marks` that run still."""
    return [mark for mark in marks if (now := _read(mark.pid)) is not None and now.began == mark.began]
