"""`python -m tests.mutants [sql|python] [NAME ...]`: faults in the ledger, and whether its tests notice them.

Writes `mutants.json`. Names narrow down which functions (sql) or which of mutmut's mutants (python) are tried;
with SIYU_MUTANTS_EVERY=3 each third fault of the functions is tried alone.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from runtime.embedded.postgres import start_postgres
from runtime.embedded.valkey import start_valkey
from tests.conftest import FAST, Servers, migrate_template
from tests.mutants import outcome, python_mutants, sql_mutants
from tests.shared_servers import VARIABLE

FILE = Path("mutants.json")
WORKERS = 2
EVERY = int(os.environ.get("SIYU_MUTANTS_EVERY", "1"))
EXAMPLES = {"SIYU_LEDGER_EXAMPLES": "8", "SIYU_LEDGER_STEPS": "8"}
"""Few of each random history: they run once for every mutant."""
KINDS = ("sql", "python")


def main(arguments: list[str]) -> int:
    """0 when enough mutants of each kind were noticed."""
    kinds = [name for name in arguments if name in KINDS] or list(KINDS)
    names = [name for name in arguments if name not in KINDS]
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="siyu-mutants-") as name, asyncio.Runner() as runner:
        folder = Path(name)
        postgres = runner.run(start_postgres(folder, settings=FAST))
        valkey = runner.run(start_valkey(folder))
        try:
            servers = Servers(postgres.url, valkey.url)
            runner.run(migrate_template(servers))
            os.environ.update({VARIABLE: f"{postgres.url} {valkey.url} {folder}", **EXAMPLES})
            if "sql" in kinds:
                outcomes.append(sql_mutants.try_all(servers, WORKERS, names[0] if names else "", EVERY, _show))
            if "python" in kinds:
                outcomes.append(python_mutants.try_all(folder, WORKERS, names))
        finally:
            runner.run(valkey.destroy())
            runner.run(postgres.destroy())
    for found in outcomes:
        print(found.told())  # noqa: T201  # a program that prints
    outcome.write(outcomes, FILE)
    return int(any(found.percent < outcome.ENOUGH for found in outcomes))


def _show(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a program that prints


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
