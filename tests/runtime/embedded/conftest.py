"""A data folder below a closed parent, and programs that hold a server until they are killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.embedded.postgres import start_postgres
from runtime.embedded.server import EmbeddedServer

LIGHT = {"fsync": "off", "shared_buffers": "16MB", "max_connections": "20"}

_HOLDER = """
import asyncio, sys
from pathlib import Path
from runtime.embedded.{module} import start_{module}

async def hold() -> None:
    server = await start_{module}(Path(sys.argv[1]){arguments})
    print(server.pid, flush=True)
    await asyncio.sleep(300)

asyncio.run(hold())
"""


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder yet to be made, with a blank and Chinese in its name, below one of mode 0700."""
    parent = tmp_path / "closed to others"
    parent.mkdir(mode=0o700)
    return parent / "数据 data"


async def start_light(data_dir: Path) -> EmbeddedServer:
    """A server with small buffers that does not wait for the disk."""
    return await start_postgres(data_dir, settings=LIGHT)


def kill(pid: int) -> None:
    """What an out-of-memory killer does."""
    os.kill(pid, signal.SIGKILL)


class Holder:
    """Another process that has started a server and keeps it."""

    def __init__(self, module: str, data_dir: Path) -> None:
        arguments = f", settings={LIGHT!r}" if module == "postgres" else ""
        program = _HOLDER.format(module=module, arguments=arguments)
        self._process = subprocess.Popen([sys.executable, "-c", program, data_dir], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.server_pid = int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@pytest.fixture
def holders() -> Iterator[list[Holder]]:
    """Holders to be killed at the end of the test, whatever happens."""
    started: list[Holder] = []
    yield started
    for holder in started:
        holder.kill()
