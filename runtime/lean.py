"""How a lean process starts: without libraries that only happen to be installed, and asking a copy of itself.

structlog colours tracebacks with rich, which Siyu never shows; redis reports to opentelemetry, for which Siyu has no
collector. Both cost megabytes in each of any number of processes.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from crm.kit.parts import load_part

SENDER = "runtime.processes.sender:serve"
_TELL, _RUN, _UNDERSTOOD = "runtime.telling:tell", "runtime.failures:run", "runtime.outline:understood"
_OPTIONAL = ("rich", "opentelemetry")


def start(path: str) -> NoReturn:
    """Run the process that `module:attribute` serves, given what it must know; ends with its status."""
    said = ask_copy(_TELL)
    with plain_libraries():
        run, understood, serve = load_part(_RUN), load_part(_UNDERSTOOD), load_part(path)
    run(serve(understood(said)))
    raise SystemExit


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


def ask_copy(path: str) -> Any:
    """What the function `module:attribute` answers, in JSON values, when a copy of this process calls it and ends.

    The memory of what it loads goes with the copy. Before any thread or event loop is started. Ends this process
    too when the function did not answer; the copy has said why on standard error.
    """
    reading, writing = os.pipe()
    copy = os.fork()
    if copy == 0:
        os.close(reading)
        _answer(path, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        said = answer.read()
    status = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
    if status:
        raise SystemExit(abs(status))
    return json.loads(said)


def _answer(path: str, writing: int) -> NoReturn:
    status = 1
    try:
        said = json.dumps(load_part(path)()).encode()
        with os.fdopen(writing, "wb") as answer:
            answer.write(said)
        status = 0
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) and error.code else 1
    except BaseException:  # noqa: BLE001 - the copy must not run on as if it were the process itself
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
