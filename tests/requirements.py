"""What a test needs from the machine: absent, it skips in sight; in continuous integration it fails."""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from runtime.embedded.binaries import find_binary

REQUIRE_ALL = "SIYU_REQUIRE_ALL"


def require_tool(*names: str) -> Path:
    """The first of these programs that is installed; skips, or fails under SIYU_REQUIRE_ALL=1."""
    for name in names:
        path = shutil.which(name)
        if path:
            return Path(path)
    return absent(f"{' or '.join(names)} is not installed")


def require_postgres_tool(name: str) -> Path:
    """A PostgreSQL program such as pgbench, of the embedded or the system's installation."""
    path = find_binary(name)
    if path is None:
        absent(f"PostgreSQL's {name} is not installed")
    return path


def absent(reason: str) -> NoReturn:
    """Skip the running test for `reason`, or fail it under SIYU_REQUIRE_ALL=1."""
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{reason}, and {REQUIRE_ALL}=1 forbids to skip")
    pytest.skip(reason)
