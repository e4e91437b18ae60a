"""What came of the mutants, and how it is told."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ENOUGH = 85.0
"""Percent of the mutants that the tests have to notice."""


@dataclass(frozen=True)
class Outcome:
    """All mutants of one kind of code."""

    of: str
    killed: int
    survivors: Sequence[str]

    @property
    def tried(self) -> int:
        """How many there were."""
        return self.killed + len(self.survivors)

    @property
    def percent(self) -> float:
        """The share that the tests noticed, of all, equivalent ones included."""
        return 100 * self.killed / self.tried if self.tried else 0.0

    def told(self) -> str:
        """One line, then the survivors."""
        line = f"{self.of}: {self.killed} of {self.tried} mutants killed, {self.percent:.1f} %"
        return "\n".join((line, *(f"  survived: {name}" for name in self.survivors)))


def write(outcomes: Sequence[Outcome], file: Path) -> None:
    """Write everything as JSON."""
    data = [asdict(outcome) | {"percent": round(outcome.percent, 1)} for outcome in outcomes]
    file.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
