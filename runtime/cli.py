"""The command `siyu`: a lean process starts without the tree of commands and what that loads."""

import sys

from crm.kit.parts import load_part
from runtime.lean import SENDER, start

_LEAN = {"sender": SENDER}


def main() -> None:
    """Entry point of the console script."""
    lean = _LEAN.get(sys.argv[1]) if len(sys.argv) == 2 else None  # noqa: PLR2004 - a command without options
    if lean is None:
        load_part("runtime.commands.tree:app")()
    else:
        start(lean)
