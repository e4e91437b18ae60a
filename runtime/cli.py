"""The command `siyu`: a lean process starts without the tree of commands and what that loads."""

import sys

from crm.kit.parts import load_part
from runtime.lean import plain_libraries

_LEAN = {"sender": "runtime.processes.sender:serve"}


def main() -> None:
    """Entry point of the console script."""
    lean = _LEAN.get(sys.argv[1]) if len(sys.argv) == 2 else None  # noqa: PLR2004 - a command without options
    if lean is None:
        load_part("runtime.commands.tree:app")()
        return
    with plain_libraries():
        run, serve = load_part("runtime.failures:run"), load_part(lean)
    run(serve())
