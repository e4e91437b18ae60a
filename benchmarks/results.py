"""One measured figure, the table, and `bench.json`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

FILE = Path("bench.json")


@dataclass(frozen=True)
class Result:
    """`value` and `reference` in `unit`; `ratio` is value / reference and is compared with `goal`."""

    name: str
    unit: str
    value: float
    reference: float
    goal: float
    is_most: bool = False
    """The goal is an upper bound, as of a waiting time."""

    @property
    def ratio(self) -> float:
        """What may be compared between machines."""
        return self.value / self.reference

    @property
    def met(self) -> bool:
        """Whether the ratio reaches the goal, or stays below it."""
        return self.ratio <= self.goal if self.is_most else self.ratio >= self.goal

    def as_json(self) -> dict[str, object]:
        """The entry in `bench.json`."""
        return {**asdict(self), "ratio": round(self.ratio, 3), "met": self.met}


def show(results: Sequence[Result]) -> None:
    """Print the table."""
    table = Table("what", "measured", "reference", "ratio", "goal", "met")
    for item in results:
        table.add_row(
            item.name,
            f"{item.value:,.0f} {item.unit}",
            f"{item.reference:,.0f} {item.unit}",
            f"{item.ratio:.2f}",
            f"{'<=' if item.is_most else '>='} {item.goal:.2f}",
            "[green]yes[/]" if item.met else "[red]no[/]",
        )
    Console(highlight=False).print(table)


def write(results: Sequence[Result]) -> None:
    """Write `bench.json`."""
    FILE.write_text(json.dumps([item.as_json() for item in results], indent=2) + "\n")
