"""`python -m tests.chaos`: the whole suite, then one table, also in `chaos.json`. Arguments are pytest's."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.chaos import sizes, table

HERE = Path(__file__).parent
FILE = Path("chaos.json")


def main(arguments: list[str]) -> int:
    """Run in full one after the other, unless pytest is told otherwise; the exit status of the tests."""
    with tempfile.TemporaryDirectory(prefix="siyu-chaos-") as folder:
        settings = {sizes.VARIABLE: sizes.FULL, table.FOLDER_VARIABLE: folder}
        environment = {**settings, **os.environ, table.FOLDER_VARIABLE: folder}
        command = (sys.executable, "-m", "pytest", str(HERE), "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
        status = subprocess.run([*command, *arguments], env=environment, check=False).returncode
        rows = table.read(Path(folder))
    table.show(rows)
    table.write(rows, FILE)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
