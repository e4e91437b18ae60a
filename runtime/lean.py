"""What lean processes do without: libraries that others load only because they happen to be installed.

structlog colours tracebacks with rich, which Siyu never shows; redis reports to opentelemetry, for which Siyu has no
collector. Both cost megabytes in each of any number of processes.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_OPTIONAL = ("rich", "opentelemetry")


@contextmanager
def plain_libraries() -> Iterator[None]:
    """Let these count as not installed for what is loaded inside the block; afterwards they can be loaded again."""
    hidden = [name for name in _OPTIONAL if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # as the import system documents it
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
