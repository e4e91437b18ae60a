"""Lets mutmut put faults into the Python of the ledger, in a copy of the checkout, and reads what came of it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.mutants.outcome import Outcome

ROOT = Path(__file__).parents[2]
COPIED = (
    "crm",
    "flows",
    "bot",
    "admin_api",
    "runtime",
    "templates",
    "tests",
    "pyproject.toml",
    "alembic.ini",
    "hatch_build.py",
)
_STATISTICS = Path("mutants/mutmut-cicd-stats.json")


def try_all(folder: Path, workers: int, names: list[str]) -> Outcome:
    """All mutants, or those whose names match `names`; what mutmut tells goes to the terminal."""
    copy = folder / "checkout"
    if not copy.exists():
        _copy(copy)
    _mutmut(copy, "run", "--max-children", str(workers), *names)
    _mutmut(copy, "export-cicd-stats")
    counts = json.loads((copy / _STATISTICS).read_text("utf-8"))
    survivors = [line.strip() for line in _told(copy, "results").splitlines() if line.strip()]
    killed = counts["killed"] + counts["timeout"] + counts["segfault"] + counts["suspicious"]
    return Outcome("Python", killed, sorted(survivors))


def _copy(to: Path) -> None:
    hidden = shutil.ignore_patterns("__pycache__", ".*_cache", "node_modules")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=hidden)
        else:
            to.mkdir(exist_ok=True)
            shutil.copy2(source, to / name)


def _mutmut(copy: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "mutmut", *arguments], cwd=copy, env=_environment(), check=True)


def _told(copy: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "mutmut", *arguments]
    return subprocess.run(command, cwd=copy, env=_environment(), check=True, capture_output=True, text=True).stdout


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
