"""The table of the run: each test adds its row to a file of JSON lines, also when it fails."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

FOLDER_VARIABLE = "SIYU_CHAOS_ROWS"
_HEADS = ("row", "scenario", "what was done", "expected", "seen", "factor", "verdict")


@dataclass
class Row:
    """One line of the failure matrix; a test fills it in as it goes."""

    number: int
    scenario: str = ""
    done: str = ""
    """What was done, and how often."""
    expected: str = ""
    seen: str = ""
    factor: str = "1"
    """By how much waiting times, rates or the clock were scaled; 1 is real life."""
    seed: str = ""
    """From which its chance followed, where there was any."""
    verdict: str = "not run"
    seconds: float = 0.0

    def plan(self, scenario: str, *, done: str, expected: str, factor: str = "1") -> None:
        """Say what will be done and what must come of it."""
        self.scenario, self.done, self.expected, self.factor = scenario, done, expected, factor

    def saw(self, seen: str) -> None:
        """Note what came of it, before it is judged."""
        self.seen = f"{self.seen}; {seen}" if self.seen else seen


def folder() -> Path | None:
    """Where rows are collected; None where nobody asked for a table."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else None


def add(row: Row, into: Path) -> None:
    """Append a row; a file per process, so that test workers do not write over each other."""
    into.mkdir(parents=True, exist_ok=True)
    with (into / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")


def read(source: Path) -> list[Row]:
    """Every row of a run, by number."""
    lines = [line for file in sorted(source.glob("*.jsonl")) for line in file.read_text("utf-8").splitlines()]
    return sorted((Row(**json.loads(line)) for line in lines), key=lambda row: (row.number, row.scenario))


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table(*_HEADS, show_lines=True)
    for row in rows:
        colour = "green" if row.verdict == "passed" else "red"
        done = f"{row.done} (seed {row.seed})" if row.seed else row.done
        cells = tuple(escape(text) for text in (row.scenario, done, row.expected, row.seen, row.factor))
        table.add_row(str(row.number), *cells, f"[{colour}]{row.verdict}[/]\n{row.seconds:.0f} s")
    Console(highlight=False, markup=True).print(table)


def write(rows: Sequence[Row], file: Path) -> None:
    """Write the rows as JSON, under the names that programs may rely on."""
    lines = [
        {
            "row": row.number,
            "scenario": row.scenario,
            "times": row.done,
            "expected": row.expected,
            "seen": row.seen,
            "held": row.verdict == "passed",
            "factor": row.factor,
            "seed": row.seed,
            "seconds": round(row.seconds, 1),
        }
        for row in rows
    ]
    file.write_text(json.dumps(lines, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
